"""Readers, and people who sign up, in threads that go on whatever happens. Each answer is written down."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from urllib.parse import urlencode

from tests.nodes.cluster import Nginx, Node

# Pages that are kept, and one that is made anew for each address.
KEPT = ["/", "/articles/", "/articles/watched/", "/careers/", "/newsletter/", "/feeds/articles.atom"]
MADE = "/articles/?unknown={}"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}

numbers = count(1)
# What was counted, by fault: told at the end of the run.
told: list[str] = []


@dataclass(frozen=True)
class Seen:
    """An answer; status 0 is none. `at` is when it had been asked for."""

    what: str
    at: float
    status: int
    seconds: float = 0.0
    retry_after: str = ""


@dataclass
class Load:
    target: Node | Nginx
    stamp: str = ""
    seen: list[Seen] = field(default_factory=list)
    # Addresses whose sign-up was acknowledged, and of which nobody can know.
    acknowledged: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def counts(self, what: str, since: float = 0.0, until: float = float("inf")) -> dict[int, int]:
        """How many answers of each status there were to what was asked in that time."""
        return dict(Counter(seen.status for seen in self.seen if seen.what == what and since <= seen.at < until))

    def table(self) -> str:
        """The counts of all kinds, on one line; 0 is no answer."""
        return "; ".join(f"{what} {dict(sorted(self.counts(what).items()))}" for what in ("kept", "made", "sign-up"))

    def failures(self, what: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.what == what and (seen.status == 0 or seen.status >= 500)]

    def recovered_after(self, since: float, what: str = "made") -> float:
        """After how many seconds the first one was asked for from which on all was well."""
        last = max((seen.at + seen.seconds for seen in self.failures(what) if seen.at >= since), default=since)
        after = [seen.at for seen in self.seen if seen.what == what and seen.at >= last and 0 < seen.status < 500]
        assert after, "It has not recovered."
        return max(0.0, min(after) - since)

    def read(self) -> None:
        for number in self._numbers():
            self._ask("kept", KEPT[number % len(KEPT)])

    def have_made(self) -> None:
        for number in self._numbers():
            self._ask("made", MADE.format(number))

    def sign_up(self) -> None:
        for number in self._numbers():
            email = f"ok-{number}@example.org"
            # Each from a network of its own: one may send five forms.
            network = f"127.{10 + number // 250}.{number % 250}.1"
            answered = self._ask("sign-up", "/newsletter/", email, network)
            if answered == 302:
                self.acknowledged.append(email)
            elif answered in {0, 500, 502, 504}:
                self.unsure.append(email)
            time.sleep(0.1)

    def _numbers(self) -> Iterator[int]:
        while not self.is_over.is_set():
            yield next(numbers)

    def _ask(self, what: str, path: str, email: str = "", network: str = "") -> int:
        connection, headers, began = self.target.connect(self._source(network)), self.target.headers, time.monotonic()
        body = urlencode({"email": email, "message": "", "stamp": self.stamp}) if email else None
        if email:
            headers = headers | FORM | {"X-Forwarded-For": network}
        try:
            status, retry_after = _answer(connection, "POST" if email else "GET", path, body, headers)
        except (OSError, HTTPException):
            status, retry_after = 0, ""
        finally:
            connection.close()
        self.seen.append(Seen(what, began, status, time.monotonic() - began, retry_after))
        return status

    def _source(self, network: str) -> str:
        """Nginx goes by the address that it sees, a node by what it is told."""
        return network if isinstance(self.target, Nginx) else ""


def _answer(
    connection: HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]
) -> tuple[int, str]:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("Retry-After", "")


@contextmanager
def load(target: Node | Nginx, *, readers: int = 2, makers: int = 1, signers: int = 0) -> Iterator[Load]:
    """So many threads of each kind, until the end of the block."""
    running = Load(target, _stamp(target) if signers else "")
    acts = [running.read] * readers + [running.have_made] * makers + [running.sign_up] * signers
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.is_over.set()
        for thread in threads:
            thread.join(60)


def _stamp(target: Node | Nginx) -> str:
    """What the form of the sign-up page holds."""
    page = target.get("/newsletter/", Accept_Encoding="identity").body.decode()
    field = re.search(r'<input[^>]*name="stamp"[^>]*>', page)
    assert field, page
    value = re.search(r'value="([^"]+)"', field[0])
    assert value
    return value[1]
