"""Subscribers at the desk: a table is brought along without a mouse, and taken away again."""

import csv
import io

import pytest
from playwright.sync_api import expect

from .keyboard import Keyboard
from .test_accessibility import violations_in_every_light

TABLE = """E-mail;confirmed on
new@example.com;2024-05-31
subscribed@example.com;
nobody;
NEW@example.com;
"""
FILE = {"name": "fair.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
LIST = "/admin/newsletter/subscriber/"


@pytest.fixture
def desk(sign_in):
    return sign_in("administrator")


def test_a_table_is_imported_by_keyboard_and_exported_again(desk):
    page = desk.open(LIST)
    keyboard = Keyboard(page)
    keyboard.activate(page.get_by_role("link", name="Import", exact=True))
    page.get_by_label("File").set_input_files(FILE)
    keyboard.write(page.get_by_label("Where and how they agreed"), "Signed list at Data Days, Leeds")
    assert not violations_in_every_light(page)
    keyboard.activate(page.get_by_role("button", name="Preview"))

    expect(page.get_by_role("status")).to_have_text("1 would be subscribed. Nothing has been written yet.")
    rows = page.get_by_role("region", name="Rows of the file").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("3subscribed@example.comIs subscribed already")
    expect(rows.nth(2)).to_contain_text("4nobodyCannot be read.")
    expect(rows.nth(3)).to_contain_text("Row 2 has it.")
    assert not violations_in_every_light(page)
    keyboard.activate(page.get_by_role("button", name="Subscribe 1"))
    expect(page.get_by_text("Subscribed: 1.")).to_be_visible()

    keyboard.activate(page.get_by_role("link", name="Export", exact=True))
    page.get_by_role("button", name="Export").wait_for()
    assert not violations_in_every_light(page)
    with page.expect_download() as download:
        keyboard.activate(page.get_by_role("button", name="Export"))
    text = download.value.path().read_text("utf-8")
    exported = {row["address"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert set(exported) == {"subscribed@example.com", "new@example.com"}
    assert exported["new@example.com"]["confirmed_on"] == "2024-05-31"


def test_a_person_is_found_by_the_beginning_of_the_address_and_has_a_history(desk):
    page = desk.open(LIST)

    page.get_by_role("textbox", name="Search").fill("subs")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(page.get_by_text("1 result")).to_be_visible()
    assert not violations_in_every_light(page)
    page.get_by_role("link", name="subscribed@example.com").click()

    agreed = page.get_by_role("region", name="What they agreed to").get_by_role("row")
    expect(agreed.nth(1)).to_contain_text("Confirmed")
    expect(agreed.nth(2)).to_contain_text("Asked to sign up")
    assert not violations_in_every_light(page)


def test_an_editor_is_offered_neither(sign_in):
    page = sign_in("editor").open(LIST)

    expect(page.get_by_role("link", name="Import", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Export", exact=True)).to_have_count(0)
