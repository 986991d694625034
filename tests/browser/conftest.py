import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import expect, sync_playwright

from tests.factories import PASSWORD
from tests.newsletter.support import Mailbox
from tests.postgres import free_port

from . import chromium
from .site import running_site
from .window import Window

# As long as Playwright waits for what is clicked; its own 5 s for what is expected are too short for a busy machine.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser():
    if (path := chromium.find()) is None:
        pytest.exit(chromium.NONE, returncode=1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def mail_server():
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture(scope="session")
def shared_site(mail_server):
    with running_site(email_url=f"smtp://127.0.0.1:{mail_server.port}") as site:
        yield site


@pytest.fixture
def site(shared_site):
    """The running site, as it was staged."""
    shared_site.restore()
    return shared_site


@pytest.fixture
def mailbox(mail_server):
    mail_server.handler.raw.clear()
    return mail_server.handler


@pytest.fixture
def open_window(browser, site):
    """Opens windows, of readers unless `is_desk`; no page in them may have done what no page may do."""
    windows = []

    def open_window(*, is_desk=False, **options):
        window = Window(browser, site.url, **options)
        windows.append((window, is_desk))
        return window

    yield open_window
    problems = []
    for window, is_desk in windows:
        problems += window.problems
        if not is_desk:
            problems += [f"set the cookie {cookie['name']}" for cookie in window.context.cookies()]
        window.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def reader(open_window):
    return open_window()


@pytest.fixture
def sign_in(open_window):
    """Opens a window in which somebody of the desk has signed in."""

    def sign_in(username, **options):
        window = open_window(is_desk=True, **options)
        page = window.open("/admin/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return window

    return sign_in
