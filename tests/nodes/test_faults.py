"""What readers and people who sign up get while PostgreSQL, Redis or the disk fail, and while others read slowly."""

import contextlib
import errno
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.nodes.cluster import NAME, ROOT, Node, trusting, until
from tests.nodes.freshness import Desk, decoded
from tests.nodes.load import KEPT, load, told

PATH = "/articles/watched/"


@pytest.fixture(autouse=True)
def warm(running):
    """All pages that are kept are there, and known to nginx."""
    for place in (*running.nodes, running.nginx):
        for path in KEPT:
            until(lambda place=place, path=path: place.get(path).status == 200)


def tell(fault, seen, since=None):
    errors = sum(status >= 500 for status in (answer.status for answer in seen.seen))
    after = f", well again {seen.recovered_after(since):.1f} s after it was there" if since else ""
    slowest = max(answer.seconds for answer in seen.seen if answer.what == "kept")
    told.append(f"{fault}: {seen.table()}; {errors} of 5xx; slowest kept page {slowest:.2f} s{after}")


def check_outage(seen, since):
    """Kept pages went on; others were right, or told when to come again; all is well soon after."""
    assert set(seen.counts("kept")) == {200}, seen.table()
    assert set(seen.counts("made")) == {200, 503}, seen.table()
    assert {answer.retry_after for answer in seen.failures("made")} == {"10"}
    assert seen.recovered_after(since) < 10


def test_while_postgresql_is_stopped_kept_pages_go_on(running):
    with load(running.nodes[0], signers=1) as at_node, load(running.nginx, signers=1) as at_nginx:
        time.sleep(0.5)
        running.database.stop("fast")
        time.sleep(3)
        running.database.start()
        back = time.monotonic()
        time.sleep(2)

    for place, seen in {"a node": at_node, "nginx": at_nginx}.items():
        tell(f"PostgreSQL stopped, at {place}", seen, back)
        check_outage(seen, back)
        assert set(seen.counts("sign-up")) <= {302, 503}


def test_while_postgresql_is_silent_kept_pages_go_on(running):
    # More who wait than the server has threads.
    with load(running.nodes[0], makers=10) as seen:
        time.sleep(0.5)
        began = time.monotonic()
        running.database.freeze()
        try:
            time.sleep(5)
        finally:
            running.database.thaw()
        back = time.monotonic()
        time.sleep(2)

    tell("PostgreSQL silent", seen, back)
    check_outage(seen, back)
    # All the while, but for the moments in which others hope for a place (`bulkhead.STUCK`).
    longest = max(later - earlier for earlier, later in pairwise(answered(seen, began)))
    told.append(f"PostgreSQL silent: longest time without a kept page {longest:.2f} s")
    assert longest < 4
    # `DATABASE_TIMEOUT` is 3 here; on top of it comes the place that one waits for.
    assert max(answer.seconds for answer in seen.failures("made")) < 9


def answered(seen, since):
    """When kept pages were answered, in order."""
    return sorted(answer.at + answer.seconds for answer in seen.seen if answer.what == "kept" and answer.at >= since)


def test_while_redis_is_away_and_after_it_nobody_reads_what_is_over(running):
    desk = Desk(running.nodes[0])
    places = [*running.nodes, running.nginx]
    try:
        with load(running.nodes[1]) as seen:
            desk.act("publish", 2001)
            running.redis.kill()
            time.sleep(0.5)
            assert all(b"Number 2001" in decoded(place.get(PATH)) for place in places)
            desk.act("publish", 2002)
            assert all(b"Number 2002" in decoded(place.get(PATH)) for place in places)
            running.redis.start()
            back = time.monotonic()
            while time.monotonic() < back + 3:
                assert all(b"Number 2002" in decoded(place.get(PATH)) for place in places)
            desk.act("publish", 2003)
            assert all(b"Number 2003" in decoded(place.get(PATH)) for place in places)
    finally:
        desk.close()

    tell("Redis killed", seen)
    assert set(seen.counts("kept")) == set(seen.counts("made")) == {200}, seen.table()


