"""An article at the desk while it is being written: kept, previewed, compared, shared, merged."""

import re

from playwright.sync_api import expect


def open_draft(window, title="A draft that nobody sees"):
    page = window.open("/admin/articles/article/")
    page.get_by_role("link", name=title).first.click()
    page.locator(".add-block").wait_for()
    return page


def write(page, text):
    """Write at the end of the first text block."""
    page.locator(".ProseMirror:visible").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def kept(page):
    expect(page.locator(".desk__kept")).to_contain_text("Kept at")


def test_what_is_typed_is_kept_and_restored_and_never_goes_live_by_itself(sign_in):
    window = sign_in("chief")
    page = open_draft(window)

    write(page, " Typed and not saved.")
    kept(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    expect(page.get_by_text("Restored: what you typed until")).to_be_visible()
    expect(page.locator(".ProseMirror:visible").first).to_contain_text("Typed and not saved.")
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_text("is gone. This is the draft as it was saved")).to_be_visible()
    expect(page.locator(".ProseMirror:visible").first).not_to_contain_text("Typed and not saved.")


def test_the_preview_beside_the_form_follows_what_is_typed_at_every_width_and_in_both_schemes(sign_in):
    window = sign_in("chief", viewport={"width": 1600, "height": 900})
    page = open_draft(window)

    page.get_by_role("button", name="Preview").click()
    frame = page.frame_locator(".preview-panel iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("A draft that nobody sees")
    write(page, " Seen at once.")
    expect(frame.get_by_text("Seen at once.")).to_be_visible()
    page.get_by_label("Phone").check()
    inner = page.frames[-1]
    assert inner.evaluate("innerWidth") == 390
    page.get_by_label("Tablet").check()
    assert inner.evaluate("innerWidth") == 820
    page.get_by_label("Dark").check()
    expect(frame.locator("html[data-scheme=dark]")).to_be_attached()
    expect(page.locator(".desk-checklist__axe")).to_contain_text("axe finds nothing wrong in the preview")
    page.get_by_label("Title").fill("A better title")
    expect(frame.get_by_role("heading", level=1)).to_have_text("A better title")


def test_two_people_on_one_draft_see_each_other_and_bring_their_drafts_together(sign_in):
    chief, author = sign_in("chief"), sign_in("author")
    mine, theirs = open_draft(chief), open_draft(author)

    write(theirs, " Written by the author.")
    expect(mine.locator(".desk__others")).to_contain_text(
        re.compile("Also being edited by author, last change .* ago"), timeout=15_000
    )
    theirs.get_by_role("button", name="Save draft", exact=True).click()
    expect(theirs.get_by_text("was changed successfully")).to_be_visible()
    mine.get_by_label("Title").fill("The chief’s title")
    write(mine, " Written by the chief.")
    mine.get_by_role("button", name="Save draft", exact=True).click()

    expect(mine.get_by_role("heading", name="Two drafts to bring together")).to_be_visible()
    expect(mine.get_by_role("group", name="What is saved here").first.get_by_label("Yours")).to_be_checked()
    mine.get_by_role("button", name="Save what is chosen").click()
    expect(mine.get_by_text("Both of you changed this: choose one.")).to_be_visible()
    mine.get_by_label("Both, theirs first").check()
    mine.get_by_role("button", name="Save what is chosen").click()
    expect(mine.get_by_text("The draft is saved with what you have chosen")).to_be_visible()
    expect(mine.get_by_label("Title")).to_have_value("The chief’s title")
    texts = mine.locator(".ProseMirror:visible")
    expect(texts.nth(0)).to_contain_text("Written by the author.")
    expect(texts.nth(1)).to_contain_text("Written by the chief.")
