"""What the launch article weighs on the wire, with nothing in the browser's cache."""

import brotli
import pytest

from .pages import ARTICLES

KILOBYTE = 1024
LIMITS = {"document": 20, "stylesheet": 12, "script": 8, "font": 120, "all but fonts": 60, "all": 200}


@pytest.fixture
def weights(reader):
    """Bytes for each kind of thing that the article loads: fonts as they are, all else as brotli makes it."""
    answers = []
    reader.context.on("response", lambda answer: answers.append(answer))
    reader.open(ARTICLES[0]).wait_for_load_state("networkidle")
    weights = dict.fromkeys(LIMITS, 0)
    for answer in answers:
        kind = answer.request.resource_type
        size = len(answer.body() if kind == "font" else brotli.compress(answer.body()))
        weights[kind] = weights.get(kind, 0) + size
        weights["all"] += size
        weights["all but fonts"] += 0 if kind == "font" else size
    return weights


def test_the_launch_article_stays_within_its_weight(weights, record_property):
    record_property("weights", weights)
    print("\n" + ", ".join(f"{kind}: {size / KILOBYTE:.1f} KB" for kind, size in weights.items()))

    assert {kind: size for kind, size in weights.items() if kind in LIMITS and size > LIMITS[kind] * KILOBYTE} == {}


def test_style_sheets_are_served_compressed_and_for_ever(reader, site):
    answers = []
    reader.context.on("response", lambda answer: answers.append(answer) if "/static/" in answer.url else None)
    reader.open(ARTICLES[0]).wait_for_load_state("networkidle")

    for answer in answers:
        assert "immutable" in answer.headers["cache-control"], answer.url
        if answer.request.resource_type != "font":
            assert answer.headers.get("content-encoding") in {"br", "gzip"}, answer.url
