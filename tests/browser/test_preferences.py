"""A subscriber decides what they get, on a phone and without a mouse."""

import json

import pytest
from playwright.sync_api import expect

from .keyboard import Keyboard

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def path(site):
    return site.staged["preferences"]


def test_on_a_phone_a_topic_is_declined_and_a_month_taken_off(open_window, path):
    page = open_window(**PHONE).open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    topic = page.get_by_role("checkbox").first
    expect(topic).to_be_checked()

    topic.tap()
    page.get_by_role("button", name="Save topics").tap()

    expect(page.get_by_role("status")).to_have_text("Your topics are saved.")
    expect(page.get_by_role("checkbox").first).not_to_be_checked()

    page.get_by_role("button", name="Pause for a month").tap()

    expect(page.get_by_text("Nothing is sent to")).to_be_visible()
    expect(page.get_by_role("checkbox").first).not_to_be_checked()
    page.get_by_role("button", name="Go on now").tap()
    expect(page.get_by_role("status")).to_have_text("The letters go on.")


def test_by_keyboard_data_is_fetched_and_everything_erased(reader, path):
    page = reader.open(path)
    keyboard = Keyboard(page)

    with page.expect_download() as download:
        keyboard.activate(page.get_by_role("button", name="Download it all"))
    held = json.loads(download.value.path().read_text("utf-8"))
    assert held["subscriber"]["address"] == "subscribed@example.com"
    assert [event["what"] for event in held["consent"]] == ["Asked to sign up", "Confirmed"]

    keyboard.activate(page.get_by_role("link", name="Erase what is held about me"))
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    keyboard.activate(page.get_by_role("button", name="Yes, erase it"))

    expect(page.get_by_role("heading", level=1)).to_have_text("It is erased")


def test_whoever_wants_to_leave_is_offered_less_and_can_still_leave(reader, site):
    page = reader.open(site.staged["unsubscribe"])

    page.get_by_role("link", name="choose topics, or pause for a month").click()
    page.get_by_role("button", name="Leave the newsletter").click()

    expect(page.get_by_text("You have left")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="sign up again")).to_be_visible()
