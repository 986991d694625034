"""An edition from its draft to the report on its sending, by keyboard, and as its mail is shown."""

import pytest
from playwright.sync_api import expect

from .keyboard import Keyboard
from .test_accessibility import violations_in_every_light

LIST = "/admin/newsletter/edition/"


@pytest.fixture
def desk(sign_in):
    return sign_in("chief")


def compose(desk, site, subject="What jobs pay"):
    page = desk.open(f"{LIST}add/")
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Preheader").fill("Pay on both sides of the ocean, and what to learn")
    page.locator(".ProseMirror:visible").first.click()
    page.keyboard.type("Good morning. This week it is about pay.")
    page.get_by_role("button", name="Add another Part").click()
    page.get_by_label("Article:").first.select_option(index=1)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    return page


def test_an_edition_is_composed_looked_at_sent_and_reported_on(desk, site, mailbox):
    page = compose(desk, site)
    page.get_by_role("link", name="Preview and test").click()
    mail = page.frame_locator('iframe[title="The mail: Phone, dark"]')
    expect(mail.get_by_role("heading", level=1)).to_have_text("What jobs pay")
    dark = mail.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    light = page.frame_locator('iframe[title="The mail: Phone, light"]').locator("body")
    assert dark != light.evaluate("body => getComputedStyle(body).backgroundColor")
    assert not violations_in_every_light(page)
    keyboard = Keyboard(page)
    keyboard.write(page.get_by_label("Send a test to"), "tester@example.com")
    keyboard.activate(page.get_by_role("button", name="Send a test"))
    expect(page.get_by_text("Sent a test to tester@example.com.")).to_be_visible()
    assert mailbox.letters[-1]["Subject"] == "[Test] What jobs pay"

    keyboard.activate(page.get_by_role("link", name="Send", exact=True))
    assert not violations_in_every_light(page)
    keyboard.activate(page.get_by_text("Send it now", exact=True))
    keyboard.activate(page.get_by_role("button", name="Send it now to all who get it"))
    expect(page.get_by_text("It is being sent: the audience is prepared first.")).to_be_visible()
    with site.working():
        expect(page.get_by_text("100% settled")).to_be_visible()
        page.get_by_text("Sent from").wait_for()

    row = page.get_by_role("row", name="Sent 1 100.0%")
    expect(row).to_be_visible()
    assert not violations_in_every_light(page)
    assert mailbox.letters[-1]["To"] == "subscribed@example.com"
    page.goto(f"{site.url}/newsletter/what-jobs-pay/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("What jobs pay")


def test_pages_of_an_edition_fit_a_phone(sign_in, site):
    page = compose(sign_in("chief", viewport={"width": 320, "height": 700}), site)
    for name in ("Preview and test", "Send"):
        page.get_by_role("link", name=name, exact=True).first.click()
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        page.go_back()
