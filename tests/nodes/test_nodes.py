"""Two machines behind nginx, one of which is killed, loses a process, or is given a new release, while all is read."""

import json
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import redis

from tests.faults import sink
from tests.nodes.cluster import METRICS_TOKEN, children_of, until
from tests.nodes.freshness import CODINGS, Desk, decoded
from tests.nodes.load import load, told

MADE = re.compile(r'^veltrix_page_cache_total\{result="miss"\} (\S+)$', re.MULTILINE)
SIGN_UPS = "SELECT email, count(*) FROM newsletter_signup WHERE email <> '' GROUP BY email"
TASKS = """
    SELECT email FROM newsletter_signup JOIN django_tasks_database_dbtaskresult ON newsletter_signup.id =
    (args_kwargs->'args'->>0)::bigint WHERE task_path = 'newsletter.tasks.handle_sign_up' AND email <> ''
"""

BEGUN = """
    SELECT id FROM django_tasks_database_dbtaskresult WHERE status = 'RUNNING' AND worker_ids->>-1 = ANY(%s)
    AND task_path = 'newsletter.tasks.send_letter'
"""
AN_HOUR_LATER = """
    UPDATE django_tasks_database_dbtaskresult SET started_at = started_at - interval '1 hour'
    WHERE status = 'RUNNING' AND worker_ids->>-1 = ANY(%s)
"""


def rows(running, query):
    with psycopg.connect(running.database.address) as connection:
        return connection.execute(query).fetchall()


def check_sign_ups(running, seen):
    """What was acknowledged is there once with its task; of what nobody can know, there is at most one."""
    found = dict(rows(running, SIGN_UPS))
    assert len(seen.acknowledged) >= 10, seen.counts("sign-up")
    assert {email: found.get(email) for email in seen.acknowledged} == dict.fromkeys(seen.acknowledged, 1)
    assert {found.get(email, 0) for email in seen.unsure} <= {0, 1}
    queued = [email for (email,) in rows(running, TASKS)]
    assert {email: queued.count(email) for email in seen.acknowledged} == dict.fromkeys(seen.acknowledged, 1)


def check_reads(seen):
    kept, made = seen.counts("kept"), seen.counts("made")
    assert set(kept) == set(made) == {200}, seen.table()
    # Not because nothing was asked.
    assert kept[200] >= 5, seen.table()


def test_what_one_machine_publishes_is_what_all_serve_next(running):
    one, other = running.nodes
    places, path = {"one": one, "other": other, "nginx": running.nginx}, "/articles/watched/"
    desk = Desk(one)
    try:
        desk.act("publish", 1001)
        tags = {}
        for name, place in places.items():
            for coding in CODINGS:
                answer = place.get(path, Accept_Encoding=coding)
                assert b"Number 1001" in decoded(answer), (name, coding)
                tags[name, coding] = answer.headers["ETag"]
        for (name, coding), tag in tags.items():
            answer = places[name].get(path, Accept_Encoding=coding, If_None_Match=tag)
            assert (answer.status, answer.body) == (304, b""), (name, coding)

        desk.act("publish", 1002)
        for (name, coding), tag in tags.items():
            answer = places[name].get(path, Accept_Encoding=coding, If_None_Match=tag)
            assert answer.status == 200, (name, coding)
            assert b"Number 1002" in decoded(answer), (name, coding)
    finally:
        desk.close()


def test_what_is_forgotten_another_machine_makes_again_to_the_byte(running):
    one, other = running.nodes
    paths = [
        "/",
        "/articles/",
        "/articles/watched/",
        "/careers/",
        "/newsletter/",
        "/feeds/articles.atom",
        "/sources.csv",
    ]
    tags = {path: one.get(path).headers["ETag"] for path in paths}
    redis.Redis.from_url(running.redis.url).flushall()

    assert {path: other.get(path, If_None_Match=tag).status for path, tag in tags.items()} == dict.fromkeys(paths, 304)


def test_a_hundred_who_miss_a_page_at_once_have_it_made_once(running):
    def visit(number):
        return running.nodes[number % 2].get("/careers/?sort=role")

    redis.Redis.from_url(running.redis.url).flushall()
    before = pages_made(running)
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(visit, range(100)))

    assert pages_made(running) == before + 1
    # On a machine that is busy with other things, some are told to come again.
    assert {answer.status for answer in answers} <= {200, 503}
    assert len({answer.headers["ETag"] for answer in answers if answer.status == 200}) == 1


def pages_made(running):
    """How many pages all machines together have made and kept."""
    told = [node.get("/metrics", Authorization=f"Bearer {METRICS_TOKEN}").body.decode() for node in running.nodes]
    return sum(float(number) for text in told for number in MADE.findall(text))


