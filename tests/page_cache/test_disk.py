import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from unittest import TestCase

from tests.page_cache.flights import FOLLOWERS, told_of
from veltrix.page_cache.disk import Disk
from veltrix.page_cache.stores import ASKED, UnavailableError

# A file system of 64 kB of its own, which is full soon: keep pages, then begin a generation, then keep again.
FULL = """
import sys
from pathlib import Path
from veltrix.page_cache.disk import Disk
from veltrix.page_cache.stores import UnavailableError

store = Disk(Path(sys.argv[1]) / "pages", most_bytes=10**9)
first = store.generation()
refused = 0
for number in range(40):
    try:
        store.write(first, str(number), b"x" * 4000, 60)
    except UnavailableError:
        refused += 1
kept = sum(store.read(first, str(number)) == b"x" * 4000 for number in range(40))
for number in range(200):
    try:
        (Path(sys.argv[1]) / f"rest-{number}").write_bytes(b"")
    except OSError:
        break
store.renew()
try:
    after = store.generation()
except UnavailableError:
    after = "none"
print(refused, kept, kept + refused, after != first)
"""


class DiskTests(TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="veltrix-pages-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.disk = Disk(self.folder / "pages", most_bytes=100_000)
        self.generation = self.disk.generation()

    def test_what_was_written_is_read_by_every_process(self):
        self.disk.write(self.generation, "key", b"data", 60)

        other = Disk(self.folder / "pages", most_bytes=100_000)
        self.assertEqual(other.read(other.generation(), "key"), b"data")
        self.assertIsNone(other.read(other.generation(), "none"))

    def test_a_new_generation_is_empty_for_everybody(self):
        self.disk.write(self.generation, "key", b"data", 60)
        Disk(self.folder / "pages", most_bytes=100_000).renew()

        self.assertNotEqual(self.disk.generation(), self.generation)
        self.assertIsNone(self.disk.read(self.disk.generation(), "key"))

    def test_a_page_of_a_generation_that_is_over_is_dropped(self):
        self.disk.renew()
        self.disk.write(self.generation, "key", b"data", 60)

        self.assertIsNone(self.disk.read(self.disk.generation(), "key"))

    def test_the_last_generation_is_taken_away(self):
        for _ in range(3):
            self.disk.write(self.disk.generation(), "key", b"data", 60)
            self.disk.renew()
        self.join()

        self.assertEqual([path.name for path in self.folder.glob("pages/g-*")], [self.disk.generation()])

    def test_processes_that_begin_together_agree(self):
        found, barrier = set(), threading.Barrier(8)

        def begin():
            disk = Disk(self.folder / "others", most_bytes=1000)
            barrier.wait()
            found.add(disk.generation())

        threads = [threading.Thread(target=begin) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(len(found), 1)
        self.assertEqual(len(list(self.folder.glob("others/g-*"))), 1)

    def test_generations_that_begin_together_leave_a_good_one(self):
        threads = [threading.Thread(target=self.disk.renew) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.join()

        generation = self.disk.generation()
        self.disk.write(generation, "key", b"data", 60)
        self.assertEqual(self.disk.read(generation, "key"), b"data")

    def test_the_oldest_pages_make_room(self):
        for number in range(60):
            self.disk.write(self.generation, f"page-{number}", b"x" * 5_000, 60)
            os.utime(self.folder / "pages" / self.generation / f"page-{number}", (number, number))

        sizes = [path.stat().st_size for path in (self.folder / "pages" / self.generation).iterdir()]
        self.assertLessEqual(sum(sizes), 110_000)
        self.assertGreaterEqual(sum(sizes), 70_000)
        self.assertIsNone(self.disk.read(self.generation, "page-0"))
        self.assertIsNotNone(self.disk.read(self.generation, "page-59"))

    def test_pages_with_parameters_make_room_first(self):
        for name in ("bare", *(f"{number}{ASKED}" for number in range(200))):
            self.disk.write(self.generation, name, b"x" * 5_000, 60)

        self.assertIsNotNone(self.disk.read(self.generation, "bare"))
        self.assertIsNone(self.disk.read(self.generation, f"0{ASKED}"))

    def test_a_folder_that_somebody_emptied_is_made_again(self):
        shutil.rmtree(self.folder / "pages")
        generation = self.disk.generation()
        self.disk.write(generation, "key", b"data", 60)
        self.assertEqual(self.disk.read(generation, "key"), b"data")

        shutil.rmtree(self.folder / "pages" / generation)
        self.disk.write(generation, "key", b"data", 60)
        generation = self.disk.generation()
        self.disk.write(generation, "key", b"data", 60)
        self.assertEqual(self.disk.read(generation, "key"), b"data")

    def test_a_place_where_nothing_can_be_kept_is_told_once(self):
        (self.folder / "file").write_text("")
        disk = Disk(self.folder / "file" / "pages", most_bytes=1000)

        with self.assertLogs("veltrix.page_cache", "WARNING") as logs:
            for _ in range(20):
                with self.assertRaises(UnavailableError):
                    disk.generation()
        self.assertEqual(len(logs.output), 1)

    def test_one_renders_and_the_others_wait(self):
        self.assertEqual(told_of(self.disk, self.disk), [True] + [False] * FOLLOWERS)
        with self.disk.flight("page") as is_first:
            self.assertTrue(is_first)

    def test_whoever_dies_while_rendering_holds_nobody_up(self):
        code = (
            "import os, sys; from pathlib import Path; from veltrix.page_cache.disk import Disk\n"
            "with Disk(Path(sys.argv[1]), 1000).flight('key'): print('in', flush=True); os.kill(os.getpid(), 9)"
        )
        dead = subprocess.run(
            [sys.executable, "-c", code, self.folder / "pages"], capture_output=True, text=True, check=False
        )
        self.assertEqual(dead.stdout, "in\n", dead.stderr)

        with self.disk.flight("key") as is_first:
            self.assertTrue(is_first)

    def test_a_full_disk_loses_pages_and_keeps_none_that_is_over(self):
        """On a file system of its own, in a name space that needs no rights."""
        script = 'mount -t tmpfs -o size=64k,nr_inodes=60 none "$1" && exec "$2" -c "$3" "$1"'
        done = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", self.folder, sys.executable, FULL],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        refused, kept, total, is_over = done.stdout.split()
        self.assertGreater(int(refused), 0)
        self.assertGreater(int(kept), 0)
        self.assertEqual((total, is_over), ("40", "True"))

    @staticmethod
    def join():
        for thread in threading.enumerate():
            if thread.daemon and thread.name.startswith("Thread-"):
                thread.join(5)
