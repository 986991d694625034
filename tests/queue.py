from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult


class WithQueue:
    """A test case whose tasks are worked off."""

    def work(self):
        """Work off the queue as `manage.py db_worker` does, with the tasks that tasks add.

        Only its endless loop is left out: it closes connections, and the test's transaction with them.
        """
        worker = Worker(
            queue_names=["default"],
            excluded_queue_names=[],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id="tests",
        )
        while task := DBTaskResult.objects.ready().first():
            task.claim(worker.worker_id)
            with self.captureOnCommitCallbacks(execute=True):
                worker.run_task(task)
