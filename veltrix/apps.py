from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class VeltrixConfig(AppConfig):
    name = "veltrix"

    def ready(self) -> None:
        from articles import frozen

        from .models import AuditEntry
        from .sign_in import sessions

        frozen.keep(AuditEntry, forgets="address")
        # Every way in comes by here, whichever page or test opened it.
        user_logged_in.connect(sessions.write_down, dispatch_uid="veltrix.sign_in.sessions")
