"""A reader compares roles: sorts, filters, looks at the picture, and puts roles side by side."""

import re

import pytest
from playwright.sync_api import expect

from .keyboard import Keyboard

SCRIPTS = pytest.mark.parametrize("has_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


def rows(page):
    return page.get_by_role("table").locator("tbody tr")


@SCRIPTS
@pytest.mark.parametrize("width", [320, 1280])
def test_a_reader_sorts_filters_looks_and_puts_roles_side_by_side(open_window, has_javascript, width):
    reader = open_window(java_script_enabled=has_javascript, viewport={"width": width, "height": 800})
    page = reader.open("/careers/")

    page.get_by_role("link", name="US range").click()
    expect(rows(page).first).to_contain_text("AI Research Scientist")
    page.get_by_text("By pay or date").click()
    page.get_by_label("Pays at least").fill("200k")
    page.get_by_label("US", exact=True).check()
    page.get_by_label("UK", exact=True).uncheck()
    page.get_by_role("button", name="Show roles").click()
    summary = page.locator(".found__summary")
    expect(summary).to_have_text(
        re.compile("^5 roles, US pay only, with a figure of 200,000 or more, sorted by US upper figure")
    )
    expect(page).to_have_url(re.compile(r"min=200k"))

    page.get_by_role("link", name="Picture").click()
    expect(page.get_by_role("img", name="Chart of yearly pay, US")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG").click()
    assert download.value.suggested_filename == "ai-pay-us.png"

    page.get_by_label("Compare ML Engineer").check()
    page.get_by_label("Compare MLOps Engineer").check()
    page.get_by_role("button", name="Compare side by side").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ML Engineer and MLOps Engineer")
    expect(page.get_by_role("heading", name="From ML Engineer to MLOps Engineer")).to_be_visible()
    page.get_by_role("link", name="Remove MLOps Engineer").click()
    expect(page.get_by_text("One role is chosen. It takes two.")).to_be_visible()


@SCRIPTS
def test_roles_are_chosen_and_compared_by_keyboard_on_a_small_screen(open_window, has_javascript):
    page = open_window(java_script_enabled=has_javascript, viewport={"width": 320, "height": 640}).open("/careers/")
    keyboard = Keyboard(page)

    keyboard.activate(page.get_by_role("link", name="Core skills"))
    expect(page.locator("[aria-sort=descending]")).to_have_text("Core skills")
    for role in ("AI Engineer (LLM)", "Data Scientist"):
        keyboard.go_to(page.get_by_label(f"Compare {role}"))
        keyboard.press("Space")
    keyboard.activate(page.get_by_role("button", name="Compare side by side"))

    expect(page.get_by_role("heading", level=1)).to_have_text("AI Engineer (LLM) and Data Scientist")
    expect(page.get_by_role("row", name="Python")).to_contain_text("Must have")


@SCRIPTS
def test_what_is_typed_wrongly_is_said_and_stays_in_its_field(open_window, has_javascript):
    page = open_window(java_script_enabled=has_javascript).open("/careers/")

    page.get_by_text("By pay or date").click()
    page.get_by_label("As of").fill("31/12/2025")
    page.get_by_role("button", name="Show roles").click()

    field = page.get_by_label("As of")
    expect(field).to_have_value("31/12/2025")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "“31/12/2025” is not a date that can be read. Write 2025, 2025-06 or 2025-06-30."
    )
    if has_javascript:
        expect(field).to_be_focused()


def test_the_table_is_changed_in_place_and_history_focus_and_voice_follow(reader):
    page = reader.open("/careers/")
    page.evaluate("window.isSamePage = true")
    keyboard = Keyboard(page)

    keyboard.activate(page.get_by_role("link", name="UK range"))
    expect(page).to_have_url(re.compile(r"\?sort=-gb_high$"))
    expect(page.get_by_role("link", name="UK range")).to_be_focused()
    expect(page.locator("in-place + [role=status]")).to_have_text("8 roles, sorted by UK upper figure, highest first")
    keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?sort=gb_high$"))
    expect(rows(page).first).to_contain_text("Prompt Engineer")
    page.get_by_label("Skill").select_option("Python")
    keyboard.activate(page.get_by_role("button", name="Show roles"))
    expect(page).to_have_url(re.compile(r"\?skill=python&market=gb&market=us&sort=gb_high$"))
    expect(rows(page)).to_have_count(4)
    expect(page.get_by_role("button", name="Show roles")).to_be_focused()

    page.go_back()
    expect(rows(page)).to_have_count(8)
    expect(page.get_by_role("button", name="Show roles")).to_be_focused()
    page.go_back()
    expect(rows(page).first).to_contain_text("AI Research Scientist")
    page.go_forward()
    expect(rows(page).first).to_contain_text("Prompt Engineer")
    assert page.evaluate("window.isSamePage")


def test_a_link_to_elsewhere_a_note_and_a_new_tab_are_left_to_the_browser(reader):
    page = reader.open("/careers/")
    page.evaluate("window.isSamePage = true")

    page.get_by_role("link", name="Note a").first.click()
    expect(page).to_have_url(re.compile(r"#roles-note-a$"))
    assert page.evaluate("window.isSamePage")
    with reader.context.expect_page() as opened:
        page.get_by_role("link", name="UK range").click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_url(re.compile(r"sort=-gb_high"))
    expect(page.locator("[aria-sort]")).to_have_count(0)
    opened.value.close()

    page.get_by_role("link", name="Data Scientist").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data Scientist")


def test_where_nothing_can_be_fetched_the_browser_goes_there_itself(reader):
    page = reader.open("/careers/")
    page.evaluate("window.isSamePage = true")
    page.route("**/careers/?sort=*", lambda route: route.fulfill(status=200, body="<p>Something else</p>"), times=1)

    page.get_by_role("link", name="UK range").click()

    expect(page.locator("[aria-sort=descending]")).to_have_count(1)
    assert page.evaluate("window.isSamePage") is None


def test_steps_back_and_forth_while_an_answer_is_on_its_way_show_what_the_address_says(reader):
    page = reader.open("/careers/")
    page.get_by_role("link", name="UK range").click()
    expect(page.locator("[aria-sort=descending]")).to_have_count(1)
    page.route("**/careers/*", lambda route: (page.wait_for_timeout(400), route.continue_()))

    page.go_back()
    page.go_forward()

    expect(page).to_have_url(re.compile(r"\?sort=-gb_high$"))
    page.wait_for_timeout(1_500)
    expect(page.locator("[aria-sort=descending]")).to_have_count(1)
    expect(page.locator(".found__summary")).to_contain_text("sorted by UK upper figure")


def test_a_step_back_that_cannot_be_fetched_loads_the_page_anew(reader):
    page = reader.open("/careers/")
    page.get_by_role("link", name="Note a").first.click()
    page.get_by_role("link", name="UK range").click()
    expect(page.locator("[aria-sort=descending]")).to_have_count(1)
    page.route("**/careers/", lambda route: route.fulfill(status=200, body="<p>Something else</p>"), times=1)

    page.go_back()

    expect(page).to_have_url(re.compile(r"/careers/#roles-note-a$"))
    expect(page.locator(".found__summary")).to_have_text("8 roles")


def test_ticked_roles_stay_ticked_and_go_along_when_they_are_not_shown(reader):
    page = reader.open("/careers/")
    page.get_by_label("Compare MLOps Engineer").check()
    page.get_by_label("Compare Prompt Engineer").check()

    page.get_by_role("link", name="US range").click()
    expect(page.locator("[aria-sort]")).to_have_count(1)
    expect(page.get_by_label("Compare MLOps Engineer")).to_be_checked()
    page.get_by_label("Skill").select_option("DevOps")
    page.get_by_role("button", name="Show roles").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Compare side by side").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Prompt Engineer")
    expect(page.get_by_role("heading", level=1)).to_contain_text("MLOps Engineer")


def test_the_same_question_twice_is_one_step_of_the_history(reader):
    page = reader.open("/careers/")
    for _ in range(2):
        page.get_by_role("button", name="Show roles").click()
        expect(page).to_have_url(re.compile(r"market=us$"))

    page.go_back()

    expect(page).to_have_url(re.compile(r"/careers/$"))


def test_the_headings_stay_in_sight_on_a_wide_screen(open_window):
    page = open_window(viewport={"width": 1280, "height": 500}).open("/careers/")

    rows(page).last.scroll_into_view_if_needed()

    heading = page.get_by_role("columnheader", name="UK range").bounding_box()
    assert 0 <= heading["y"] < 100


@pytest.mark.parametrize("path", ["/careers/", "/careers/?sort=-us_high"])
def test_the_comparison_prints_on_one_page(reader, path):
    page = reader.open(path)

    pdf = page.pdf(format="A4")

    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
