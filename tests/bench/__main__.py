"""`python -m tests.bench FILE` measures how fast pages are and writes it down; parts of it run by their own names."""

import os
import platform
import sys
from pathlib import Path

import django

from tests.bench import growth, lighthouse, search, serving, tuning

ENGINES = ["SQLite", "PostgreSQL"]


def main(file: Path) -> None:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    versions = f"Python {platform.python_version()} and Django {django.__version__}"
    parts = ["# How fast pages are", f"Written by `make bench`; not by hand. Measured on {machine} with {versions}."]
    parts += ["## Answers a second", serving.HOW, *(serving.measured(engine) for engine in ENGINES)]
    parts += ["## Gunicorn", tuning.HOW, tuning.table()]
    parts += ["## On a phone", lighthouse.HOW, lighthouse.table()]
    parts += ["## Growth", growth.HOW, *growth.sections(ENGINES)]
    parts += ["## Search", search.HOW, *search.sections()]
    text = "\n\n".join(parts) + "\n"
    file.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
