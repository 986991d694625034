from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.tasks.signals import task_finished, task_started


class VeltrixConfig(AppConfig):
    name = "veltrix"

    def ready(self) -> None:
        from articles import frozen, searched

        from . import error_reports
        from .backups import restoring
        from .models import AuditEntry
        from .observation import name_task, name_task_no_longer
        from .page_cache import content
        from .search import index
        from .sign_in import sessions

        error_reports.start()
        frozen.keep(AuditEntry, forgets="address")
        content.watch.leave_out_apps()
        connection_created.connect(content.listen, dispatch_uid="veltrix.page_cache")
        pre_migrate.connect(content.pause, dispatch_uid="veltrix.page_cache")
        post_migrate.connect(content.resume, dispatch_uid="veltrix.page_cache")
        # Every way in comes by here, whichever page or test opened it.
        user_logged_in.connect(sessions.write_down, dispatch_uid="veltrix.sign_in.sessions")
        task_started.connect(name_task, dispatch_uid="veltrix.observation")
        task_finished.connect(name_task_no_longer, dispatch_uid="veltrix.observation")
        restoring.afterwards(index.touch_all)
        searched.touched.connect(index.on_touched, dispatch_uid="veltrix.search")
