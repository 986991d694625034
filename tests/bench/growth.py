"""How long pages take at which size: `python -m tests.bench.growth` prints the tables.

Every size has a database and a process of its own, set up before anything is measured; then one process after the other
answers each page, round after round, so that whatever else the machine does falls on all of them alike.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from tests.postgres import server

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, REPETITIONS = int(os.environ.get("BENCH_ROUNDS", "5")), 3
SKILLS = ",".join(sorted(f"skill-{number}" for number in range(1, 21, 2)))


@dataclass(frozen=True)
class Curve:
    """What grows, to which sizes, and the pages that are looked at; `{last}` in a path is the last page of a list."""

    name: str
    unit: str
    sizes: Sequence[int]
    pages: Mapping[str, str]

    def paths(self, size: int) -> dict[str, str]:
        return {page: path.format(last=max(1, size // 20)) for page, path in self.pages.items()}


CURVES = [
    Curve(
        "Articles",
        "articles",
        [10, 100, 1_000, 10_000],
        {
            "Home": "/",
            "Index": "/articles/",
            "Index, last page": "/articles/?page={last}",
            "Index of a topic": "/articles/?topic=topic-1",
            "Topic": "/topics/topic-1/",
            "Series": "/series/series-1/",
            "Author": "/authors/author-1/",
            "Article": "/articles/article-5/",
            "Article as Markdown": "/articles/article-5.md",
            "Statistic": "/statistics/statistic-1/",
            "Sources": "/sources/",
            "Source": "/sources/report-1/",
            "Corrections": "/corrections/",
            "Feed": "/feeds/articles.atom",
            "Sitemap": "/sitemap.xml",
            "Sitemap, first part of articles": "/sitemaps/articles-1.xml",
        },
    ),
    Curve(
        "Statistics",
        "statistics",
        [10, 100, 1_000],
        {
            "Home": "/",
            "Article": "/articles/article-5/",
            "Statistic": "/statistics/statistic-1/",
            "Statistics as CSV": "/statistics.csv",
            "Sources": "/sources/",
            "Source": "/sources/report-1/",
            "Corrections": "/corrections/",
        },
    ),
    Curve(
        "Careers",
        "roles",
        [8, 30, 100, 300, 1_000],
        {
            "Comparison": "/careers/",
            "Comparison, sorted by pay": "/careers/?sort=-us_high",
            "Comparison, filtered by skill and pay": "/careers/?skill=skill-16&min=60000&sort=gb_low",
            "Comparison as of a day in 2019": "/careers/?as_of=2019-06-30",
            "Comparison as a picture": "/careers/?view=chart",
            "A chart as SVG": "/careers/charts/gb.svg",
            "A chart as PNG": "/careers/charts/gb.png",
            "Four roles side by side": "/careers/compare/?roles=role-1,role-2,role-3,role-4",
            "Skill check, ten skills": f"/careers/fit/?skills={SKILLS}",
            "Role": "/careers/role-1/",
            "Skill": "/careers/skills/skill-16/",
            "All skills": "/careers/skills/",
            "Embed of a table": "/careers/embed/table/some/",
        },
    ),
]
HOW = f"""
Milliseconds that Django takes to answer, uncached, with production settings: the median of {ROUNDS * REPETITIONS}
answers in {ROUNDS} rounds in which all sizes take turns. The content is drawn by lot (`tests/scale.py`,
`tests/scale_articles.py`). Articles: 12 topics, 5 series, 8 authors, 150 sources and as many statistics as articles, at
most 1,000, each with five years of figures; every article shows three figures and links to four articles. Statistics:
with 100 articles. Careers: five markets, 300 skills, 40 paths, and ten years of pay, which for 1,000 roles are 50,000
ranges. The last column but one says how many times its time at the smallest size a page takes at the largest; growth
is the exponent between 100 and the largest size: 0 is level, 1 is linear.
""".strip()
SERVE = "import django; django.setup(); from tests.bench import growth; growth.serve()"


def serve() -> None:
    """Set a site of a size up, then answer paths from standard input with the milliseconds that they took."""
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    fill(sys.argv[1], int(sys.argv[2]))
    client = Client()
    print("ready", flush=True)
    for line in sys.stdin:
        path = line.strip()
        start = time.perf_counter()
        response = client.get(path)
        body = b"".join(response) if response.streaming else response.content
        took = time.perf_counter() - start
        if response.status_code != 200 or not body:
            raise SystemExit(f"{path} answered {response.status_code}")
        print(took * 1000, flush=True)


def fill(unit: str, size: int) -> None:
    """Make the content of a size of a curve, and let PostgreSQL learn what it holds, as its autovacuum would."""
    from django.db import connection

    from tests.scale import Size, make_careers
    from tests.scale_articles import ArticlesSize, make_articles

    make_careers(Size(roles=size if unit == "roles" else 8))
    if unit == "articles":
        make_articles(ArticlesSize(articles=size, statistics=min(size, 1_000)))
    elif unit == "statistics":
        make_articles(ArticlesSize(articles=100, statistics=size))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


class Site:
    """A process that answers at one size."""

    def __init__(self, unit: str, size: int, database: str, folder: Path) -> None:
        self.size = size
        environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | {
            "DJANGO_SETTINGS_MODULE": "veltrix.settings",
            "DOTENV": os.devnull,
            "SECRET_KEY": "only-for-tests-" * 4,
            "SITE_URL": "http://127.0.0.1:8000",
            "ALLOWED_HOSTS": "testserver",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database,
        }
        command = [sys.executable, "-c", SERVE, unit, str(size)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def wait(self) -> None:
        if self._read() != "ready":
            raise SystemExit(f"The site of size {self.size} did not start.")

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
def sites(curve: Curve, engine: str, folder: Path) -> Iterator[list[Site]]:
    """A site of each size on SQLite or on a PostgreSQL server of our own."""
    with ExitStack() as stack:
        names = [f"bench_{curve.unit}_{size}" for size in curve.sizes]
        if engine == "SQLite":
            addresses = [f"sqlite:///{folder}/{name}.sqlite3" for name in names]
        else:
            address = stack.enter_context(server()).address
            with psycopg.connect(address, autocommit=True) as connection:
                for name in names:
                    connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
            addresses = [f"{address.removesuffix('/postgres')}/{name}" for name in names]
        running = []
        print(f"{engine}: setting {curve.unit} up", file=sys.stderr)
        for size, address in zip(curve.sizes, addresses, strict=True):
            site = Site(curve.unit, size, address, folder)
            stack.callback(site.stop)
            running.append(site)
        for site in running:
            site.wait()
        yield running


def measure(curve: Curve, engine: str, folder: Path) -> dict[str, list[float]]:
    """The median of each page at each size, in milliseconds."""
    taken: dict[tuple[str, int], list[float]] = {(page, size): [] for page in curve.pages for size in curve.sizes}
    with sites(curve, engine, folder) as running:
        for site in running:
            for path in curve.paths(site.size).values():
                site.milliseconds(path)
        for number in range(ROUNDS):
            print(f"{engine}: {curve.unit}, round {number + 1} of {ROUNDS}", file=sys.stderr)
            for page in curve.pages:
                for site in running:
                    path = curve.paths(site.size)[page]
                    taken[page, site.size] += [site.milliseconds(path) for _ in range(REPETITIONS)]
    return {page: [median(taken[page, size]) for size in curve.sizes] for page in curve.pages}


def table(curve: Curve, medians: Mapping[str, Sequence[float]]) -> str:
    """Milliseconds a size, and how steeply the time grows: the exponent from 100 on, 1 for linear."""
    heads = ["Page", *(f"{size:,} {curve.unit}" for size in curve.sizes), "Largest to smallest", "Growth"]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    for page, times in medians.items():
        growth = math.log(times[-1] / times[curve.sizes.index(100)], curve.sizes[-1] / 100)
        cells = [*(f"{time:.1f}" for time in times), f"{times[-1] / times[0]:.2f}", f"{growth:.2f}"]
        lines.append(f"| {page} | {' | '.join(cells)} |")
    return "\n".join(lines)


def sections(engines: Sequence[str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="veltrix-bench-") as name:
        folder = Path(name)
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        settings = {"DOTENV": os.devnull, "SECRET_KEY": "x", "VAR_DIR": name}
        subprocess.run(collect, cwd=ROOT, env={**os.environ, **settings}, check=True)
        for curve in CURVES:
            for engine in engines:
                yield f"### {curve.name} on {engine}\n\n{table(curve, measure(curve, engine, folder))}"


if __name__ == "__main__":
    print("\n\n".join(sections(sys.argv[1:] or ["SQLite", "PostgreSQL"])))
