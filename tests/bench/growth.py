"""How long pages on careers take at which size: `python -m tests.bench.growth` prints the tables.

Every size has a database and a process of its own, set up before anything is measured; then one process after the other
answers each page, round after round, so that whatever else the machine does falls on all of them alike.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import psycopg

from tests.postgres import server

ROOT = Path(__file__).resolve().parents[2]
SIZES = [10, 30, 100, 300, 1_000]
ROUNDS, REPETITIONS = 5, 3
SKILLS = ",".join(f"skill-{number}" for number in range(1, 21, 2))
PAGES = {
    "Comparison": "/careers/",
    "Comparison, sorted by pay": "/careers/?sort=-us_high",
    "Comparison, filtered by skill and pay": "/careers/?skill=skill-16&min=60000&sort=gb_low",
    "Comparison as of a day in 2019": "/careers/?as_of=2019-06-30",
    "Comparison as a picture": "/careers/?view=chart",
    "A chart as SVG": "/careers/charts/gb.svg",
    "A chart as PNG": "/careers/charts/gb.png",
    "Four roles side by side": "/careers/compare/?roles=role-1,role-2,role-3,role-4",
    "Skill check, ten skills": f"/careers/fit/?skills={','.join(sorted(SKILLS.split(',')))}",
    "Role": "/careers/role-1/",
    "Skill": "/careers/skills/skill-16/",
    "All skills": "/careers/skills/",
    "Embed of a table": "/careers/embed/table/some/",
}
HOW = f"""
Milliseconds that Django takes to answer, uncached, with production settings: the median of {ROUNDS * REPETITIONS}
answers in {ROUNDS} rounds in which all sizes take turns. The content is drawn by lot
(`tests/scale.py`): five markets, 300 skills, 40 paths, and ten years of pay, which for 1,000 roles are 50,000 ranges.
Growth is the exponent between 100 and 1,000 roles: 0 is level, 1 is linear.
""".strip()
SERVE = "import django; django.setup(); from tests.bench import growth; growth.serve()"


def serve() -> None:
    """Set a site of so many roles up, then answer paths from standard input with the milliseconds that they took."""
    from django.core.management import call_command
    from django.test import Client

    from tests.scale import Size, make_careers

    call_command("migrate", verbosity=0)
    make_careers(Size(roles=int(sys.argv[1])))
    client = Client()
    print("ready", flush=True)
    for line in sys.stdin:
        path = line.strip()
        start = time.perf_counter()
        response = client.get(path)
        took = time.perf_counter() - start
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}")
        print(took * 1000, flush=True)


class Site:
    """A process that answers at one size."""

    def __init__(self, roles: int, database: str, folder: Path) -> None:
        self.roles = roles
        environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | {
            "DJANGO_SETTINGS_MODULE": "veltrix.settings",
            "DOTENV": os.devnull,
            "SECRET_KEY": "only-for-tests-" * 4,
            "SITE_URL": "http://127.0.0.1:8000",
            "ALLOWED_HOSTS": "testserver",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database,
        }
        command = [sys.executable, "-c", SERVE, str(roles)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._read() != "ready":
            raise SystemExit(f"The site of {roles} roles did not start.")

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def milliseconds(self, path: str) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        return float(self._read())

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def sites(engine: str, folder: Path) -> Iterator[list[Site]]:
    """A site of each size on SQLite or on a PostgreSQL server of our own."""
    with ExitStack() as stack:
        if engine == "SQLite":
            addresses = [f"sqlite:///{folder}/{size}.sqlite3" for size in SIZES]
        else:
            address = stack.enter_context(server()).address
            with psycopg.connect(address, autocommit=True) as connection:
                for size in SIZES:
                    connection.execute(f"CREATE DATABASE bench_{size}")
            addresses = [f"{address.removesuffix('/postgres')}/bench_{size}" for size in SIZES]
        running = []
        for size, address in zip(SIZES, addresses, strict=True):
            print(f"{engine}: setting {size:,} roles up", file=sys.stderr)
            site = Site(size, address, folder)
            stack.callback(site.stop)
            running.append(site)
        yield running


def measure(engine: str, folder: Path) -> dict[str, list[float]]:
    """The median of each page at each size, in milliseconds."""
    taken: dict[tuple[str, int], list[float]] = {(page, size): [] for page in PAGES for size in SIZES}
    with sites(engine, folder) as running:
        for site in running:
            for path in PAGES.values():
                site.milliseconds(path)
        for number in range(ROUNDS):
            print(f"{engine}: round {number + 1} of {ROUNDS}", file=sys.stderr)
            for page, path in PAGES.items():
                for site in running:
                    taken[page, site.roles] += [site.milliseconds(path) for _ in range(REPETITIONS)]
    return {page: [median(taken[page, size]) for size in SIZES] for page in PAGES}


def table(medians: dict[str, list[float]]) -> str:
    """Milliseconds a size, and how steeply the time grows: the exponent between 100 and 1,000 roles, 1 for linear."""
    heads = ["Page", *(f"{size:,} roles" for size in SIZES), "Growth"]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(SIZES) + 1)}"]
    for page, times in medians.items():
        growth = math.log10(times[SIZES.index(1_000)] / times[SIZES.index(100)])
        lines.append(f"| {page} | {' | '.join(f'{time:.0f}' for time in times)} | {growth:.2f} |")
    return "\n".join(lines)


def sections(engines: Sequence[str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="veltrix-bench-") as name:
        folder = Path(name)
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        settings = {"DOTENV": os.devnull, "SECRET_KEY": "x", "VAR_DIR": name}
        subprocess.run(collect, cwd=ROOT, env={**os.environ, **settings}, check=True)
        for engine in engines:
            yield f"### Careers on {engine}\n\n{table(measure(engine, folder))}"


if __name__ == "__main__":
    print("\n\n".join(sections(sys.argv[1:] or ["SQLite", "PostgreSQL"])))
