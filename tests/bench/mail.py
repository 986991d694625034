"""How fast editions are prepared and sent: `python -m tests.bench.mail FILE` measures and writes tables.

Every measurement is a process of its own. What is compared takes turns, round after round, so that whatever else the
machine does falls on all alike.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import batched
from pathlib import Path
from statistics import median

import django
import psycopg

from tests.postgres import free_port, server

ROOT = Path(__file__).resolve().parents[2]
LANES = [1, 4, 16]
MAILS, ROUNDS = 1_500, 3
# Seconds that the mail server takes over a mail.
SERVERS = {"answers at once": 0.0, "takes 20 ms": 0.02}
LISTS = [10_000, 1_000_000]
DRAINED = 100_000

HOW = """
Written by `make bench`; not by hand. PostgreSQL keeps what it commits (`fsync` is on). Mails are of an article and an
intro; the mail server is another process on the same cores, which keeps a log of each mail. One process sends.
""".strip()
CROWDS = f"""
The fan-out is the whole preparation. Claims and records are turns of 16 lanes for the first {min(DRAINED, LISTS[-1]):,}
mails, without a mail server: what the database would allow.
""".strip()
MEASURE = "import django; django.setup(); from tests.bench import mail; mail.measure()"


def measure() -> None:
    """In a process of its own: do what the arguments say, and print the figures as JSON."""
    act, *arguments = sys.argv[1:]
    print(json.dumps({"send": send, "prepare": prepare}[act](*map(int, arguments))))


def send(lanes: int, mails: int) -> dict[str, float]:
    """Send one edition by so many lanes, from the first claim to the last reply."""
    from newsletter.sending import Slice
    from newsletter.transport import open_lane

    edition = scheduled(mails)
    prepared(edition)
    began = time.perf_counter()
    Slice(edition, open_lane, lanes, threading.Event(), length=3600).run()
    took = time.perf_counter() - began
    if edition.progress().sent != mails:
        raise SystemExit(f"Not everything was sent: {edition.progress()}")
    return {"a second": mails / took}


def prepare(people: int) -> dict[str, float]:
    """Fan an edition out to so many, then claim and record without a mail server, and load its report."""
    from django.test import Client

    from newsletter import claims
    from newsletter.lanes import Outcome, Verdict
    from newsletter.models import Sender
    from tests.factories import make_user

    edition = scheduled(people)
    before = peak()
    began = time.perf_counter()
    prepared(edition)
    figures = {"fan-out": time.perf_counter() - began, "before": before, "peak": peak()}

    sender, taken = Sender.objects.create(edition=edition, host="bench", process=1, lanes=16), 0
    outcomes: dict[int, Outcome] = {}
    began = time.perf_counter()
    while taken < min(DRAINED, people):
        outcomes = turn(claims, sender, edition, outcomes)
        outcomes = dict.fromkeys(outcomes, Outcome(Verdict.ACCEPTED, 250, "2.0.0 OK"))
        taken += len(outcomes)
    figures["claims"] = taken / (time.perf_counter() - began)

    client = Client()
    client.force_login(make_user("Chief editor"))
    path = f"/admin/newsletter/edition/{edition.pk}/sending/"
    client.get(path)
    began = time.perf_counter()
    if client.get(path).status_code != 200:
        raise SystemExit("The report did not open.")
    figures["report"] = (time.perf_counter() - began) * 1000
    figures["peak at the end"] = peak()
    return figures


def turn(claims, sender, edition, outcomes):
    """What a slice of 16 lanes does in one transaction, were every mail taken at once."""
    from django.db import transaction

    with transaction.atomic():
        claims.beat(sender)
        claims.record(sender, outcomes)
        claimed = claims.claim(sender, edition, 16)
    return dict.fromkeys(recipient.delivery for recipient in claimed.recipients)


def scheduled(people: int):
    """An empty database, then so many subscribers and an edition that is due."""
    from django.core.management import call_command
    from django.utils import timezone

    from newsletter.models import Edition, EditionPart, Subscriber
    from tests.factories import make_article, make_statistic
    from tests.newsletter.crowds import address

    call_command("migrate", verbosity=0)
    moment = timezone.now()
    for rows in batched(range(people), 5_000):
        Subscriber.objects.bulk_create(
            Subscriber(email=address(row), email_key=address(row), status="active", confirmed_at=moment) for row in rows
        )
    edition = Edition.objects.create(slug="bench", subject="An edition", intro="<p>Good morning.</p>" * 5)
    EditionPart.objects.create(edition=edition, article=make_article(headline=make_statistic()))
    edition.schedule(timezone.now())
    return edition


def prepared(edition) -> None:
    from newsletter import preparation

    preparation.begin(edition)
    edition.refresh_from_db()
    while preparation.prepare_batch(edition):
        pass


def peak() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(database: str, folder: str, mail: str, *arguments: object) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SECRET_KEY": "only-for-tests-" * 4,
        "VAR_DIR": folder,
        "DATABASE_URL": database,
        "EMAIL_URL": mail,
    }
    command = [sys.executable, "-c", MEASURE, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


class Databases:
    """A fresh database for each measurement."""

    def __init__(self, engine: str, stack: ExitStack, folder: Path) -> None:
        self.folder, self.number = folder, 0
        self.address = stack.enter_context(server(is_durable=True)).address if engine == "PostgreSQL" else ""

    def fresh(self) -> str:
        self.number += 1
        if not self.address:
            return f"sqlite:///{self.folder}/{self.number}.sqlite3"
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE bench_{self.number}")
        return f"{self.address.removesuffix('/postgres')}/bench_{self.number}"


def speeds(databases: Databases, folder: Path) -> list[list[str]]:
    """Mails a second for each number of lanes, and the spread of the rounds."""
    taken: dict[tuple[str, int], list[float]] = {(name, lanes): [] for name in SERVERS for lanes in LANES}
    for number in range(ROUNDS):
        print(f"Sending: round {number + 1} of {ROUNDS}", file=sys.stderr)
        for name, seconds in SERVERS.items():
            for lanes in LANES:
                mails = MAILS if not seconds else min(MAILS, 200 * lanes)
                port = free_port()
                command = [sys.executable, "-m", "tests.faults.sink", str(port), str(folder / "log"), str(seconds)]
                with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as sink:
                    assert sink.stdout is not None
                    sink.stdout.readline()
                    try:
                        figures = run(databases.fresh(), str(folder), f"smtp://127.0.0.1:{port}", "send", lanes, mails)
                    finally:
                        sink.kill()
                taken[name, lanes].append(figures["a second"])
    return [[f"A server that {name}", *(f"{median(taken[name, lanes]):,.0f}" for lanes in LANES)] for name in SERVERS]


def crowds(databases: Databases, folder: Path) -> list[list[str]]:
    """The fan-out of each list, what it holds in memory, and how claims and the report stand it."""
    rows = []
    for people in LISTS:
        print(f"Preparing: {people:,} subscribers", file=sys.stderr)
        figures = run(databases.fresh(), str(folder), "smtp://127.0.0.1:1", "prepare", people)
        rows.append(
            [
                f"{people:,}",
                f"{figures['fan-out']:.1f}",
                f"{figures['before']:.0f}",
                f"{figures['peak']:.0f}",
                f"{figures['claims']:,.0f}",
                f"{figures['report']:.0f}",
                f"{figures['peak at the end']:.0f}",
            ]
        )
    return rows


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def main(file: Path) -> None:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    versions = f"Python {platform.python_version()} and Django {django.__version__}"
    parts = ["# How fast editions are sent", HOW, f"Measured on {machine} with {versions}."]
    for engine in ("PostgreSQL", "SQLite"):
        with tempfile.TemporaryDirectory(prefix="veltrix-bench-") as name, ExitStack() as stack:
            folder = Path(name)
            databases = Databases(engine, stack, folder)
            heads = ["Mails a second", *(f"{lanes} lane{'s' * (lanes > 1)}" for lanes in LANES)]
            parts += [
                f"## {engine}",
                f"The median of {ROUNDS} rounds in which all take turns.",
                table(heads, speeds(databases, folder)),
                CROWDS,
                table(
                    [
                        "Subscribers",
                        "Fan-out, s",
                        "Memory before, MB",
                        "Peak after, MB",
                        "Claims and records a second",
                        "Report, ms",
                        "Peak at the end, MB",
                    ],
                    crowds(databases, folder),
                ),
            ]
    text = "\n\n".join(parts) + "\n"
    file.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
