"""Several who want the same page at the same time."""

import threading
import time
from unittest import mock

FOLLOWERS = 5


def told_of(leader, follower):
    """What a store tells one and five more, who come while it holds the right to render: whether they have it."""
    told, waiting = [], set()

    def wait(seconds, sleep=time.sleep):
        waiting.add(threading.get_ident())
        sleep(seconds)

    def follow():
        with follower.flight("page") as leads:
            told.append(leads)

    threads = [threading.Thread(target=follow) for _ in range(FOLLOWERS)]
    with mock.patch.object(time, "sleep", wait), leader.flight("page") as leads:
        for thread in threads:
            thread.start()
        for _ in range(300):
            if len(waiting) == FOLLOWERS:
                break
            threading.Event().wait(0.01)
        told.append(leads)
    for thread in threads:
        thread.join()
    return told
