"""A reader's way through the skill check, with JavaScript and without, by keyboard, on a small phone and on paper."""

import re

import pytest
from playwright.sync_api import expect

from .keyboard import Keyboard


def status(page):
    return page.locator("#result").get_by_role("status").first


def roles(page):
    """The names of the roles, in their order."""
    return page.locator("ol > li h3").all_inner_texts()


@pytest.mark.parametrize("has_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_reader_types_skills_ticks_another_and_keeps_the_result(open_window, site, has_javascript):
    page = open_window(java_script_enabled=has_javascript).open("/careers/fit/")
    expect(status(page)).to_contain_text("No skill is ticked yet")

    page.get_by_label("What can you do?").fill("sklearn, postgres, RAG, pyhton")
    page.get_by_role("button", name="Check", exact=True).click()
    page.wait_for_url(re.compile(r"\?skills=postgresql,rag,scikit-learn&know=pyhton"))
    expect(page.get_by_text("“pyhton” is not known here.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="scikit-learn")).to_be_checked()
    expect(page.get_by_text("Met by scikit-learn, which counts for Python").first).to_be_visible()

    page.get_by_role("link", name="Python", exact=True).click()
    page.wait_for_url(re.compile(r"\?skills=postgresql,python,rag,scikit-learn$"))
    page.get_by_role("checkbox", name="Statistics and probability").check()
    page.get_by_role("checkbox", name="Retrieval-augmented generation").uncheck()
    page.get_by_role("button", name="Check what is ticked").click()
    page.wait_for_url(re.compile(r"\?skills=postgresql,python,scikit-learn,statistics"))
    assert roles(page)[0] == "ML Engineer"

    link = page.get_by_role("textbox", name="Link to this check").inner_text()
    expect(page.get_by_role("img", name="QR code of the link to this check")).to_be_visible()
    shown = roles(page)
    page.get_by_role("link", name="Start again").click()
    expect(status(page)).to_contain_text("No skill is ticked yet")
    page.goto(link)
    assert roles(page) == shown


def test_the_keyboard_alone_is_enough(reader):
    page = reader.open("/careers/fit/")
    keyboard = Keyboard(page)

    keyboard.activate(page.locator("summary", has_text="Data and statistics"))
    keyboard.go_to(page.get_by_role("checkbox", name="SQL"))
    keyboard.press("Space")
    keyboard.activate(page.get_by_role("button", name="Check what is ticked"))
    page.wait_for_url(re.compile(r"\?skills=sql"))
    expect(status(page)).to_be_focused()
    second = page.locator("ol > li").nth(1)
    keyboard.activate(second.locator("summary"))
    expect(second.get_by_role("listitem").first).to_be_visible()
    keyboard.activate(second.get_by_role("button", name=re.compile("^Add ")).first)

    page.wait_for_url(re.compile(r"\?skills=[a-z-]+,[a-z-]+"))
    expect(page.get_by_role("heading", name="You can", exact=True)).to_be_visible()


def test_on_a_small_phone_the_answer_comes_into_sight_at_once(open_window):
    page = open_window(viewport={"width": 320, "height": 640}).open("/careers/fit/")

    page.get_by_label("What can you do?").fill("python, sql")
    page.get_by_label("What can you do?").press("Enter")
    page.wait_for_url(re.compile("skills="))

    expect(status(page)).to_be_in_viewport()


def test_the_result_prints_with_every_line_and_its_link_and_without_the_form(reader):
    page = reader.open("/careers/fit/?skills=python,sql")
    page.emulate_media(media="print", color_scheme="dark")

    expect(page.get_by_label("What can you do?")).to_be_hidden()
    expect(page.get_by_role("textbox", name="Link to this check")).to_be_visible()
    expect(page.get_by_role("img", name="QR code of the link to this check")).to_be_visible()
    last = page.locator("ol > li").last
    expect(last.get_by_text(re.compile("^Missing:")).first).to_be_visible()
    for kind in ("link", "button"):
        expect(page.get_by_role(kind, name=re.compile("^Add "))).to_have_count(0)


def test_the_code_stays_dark_on_white_in_the_dark(open_window):
    page = open_window(color_scheme="dark").open("/careers/fit/?skills=python,sql")

    code = page.get_by_role("img", name="QR code of the link to this check")

    assert code.locator("rect").evaluate("e => getComputedStyle(e).fill") == "rgb(255, 255, 255)"
    assert code.locator("path").evaluate("e => getComputedStyle(e).fill") == "rgb(0, 0, 0)"
