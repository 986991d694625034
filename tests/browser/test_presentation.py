"""Narrow screens, the keyboard, paper, and the reader's own colours."""

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from .pages import ARTICLES, PAGES

FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
# Where the focus is, and whether it can be seen there: a ring, inside the window, with nothing in front of it.
FOCUS = """() => {
  const element = document.activeElement
  const style = getComputedStyle(element)
  const box = element.getClientRects()[0] ?? element.getBoundingClientRect()
  const front = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return {
    place: [...document.querySelectorAll("*")].indexOf(element),
    html: element.outerHTML.slice(0, 120),
    hasRing: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isInFront: Boolean(front) && (element.contains(front) || front.contains(element)),
  }
}"""


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_scrolls_sideways(open_window, site, width):
    window = open_window(viewport={"width": width, "height": 800})
    too_wide = {}
    for visit in PAGES:
        with site.after(visit.statement):
            page = window.visit(visit, site)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            too_wide[visit.name] = overflow

    assert too_wide == {}


@pytest.mark.parametrize("width", [320, 1280])
def test_the_keyboard_walks_an_article_in_its_order_and_is_always_seen(open_window, width):
    page = open_window(viewport={"width": width, "height": 800}).open(ARTICLES[0])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()

    steps = [page.evaluate(FOCUS)]
    while len(steps) < 300:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        steps.append(page.evaluate(FOCUS))

    assert [step["html"] for step in steps if not (step["hasRing"] and step["isInFront"])] == []
    assert [step["place"] for step in steps] == sorted(step["place"] for step in steps)
    reachable = page.locator(FOCUSABLE).evaluate_all(
        "all => all.filter(e => e.tabIndex >= 0 && e.checkVisibility()).length"
    )
    assert len(steps) == reachable


def test_the_skip_link_leads_past_the_navigation(reader):
    page = reader.open(ARTICLES[0])

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_an_article_prints_its_words_and_leaves_the_navigation_out(reader):
    page = reader.open(ARTICLES[0])
    page.emulate_media(media="print", color_scheme="dark")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("table").first).to_be_visible()
    expect(page.locator("nav:visible")).to_have_count(0)
    expect(page.get_by_role("button", name="Subscribe")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_ranges_are_still_drawn_in_the_readers_own_colours(open_window):
    page = open_window(forced_colors="active").open("/careers/")

    bar = page.locator("table svg").first.screenshot()

    assert len(Image.open(BytesIO(bar)).convert("RGB").getcolors(10_000)) > 1


def test_pictures_keep_their_place_before_they_are_loaded(reader):
    page = reader.page
    page.route("**/media/**", lambda route: None)
    reader.page.goto("/articles/every-block/", wait_until="domcontentloaded")

    box = page.get_by_role("img", name="A teal field").bounding_box()

    assert box["width"] / box["height"] == pytest.approx(640 / 400, rel=0.02)
