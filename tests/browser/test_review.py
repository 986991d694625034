"""An editor works through the review of figures."""

import re

from playwright.sync_api import expect

from .test_accessibility import violations_in_every_light


def counts(page):
    """The numbers of errors and of one's own findings that the page tells."""
    text = page.get_by_text(re.compile(r"\d+ errors?, ")).inner_text()
    errors, mine = re.search(r"(\d+) errors?, .*, (\d+|none) assigned to you", text).groups()
    return int(errors), 0 if mine == "none" else int(mine)


def test_an_editor_takes_one_finding_and_snoozes_another(sign_in):
    page = sign_in("editor").open("/admin/")
    front = page.get_by_role("region", name="Figures to review")
    expect(front.get_by_text("None assigned to you.")).to_be_visible()
    front.get_by_role("link", name=re.compile(r"\d+ errors, \d+ warnings")).click()
    expect(page.get_by_role("heading", name="Review of figures")).to_be_visible()
    errors, mine = counts(page)

    group = page.get_by_role("region", name="The projected year has passed")
    group.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("1 finding is now assigned to editor.")).to_be_visible()
    expect(group.get_by_text("Assigned to editor")).to_be_visible()
    assert counts(page) == (errors, mine + 1)

    page.get_by_role("region", name="No source").get_by_label("£65K–£120K: ML Engineer, UK").check()
    page.get_by_label("Snooze until").fill("2020-01-01")
    page.get_by_label("Why it can wait").fill("A source was asked for.")
    # Return in the field snoozes; it takes nothing.
    page.get_by_label("Why it can wait").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Choose a day after today, at most a year away.")
    page.get_by_label("Snooze until").fill(page.evaluate("new Date(Date.now() + 9e8).toISOString().slice(0, 10)"))
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_text("1 finding is now resting until")).to_be_visible()
    assert counts(page) == (errors - 1, mine + 1)

    page.get_by_label("Whose").select_option("Mine")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("listitem").filter(has=page.get_by_role("checkbox"))).to_have_count(1)
    page.get_by_role("link", name="Home").click()
    expect(front.get_by_text(f"{errors - 1} errors, ")).to_be_visible()
    expect(front.get_by_text("1 assigned to you.")).to_be_visible()


def test_the_queue_has_no_violation(sign_in):
    page = sign_in("editor").open("/admin/review/?colour=red")
    page.get_by_role("button", name="Take it").first.click()
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Tick at least one finding.")

    assert not violations_in_every_light(page)
