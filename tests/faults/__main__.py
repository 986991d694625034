"""Send an edition through faults and audit what came of it: `python -m tests.faults --engine postgresql`.

Workers are killed, stopped past their lease and told to go; PostgreSQL is restarted; the edition is paused and resumed;
people leave. The mail server is `sink`. Whatever happens, the books of both must agree, which is said as JSON: what was
done, what was counted, and each fault that the audit found. The exit code is 1 if it found any.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.faults import sink, worker
from tests.postgres import free_port, server

ROOT = Path(__file__).resolve().parents[2]
LEASE = 3.0


class World:
    """Two machines' worth of workers, a mail server, a database, and the people."""

    def __init__(self, arguments, folder, postgres):
        self.people, self.lanes, self.machines = arguments.people, arguments.lanes, arguments.machines
        self.ponders = arguments.ponders
        self.postgres = postgres
        self.random = random.Random(arguments.seed)  # noqa: S311
        self.acts = Counter()
        self.left = {}
        self.log, self.port = folder / "sink.log", free_port()
        self.workers = []
        self.environment = {
            **os.environ,
            "DATABASE_URL": postgres.address if postgres else f"sqlite:///{folder / 'veltrix.sqlite3'}",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.port}",
            "EMAIL_TIMEOUT": "1",
            "NEWSLETTER_PER_SECOND": str(arguments.rate),
            "NEWSLETTER_FAILURES_PERCENT": "100",
            "SECRET_KEY": "of no worth " * 5,
            "VAR_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(ROOT),
            "VELTRIX_MUTANT": arguments.mutant,
            "VELTRIX_LEASE": str(LEASE),
        }
        os.environ.update(self.environment)

    def start_sink(self):
        command = [sys.executable, "-m", "tests.faults.sink", str(self.port), str(self.log), str(self.ponders)]
        self.sink = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        self.sink.stdout.readline()

    def set_up(self):
        """The database, the people, and an edition that is due."""
        import django

        django.setup()
        from django.core.management import call_command
        from django.utils import timezone

        from newsletter.models import Edition, Subscriber

        call_command("migrate", verbosity=0)
        now = timezone.now()
        kinds = ["ok"] * 20 + [kind for kind in sink.ACTS if kind not in sink.SILENT]
        names = [f"{kind}-{number}" for number, kind in enumerate(self.random.choices(kinds, k=self.people))]
        names += [f"{kind}-{number}" for kind in sink.SILENT for number in range(2)]
        self.random.shuffle(names)
        Subscriber.objects.bulk_create(
            Subscriber(email=f"{name}@example.com", email_key=f"{name}@example.com", status="active", confirmed_at=now)
            for name in names
        )
        self.edition = Edition.objects.create(slug="faults", subject="An edition")
        self.edition.schedule(now)

    def start_worker(self):
        command = [sys.executable, str(ROOT / "tests/faults/worker.py"), "worker", "--tasks", "0", "--lanes"]
        # A group of its own, so that all of it can be killed at once, as when a machine dies.
        self.workers.append(
            subprocess.Popen([*command, str(self.lanes)], env=self.environment, cwd=ROOT, start_new_session=True)
        )

    # What happens to them

    def kill_a_sender(self):
        self._signal_a_sender(signal.SIGKILL)

    def stop_a_sender_past_its_lease(self):
        if pid := self._signal_a_sender(signal.SIGSTOP):
            time.sleep(LEASE * 1.5)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill_a_machine(self):
        machine = self.workers.pop(self.random.randrange(len(self.workers)))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()
        self.start_worker()

    def let_a_machine_go(self):
        machine = self.workers.pop(self.random.randrange(len(self.workers)))
        machine.terminate()
        machine.wait(30)
        self.start_worker()

    def restart_the_database_fast(self):
        self._restart("fast")

    def restart_the_database_immediately(self):
        self._restart("immediate")

    def pause_and_resume(self):
        from newsletter.models import NotPossibleError

        with contextlib.suppress(NotPossibleError):
            self.surviving(lambda: self.edition.pause("A look at it."))
            paused_at, before = time.time(), self._claimed_last()
            time.sleep(0.7)
            if self._claimed_last() != before:
                self.acts["claims while paused"] += 1
            self.surviving(self.edition.resume)
            self.acts["seconds of pause"] += round(time.time() - paused_at)

    def some_leave(self):
        """Eight people leave by the link in the header of their mail, as mail programs do."""
        from django.test import Client

        from newsletter.models import Subscriber

        remaining = list(Subscriber.objects.filter(status="active").order_by("?")[:8])
        for person in remaining:
            path = f"/newsletter/unsubscribe/{person.token}/"
            answer = self.surviving(lambda: Client().post(path, {"List-Unsubscribe": "One-Click"}))  # noqa: B023
            if answer.status_code == 200:
                self.left[person.email] = time.time()

    def _restart(self, mode):
        self.postgres.stop(mode)
        time.sleep(self.random.uniform(0, 1))
        self.postgres.start()

    def _claimed_last(self):
        from django.db.models import Max

        from newsletter.models import Delivery

        return self.surviving(lambda: Delivery.objects.aggregate(last=Max("claimed_at"))["last"])

    def _signal_a_sender(self, number):
        self.wait_until(self._senders, 5)
        if not (senders := self._senders()):
            return None
        pid = self.random.choice(senders)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    def _senders(self):
        """Processes in the middle of a slice: one that only starts or goes would leave nothing behind."""
        from newsletter.models import Sender

        running = self.surviving(lambda: list(Sender.objects.running().values_list("process", flat=True)))
        children = {pid for machine in self.workers for pid in children_of(machine.pid)}
        return sorted(children.intersection(running))

    def surviving(self, act):
        """Act, whatever the database is doing, as a person would who tries again."""
        from django.db import DatabaseError, InterfaceError, connection

        for _ in range(100):
            try:
                return act()
            except (DatabaseError, InterfaceError):
                connection.close()
                time.sleep(0.1)
        raise TimeoutError("The database did not come back.")

    def run(self, seconds):
        """Let things happen for a while, then wait for the end."""
        acts = {
            self.kill_a_sender: 4,
            self.kill_a_machine: 1,
            self.let_a_machine_go: 1,
            self.stop_a_sender_past_its_lease: 1,
            self.pause_and_resume: 1,
            self.some_leave: 5,
        }
        if self.postgres:
            acts |= {self.restart_the_database_fast: 1, self.restart_the_database_immediately: 1}
        # A crash and people who leave at once, whatever time is left for the others; then each once, then by chance.
        due = [*self.random.sample(list(acts), len(acts)), self.some_leave, self.kill_a_sender]
        self.wait_until(lambda: self.edition.state == "sending", 30)
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and self.edition.state != "sent":
            time.sleep(self.random.uniform(0.2, 0.8))
            act = due.pop() if due else self.random.choices(list(acts), list(acts.values()))[0]
            self.acts[act.__name__] += 1
            act()
            self.surviving(self.edition.refresh_from_db)
        return self.wait_until(lambda: self.edition.state == "sent", 90)

    def wait_until(self, is_so, seconds):
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            self.surviving(self.edition.refresh_from_db)
            if is_so():
                return True
            time.sleep(0.2)
        return False

    def stop(self):
        for machine in self.workers:
            machine.terminate()
        for machine in self.workers:
            try:
                machine.wait(20)
            except subprocess.TimeoutExpired:
                self.acts["workers that did not go"] += 1
                os.killpg(machine.pid, signal.SIGKILL)
        self.sink.kill()
        self.sink.wait()

    # What came of it

    def audit(self, has_ended):
        """Compare what the sink took with what the database says. Returns the counts and the faults found."""
        from newsletter.models import Delivery, Sender

        taken, silent = defaultdict(list), 0
        for line in self.log.read_text().splitlines():
            entry = json.loads(line)
            if entry["event"] == "taken":
                taken[entry["to"]].append(entry["at"])
            else:
                silent += 1
        deliveries = {d.subscriber.email: d for d in Delivery.objects.select_related("subscriber")}
        states = Counter(delivery.state for delivery in deliveries.values())
        self.edition.refresh_from_db()
        progress = self.edition.progress()
        kills = sum(self.acts[name] for name in self.KILLS)
        faults = {
            "did not end": 0 if has_ended else 1,
            "mailed twice": sum(len(moments) > 1 for moments in taken.values()),
            "claimed after they left": sum(
                delivery.claimed_at is not None and delivery.claimed_at.timestamp() > self.left[email]
                for email, delivery in deliveries.items()
                if email in self.left
            ),
            "mailed after they left": sum(
                moment > self.left[email] + LEASE for email in self.left for moment in taken[email]
            ),
            "said to be sent, and not taken": sum(
                d.state == "sent" and not taken[email] for email, d in deliveries.items()
            ),
            "taken, and said not to be": sum(
                d.state not in {"sent", "uncertain"} and bool(taken[email]) for email, d in deliveries.items()
            ),
            "well, and not sent": sum(
                d.state in {"failed", "pending", "sending"} and email.partition("-")[0] not in {"r550", "d554"}
                for email, d in deliveries.items()
            ),
            "more uncertain than can be": max(0, states["uncertain"] - self.lanes * kills - silent),
            "not accounted for": abs(self.edition.candidates - len(deliveries))
            + abs(self.edition.deliveries_made - len(deliveries)),
            "books and states differ": sum(
                abs(getattr(progress, name) - states[name]) for name in ("sent", "failed", "uncertain", "skipped")
            ),
            "claims while paused": self.acts["claims while paused"],
            "workers that did not go": self.acts["workers that did not go"],
            "senders without an end": Sender.objects.running().count(),
        }
        counts = {
            "people": len(deliveries),
            "left": len(self.left),
            "taken": sum(map(len, taken.values())),
            "silent": silent,
            "states": dict(states),
            "slices": Sender.objects.count(),
            "lost": Sender.objects.filter(is_lost=True).count(),
            "uncertain at most": self.lanes * kills + silent,
            "twice": {email: moments for email, moments in taken.items() if len(moments) > 1},
        }
        return counts, {name: number for name, number in faults.items() if number}

    KILLS = ("kill_a_sender", "kill_a_machine", "stop_a_sender_past_its_lease")


def children_of(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--rate", type=int, default=100, help="Mails a second at most.")
    parser.add_argument("--seconds", type=float, default=20, help="How long things happen.")
    parser.add_argument(
        "--ponders", type=float, default=sink.PONDERS, help="Seconds between a mail and the reply to it."
    )
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--machines", type=int, default=2)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000)
    parser.add_argument("--mutant", choices=["", *worker.MUTANTS], default="")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="veltrix-faults-")))
        postgres = stack.enter_context(server()) if arguments.engine == "postgresql" else None
        world = World(arguments, folder, postgres)
        began_at = time.monotonic()
        world.set_up()
        world.start_sink()
        try:
            for _ in range(arguments.machines):
                world.start_worker()
            has_ended = world.run(arguments.seconds)
        finally:
            world.stop()
        counts, faults = world.audit(has_ended)
        report = {
            "engine": arguments.engine,
            "mutant": arguments.mutant,
            "seed": arguments.seed,
            "seconds": round(time.monotonic() - began_at),
            "acts": dict(world.acts),
            **counts,
            "faults": faults,
        }
    print(json.dumps(report, indent=2))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
