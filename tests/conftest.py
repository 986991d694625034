"""Where CI=true, a run that left anything out fails. A test that asks no database runs once, not on each engine."""

import os
from unittest import TestCase

from django.test import TransactionTestCase

LEFT_OUT = ["skipped", "xfailed", "xpassed"]


def pytest_collection_modifyitems(config, items):
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        left = [item for item in items if has_no_database(item)]
    else:
        left = [item for item in items if item.get_closest_marker("postgresql")]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


def has_no_database(item):
    """Whether a test's class asks no database; Django holds its own kinds of classes to that."""
    kind = getattr(item, "cls", None)
    if kind is None or not issubclass(kind, TestCase):
        return False
    return not issubclass(kind, TransactionTestCase) and not getattr(kind, "databases", None)


def pytest_sessionfinish(session):
    if os.environ.get("CI") != "true":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    left_out = [report for name in LEFT_OUT for report in reporter.stats.get(name, [])]
    if left_out:
        session.exitstatus = 1
        reporter.write_line(f"\n{len(left_out)} left out, and CI=true: nothing may be.", red=True)
