"""Takes the pictures of docs/editing.md from the running site: `python -m tests.browser.save_guide docs/editing`."""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from playwright.sync_api import Locator, Page, sync_playwright

from . import chromium
from .site import running_site
from .window import Window

PASSWORD = "a long enough password"
WIDTH = 1000
LOADED = """Promise.all([...document.images].filter((image) => image.offsetParent && !image.complete).map(
    (image) => { image.loading = "eager"; return image.decode().catch(() => null) }))"""
ARTICLE = "An article of every block"
DRAFT = "A draft that nobody sees"


class Guide:
    """Windows of staged people, and the folder that their pictures go to."""

    def __init__(self, browser: Any, url: str, folder: Path) -> None:
        self.browser, self.url, self.folder = browser, url, folder

    def sign_in(self, name: str, width: int = 1280, height: int = 860) -> Window:
        window = Window(self.browser, self.url, viewport={"width": width, "height": height})
        page = window.open("/admin/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return window

    def save(self, name: str, seen: Page | Locator) -> None:
        """Keep what is seen as a small picture of few colours."""
        page = seen if isinstance(seen, Page) else seen.page
        page.evaluate(LOADED)
        picture = Pillow.open(BytesIO(seen.screenshot())).convert("RGB")
        picture.thumbnail((WIDTH, WIDTH))
        picture.quantize(128, dither=Pillow.Dither.NONE).save(self.folder / f"{name}.png", optimize=True)


def open_article(window: Window, title: str) -> Page:
    page = window.open("/admin/articles/article/")
    page.get_by_role("link", name=title).first.click()
    page.locator(".add-block").wait_for()
    return page


def write(page: Page, text: str) -> None:
    page.locator(".ProseMirror:visible").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)
    page.locator(".desk__kept").get_by_text("Kept at").wait_for()


def save_draft(page: Page) -> None:
    page.get_by_role("button", name="Save draft", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()


def writing(guide: Guide) -> None:
    window = guide.sign_in("chief", width=1600, height=900)
    page = open_article(window, ARTICLE)
    page.get_by_role("button", name="Preview").click()
    page.frame_locator(".preview-panel iframe").get_by_role("heading", level=1).wait_for()
    page.locator(".desk-checklist__axe li, .desk-checklist__axe h3").first.wait_for()
    guide.save("form-and-preview", page)
    window.close()


def history(guide: Guide) -> None:
    window = guide.sign_in("chief")
    page = open_article(window, ARTICLE)
    page.get_by_label("Title").fill("An article of every block, revised")
    save_draft(page)
    page.get_by_text("1 change since the live version").click()
    guide.save("changes", page.locator(".article-state"))
    page.get_by_role("link", name="Compare them side by side").click()
    guide.save("compare", page.locator("#content"))
    page.go_back()
    page.get_by_role("link", name="Schedule", exact=True).click()
    page.get_by_label("Moment").fill("2027-01-04T08:00")
    guide.save("schedule", page.locator("#content"))
    page.get_by_role("button", name="Schedule the change").click()
    page.get_by_label("Why is it published all the same?").fill("They are the only figures that there are.")
    guide.save("gate", page.locator("#content .gate form"))
    page.get_by_role("button", name="Schedule all the same").click()
    page.get_by_text("The change is scheduled").wait_for()
    window.open("/admin/articles/article/calendar/?month=2027-01")
    guide.save("calendar", page.locator("#content"))
    open_article(window, "revised").get_by_role("link", name="History", exact=True).click()
    guide.save("history", page.locator("#content"))
    window.close()


def merging(guide: Guide) -> None:
    mine, theirs = guide.sign_in("chief"), guide.sign_in("author")
    page, other = open_article(mine, DRAFT), open_article(theirs, DRAFT)
    write(other, " Written by the author.")
    page.locator(".desk__others").get_by_text("Also being edited by").wait_for()
    guide.save("together", page.locator(".desk"))
    save_draft(other)
    write(page, " Written by the chief editor.")
    page.get_by_role("button", name="Save draft", exact=True).click()
    page.get_by_role("heading", name="Two drafts to bring together").wait_for()
    guide.save("merge", page.locator("#content"))
    mine.close()
    theirs.close()


def checking(guide: Guide) -> None:
    window = guide.sign_in("chief")
    page = open_article(window, DRAFT)
    write(page, " They earn £65K.")
    page.locator(".desk-checklist summary").click()
    page.locator(".desk-checklist .social-card img").scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    guide.save("checklist", page.locator(".desk-checklist"))
    page.get_by_role("link", name="Share draft").click()
    page.get_by_role("button", name="Make a link").click()
    guide.save("share", page.locator("#content"))
    window.close()


def around(guide: Guide) -> None:
    window = guide.sign_in("chief")
    guide.save("desk", window.open("/admin/"))
    window.page.set_viewport_size({"width": 1280, "height": 1_500})
    page = open_article(window, ARTICLE)
    picture = page.locator(".inline-related:visible").filter(has=page.locator(".picture-input")).first
    if "collapsed" in (picture.get_attribute("class") or ""):
        picture.locator("h3 .inline_label").click()
    picture.scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    guide.save("picture", picture)
    window.close()


CHAPTERS: list[Callable[[Guide], None]] = [around, writing, checking, merging, history]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with running_site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.arguments())
        for chapter in CHAPTERS:
            chapter(Guide(browser, site.url, folder))
            site.restore()
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures taken.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
