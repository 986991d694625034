from datetime import timedelta

from django.tasks import TaskResultStatus
from django.test import TestCase
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from newsletter import interrupted, tasks, upkeep


class InterruptedTests(TestCase):
    """A task that somebody has begun; `upkeep` is what every worker does every few seconds."""

    def setUp(self):
        tasks.handle_sign_up.enqueue(1)
        self.task = DBTaskResult.objects.get()

    def begin(self, worker_id="other-machine-7", ago=timedelta()):
        self.task.claim(worker_id)
        DBTaskResult.objects.update(started_at=timezone.now() - ago)

    def status(self):
        self.task.refresh_from_db()
        return self.task.status

    def test_what_a_process_had_begun_that_has_died_is_put_back_at_once(self):
        self.begin(interrupted.worker_id(4711))

        upkeep.expire_process("this", 4711)

        self.assertEqual(self.status(), TaskResultStatus.READY)
        self.assertTrue(DBTaskResult.objects.ready().exists())

    def test_what_others_have_begun_is_left_to_them(self):
        self.begin(interrupted.worker_id(4711))

        upkeep.expire_process("this", 471)

        self.assertEqual(self.status(), TaskResultStatus.RUNNING)

    def test_what_another_machine_has_begun_is_put_back_when_no_task_takes_so_long(self):
        self.begin(ago=interrupted.LIMIT - timedelta(seconds=20))
        upkeep.tick()
        self.assertEqual(self.status(), TaskResultStatus.RUNNING)

        DBTaskResult.objects.update(started_at=timezone.now() - interrupted.LIMIT - timedelta(seconds=1))
        with self.assertLogs("newsletter", "WARNING"):
            upkeep.tick()

        self.assertEqual(self.status(), TaskResultStatus.READY)

    def test_a_task_over_which_process_after_process_dies_is_given_up(self):
        for _ in range(interrupted.MOST_ATTEMPTS - 1):
            self.begin(interrupted.worker_id(4711))
            upkeep.expire_process("this", 4711)
        self.assertEqual(self.status(), TaskResultStatus.READY)
        self.begin(interrupted.worker_id(4711))

        with self.assertLogs("newsletter", "ERROR"):
            upkeep.expire_process("this", 4711)

        self.assertEqual(self.status(), TaskResultStatus.FAILED)
        self.assertIn("ProcessDiedError", self.task.exception_class_path)

    def test_what_has_ended_is_left_alone(self):
        self.begin(interrupted.worker_id(4711))
        self.task.set_successful(None)

        upkeep.expire_process("this", 4711)

        self.assertEqual(self.status(), TaskResultStatus.SUCCESSFUL)
