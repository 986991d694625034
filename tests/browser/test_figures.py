"""Figures as readers and editors meet them: badges, a correction on its way through the site, the publish gate."""

import re

import pytest
from playwright.sync_api import expect

from .pages import ARTICLES

STATISTIC = "/statistics/new-ai-roles-projected/"


@pytest.fixture
def desk(sign_in):
    return sign_in("editor")


@pytest.mark.parametrize("has_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_badge_says_what_is_known_and_gives_the_reason_by_one_click_or_key(open_window, has_javascript):
    page = open_window(java_script_enabled=has_javascript).open(ARTICLES[0])
    figure = page.get_by_role("listitem").filter(has_text="97M").first

    expect(figure.get_by_text("Projection for 2025: that year has passed")).to_be_visible()
    expect(figure.get_by_text("Newer edition available")).to_be_visible()
    reason = figure.get_by_text("What that year really brought is another figure.")
    expect(reason).to_be_hidden()
    figure.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(reason).to_be_visible()

    page.get_by_role("link", name="Note a: No source stated; base or total not stated").first.click()
    expect(page.locator(":target")).to_contain_text("Whether bonuses and shares are counted is not said.")

    figure.get_by_role("link", name="History and evidence of this figure").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("97M")


def test_a_correction_reaches_every_page_the_feed_and_the_data(desk, open_window):
    page = desk.open("/admin/articles/statisticvalue/?q=new-ai-roles")
    page.get_by_role("row").filter(has_text="97M").get_by_role("link").first.click()
    readings = page.get_by_role("region", name="Where this figure is shown")
    expect(readings.get_by_role("row", name=re.compile("^Article 60"))).to_contain_text("97M")

    page.get_by_label("Value:", exact=True).fill("96000000")
    page.get_by_label("Display text").fill("96M")
    expect(readings.get_by_role("row", name=re.compile("^Article 60"))).to_contain_text("96M")
    expect(readings.get_by_text("Choose why the figure changes.")).to_be_visible()
    page.get_by_label("Check status").select_option("unchecked")
    page.get_by_label("Checked on").fill("")
    page.get_by_label("Check note").fill("")
    page.get_by_label("Reason:", exact=True).select_option("correction")
    page.get_by_role("button", name="Publish new figure").click()
    expect(page.get_by_text("Say what was wrong: readers see the reason")).to_be_visible()
    expect(page.get_by_label("Display text")).to_have_value("96M")
    page.get_by_label("Reason in words").fill("A digit was misread.")
    page.get_by_role("button", name="Publish new figure").click()
    expect(page.get_by_text("96M is published (correction)")).to_be_visible()

    reader = open_window()
    page = reader.open(ARTICLES[0])
    figure = page.get_by_role("listitem").filter(has_text="96M").first
    expect(figure.get_by_text(re.compile(r"Corrected \d+ \w+ \d{4}"))).to_be_visible()
    expect(page.get_by_text("97M is now 96M").first).to_be_visible()
    page = reader.open(STATISTIC)
    expect(page.get_by_role("row").filter(has_text="A digit was misread.")).to_contain_text("96M")
    expect(page.locator("del").filter(has_text="97M")).to_be_visible()
    page = reader.open("/corrections/")
    expect(page.get_by_role("listitem").filter(has_text="97M is now 96M")).to_contain_text("A digit was misread.")
    feed = reader.context.request.get("/feeds/corrections.atom").text()
    assert "97M is now 96M" in feed
    data = reader.context.request.get("/statistics.csv").text()
    assert [line for line in data.splitlines() if "96M" in line and "A digit was misread." in line]


def test_the_clocks_of_a_statistic_answer_without_javascript(open_window):
    page = open_window(java_script_enabled=False).open("/statistics/with-a-history/")
    expect(page.get_by_role("img", name=re.compile("Step chart: 40% from 1 January 2021"))).to_be_visible()

    page.get_by_label("What was true as of").fill("2022")
    page.get_by_label("What this site said on").fill("2026-04")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("44%")
    expect(page.get_by_role("status")).to_contain_text("What was true as of 2022")


def test_a_citation_is_copied_by_a_button_or_selected_by_a_click(open_window):
    window = open_window(permissions=["clipboard-read", "clipboard-write"])
    page = window.open(STATISTIC)
    page.get_by_role("button", name="Copy: BibTeX").click()
    expect(page.get_by_text("BibTeX copied.")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()").startswith("@misc{new-ai-roles-projected,")

    page = open_window(java_script_enabled=False).open(STATISTIC)
    expect(page.get_by_role("button", name="Copy: BibTeX")).to_have_count(0)
    expect(page.get_by_role("textbox", name="BibTeX")).to_be_visible()


def test_publishing_with_unresolved_errors_takes_a_permission_and_a_public_reason(sign_in, open_window):
    editor = sign_in("editor")
    page = editor.open("/admin/articles/article/?q=60")
    page.locator("#result_list tbody th").get_by_role("link").first.click()
    page.get_by_label("Standfirst").fill("A new standfirst.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name="Unresolved errors")).to_be_visible()
    expect(page.get_by_text("ask a chief editor")).to_be_visible()
    expect(page.get_by_role("button", name="Publish all the same")).to_have_count(0)
    gate = page.url.partition("#")[0].removeprefix(editor.url)

    page = sign_in("chief").open(gate)
    page.get_by_label("Why is it published all the same?").fill("")
    page.get_by_role("button", name="Publish all the same").click()
    page.get_by_label("Why is it published all the same?").fill("They are quoted everywhere.")
    page.get_by_role("button", name="Publish all the same").click()
    expect(page.get_by_text("is live")).to_be_visible()

    page = open_window().open(ARTICLES[0])
    expect(page.get_by_text("A new standfirst.")).to_be_visible()
    expect(page.get_by_text("They are quoted everywhere.")).to_be_visible()
    expect(page.get_by_text("No source: 16 figures.")).to_be_visible()
