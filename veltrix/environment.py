"""Readers of environment variables; a value that is none of its kind stops the process with a line that says which."""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(env.str("DOTENV", default=str(BASE_DIR / ".env")))


def boolean(name: str, default: bool) -> bool:
    """Read a switch; anything but the usual words for yes and no is an error rather than a silent no."""
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    value = env.str(name, default=str(default)).strip().lower()
    if value not in words:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return words[value]


def database(name: str, default: str) -> dict[str, object]:
    """Read a database address; only the two engines that the tests run on are accepted."""
    address = env.str(name, default="") or default
    if urlsplit(address).scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} must begin with sqlite:/// or postgres://, for example postgres://user:password@host:5432/veltrix."
        )
    try:
        config = dict(env.db_url_config(address))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a database address: {error}") from error
    if not config.get("NAME"):
        raise ImproperlyConfigured(f"{name} names no database: postgres://user:password@host:5432/NAME is the form.")
    return config


def whole_number(name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
    """Read a number of digits only, within bounds."""
    value = env.str(name, default=str(default)).strip()
    if not (value.isascii() and value.isdigit() and len(value) < 12 and least <= int(value) <= most):
        above = f" above {least - 1}" if least else ""
        raise ImproperlyConfigured(f"{name} must be a whole number{above}, not {value!r}.")
    return int(value)
