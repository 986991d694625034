"""The ready files of docs/deploy: what can be seen of them without Docker and without systemd."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from django.core.management import get_commands
from django.test import SimpleTestCase

from veltrix.kept_files import UNFINISHED

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/deploy"
UNITS = sorted((FOLDER / "systemd").iterdir())


def commands_in(text):
    return re.findall(r"manage\.py\W+(\w+)", text)


def written(path, commands):
    path.write_text(f"#!/bin/sh\n{commands}\n")
    path.chmod(0o755)
    return path


class DockerfileTests(SimpleTestCase):
    text = (FOLDER / "Dockerfile").read_text()
    copied = [words[:-1] for line in text.splitlines() if line.startswith("COPY ") for words in [line.split()[1:]]]
    paths = [path for words in copied if not words[0].startswith("--") for path in words]

    def test_what_is_copied_is_enough_to_run_the_site(self):
        """Its steps by hand, in a folder that holds nothing else."""
        with TemporaryDirectory() as folder:
            for path in self.paths:
                origin, target = ROOT / path, Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(origin, target) if origin.is_dir() else shutil.copy(origin, target)
            environment = {
                "PATH": os.environ["PATH"],
                "DJANGO_SETTINGS_MODULE": "veltrix.settings",
                "DOTENV": os.devnull,
                "SECRET_KEY": "of-the-build-only",
                "VAR_DIR": f"{folder}/var",
            }
            code = "import veltrix.serving, veltrix.wsgi; from django.core.management import call_command; "
            code += "call_command('check'); call_command('findstatic', 'css/tokens.css')"
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )

            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"{folder}/static/css/tokens.css", done.stdout)

    def test_the_context_holds_what_is_copied(self):
        ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()

        self.assertEqual({line[1:] for line in ignored if line.startswith("!")}, set(self.paths))

    def test_it_runs_as_somebody_without_rights_and_holds_no_secret(self):
        after_build = self.text.rpartition("FROM ")[2]
        users = re.findall(r"^USER (\w+)$", after_build, re.MULTILINE)

        self.assertEqual(users, ["veltrix"])
        self.assertLess(after_build.index("USER veltrix"), after_build.index("CMD"))
        self.assertNotIn("ENV SECRET", self.text)
        self.assertIn("--require-hashes", self.text)
        self.assertIn("/healthz", self.text)


class ComposeTests(SimpleTestCase):
    document = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    services = document["services"]

    def test_all_parts_are_there_and_only_nginx_is_open_to_the_outside(self):
        self.assertEqual(set(self.services), {"postgres", "valkey", "migrate", "web", "worker", "nginx"})
        self.assertEqual([name for name, service in self.services.items() if "ports" in service], ["nginx"])

    def test_what_is_named_is_there(self):
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertLessEqual(set(service["networks"]), set(self.document["networks"]))
                self.assertLessEqual(set(service.get("depends_on", [])), set(self.services))
                for volume in service.get("volumes", []):
                    origin = volume.split(":")[0]
                    is_there = (
                        origin in self.document["volumes"]
                        or origin in {"./tls", "./acme"}
                        or (FOLDER / origin).is_file()
                    )
                    self.assertTrue(is_there, volume)
                if build := service.get("build"):
                    self.assertEqual((FOLDER / build["context"]).resolve(), ROOT)
                    self.assertTrue((ROOT / build["dockerfile"]).is_file())
                for command in commands_in(" ".join(service.get("command", []))):
                    self.assertIn(command, get_commands())

    def test_pictures_are_shared_and_nodes_wait_for_the_migrations(self):
        for name in ("web", "worker", "migrate"):
            volumes = {volume.split(":")[0] for volume in self.services[name]["volumes"]}
            self.assertEqual(volumes, {"media", "originals"})
        for name in ("web", "worker"):
            condition = self.services[name]["depends_on"]["migrate"]["condition"]
            self.assertEqual(condition, "service_completed_successfully")

    def test_what_writes_mails_has_a_way_out_and_the_database_has_none(self):
        """Letters and editions leave from the worker, the tests of an edition from a web node."""
        ways_out = {name for name, service in self.services.items() if "outside" in service["networks"]}

        self.assertEqual(ways_out, {"web", "worker", "nginx"})
        self.assertTrue(self.document["networks"]["inside"]["internal"])

    def test_every_log_outlives_its_container(self):
        """The log of the site tells who has left the newsletter since a backup."""
        self.assertEqual({service["logging"]["driver"] for service in self.services.values()}, {"journald"})

    def test_no_secret_is_written_down(self):
        for name, service in self.services.items():
            for variable, value in service.get("environment", {}).items():
                if "PASSWORD" in variable or variable == "DATABASE_URL":
                    with self.subTest(name, variable=variable):
                        self.assertIn("${POSTGRES_PASSWORD:?", value)

    def test_nginx_is_told_the_nodes_and_the_name(self):
        """What its command replaces stands in the file."""
        text = (FOLDER / "nginx.conf").read_text()

        self.assertEqual(text.count("    server 127.0.0.1:8000 "), 2)
        self.assertIn("/etc/ssl/veltrix.example/fullchain.pem", text)


class UnitTests(SimpleTestCase):
    def test_they_call_what_there_is_and_shut_themselves_in(self):
        services = [path for path in UNITS if path.suffix == ".service"]
        self.assertEqual(len(services), 5)
        for path in services:
            text = path.read_text()
            with self.subTest(path.name):
                commands = commands_in(text)
                self.assertTrue(commands or "gunicorn --config python:veltrix.serving" in text)
                self.assertLessEqual(set(commands), set(get_commands()))
                for line in ("User=veltrix", "NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet="):
                    self.assertIn(line, text.splitlines())

    def test_there_is_a_backup_of_each_of_the_last_seven_days(self):
        """What its unit runs, on twenty days; a file that is there already is refused, as by the command."""
        lines = (FOLDER / "systemd/veltrix-backup.service").read_text().splitlines()
        commands = [line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")]
        with TemporaryDirectory() as name:
            folder, backups = Path(name), Path(name) / "backups"
            backups.mkdir()
            for other in (f"{UNFINISHED}killed", "ours.txt"):
                (backups / other).touch()
            # As `python manage.py backup FILE`.
            python = written(folder / "python", 'test ! -e "$3" && touch "$3"')
            written(folder / "date", 'exec /usr/bin/date --date="$DAY days" "$@"')
            for old, new in {"/var/backups/veltrix": backups, "/srv/veltrix/.venv/bin/python": python}.items():
                commands = [command.replace(old, str(new)) for command in commands]
            backup, tidy = [
                [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(command)] for command in commands
            ]
            for day in range(20):
                for file in backups.iterdir():
                    os.utime(file, (file.stat().st_mtime - 86_400,) * 2)
                environment = {"PATH": f"{folder}:{os.environ['PATH']}", "DAY": str(day)}
                for command in (backup, tidy):
                    subprocess.run(command, env=environment, check=True)

            self.assertEqual(len(list(backups.glob("2*.zip"))), 7)
            self.assertEqual({path.name for path in backups.iterdir() if path.suffix != ".zip"}, {"ours.txt"})

    def test_every_timer_has_its_service(self):
        for path in UNITS:
            if path.suffix in {".timer", ".socket"}:
                self.assertTrue(path.with_suffix(".service").exists(), path.name)

    def test_systemd_finds_no_fault_with_them(self):
        program = shutil.which("systemd-analyze")
        if not program:
            return
        with TemporaryDirectory() as folder:
            for path in UNITS:
                text = re.sub(r"/srv/veltrix/\.venv/bin/\w+", sys.executable, path.read_text())
                (Path(folder) / path.name).write_text(text)
            done = subprocess.run(
                [program, "verify", *(str(Path(folder) / path.name) for path in UNITS)],
                capture_output=True,
                text=True,
                check=False,
            )

        self.assertEqual((done.returncode, done.stderr), (0, ""))


class ExampleTests(SimpleTestCase):
    def test_every_setting_is_explained(self):
        named = re.findall(r"^#? ?([A-Z_]+)=", (FOLDER / "veltrix.env.example").read_text(), re.MULTILINE)
        explained = re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text())

        self.assertGreater(len(named), 10)
        # Those two are compose.yaml's.
        self.assertLessEqual(set(named), {*explained, "POSTGRES_PASSWORD", "DOMAIN"})
