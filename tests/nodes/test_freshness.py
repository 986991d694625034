"""Publications, corrections, schedules, drafts and withdrawals at several desks, while readers look at every node."""

import time

from redis import Redis as Client

from tests.nodes.cluster import machine, until
from tests.nodes.desk import SECRET
from tests.nodes.freshness import watched
from veltrix.page_cache.pages import Page

STAGE = "from tests.nodes import desk; desk.stage()"
SECONDS, SEED = 6, 20261129


def is_enough(watch):
    """Whether so much has happened that it says something that nothing went wrong."""
    acts = sum(watch.counts[kind] for kind in ("publish", "figure", "role", "schedule", "withdraw"))
    return acts >= 20 and watch.counts["200"] >= 200 and watch.counts["304"] >= 20 and watch.counts["draft"] >= 1


def go_on(watch):
    time.sleep(SECONDS)
    # On a machine that has other things to do it takes longer.
    until(lambda: is_enough(watch), 60)


def read_until_kept(get, kept):
    """What is kept after readings; a page is not if a change is made meanwhile whose moment has come."""

    def read():
        get("/articles/watched/")
        return kept()

    return until(read, 20)


def holds_a_secret(data):
    return SECRET.encode() in Page.read(data).answer("identity").body


def test_processes_of_one_machine_never_serve_what_is_over():
    with machine(stage=STAGE) as running:
        node = running.nodes[0]
        with watched(running, [node.get] * 3, SEED) as watch:
            go_on(watch)
        assert watch.faults == []
        kept = read_until_kept(node.get, lambda: list((node.folder / "pages").glob("g-*/*")))
        assert not [path for path in kept if holds_a_secret(path.read_bytes())]


def test_machines_and_nginx_never_serve_what_is_over(running):
    one, other = running.nodes
    with watched(running, [one.get, other.get, running.nginx.get, running.nginx.get], SEED) as watch:
        go_on(watch)
    assert watch.faults == []
    client = Client.from_url(running.redis.url)
    keys = read_until_kept(one.get, lambda: client.keys("*:page:*"))
    kept = [client.get(key).partition(b"\n")[2] for key in keys]
    assert not [data for data in kept if holds_a_secret(data)]
    assert list((running.nginx.folder / "cache").rglob("*")), "Nginx kept nothing."