def test_with_a_full_disk_pages_go_on_and_none_is_of_before(running, tmp_path):
    node = disk_node(running, tmp_path)
    desk = None
    try:
        node.start()
        node.enter(node.process.pid)
        pages = node.seen_from_outside / "pages"
        desk = Desk(node)
        with load(node) as seen:
            desk.act("publish", 3001)
            time.sleep(0.5)
            assert len(list(pages.glob("g-*/*"))) >= 2
            with full(pages / "rest"):
                time.sleep(0.2)
                desk.act("publish", 3002)
                assert all(b"Number 3002" in decoded(node.get(PATH)) for _ in range(10))
                time.sleep(1)
            desk.act("publish", 3003)
            assert all(b"Number 3003" in decoded(node.get(PATH)) for _ in range(10))
            until(lambda: len(list(pages.glob("g-*/*"))) >= 2)
    finally:
        if desk:
            desk.close()
        node.kill()

    tell("Disk full", seen)
    assert set(seen.counts("kept")) == set(seen.counts("made")) == {200}, seen.table()
    assert "page cache cannot be used" in node.log.read_text()


class DiskNode(Node):
    """A machine that keeps its pages in files, on a disk of 400 kB that only its own processes see."""

    def start(self):
        script = 'mkdir -p "$1" && mount -t tmpfs -o size=400k none "$1" && shift && exec "$@"'
        self.inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(self.folder / "pages")]
        super().start()

    def enter(self, pid):
        """Let what is started from now on see that disk, too."""
        self.inside = ["nsenter", "--target", str(pid), "--user", "--preserve-credentials", "--mount", f"--wd={ROOT}"]

    @property
    def seen_from_outside(self):
        return type(self.folder)(f"/proc/{self.process.pid}/root{self.folder}")


def disk_node(running, folder):
    first = running.nodes[0]
    shutil.copytree(first.folder / "static", folder / "static")
    own = {"VAR_DIR": str(folder), "CACHE_URL": "", "PAGE_CACHE_MEMORY_MB": "0", "WEB_WORKERS": "1"}
    return DiskNode("127.0.0.4", folder, first.environment | own)


@contextlib.contextmanager
def full(path):
    """A file takes all the room that there is, and whatever becomes free."""
    is_over = threading.Event()

    def take():
        with path.open("wb", buffering=0) as file:
            while not is_over.wait(0.005):
                try:
                    while True:
                        file.write(b"x" * 512)
                except OSError as error:
                    assert error.errno == errno.ENOSPC  # noqa: PT017

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        path.unlink()


def test_slow_clients_do_no_harm_behind_nginx(running):
    with slow_clients(running.nginx, 300) as go_on, load(running.nginx) as seen:
        began = time.monotonic()
        while time.monotonic() < began + 3:
            go_on()
            time.sleep(0.2)

    tell("300 slow clients at nginx", seen)
    assert set(seen.counts("kept")) == set(seen.counts("made")) == {200}, seen.table()
    assert max(answer.seconds for answer in seen.seen if answer.what == "kept") < 3


@contextlib.contextmanager
def slow_clients(target, number):
    """So many connections, half of which send a header byte by byte; the others read an answer so. A step of all."""
    with ThreadPoolExecutor(8) as pool:
        lines = list(
            pool.map(lambda place: slow_line(target, f"127.{100 + place // 50}.{place % 50}.1"), range(number))
        )
    readers = lines[1::2]
    for line in readers:
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {NAME}\r\nX-Forwarded-Proto: https\r\n\r\n".encode())

    def go_on():
        for line in lines:
            # Whoever is too slow is cut off.
            with contextlib.suppress(OSError):
                line.recv(1) if line in readers else line.send(b"G")

    try:
        yield go_on
    finally:
        for line in lines:
            line.close()


def slow_line(target, source):
    is_node = isinstance(target, Node)
    address = target.address if is_node else "127.0.0.1"
    line = socket.create_connection((address, target.port), timeout=20, source_address=(source, 0))
    if is_node:
        return line
    return trusting().wrap_socket(line)
