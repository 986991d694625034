"""Random acts at the desks of several machines, and readers who check that they never get what is over.

`Watch` holds, for each thing that changes, the least number that a reader may see from now on. A number counts from the
moment at which the desk was told that its act is done, or from the moment for which it was scheduled.
"""

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.nodes.cluster import ROOT, Answer, Cluster, Node
from tests.nodes.desk import SECRET

type Get = Callable[..., Answer]

CODINGS = ["", "gzip", "br", "gzip, deflate, br", "br;q=0"]
# What changes, and where readers see it.
SEEN = {
    "title": (re.compile(rb"Number (\d+)"), ["/articles/watched/", "/articles/", "/"]),
    "figure": (re.compile(rb'value="(\d+)"|>(\d+)%<|\b(\d+)%'), ["/statistics/watched/", "/articles/watched/"]),
    "role": (re.compile(rb"Role (\d+)\."), ["/careers/watched/"]),
}
# Greater than what other tests publish on the same machines.
FIRST = 10_000
# How long a clock may differ that two processes read at the same time.
EPSILON = 0.02


class Desk:
    """The desk of one machine; an act is done when `act` returns."""

    def __init__(self, node: Node) -> None:
        command = [*node.inside, sys.executable, "-m", "tests.nodes.desk"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=node.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    def act(self, *words: object) -> object:
        assert self.process.stdin
        self.process.stdin.write(f"{json.dumps(words)}\n")
        self.process.stdin.flush()
        return json.loads(self._read())

    def _read(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        if not line:
            raise AssertionError("The desk has ended.")
        return line

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Watch:
    """What readers may see, what they saw, and what was wrong with it."""

    least: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEEN, 0))
    # Numbers that count from a moment on: (what, moment, number).
    coming: list[tuple[str, float, int]] = field(default_factory=list)
    is_withdrawn: bool | None = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    is_over: threading.Event = field(default_factory=threading.Event)

    def floor(self, what: str) -> int:
        """The least number that a request which begins now may be answered with."""
        now = time.time() - EPSILON
        with self.lock:
            due = [number for thing, moment, number in self.coming if thing == what and moment <= now]
            return max([self.least[what], *due])

    def done(self, what: str, number: int) -> None:
        with self.lock:
            self.least[what] = number

    def fault(self, text: str) -> None:
        with self.lock:
            self.faults.append(text)


def act_at_random(watch: Watch, desks: list[Desk], seed: int) -> None:
    """Publish, correct, schedule, withdraw and draft, each at the desk of a machine drawn by lot, until it is over."""
    lot, number = random.Random(seed), FIRST  # noqa: S311
    while not watch.is_over.is_set():
        desk, number = lot.choice(desks), number + 1
        kind = lot.choice(["publish", "publish", "draft", "figure", "figure", "role", "role", "schedule", "withdraw"])
        watch.counts[kind] += 1
        if kind == "schedule":
            _schedule(watch, desk, number, lot.uniform(0.1, 0.4))
        elif kind == "withdraw":
            _withdraw(watch, desk)
        else:
            desk.act(kind, number)
            what = {"publish": "title", "figure": "figure", "role": "role"}.get(kind)
            if what:
                watch.done(what, number)
        time.sleep(lot.uniform(0, 0.05))


def _schedule(watch: Watch, desk: Desk, number: int, seconds: float) -> None:
    moment = float(str(desk.act("schedule", number, seconds)))
    with watch.lock:
        watch.coming.append(("title", moment, number))
    # Another change can be published only when this one is there.
    time.sleep(max(0, moment - time.time()) + 2 * EPSILON)
    watch.done("title", number)


def _withdraw(watch: Watch, desk: Desk) -> None:
    # Between the two either answer is right.
    watch.is_withdrawn = None
    desk.act("withdraw")
    watch.is_withdrawn = True
    time.sleep(0.1)
    watch.is_withdrawn = None
    desk.act("put_back")
    watch.is_withdrawn = False


def read_at_random(watch: Watch, get: Get, seed: int) -> None:
    """Read pages in random codings, often with the tag of the last answer, and check each, until it is over."""
    lot = random.Random(seed)  # noqa: S311
    known: dict[tuple[str, str], tuple[str, bytes]] = {}
    while not watch.is_over.is_set():
        if lot.random() < 0.15:
            _read_what_comes_and_goes(watch, get)
            continue
        what = lot.choice(list(SEEN))
        pattern, paths = SEEN[what]
        path, coding = lot.choice(paths), lot.choice(CODINGS)
        floor = watch.floor(what)
        etag, body = known.get((path, coding), ("", b""))
        headers = {"Accept_Encoding": coding} | ({"If_None_Match": etag} if etag and lot.random() < 0.5 else {})
        answer = get(path, **headers)
        watch.counts[str(answer.status)] += 1
        if answer.status == 200:
            body = decoded(answer)
            known[path, coding] = answer.headers.get("ETag", ""), body
        elif answer.status != 304:
            watch.fault(f"{path} was answered with {answer.status}")
            continue
        _check(watch, path, body, pattern, floor)


def _check(watch: Watch, path: str, body: bytes, pattern: re.Pattern[bytes], floor: int) -> None:
    if SECRET.encode() in body:
        watch.fault(f"{path} shows a draft")
    found = pattern.search(body)
    number = int(next(filter(None, found.groups()))) if found else -1
    if number < floor:
        text = f"{path} shows {number}, and {floor} was there before it was asked for"
        watch.fault(text if found else f"{text}: {body[-300:]!r}")


def _read_what_comes_and_goes(watch: Watch, get: Get) -> None:
    before = watch.is_withdrawn
    status = get("/articles/comes-and-goes/").status
    watch.counts[str(status)] += 1
    if before is not None and before is watch.is_withdrawn and status != (410 if before else 200):
        watch.fault(f"What was {'withdrawn' if before else 'published'} was answered with {status}")


def decoded(answer: Answer) -> bytes:
    import gzip

    import brotli

    decode = {"br": brotli.decompress, "gzip": gzip.decompress}.get(answer.headers.get("Content-Encoding", ""))
    return decode(answer.body) if decode else answer.body


@contextmanager
def watched(cluster: Cluster, readers: list[Get], seed: int) -> Iterator[Watch]:
    """Acts and readings meanwhile; all have ended afterwards."""
    watch = Watch()
    desks = [Desk(node) for node in cluster.nodes for _ in range(1 if len(cluster.nodes) > 1 else 2)]
    threads = [threading.Thread(target=_guarded, args=(watch, act_at_random, watch, desks, seed))]
    threads += [
        threading.Thread(target=_guarded, args=(watch, read_at_random, watch, get, seed + place))
        for place, get in enumerate(readers, start=1)
    ]
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        watch.is_over.set()
        for thread in threads:
            thread.join(60)
        for desk in desks:
            desk.close()


def _guarded(watch: Watch, act: Callable[..., None], *arguments: object) -> None:
    try:
        act(*arguments)
    except Exception as error:  # noqa: BLE001
        if not watch.is_over.is_set():
            watch.fault(f"{act.__name__} failed: {error!r}")
