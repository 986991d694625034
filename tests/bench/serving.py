"""How fast pages are served, beside a bare Django view and nginx: `python -m tests.bench.serving` prints the tables.

All servers stand ready and take turns, round after round, so that whatever else the machine does falls on all alike.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import brotli

from tests.bench.servers import ROOT, Load, Server, environment_of, gunicorn, nginx, start_up
from tests.postgres import server as postgres
from tests.programs import redis

ROUNDS, SECONDS = int(os.environ.get("BENCH_ROUNDS", "5")), int(os.environ.get("BENCH_SECONDS", "3"))
BROTLI = {"Accept-Encoding": "br"}
HOW = f"""
Each server has one worker on one core, under the site's own settings of gunicorn (`veltrix/serving.py`); wrk asks from
the other core over 16 connections. The median of {ROUNDS} rounds of {SECONDS} seconds in which all take turns. The page
is the longest article of the launch content; the bare view gives the same HTML, from memory and without middleware.
Sign-ups come from as many networks as it takes; what limits those of all networks together to 600 an hour is asked, and
counts a millisecond only.
""".strip()
SETUP = "import django; django.setup(); from tests.bench import serving; serving.set_up()"
PAGES = {
    "article": "/articles/ai-engineering-jobs/",
    "index": "/articles/",
    "comparison": "/careers/",
    "skill check": "/careers/fit/?skills=python,sql",
}
SIGN_UP = """
math.randomseed(os.time())
local number = math.random(1000000000)
request = function()
  number = number + 1
  local body = "email=reader-" .. number .. "%40example.org&message=&stamp={stamp}"
  local address = "10." .. math.random(254) .. "." .. math.random(254) .. "." .. math.random(254)
  local headers = {{
    ["Content-Type"] = "application/x-www-form-urlencoded",
    ["Sec-Fetch-Site"] = "same-origin",
    ["X-Forwarded-For"] = address,
  }}
  return wrk.format("POST", "/newsletter/", headers, body)
end
"""

type Case = tuple[str, Server, Load]


def set_up() -> None:
    """In a process of its own: a site with the launch content; prints its longest article, a stamp, and queries."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from articles.models import Article
    from newsletter import signing

    call_command("migrate", verbosity=0)
    call_command("load_launch_content", stdout=sys.stderr)
    call_command("collectstatic", verbosity=0, interactive=False)
    articles = Article.objects.published().select_related("live_version")
    longest = max(articles, key=lambda article: len(json.dumps(article.live_version.document)))
    queries = {}
    for name, path in (PAGES | {"article": longest.get_absolute_url()}).items():
        with CaptureQueriesContext(connection) as captured:
            Client().get(path, headers={"Host": "127.0.0.1", "X-Forwarded-Proto": "https"})
        queries[name] = len(captured)
    told = {"article": longest.get_absolute_url(), "stamp": signing.stamp("/newsletter/"), "queries": queries}
    print(json.dumps(told))


