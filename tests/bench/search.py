"""How long searches take at which size: `python -m tests.bench.search` prints the tables.

Each size has a database and a process of its own; all are set up before, and then take turns.
"""

import json
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
from tests.search.lexicon import EVERYWHERE, word

ROOT = Path(__file__).resolve().parents[2]
SIZES = [100, 1_000, 10_000]
ROUNDS, REPETITIONS = int(os.environ.get("BENCH_ROUNDS", "5")), 3
HOW = f"""
Milliseconds that Django takes for the page of a search: the median of {ROUNDS * REPETITIONS} answers in {ROUNDS} rounds
in which all sizes take turns. Beside the articles 50 roles and 300 skills; articles have 500 words each, drawn by
Zipf's law (`tests/search/corpus.py`). The rare word stands in one of 100 articles and in ten and more of 1,000: ten
results cost more than one.
""".strip()
SERVE = "import django; django.setup(); from tests.bench import search; search.serve()"


def searches() -> dict[str, tuple[str, str]]:
    """What is looked for: a name, the page, and the words."""
    return {
        "in every article": ("/search/", EVERYWHERE),
        "in most titles": ("/search/", word(0)),
        "in a third of the articles": ("/search/", word(60)),
        "in one of ten": ("/search/", word(400)),
        "in few": ("/search/", word(9_000)),
        "two common words": ("/search/", f"{word(5)} {word(300)}"),
        "nowhere, but nearly": ("/search/", f"{word(700)[:-2]}xo"),
        "nowhere": ("/search/", "xxxxqqqq"),
        "the finder, two letters": ("/search/finder/", word(0)[:2]),
    }


def serve() -> None:
    """Set a site of so many articles up, then answer names from standard input with milliseconds as JSON."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from tests.scale import Size, make_careers
    from tests.search.corpus import make_articles
    from veltrix.search import index

    call_command("migrate", verbosity=0)
    make_careers(Size(roles=50, markets=2, years=1))
    make_articles(int(sys.argv[1]))
    start = time.perf_counter()
    index.rebuild()
    print(f"{sys.argv[1]} articles: rebuilt in {time.perf_counter() - start:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    client, asked = Client(), searches()
    for line in sys.stdin:
        path, words = asked[line.strip()]
        print(json.dumps([_milliseconds(client, path, words) for _ in range(REPETITIONS)]), flush=True)


def _milliseconds(client, path: str, words: str) -> float:
    start = time.perf_counter()
    if client.get(path, {"q": words}).status_code != 200:
        raise SystemExit(f"{path} did not answer")
    return (time.perf_counter() - start) * 1000


@contextmanager
def sites(addresses: Sequence[str], folder: str) -> Iterator[list[subprocess.Popen]]:
    with ExitStack() as stack:
        processes = []
        for size, address in zip(SIZES, addresses, strict=True):
            environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address}
            process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(size)],
                cwd=ROOT,
                env={**environment, "VAR_DIR": folder},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.kill)
            print(process.stdout.readline().strip(), file=sys.stderr)
            processes.append(process)
        yield processes


def measure(addresses: Sequence[str], folder: str) -> dict[str, list[float]]:
    """The median of each search at each size, in milliseconds; the first round warms up."""
    names = list(searches())
    taken: dict[tuple[str, int], list[float]] = {(name, size): [] for name in names for size in SIZES}
    with sites(addresses, folder) as running:
        for number in range(ROUNDS + 1):
            for name in names:
                for size, process in zip(SIZES, running, strict=True):
                    process.stdin.write(f"{name}\n")
                    process.stdin.flush()
                    times = json.loads(process.stdout.readline())
                    taken[name, size] += times if number else []
    return {name: [median(taken[name, size]) for size in SIZES] for name in names}


def sections() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="veltrix-search-") as folder, server() as postgresql:
        with psycopg.connect(postgresql.address, autocommit=True) as connection:
            for size in SIZES:
                connection.execute(f"CREATE DATABASE search_{size}")
        base = postgresql.address.removesuffix("/postgres")
        yield f"### On SQLite\n\n{_table([f'sqlite:///{folder}/{size}.sqlite3' for size in SIZES], folder)}"
        yield f"### On PostgreSQL\n\n{_table([f'{base}/search_{size}' for size in SIZES], folder)}"


def _table(addresses: Sequence[str], folder: str) -> str:
    heads = ["A word that stands", *(f"{size:,} articles" for size in SIZES), "Largest to smallest"]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    for name, times in measure(addresses, folder).items():
        cells = [*(f"{time:.1f}" for time in times), f"{times[-1] / times[0]:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print("\n\n".join(sections()))
