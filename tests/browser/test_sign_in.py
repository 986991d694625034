"""Signing in to the desk where a second step is due: with a passkey, an app, a recovery code; in a real browser."""

import re
import time
from base64 import b32decode

import pytest
from playwright.sync_api import expect

from tests.factories import PASSWORD
from veltrix.sign_in import totp

from .site import running_site
from .test_accessibility import violations_in_every_light
from .window import Window


@pytest.fixture(scope="module")
def strict_site():
    # Passkeys belong to a name, never to an address.
    with running_site(host="localhost", SECOND_FACTOR="required") as site:
        yield site


@pytest.fixture
def desk(browser, strict_site):
    """Opens windows of people, each with a security key of its own plugged in."""
    strict_site.restore()
    windows = []

    def open_desk(**options):
        window = Window(browser, strict_site.url, **options)
        window.expected_statuses |= {422, 429}
        client = window.context.new_cdp_session(window.page)
        client.send("WebAuthn.enable")
        key = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        client.send("WebAuthn.addVirtualAuthenticator", {"options": key})
        windows.append(window)
        return window

    yield open_desk
    problems = [problem for window in windows for problem in window.problems]
    for window in windows:
        window.close()
    assert not problems, "\n".join(problems)


def give_password(window, username="chief"):
    page = window.open("/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


def sign_out(page):
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Logged out")).to_be_visible()


def code_now(secret):
    return totp.code_at(secret, int(time.time()) // totp.SECONDS)


def add_passkey(page):
    page.get_by_label("Name of the new passkey").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()


def test_a_passkey_is_added_at_the_first_sign_in_and_then_opens_the_desk_alone(desk):
    window = desk()
    page = give_password(window)
    expect(page.get_by_role("heading", name="Add a second step")).to_be_visible()

    add_passkey(page)
    expect(page.locator(".sign-in__codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them: go on").click()
    expect(page.get_by_role("heading", name="The desk")).to_be_visible()
    sign_out(page)
    page = window.open("/admin/articles/article/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("heading", name=re.compile("Select article"))).to_be_visible()
    sign_out(page)
    give_password(window)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("heading", name="The desk")).to_be_visible()


def test_an_app_is_set_up_and_its_codes_and_a_recovery_code_open_the_desk(desk):
    window = desk()
    page = give_password(window)
    page.get_by_role("button", name="Set up an app").click()
    picture = page.get_by_alt_text("QR code")
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 100
    page.get_by_text("Type the secret instead").click()
    secret = b32decode(page.locator(".sign-in__secret").inner_text().replace(" ", ""))

    page.get_by_label("Type the six digits").fill("000000")
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_text("That is not the code that the app shows now")).to_be_visible()
    page.get_by_label("Type the six digits").fill(code_now(secret))
    page.get_by_role("button", name="Add the app").click()
    recovery_code = page.locator(".sign-in__codes li").first.inner_text()
    page.get_by_role("link", name="I have kept them: go on").click()
    sign_out(page)
    give_password(window)
    page.get_by_label("Code of your authenticator app").fill(recovery_code)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_text("9 of 10 are left")).to_be_visible()


def test_sessions_are_seen_and_ended_from_another_one(desk):
    here, there = desk(), desk()
    for window in (here, there):
        give_password(window, "author")
        expect(window.page.get_by_role("heading", name="The desk")).to_be_visible()

    page = here.open("/admin/sign-in/")
    expect(page.locator(".sessions tbody tr")).to_have_count(2)
    page.get_by_role("button", name=re.compile("End the session of")).click()

    expect(page.get_by_text("Sessions ended: 1.")).to_be_visible()
    expect(there.open("/admin/").get_by_role("button", name="Log in")).to_be_visible()


def test_the_log_tells_who_came_in_and_is_exported_after_asking_again(desk, strict_site):
    strict_site._execute("UPDATE auth_user SET is_superuser = 1 WHERE username = 'chief'")
    window = desk()
    page = give_password(window)
    add_passkey(page)
    page.get_by_role("link", name="I have kept them: go on").click()
    strict_site._execute("UPDATE veltrix_sessionrecord SET confirmed_at = '2026-01-01'")

    page = window.open("/admin/veltrix/auditentry/")
    expect(page.get_by_role("row", name=re.compile("chief Signed in"))).to_be_visible()
    page.get_by_role("link", name="Export what is listed").click()
    expect(page.get_by_role("heading", name="Please confirm that it is you")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Use your passkey").click()

    assert "sign-in" in download.value.path().read_text("utf-8")


def test_its_pages_have_no_violation_of_accessibility(desk, strict_site):
    window = desk()
    page = window.open("/admin/")
    found = {"sign-in": violations_in_every_light(page)}
    give_password(window)
    found["first sign-in"] = violations_in_every_light(page)
    page.get_by_role("button", name="Set up an app").click()
    page.get_by_text("Type the secret instead").click()
    found["app"] = violations_in_every_light(page)
    page.get_by_role("link", name="Not now").click()
    add_passkey(page)
    expect(page.locator(".sign-in__codes li")).to_have_count(10)
    found["codes"] = violations_in_every_light(page)
    for name, path in {"yours": "/admin/sign-in/", "confirm": "/admin/sign-in/confirm/"}.items():
        found[name] = violations_in_every_light(window.open(path))
    window.open("/admin/")
    sign_out(page)
    give_password(window)
    page.get_by_label("Recovery code").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Recovery code")).to_have_attribute("aria-invalid", "true")
    found["second step"] = violations_in_every_light(page)

    assert not any(found.values()), "\n".join(f"{name}: {said}" for name, said in found.items() if said)
