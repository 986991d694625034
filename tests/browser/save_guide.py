"""Takes the pictures of docs/editing.md from the running site: `python -m tests.browser.save_guide docs/editing`."""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from PIL import ImageDraw
from playwright.sync_api import FilePayload, Locator, Page, sync_playwright

from . import chromium
from .site import Site, running_site
from .window import Window

PASSWORD = "a long enough password"
WIDTH = 1200
LOADED = """Promise.all([...document.images].filter((image) => image.offsetParent && !image.complete).map(
    (image) => { image.loading = "eager"; return image.decode().catch(() => null) }))"""
LIVE = "How AI Pay Compares in the UK and the US"
DRAFT = "A draft that nobody sees"
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


class Guide:
    """Windows of staged people, and the folder that their pictures go to."""

    def __init__(self, browser: Any, site: Site, folder: Path) -> None:
        self.browser, self.site, self.folder = browser, site, folder

    def sign_in(self, name: str, width: int = 1280, height: int = 860) -> Window:
        window = Window(self.browser, self.site.url, viewport={"width": width, "height": height})
        give_password(window.open("/admin/"), name)
        return window

    def save(self, name: str, seen: Page | Locator, *, top_of: int = 0) -> None:
        """Keep what is seen as a small picture of few colours, or so many pixels of its top."""
        page = seen if isinstance(seen, Page) else seen.page
        page.evaluate(LOADED)
        picture = Pillow.open(BytesIO(seen.screenshot())).convert("RGB")
        picture = picture.crop((0, 0, picture.width, min(top_of or picture.height, picture.height)))
        picture.thumbnail((WIDTH, picture.height))
        picture.quantize(128, dither=Pillow.Dither.NONE).save(self.folder / f"{name}.png", optimize=True)


def give_password(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def open_article(window: Window, title: str) -> Page:
    page = window.open("/admin/articles/article/")
    page.get_by_role("link", name=title).first.click()
    page.locator(".add-block").wait_for()
    return page


def write(page: Page, text: str) -> None:
    page.locator(".ProseMirror:visible").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)
    kept(page)


def kept(page: Page) -> None:
    page.locator(".desk__kept").get_by_text("Kept at").wait_for()


def link_last_words(page: Page, count: int, address: str) -> None:
    """Make a link of the last words that were typed into the first text block."""
    page.locator(".ProseMirror:visible").first.click()
    page.keyboard.press("Control+End")
    page.wait_for_timeout(500)
    for _ in range(count):
        page.keyboard.press("Control+Shift+ArrowLeft")
        # The editor learns of a selection a moment after it.
        page.wait_for_timeout(500)
    page.keyboard.press("Control+k")
    page.locator("dialog input").first.fill(address)
    page.keyboard.press("Enter")