def python(environment: Mapping[str, str], code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def prepare(folder: Path, database: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The environment of a site with the launch content, and what `set_up` told of it."""
    environment = environment_of(folder, database)
    return environment, json.loads(python(environment, SETUP).splitlines()[-1])


class Bench:
    def __init__(self, engine: str, folder: Path, stack: ExitStack) -> None:
        database = f"sqlite:///{folder}/site.sqlite3"
        if engine == "PostgreSQL":
            database = stack.enter_context(postgres()).address
        self.engine, self.folder = engine, folder
        self.environment, told = prepare(folder, database)
        self.pages = PAGES | {"article": told["article"]}
        self.stamp, self.queries = told["stamp"], told["queries"]
        cache = stack.enter_context(redis())
        self.kept = self._site(stack, "kept in files", self.environment)
        self.redis = self._site(stack, "kept in Redis", self.environment | {"CACHE_URL": cache.url})
        self.uncached = self._site(stack, "uncached", self.environment | {"CACHE_URL": "off"})
        self.open_door = stack.enter_context(gunicorn("open door", "tests.bench.open_door", folder, self.environment))
        _, body = self.kept.get(self.pages["article"])
        (folder / "body.html").write_bytes(body)
        bare = self.environment | {"BARE_BODY": str(folder / "body.html"), "DJANGO_SETTINGS_MODULE": ""}
        self.bare = stack.enter_context(gunicorn("bare", "tests.bench.bare", folder, bare))
        self.nginx = stack.enter_context(nginx(folder, body, self.kept))
        self.size, self.size_br = len(body), len(brotli.compress(body, quality=6))

    def _site(self, stack: ExitStack, name: str, environment: Mapping[str, str]) -> Server:
        return stack.enter_context(gunicorn(name, "veltrix.wsgi", self.folder, environment))

    def cases(self) -> list[Case]:
        article = self.pages["article"]
        known = self.kept_etag(article)
        https = {"X-Forwarded-Proto": "http"}
        cases: list[Case] = [
            ("Bare Django view, the article's HTML", self.bare, Load("/articles/page/")),
            ("Article, kept in files", self.kept, Load(article)),
            ("Article, kept in files, brotli", self.kept, Load(article, BROTLI)),
            ("Article, kept in files, 304", self.kept, Load(article, BROTLI | {"If-None-Match": known}, status=304)),
            ("Article, kept in Redis, brotli", self.redis, Load(article, BROTLI)),
        ]
        cases += [
            (f"{name.capitalize()}, kept in files, brotli", self.kept, Load(path, BROTLI))
            for name, path in self.pages.items()
            if name != "article"
        ]
        cases += [(f"{name.capitalize()}, uncached", self.uncached, Load(path)) for name, path in self.pages.items()]
        script = SIGN_UP.format(stamp=self.stamp.replace(":", "%3A").replace("/", "%2F"))
        cases += [
            ("Sign-up (POST)", self.open_door, Load("/newsletter/", https, script, status=302)),
            ("Nginx, the article as a file", self.nginx, Load("/page.html")),
            ("Nginx, its proxy cache before the site", self.nginx, Load(f"/kept{article}")),
        ]
        return cases

    def kept_etag(self, path: str) -> str:
        headers, _ = self.kept.get(path, BROTLI)
        return str(headers["ETag"])

    def measure(self) -> str:
        rates: dict[str, list[tuple[float, float]]] = {}
        cases = self.cases()
        for number in range(ROUNDS):
            print(f"{self.engine}: round {number + 1} of {ROUNDS}", file=sys.stderr)
            for name, server, load in cases:
                rates.setdefault(name, []).append(load.run(server, SECONDS, self.folder))
        bare = median(rate for rate, _ in next(iter(rates.values())))
        lines = ["| What | Answers a second | To the bare view | 99 of 100 within |", "| --- | ---: | ---: | ---: |"]
        for name, found in rates.items():
            rate, slow = (median(column) for column in zip(*found, strict=True))
            lines.append(f"| {name} | {rate:,.0f} | {rate / bare:.3g} | {slow:.1f} ms |")
        return "\n".join(lines)

    def costs(self) -> str:
        """What a page and a process cost: queries, memory after the load, and seconds until the first answer."""
        queries = ", ".join(f"{name} {number}" for name, number in self.queries.items())
        starts = [start_up(self.environment, "/", self.folder) for _ in range(ROUNDS)]
        return (
            f"A worker that serves pages from files holds {self.kept.memory():.0f} MB after the load (PSS), one that "
            f"renders each {self.uncached.memory():.0f} MB, the bare view's {self.bare.memory():.0f} MB. From the "
            f"start of gunicorn to the first page {median(starts):.1f} s. The article is {self.size:,} bytes of HTML, "
            f"{self.size_br:,} as brotli. Queries of a page that is rendered: {queries}."
        )


def measured(engine: str) -> str:
    with tempfile.TemporaryDirectory(prefix="veltrix-bench-") as name, ExitStack() as stack:
        bench = Bench(engine, Path(name), stack)
        return f"### On {engine}\n\n{bench.measure()}\n\n{bench.costs()}"


if __name__ == "__main__":
    for engine in sys.argv[1:] or ["SQLite", "PostgreSQL"]:
        print(measured(engine))
