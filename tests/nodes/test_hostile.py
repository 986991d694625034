"""Hostile requests straight at a node and through nginx; readers get afterwards what they got before."""

import os
import socket
import threading
from collections import Counter

import pytest
from redis import Redis as Client

from tests.nodes.cluster import NAME, Nginx, trusting
from tests.nodes.hostile import MARK, requests, statuses
from tests.nodes.load import KEPT, told
from veltrix.page_cache.pages import Page

# In all; `make soak` sends 10,000.
NUMBER, SEED, THREADS = int(os.environ.get("HOSTILE_REQUESTS", "800")), 20261129, 4
# What nginx says to a transfer coding and to a version of HTTP that it does not know (RFC 9112, 6.1; RFC 9110, 15.6.6).
BY_PROTOCOL = {501, 505}
CODINGS = ["identity", "gzip", "br"]


def connect(target):
    address = "127.0.0.1" if isinstance(target, Nginx) else target.address
    connection = socket.create_connection((address, target.port), timeout=3)
    if not isinstance(target, Nginx):
        return connection
    return trusting().wrap_socket(connection, server_hostname=NAME)


def send(target, seed):
    """How many answers of each status there were, and what was answered with an error of the server."""
    counts, failed = Counter(), []

    def work(place):
        for data in requests(NUMBER // 2 // THREADS, seed + place):
            found = statuses(connect(target), data)
            counts.update(found or [0])
            if any(status >= 500 for status in found):
                failed.append((found, data[:300]))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts, failed


def pages(target):
    return {
        (path, coding): (answer.status, answer.headers.get("ETag"), answer.headers.get("Location"), answer.body)
        for path in KEPT
        for coding in CODINGS
        for answer in [target.get(path, Accept_Encoding=coding)]
    }


@pytest.mark.parametrize("name", ["node", "nginx"])
def test_hostile_requests_are_refused_and_reach_nobody_else(running, name):
    target = running.nodes[0] if name == "node" else running.nginx
    before = [pages(place) for place in (*running.nodes, running.nginx)]

    counts, failed = send(target, SEED)

    told.append(f"{NUMBER // 2} hostile requests at {name}: {dict(sorted(counts.items()))}")
    assert [answered for answered in failed if not set(answered[0]) & BY_PROTOCOL] == []
    assert counts[200] + counts[400] + counts[404] >= NUMBER / 8, counts
    assert [pages(place) for place in (*running.nodes, running.nginx)] == before
    client = Client.from_url(running.redis.url)
    kept = [client.get(key).partition(b"\n")[2] for key in client.keys("*:page:*")]
    assert len(kept) >= len(KEPT)
    for data in kept:
        page = Page.read(data).answer("identity")
        text = page.body + repr(page.headers).encode()
        assert MARK.encode() not in text
        assert b"evil.example" not in text
