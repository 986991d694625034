"""The search and its quick finder, by keyboard and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect


def finder_of(page):
    return page.get_by_role("dialog", name="Quick finder")


def test_the_slash_key_leads_to_a_page_without_a_mouse(reader):
    page = reader.open("/careers/")
    page.set_viewport_size({"width": 640, "height": 360})
    expect(page.get_by_role("link", name="Search", exact=True)).to_have_attribute("aria-haspopup", "dialog")

    page.keyboard.press("/")
    field = finder_of(page).get_by_role("combobox", name="Find a page")
    expect(field).to_be_focused()
    page.keyboard.type("prom")
    options = finder_of(page).get_by_role("option")
    expect(options.last).to_have_text("Search everywhere for “prom”")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(finder_of(page).get_by_role("status")).to_have_text(f"{options.count() - 1} pages")

    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "finder-1")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", "finder-all")
    for part in (field, options.last):
        expect(part).to_be_in_viewport(ratio=1)
    page.keyboard.press("ArrowDown")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("prompt", re.IGNORECASE))


def test_escape_closes_it_and_what_had_the_focus_has_it_again(reader):
    page = reader.open("/articles/")
    link = page.get_by_role("link", name="Careers", exact=True)
    link.focus()

    page.keyboard.press("/")
    expect(finder_of(page)).to_be_visible()
    page.keyboard.press("Escape")

    expect(finder_of(page)).to_be_hidden()
    expect(link).to_be_focused()

    page.keyboard.press("/")
    finder_of(page).get_by_role("button", name="Close").click()
    expect(finder_of(page)).to_be_hidden()


def test_enter_without_a_choice_searches_everywhere(reader):
    page = reader.open("/")
    page.get_by_role("link", name="Search", exact=True).click()

    page.keyboard.type("language models")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url.endswith("/search/?q=language+models")
    # Here the page's own field is the finder.
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Words to look for")).to_be_focused()


def test_who_types_on_after_choosing_searches_for_what_is_typed(reader):
    page = reader.open("/")
    page.keyboard.press("/")
    page.keyboard.type("prom")
    expect(finder_of(page).get_by_role("option").last).to_have_text("Search everywhere for “prom”")
    page.keyboard.press("ArrowDown")

    # The answer to what is typed now does not come.
    page.route("**/search/finder/**", lambda route: route.abort())
    page.keyboard.type("pts")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url.endswith("/search/?q=prompts")


def test_the_slash_key_is_a_letter_in_a_field_and_nothing_with_others(reader):
    page = reader.open("/newsletter/")
    page.keyboard.press("Control+/")
    page.get_by_label("Your e-mail address").focus()
    page.keyboard.type("a/b")

    expect(page.get_by_label("Your e-mail address")).to_have_value("a/b")
    expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 320])
def test_a_search_works_without_javascript(open_window, width):
    page = open_window(java_script_enabled=False, viewport={"width": width, "height": 700}).open("/")
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_label("Words to look for").fill("enginers of pyhton")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("main").get_by_role("link", name=re.compile("python")).click()
    expect(page.locator("mark").first).to_be_visible()
    page.get_by_role("navigation", name="Kinds of results").get_by_role("link", name=re.compile("^Roles")).click()
    expect(page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=3)).first).to_contain_text("Role")