def save_draft(page: Page) -> None:
    page.get_by_role("button", name="Save draft", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()


def harbour() -> FilePayload:
    """A picture whose sun is not in its middle."""
    image = Pillow.new("RGB", (1500, 900), "#b9d3e6")
    pen = ImageDraw.Draw(image)
    pen.ellipse((350, 200, 550, 400), fill="#f2b134")
    pen.rectangle((0, 560, 1500, 900), fill="#1d4f73")
    file = BytesIO()
    image.save(file, "JPEG", quality=90)
    return {"name": "harbour.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def front(guide: Guide) -> None:
    window = guide.sign_in("chief")
    page = open_article(window, DRAFT)
    write(page, " For later.")
    save_draft(page)
    guide.save("desk", window.open("/admin/"))
    window.close()


def writing(guide: Guide) -> None:
    window = guide.sign_in("chief", width=1600, height=900)
    page = open_article(window, LIVE)
    page.get_by_role("button", name="Preview").click()
    page.frame_locator(".preview-panel iframe").get_by_role("heading", level=1).wait_for()
    page.locator(".desk-checklist__axe li, .desk-checklist__axe h3").first.wait_for()
    page.locator(".order-machine").evaluate("blocks => blocks.scrollIntoView()")
    guide.save("form-and-preview", page)
    window.close()

    window = guide.sign_in("chief")
    page = open_article(window, DRAFT)
    guide.save("add-a-block", page.locator(".add-block"))
    write(page, " By then there may be ")
    page.get_by_role("button", name="Figure: insert").first.click()
    page.keyboard.type("projected")
    page.get_by_role("dialog").get_by_text("1 figure.").wait_for()
    guide.save("figure", page.get_by_role("dialog", name="Insert a figure"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type(" more jobs.")
    page.wait_for_timeout(2_500)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.get_by_text("Restored: what you typed until").wait_for()
    guide.save("restored", page.locator(".desk"))
    window.close()


def pictures(guide: Guide) -> None:
    window = guide.sign_in("chief", height=1_500)
    page = open_article(window, DRAFT)
    page.locator(".add-block").get_by_role("button", name="Picture").click()
    block = page.locator(".order-machine .inline-related:visible").last
    block.locator("input[type=file]").set_input_files(harbour())
    block.get_by_text("harbour.jpg is kept here.").wait_for()
    chosen = block.get_by_role("img", name="The picture that is chosen")
    chosen.scroll_into_view_if_needed()
    box = chosen.bounding_box()
    assert box is not None
    chosen.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.33})
    block.get_by_label("Alternative text").fill("The sun low over a harbour")
    block.get_by_label("Credit").fill("An editor")
    kept(page)
    guide.save("picture", block)
    window.close()


def merging(guide: Guide) -> None:
    mine, theirs = guide.sign_in("chief"), guide.sign_in("author")
    page, other = open_article(mine, DRAFT), open_article(theirs, DRAFT)
    write(other, " Written by the author.")
    page.locator(".desk__others").get_by_text("Also being edited by").wait_for()
    guide.save("together", page.locator(".desk"))
    other.get_by_label("Title").fill("A draft with a better title")
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
    write(page, " Some earn £65K, says another page")
    link_last_words(page, 2, "/articles/nowhere/")
    save_draft(page)
    page.locator(".desk-checklist summary").click()
    page.locator(".desk-checklist .social-card img").scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    guide.save("checklist", page.locator(".desk-checklist"))
    page.get_by_role("link", name="Share draft").click()
    page.get_by_role("button", name="Make a link").click()
    guide.save("share", page.locator("#content"))
    page = open_article(window, DRAFT)
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_label("Why is it published all the same?").fill("The other page comes tomorrow.")
    guide.save("gate", page.locator("#content"))
    window.close()


def history(guide: Guide) -> None:
    window = guide.sign_in("chief")
    page = open_article(window, LIVE)
    page.get_by_label("Title").fill("How AI Pay Compares in Britain and the US")
    page.get_by_role("button", name="Down", exact=True).first.click()
    save_draft(page)
    page.get_by_text("changes since the live version").click()
    guide.save("changes", page.locator(".article-state"))
    page.get_by_role("link", name="Compare them side by side").click()
    guide.save("compare", page.locator("#content"), top_of=900)
    page.go_back()
    page.get_by_role("link", name="Schedule", exact=True).click()
    page.get_by_label("Moment").fill("2027-01-04T08:00")
    page.get_by_label("Note for the history").fill("New year")
    guide.save("schedule", page.locator("#content"))
    page.get_by_role("button", name="Schedule the change").click()
    page.get_by_label("Why is it published all the same?").fill("They are the only figures that there are.")
    page.get_by_role("button", name="Schedule all the same").click()
    page.get_by_text("The change is scheduled").wait_for()
    page = window.open("/admin/articles/article/calendar/?month=2027-01")
    guide.save("calendar", page.locator("#content"), top_of=420)
    page.get_by_role("link", name="How AI Pay").first.click()
    page.get_by_role("link", name="History", exact=True).click()
    guide.save("history", page.locator("#content"))
    window.close()


def addresses(guide: Guide) -> None:
    window = guide.sign_in("chief")
    page = open_article(window, "An article of every block")
    page.get_by_label("Address:").fill("every-kind-of-block")
    save_draft(page)
    page = window.open("/admin/articles/redirect/add/")
    page.get_by_label("Old address").fill("/blog/jobs/")
    page.get_by_label("New address").fill("/careers/")
    page.get_by_role("button", name="Save", exact=True).click()
    guide.save("redirects", page.locator("#content"), top_of=420)
    page = open_article(window, DRAFT)
    write(page, " More in the report")
    link_last_words(page, 2, "https://statistics.example/report-2026/")
    save_draft(page)
    guide.site.work()
    guide.save("links", window.open("/admin/articles/externallink/").locator("#content"), top_of=420)
    window.close()


def signing_in(guide: Guide) -> None:
    window = guide.sign_in("chief")
    client = window.context.new_cdp_session(window.page)
    client.send("WebAuthn.enable")
    client.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    page = window.open("/admin/sign-in/")
    page.get_by_label("Name of the new passkey").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("link", name="I have kept them: go on").click()
    guide.save("your-sign-in", window.open("/admin/sign-in/").locator("#content"))
    page.get_by_role("button", name="Log out").click()
    give_password(window.open("/admin/"), "chief")
    page.get_by_role("button", name="Use your passkey").wait_for()
    guide.save("second-step", page.locator("#container"))
    window.close()


CHAPTERS: list[Callable[[Guide], None]] = [
    front,
    writing,
    pictures,
    merging,
    checking,
    history,
    addresses,
    signing_in,
]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Passkeys belong to a name, never to an address.
    with running_site(host="localhost") as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.arguments())
        for chapter in CHAPTERS:
            chapter(Guide(browser, site, folder))
            site.restore()
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures taken.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
