"""A reader's way from the front page to the newsletter, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import expect

from newsletter import wording
from tests.newsletter.support import text_of

TITLE = "What Skills Do You Need for an AI Career in 2026?"


def upper_figures(page):
    """What the rows of the comparison end at in the UK, in thousands, in the order of the rows."""
    rows = page.get_by_role("table").locator("tbody tr")
    texts = rows.locator(".role-table__pay").evaluate_all("cells => cells.map(cell => cell.textContent)")
    per_row = len(texts) // rows.count()
    return [int(re.search(r"–[£$](\d+)K", text)[1]) for text in texts[::per_row]]


def link_in(letter, site, what):
    """The address of the link to `what` in the letter, as its text has it."""
    return re.search(rf"^{re.escape(site.url)}(/newsletter/{what}/\S+)\s*$", text_of(letter), re.MULTILINE)[1]


@pytest.mark.parametrize("has_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_reader_comes_from_the_front_page_to_a_confirmed_subscription(open_window, site, mailbox, has_javascript):
    reader = open_window(java_script_enabled=has_javascript)
    page = reader.open("/")

    page.get_by_role("link", name=TITLE).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.get_by_label("Number 60 of 62")).to_be_visible()
    expect(page.get_by_text("97M").first).to_be_visible()
    expect(page.get_by_role("table").first.locator("tbody tr")).to_have_count(8)

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Careers").click()
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(8)
    page.get_by_role("link", name="UK range").click()
    expect(page.locator("[aria-sort]")).to_have_count(1)
    once = upper_figures(page)
    assert once == sorted(once, reverse=True)
    page.get_by_role("link", name="UK range").click()
    expect(page.locator("[aria-sort=ascending]")).to_have_count(1)
    assert upper_figures(page) == sorted(once)

    page.get_by_label("Skill").select_option("Python")
    page.get_by_label("US", exact=True).uncheck()
    page.get_by_role("button", name="Show roles").click()
    expect(page.locator(".found__summary")).to_contain_text(
        re.compile(r"\d roles, UK pay only, requiring Python, sorted by UK")
    )
    expect(page.get_by_role("columnheader", name="US range")).to_have_count(0)
    page.get_by_role("table").get_by_role("link", name="ML Engineer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ML Engineer")
    page.get_by_role("link", name=TITLE).first.click()

    page.get_by_label("Your e-mail address").fill("ada@example.com")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    site.work()
    assert [letter["To"] for letter in mailbox.letters] == ["ada@example.com"]

    page = reader.open(link_in(mailbox.letters[0], site, "confirm"))
    expect(page.get_by_text("ada@example.com")).to_be_visible()
    page.get_by_role("button", name=wording.CONFIRMATION).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    site.work()
    assert "Welcome" in mailbox.letters[1]["Subject"]

    page = reader.open(link_in(mailbox.letters[1], site, "unsubscribe"))
    page.get_by_role("button", name="Leave the newsletter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left")


def test_a_form_without_an_address_says_what_to_do(reader):
    page = reader.post("/newsletter/", {"email": "", "stamp": "", "message": ""})

    expect(page.get_by_text("e-mail address, such as name@example.com")).to_be_visible()
    expect(page.get_by_label("Your e-mail address")).to_have_attribute("aria-invalid", "true")
