import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from articles.models import Article
from newsletter.models import Edition


class Command(BaseCommand):
    help = "Set the site up to be tried out on this machine, and serve it together with its worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Where to serve; the next free port if it is taken.")
        parser.add_argument("--no-serve", action="store_true", help="Only set up.")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        if Article.objects.exists():
            self.stdout.write("The content is there already and stays as it is.")
        else:
            call_command("load_launch_content", stdout=self.stdout)
            self._begin_an_edition()
        call_command("collectstatic", verbosity=0, interactive=False)
        self._make_editor()
        if not options["no_serve"]:
            self._serve(free_port(options["port"]))

    def _begin_an_edition(self) -> None:
        """A draft of the newsletter, to be looked at, changed and sent."""
        edition = Edition.objects.create(
            slug="the-first-edition",
            subject="What AI roles pay, and what they ask for",
            preheader="Pay in the UK and the US, and the skills that open the most doors",
            intro="<p>Good morning. Here is what we have published on pay and on skills, with the sources.</p>",
            closing="<p>Until next week.</p>",
        )
        for position, article in enumerate(Article.objects.published().newest_first()[:3]):
            edition.parts.create(article=article, position=position)

    def _make_editor(self) -> None:
        if User.objects.filter(username="editor").exists():
            self.stdout.write(
                "Sign-in: the account “editor” exists; `manage.py changepassword editor` renews its password."
            )
            return
        password = secrets.token_urlsafe(15)
        editor = User.objects.create_user("editor", password=password, is_staff=True)
        editor.groups.add(Group.objects.get(name="Chief editor"))
        self.stdout.write(f"Sign-in (shown this once): editor / {password}")

    def _serve(self, port: int) -> None:
        address = f"http://127.0.0.1:{port}"
        self.stdout.write(f"Site:    {address}/\nAdmin:   {address}/{settings.ADMIN_PATH}")
        self.stdout.write(f"Mail:    files in {settings.MAIL_DIR}\nStop with Ctrl-C.")
        self.stdout.flush()
        environment = {**os.environ, "SITE_URL": address}
        manage = str(Path(sys.argv[0]).resolve())
        worker = subprocess.Popen([sys.executable, manage, "worker"], env=environment)  # noqa: S603
        server = ["gunicorn", "--config", "python:veltrix.serving", "veltrix.wsgi"]
        server += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "warning"]
        try:
            subprocess.run([sys.executable, "-m", *server], env=environment, check=False)  # noqa: S603
        except KeyboardInterrupt:
            self.stdout.write("Stopped. Nothing is lost: `make demo` goes on where it was.")
        finally:
            worker.terminate()
            worker.wait()


def free_port(wanted: int) -> int:
    """The wanted port on loopback, or the first free one of the twenty that follow; any free one after that."""
    for port in [*range(wanted, wanted + 21), 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No port is free on 127.0.0.1.")
