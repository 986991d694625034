"""An article at the desk while it is being written: kept, previewed, compared, shared, merged."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from .window import until


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


def link_to(page, address):
    """Make a link all that the first text block holds."""
    page.locator(".ProseMirror:visible").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("Words with a link")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+k")
    page.locator("dialog input").first.fill(address)
    page.keyboard.press("Enter")


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


def test_the_preview_covers_nothing_of_the_form(sign_in):
    window = sign_in("chief", viewport={"width": 1280, "height": 900})
    page = open_draft(window, "How AI Pay Compares in the UK and the US")

    page.get_by_role("button", name="Preview").click()

    edge = page.locator(".preview-panel").bounding_box()["x"]
    parts = page.locator("#content-main").locator(
        ".ProseMirror, .block-tools, fieldset, .submit-row, .vTextField, textarea"
    )
    boxes = [part.bounding_box() for part in parts.locator("visible=true").all()]
    assert len(boxes) > 20
    assert max(box["x"] + box["width"] for box in boxes) <= edge


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
    until(page, lambda: inner.evaluate("innerWidth") == 390)
    page.get_by_label("Tablet").check()
    until(page, lambda: inner.evaluate("innerWidth") == 820)
    page.get_by_label("Dark").check()
    expect(frame.locator("html[data-scheme=dark]")).to_be_attached()
    expect(page.locator(".desk-checklist__axe")).to_contain_text("axe finds nothing wrong in the preview")
    page.get_by_label("Title").fill("A better title")
    expect(frame.get_by_role("heading", level=1)).to_have_text("A better title")


def test_two_people_on_one_draft_see_each_other_and_bring_their_drafts_together(sign_in):
    chief, author = sign_in("chief"), sign_in("author")
    mine, theirs = open_draft(chief), open_draft(author)

    write(theirs, " Written by the author.")
    expect(mine.locator(".desk__others")).to_contain_text(re.compile("Also being edited by author, last change .* ago"))
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


def test_changes_of_a_live_article_are_listed_compared_and_discarded(sign_in):
    page = open_draft(sign_in("chief"), "An article of every block")
    heading = page.get_by_label("Title")
    before = heading.input_value()

    heading.fill("A title that is not live")
    page.get_by_role("button", name="Save draft", exact=True).click()
    summary = page.get_by_text("1 change since the live version")
    expect(summary).to_be_visible()
    summary.click()
    page.get_by_role("link", name="Compare them side by side").click()

    title = page.locator(".diff__block").first
    expect(title.locator("ins").first).to_contain_text("A title that is not live")
    expect(title.locator("del").first).to_contain_text(before)
    page.go_back()
    page.get_by_text("1 change since the live version").click()
    page.get_by_role("button", name="Discard draft changes").click()
    expect(page.get_by_label("Title")).to_have_value(before)
    expect(page.get_by_text("as it stands here")).to_be_visible()


def test_a_version_of_the_history_comes_back_into_the_draft_and_not_to_readers(sign_in, reader):
    page = open_draft(sign_in("chief"), "An article of every block")
    title = page.get_by_label("Title").input_value()
    page.get_by_label("Title").fill("The second version")
    page.get_by_label("Note for the history").fill("A better title")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_label("Why is it published all the same?").fill("It is a test.")
    expect(page.get_by_label("Note for the history")).to_have_value("A better title")
    page.get_by_role("button", name="Publish all the same").click()
    expect(page.get_by_text("is live")).to_be_visible()

    page.get_by_role("link", name="History").click()
    rows = page.get_by_role("region", name="Published versions").get_by_role("row")
    expect(rows.filter(has_text="A better title")).to_contain_text("live")
    page.get_by_role("button", name="Bring back version 1 into the draft").click()

    expect(page.get_by_label("Title")).to_have_value(title)
    expect(page.get_by_text("1 change since the live version")).to_be_visible()
    expect(reader.open("/articles/every-block/").get_by_role("heading", level=1)).to_have_text("The second version")


def test_a_link_shows_the_draft_to_people_without_an_account_until_it_is_revoked(sign_in, reader):
    page = open_draft(sign_in("chief"))
    page.get_by_role("link", name="Share draft").click()
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_label("The link", exact=True).inner_text().strip()

    path = urlsplit(address).path
    seen = reader.open(path)

    expect(seen.get_by_role("heading", level=1)).to_have_text("A draft that nobody sees")
    expect(seen.locator("meta[name=robots]")).to_have_attribute("content", "noindex")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No link is open.")).to_be_visible()
    seen = reader.open(path, status=404)
    expect(seen.get_by_role("heading", level=1)).to_have_text("This link has ended")


def test_an_error_of_the_checklist_stops_publishing_and_leads_to_its_place(sign_in):
    page = open_draft(sign_in("editor"))
    link_to(page, "/articles/nowhere/")

    page.get_by_role("button", name="Publish", exact=True).click()

    expect(page.get_by_role("heading", name="Unresolved errors")).to_be_visible()
    expect(page.get_by_text("leads to /articles/nowhere/, where readers find no page.")).to_be_visible()
    expect(page.get_by_text("ask a chief editor")).to_be_visible()
    page.get_by_role("link", name="Go to its place").click()
    page.locator(".desk-checklist summary").click()
    page.get_by_role("link", name="Block 1: The link “Words with a link” leads to").click()
    expect(page.locator(".ProseMirror:focus")).to_be_visible()


def test_whoever_leaves_with_something_unsaved_is_warned(sign_in):
    page = open_draft(sign_in("chief"))
    write(page, " Not saved.")
    kept(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

    page.evaluate("location.reload()")

    until(page, lambda: asked)
    assert asked == ["beforeunload"]
    expect(page.locator(".ProseMirror:visible").first).to_contain_text("Not saved.")


def test_the_front_page_leads_back_to_what_was_typed(sign_in):
    window = sign_in("author")
    page = open_draft(window)
    write(page, " For later.")
    kept(page)

    page.on("dialog", lambda dialog: dialog.accept())
    front = window.open("/admin/")
    front.get_by_role("region", name="Your drafts").get_by_role("link", name="A draft that nobody sees").click()

    expect(front.get_by_text("Restored: what you typed until")).to_be_visible()
    expect(front.locator(".ProseMirror:visible").first).to_contain_text("For later.")


def test_a_change_is_scheduled_seen_in_the_calendar_and_comes_by_itself(sign_in, reader, site):
    window = sign_in("chief")
    page = open_draft(window, "An article of every block")
    page.get_by_label("Title").fill("A title that comes later")
    page.get_by_role("button", name="Save draft", exact=True).click()
    page.get_by_role("link", name="Schedule", exact=True).click()
    at = datetime.now(ZoneInfo("Europe/London")) + timedelta(days=1)

    page.get_by_label("Moment").fill(f"{at:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Schedule the change").click()
    page.get_by_label("Why is it published all the same?").fill("It is a test.")
    page.get_by_role("button", name="Schedule all the same").click()

    expect(page.get_by_text("The change is scheduled: readers see it from")).to_be_visible()
    page.get_by_role("link", name="Schedule", exact=True).click()
    page.get_by_label("Moment").last.fill(f"{at + timedelta(days=3):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Withdraw the article then").click()
    change = page.get_by_role("region", name="The change of")
    change.get_by_label("Moment").fill(f"{at:%Y-%m-%d}T00:00")
    change.get_by_role("button", name="Move it to this moment").click()
    expect(page.get_by_text(f"to {at:%-d %B %Y}, 00:00 (Europe/London).")).to_be_visible()
    page.get_by_role("region", name="The withdrawal of").get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("Cancelled the withdrawal of")).to_be_visible()
    expect(change).to_be_visible()
    calendar = window.open(f"/admin/articles/article/calendar/?month={at:%Y-%m}")
    expect(calendar.get_by_role("cell").filter(has_text="Changed: A title that comes later")).to_have_count(1)
    calendar.set_viewport_size({"width": 320, "height": 800})
    expect(calendar.get_by_role("link", name="A title that comes later")).to_be_visible()
    expect(calendar.locator(".calendar__day--empty").first).to_be_hidden()
    assert calendar.evaluate("document.documentElement.scrollWidth") == 320
    calendar.set_viewport_size({"width": 1280, "height": 800})
    path = "/articles/every-block/"
    expect(reader.open(path).get_by_role("heading", level=1)).to_have_text("An article of every block")
    with site.after("UPDATE articles_article SET next_at = '2026-01-01 00:00:00' WHERE next_at IS NOT NULL"):
        expect(reader.open(path).get_by_role("heading", level=1)).to_have_text("A title that comes later")


def test_an_article_is_exported_and_imported_after_a_look_at_what_would_change(sign_in, tmp_path):
    window = sign_in("chief")
    page = open_draft(window, "An article of every block")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export", exact=True).click()
    file = tmp_path / "article.zip"
    download.value.save_as(file)
    title = page.get_by_label("Title").input_value()
    page.get_by_label("Title").fill("A title since the export")
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()

    page = window.open("/admin/articles/article/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Preview").click()

    expect(page.locator(".diff del").first).to_contain_text("A title since the export")
    page.get_by_role("button", name="Import it as a draft").click()
    expect(page.get_by_text("is imported as a draft")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value(title)


def test_a_save_that_fails_keeps_every_field_and_warns_whoever_leaves(sign_in):
    page = open_draft(sign_in("chief"))
    page.get_by_label("Number").fill("59")
    page.get_by_label("Title").fill("A title that is kept")
    write(page, " Words that are kept.")

    page.get_by_role("button", name="Save draft", exact=True).click()

    expect(page.get_by_text("Another article has this number.")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("A title that is kept")
    expect(page.get_by_label("Number")).to_have_value("59")
    expect(page.locator(".ProseMirror:visible").first).to_contain_text("Words that are kept.")
    kept(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.reload()")
    until(page, lambda: asked)
    assert asked == ["beforeunload"]


def test_links_elsewhere_are_looked_at_by_the_worker_and_shown_in_the_checklist(sign_in, site):
    window = sign_in("chief")
    page = open_draft(window)
    link_to(page, "http://127.0.0.1:9/")
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()

    site.work()
    page.reload()

    page.locator(".desk-checklist summary").click()
    expect(page.get_by_text("leads to http://127.0.0.1:9/. It does not lead to a public web site.")).to_be_visible()
    page = window.open("/admin/articles/externallink/")
    expect(page.get_by_role("row").filter(has_text="http://127.0.0.1:9/")).to_contain_text("A draft that nobody sees")
