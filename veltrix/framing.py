"""What other sites may load into their pages: the files of embeds, and nothing else that is static."""

from collections.abc import MutableMapping

from django.conf import settings

FOLDERS = ("embed/", "fonts/")


def open_to_frames(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """Let documents of any origin load these files: a sandboxed frame has an origin of its own, even for our pages."""
    if url.startswith(tuple(f"{settings.STATIC_URL}{folder}" for folder in FOLDERS)):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
