"""How long searches take at which size: `python -m tests.search.measure` prints the table of docs/search.md.

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

ROOT = Path(__file__).resolve().parents[2]
SIZES = [100, 1_000, 10_000]
ROUNDS, REPETITIONS = 5, 3
SERVE = "import django; django.setup(); from tests.search import measure; measure.serve()"


def searches() -> dict[str, tuple[str, str]]:
    """What is looked for: a name, the page, and the words."""
    from .corpus import EVERYWHERE, word

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
    from veltrix.search import index

    from .corpus import make_articles

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
            environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address}
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
    taken: dict[tuple[str, int], list[float]] = {(name, size): [] for name in searches() for size in SIZES}
    with sites(addresses, folder) as running:
        for number in range(ROUNDS + 1):
            for name in searches():
                for size, process in zip(SIZES, running, strict=True):
                    process.stdin.write(f"{name}\n")
                    process.stdin.flush()
                    times = json.loads(process.stdout.readline())
                    taken[name, size] += times if number else []
    return {name: [median(taken[name, size]) for size in SIZES] for name in searches()}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="veltrix-search-") as folder, server() as postgresql:
        with psycopg.connect(postgresql.address, autocommit=True) as connection:
            for size in SIZES:
                connection.execute(f"CREATE DATABASE search_{size}")
        base = postgresql.address.removesuffix("/postgres")
        small = measure([f"sqlite:///{folder}/{size}.sqlite3" for size in SIZES], folder)
        large = measure([f"{base}/search_{size}" for size in SIZES], folder)
    for name, times in small.items():
        print(f"| {name} | {' | '.join(f'{time:.1f}' for time in [*times, *large[name]])} |")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main()
