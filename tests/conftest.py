"""Where CI=true, a run that left anything out fails. A test that asks no database runs once, not on each engine."""

import gc
import os
from pathlib import Path
from unittest import TestCase

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

# What is right is right on a slow machine, too.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Tests keep much in memory; looked through for cycles less often, it costs an eighth less of the time.
gc.set_threshold(50_000, 50, 50)

# What marks the tests of a folder.
MARKS = {"browser": "browser", "faults": "faults", "nodes": "faults"}
LEFT_OUT = ["skipped", "xfailed", "xpassed"]


def pytest_addoption(parser):
    parser.addoption("--part", default="1/1", help="Run one of several parts of the tests, such as 2/4.")


def pytest_itemcollected(item):
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    if folder in MARKS:
        item.add_marker(MARKS[folder])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        left = [item for item in items if has_no_database(item)]
    else:
        left = [item for item in items if item.get_closest_marker("postgresql")]
    kept = [item for item in items if item not in left]
    number, parts = map(int, config.getoption("part").split("/"))
    items[:] = kept[len(kept) * (number - 1) // parts : len(kept) * number // parts]
    config.hook.pytest_deselected(items=[*left, *(item for item in kept if item not in items)])


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
