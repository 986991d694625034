"""`manage.py worker` as its own processes, against a database and a mail server of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from django.test import SimpleTestCase

from tests.faults.__main__ import ROOT, children_of
from tests.newsletter.support import Mailbox
from tests.newsletter.test_smtp_lane import real_server

SET_UP = """
import django; django.setup()
from django.core.management import call_command
from django.utils import timezone
from newsletter.models import ConsentEvent, Edition, Subscriber
from newsletter import tasks
call_command("migrate", verbosity=0)
now = timezone.now()
ada = Subscriber.objects.create(email="ada@example.com", email_key="ada@example.com", status="active", confirmed_at=now)
event = ada.consent_events.create(kind="confirmed", wording="Yes")
tasks.send_letter.enqueue(event.pk)
Edition.objects.create(slug="one", subject="An edition", intro="<p>Hello</p>").schedule(now)
"""
STATE = "import django; django.setup(); from newsletter.models import Edition; print(Edition.objects.get().state)"


class WorkerTests(SimpleTestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        self.mailbox = Mailbox()
        port = self.enterContext(real_server(self.mailbox))
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{self.folder / 'veltrix.sqlite3'}",
            "VAR_DIR": str(self.folder),
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        self.python(SET_UP)

    def python(self, code):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def start(self):
        command = [sys.executable, "manage.py", "worker", "--lanes", "2"]
        worker = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)
        self.addCleanup(self.end, worker)
        return worker

    def end(self, worker):
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def wait_for(self, is_so, seconds=40):
        ends_at = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < ends_at, "It did not happen."
            time.sleep(0.1)

    def test_it_works_off_tasks_sends_editions_and_goes_when_told_to(self):
        worker = self.start()
        self.wait_for(lambda: len(self.mailbox.raw) == 2)
        self.wait_for(lambda: self.python(STATE) == "sent")

        worker.terminate()

        assert worker.wait(20) == 0
        assert {letter["Subject"] for letter in self.mailbox.letters} == {"Welcome to The AI Briefing", "An edition"}

    def test_its_children_come_back_when_they_die_and_go_when_it_dies(self):
        worker = self.start()
        self.wait_for(lambda: len(children_of(worker.pid)) == 2)
        first = set(children_of(worker.pid))
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: len(set(children_of(worker.pid)) - first) == 2)
        second = set(children_of(worker.pid))

        worker.kill()
        worker.wait()

        self.wait_for(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in second))
