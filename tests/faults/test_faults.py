"""Sending through faults, in its short form; `make soak` is the long one."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.__main__ import ROOT

WORLDS = {
    "postgresql": ["--people", "1100", "--seconds", "18", "--seed", "7070"],
    "sqlite": ["--engine", "sqlite", "--machines", "1", "--people", "1000", "--seconds", "20", "--seed", "12"],
    # It takes long from a mail to its reply, so that hardly a crash misses that moment.
    "requeue": ["--people", "500", "--seconds", "12", "--ponders", "0.2", "--mutant", "requeue_after_a_crash"],
    "fan_out": ["--people", "700", "--seconds", "8", "--seed", "3", "--mutant", "consent_only_at_fan_out"],
}


def report_of(arguments):
    command = [sys.executable, "-m", "tests.faults", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["faults"] else 0)
    return report


@pytest.fixture(scope="module")
def reports():
    # Two at a time, one for each core of a small machine.
    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(WORLDS, pool.map(report_of, WORLDS.values()), strict=True))


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_nobody_is_mailed_twice_or_after_leaving_and_nothing_is_lost(reports, engine):
    report = reports[engine]

    assert report["faults"] == {}, report
    # Not because nothing happened.
    assert report["lost"] >= 1, report
    assert report["left"] >= 3, report
    assert report["taken"] >= report["people"] / 2, report


def test_the_audit_notices_a_queue_that_sends_again_after_a_crash(reports):
    assert reports["requeue"]["faults"].get("mailed twice"), reports["requeue"]


def test_the_audit_notices_a_sender_that_trusts_the_frozen_audience(reports):
    assert reports["fan_out"]["faults"].get("claimed after they left"), reports["fan_out"]