def test_what_is_for_machines_inside_does_not_leave_through_nginx(running):
    assert running.nodes[0].get("/readyz").status == 200
    for path in ["/readyz", "/metrics", "//readyz", "/%72eadyz", "/x/../readyz", "/readyz?x", "/./metrics"]:
        assert running.nginx.get(path).status == 404, path
    assert running.nginx.get("/healthz").status == 200


def test_a_machine_that_dies_loses_no_read_and_no_acknowledged_write(running):
    node = running.nodes[0]
    with load(running.nginx, signers=3) as seen:
        time.sleep(1)
        node.kill()
        time.sleep(1.5)
        node.start()
        time.sleep(1)

    told.append(f"A machine killed: {seen.table()}")
    check_reads(seen)
    check_sign_ups(running, seen)
    assert node.get("/articles/").status == 200


def test_a_restart_refuses_nobody(running):
    """As a new release goes out: one machine after the other is told to end what it has begun, and started."""
    with load(running.nginx, signers=3) as seen:
        for node in running.nodes:
            time.sleep(0.5)
            node.restart()
            until(lambda node=node: node.get("/readyz").status == 200)

    told.append(f"A restart of each: {seen.table()}")
    check_reads(seen)
    assert set(seen.counts("sign-up")) == {302}
    check_sign_ups(running, seen)


def test_a_reload_refuses_nobody(running):
    node = running.nodes[0]
    before = set(node.workers())
    with load(running.nginx, signers=3) as seen:
        time.sleep(0.5)
        os.kill(node.process.pid, signal.SIGHUP)
        until(lambda: not before & set(node.workers()))
        time.sleep(1)

    told.append(f"A reload: {seen.table()}")
    check_reads(seen)
    assert set(seen.counts("sign-up")) == {302}
    check_sign_ups(running, seen)
    assert len(node.workers()) == len(before)


def test_a_process_that_is_killed_loses_no_read_and_is_replaced(running):
    node = running.nodes[0]
    before = set(node.workers())
    with load(running.nginx) as seen:
        time.sleep(1)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(node.workers()) == len(before) and not before & set(node.workers()))
        time.sleep(0.5)

    told.append(f"A process killed: {seen.table()}")
    check_reads(seen)
    until(lambda: node.get("/articles/").status == 200)


def test_the_other_worker_does_what_a_dead_one_had_begun(running, mails):
    server, letters = mails
    with psycopg.connect(running.database.address, autocommit=True) as connection:
        # What the tests before have left would take its time.
        connection.execute("TRUNCATE django_tasks_database_dbtaskresult, newsletter_signup")
        with load(running.nginx, readers=0, makers=0, signers=6) as seen:
            time.sleep(1)
        server.ponders = 0.3
        with running.workers() as (first, _):
            until(lambda: connection.execute(BEGUN, [names(first)]).fetchone())
            own = names(first)
            os.killpg(first.pid, signal.SIGKILL)
            # No sign says that a machine has died. No test waits for as long as tasks may take.
            begun = connection.execute(AN_HOUR_LATER, [own])
            until(lambda: set(seen.acknowledged) <= set(taken(letters)), 40)
        server.ponders = sink.PONDERS

    assert begun.rowcount == 1
    assert len(seen.acknowledged) >= 10, seen.counts("sign-up")
    # The letter that was on its way may have come twice, and no other.
    twice = [email for email in seen.acknowledged if taken(letters).count(email) > 1]
    assert len(twice) <= 1, twice


def names(worker):
    """Under which names the processes of a worker take tasks."""
    return [f"{socket.gethostname()}-{pid}" for pid in children_of(worker.pid)]


def taken(letters):
    return [entry["to"] for entry in map(json.loads, letters.read_text().splitlines()) if entry["event"] == "taken"]


def test_nothing_brings_a_withdrawn_article_back(running):
    """Nginx keeps pages for when no node answers: the word that one is gone takes its place."""
    path, desk = "/articles/comes-and-goes/", Desk(running.nodes[0])
    try:
        assert running.nginx.get(path).status == 200
        desk.act("withdraw")
        assert running.nginx.get(path).status == 410
        for node in running.nodes:
            node.kill()
        assert running.nginx.get("/articles/watched/").status == 200
        assert running.nginx.get(path).status == 410
    finally:
        for node in running.nodes:
            if node.process is None:
                node.start()
        desk.act("put_back")
        desk.close()
        # Nginx leaves a machine that was away alone for a moment, and gives old pages meanwhile.
        until(lambda: running.nginx.get(path).status == 200)
