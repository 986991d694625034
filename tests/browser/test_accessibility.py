"""axe finds nothing on any page, narrow and wide, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .pages import PAGES

WIDTHS = [1280, 320]
SCHEMES = ["light", "dark"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}

# New colours have come when no passage from the old ones is left; in a closed part of a page none ends by itself.
SETTLED = """() => {
  document.getAnimations().forEach((animation) => animation.finish())
  return document.getAnimations().length === 0
}"""


def violations(page):
    """What axe finds, a line each. It comes by way of the debugger, which the page's policy does not bind."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("options => axe.run(options)", OPTIONS)["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def violations_in_every_light(page):
    page.wait_for_load_state()
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(SETTLED)
            found += [f"{width} px, {scheme}: {line}" for line in violations(page)]
    return "\n".join(found)


@pytest.mark.parametrize("visit", PAGES, ids=lambda visit: visit.name)
def test_a_page_for_readers_has_no_violation(reader, site, visit):
    with site.after(visit.statement):
        page = reader.visit(visit, site)

    assert not violations_in_every_light(page)


def test_the_quick_finder_has_no_violation(reader):
    page = reader.open("/articles/")
    page.keyboard.press("/")
    page.keyboard.type("ma")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")

    assert not violations_in_every_light(page)


def test_the_article_editor_has_no_violation_with_every_block(sign_in):
    page = sign_in("editor").open("/admin/articles/article/")
    page.get_by_role("link", name="An article of every block").click()
    page.get_by_role("region", name="Add a block").wait_for()

    assert not violations_in_every_light(page)


def test_a_new_article_has_no_violation_with_a_new_block_of_every_kind(sign_in):
    page = sign_in("editor").open("/admin/articles/article/add/")
    for button in page.get_by_role("region", name="Add a block").get_by_role("button").all():
        button.click()
    page.get_by_role("button", name="Add another Byline").click()
    page.locator(".ProseMirror").nth(2).wait_for()

    assert not violations_in_every_light(page)


def test_the_choice_of_a_figure_has_no_violation(sign_in):
    page = sign_in("editor").open("/admin/articles/article/")
    page.get_by_role("link", name="An article of every block").click()
    page.get_by_role("button", name="Figure: insert").first.click()
    page.get_by_role("option").first.wait_for()

    assert not violations_in_every_light(page)
