import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from tests.postgres import of_the_wheel
from veltrix.management.commands.demo import free_port

ROOT = Path(__file__).resolve().parent.parent


class PythonTests(TestCase):
    def find(self, folder, **environment):
        environment = {"PATH": str(folder), "HOME": str(folder), **environment}
        return subprocess.run(
            ["/bin/sh", str(ROOT / ".ci" / "python")], env=environment, capture_output=True, text=True, check=False
        )

    def test_an_older_python_alone_gives_one_clear_line(self):
        with TemporaryDirectory() as folder:
            old = Path(folder) / "python3"
            old.write_text("#!/bin/sh\nexit 1\n")
            old.chmod(0o755)

            done = self.find(folder)

        # Where a newer one lies in a usual place, it is found in spite of the search path.
        if done.returncode:
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn("no Python 3.12 or newer", done.stderr)
        else:
            self.assertNotIn(folder, done.stdout)

    def test_a_newer_python_is_found_behind_an_older_one(self):
        with TemporaryDirectory() as folder:
            old = Path(folder) / "python3.14"
            old.write_text("#!/bin/sh\nexit 1\n")
            old.chmod(0o755)
            (Path(folder) / "python3").symlink_to(sys.executable)

            done = self.find(folder)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(Path(done.stdout.strip()).name, "python3")


class PortTests(TestCase):
    def test_a_taken_port_gives_way_to_the_next_free_one(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            chosen = free_port(port)

        self.assertNotEqual(chosen, port)


class PostgresTests(TestCase):
    def test_the_wheel_brings_the_programs_that_a_system_may_lack(self):
        folder = of_the_wheel()

        for name in ("initdb", "pg_ctl", "postgres"):
            self.assertTrue(os.access(folder / name, os.X_OK), name)


class DemoTests(TestCase):
    def demo(self, folder):
        environment = {**os.environ, "VAR_DIR": folder, "SECRET_KEY": "x" * 60, "DOTENV": os.devnull}
        environment.pop("DATABASE_URL", None)
        environment["DJANGO_SETTINGS_MODULE"] = "veltrix.settings"
        command = [sys.executable, "manage.py", "demo", "--no-serve"]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    def test_it_sets_up_once_and_loses_nothing_the_second_time(self):
        with TemporaryDirectory() as folder:
            first, second = self.demo(folder), self.demo(folder)

        self.assertIn("4 articles added", first)
        self.assertRegex(first, r"Sign-in \(shown this once\): editor / \S{20}")
        self.assertIn("stays as it is", second)
        self.assertIsNone(re.search(r"editor / \S", second))
