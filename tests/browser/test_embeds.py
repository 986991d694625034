"""Embeds as they are met: in frames of another site, sandboxed and not."""

import contextlib
import json
import re
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from .window import until

ROLE = "/careers/embed/role/ml-engineer/"
TABLE = "/careers/embed/table/launch-roles/"
# As the block editor of WordPress frames what oEmbed describes to it, but that it lets scripts run only.
SANDBOXES = ["", 'sandbox="allow-scripts allow-popups allow-top-navigation-by-user-activation"']
HEIGHT = "Math.ceil(document.body.getBoundingClientRect().height)"
UPDATE = """
import django; django.setup()
from careers.models import SalaryRange
salary = SalaryRange.objects.current().get(role__slug="ml-engineer", market__code="GB")
salary.publish_successor(low=71000, high=131000, as_of="2026-11", why="update")
"""


def wait_until_settled(page, inside, width):
    """A frame of another site belongs to a process of its own, which is told later how wide it is.

    While it is out of sight Chromium can leave lengths and container queries as they were when it had no width yet, for
    seconds; it is right as soon as it is painted. Fonts are asked for at its first layout: before, none is loading.
    """
    is_settled = f"""async () => {{
        const isPainted = await new Promise((resolve) => {{
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)))
            setTimeout(() => resolve(false), 1000)
        }})
        const fonts = [...document.fonts].map((font) => font.status)
        return isPainted && innerWidth === {width} && document.readyState === "complete"
            && fonts.includes("loaded") && !fonts.includes("loading")
    }}"""
    inside.frame_element().scroll_into_view_if_needed()
    until(page, lambda: inside.evaluate(is_settled))


def press(target, has_happened):
    """Click this until it has happened.

    For some moments after a frame of another process was resized the browser sends what is pressed there elsewhere: one
    click in 160 came without its first half.
    """
    for _ in range(5):
        target.click()
        with contextlib.suppress(AssertionError):
            until(target.page, has_happened, seconds=5)
            return
    raise AssertionError(target)


class Host:
    """Another site, on another port, with one page."""

    def __init__(self):
        self.html = ""
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(f"<!doctype html><title>Host</title><link rel=icon href=data:,>{host.html}".encode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # “localhost”, so that the embed is of another site and not only of another origin.
        self.url = f"http://localhost:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def host():
    host = Host()
    yield host
    host.server.shutdown()
    host.server.server_close()


@pytest.fixture
def visit(browser, host, site):
    """Opens the other site's page with this HTML; gives the page, and what the browser had to complain of."""
    contexts = []

    def visit(html, **options):
        host.html = html
        context = browser.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        complaints = []
        context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        page = context.new_page()
        page.goto(host.url)
        page.wait_for_load_state("networkidle")
        return page, complaints

    yield visit
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert cookies == []


def frame(site, path=ROLE, more=""):
    return f'<iframe src="{site.url}{path}" title="Pay" width="600" height="300" {more}></iframe>'


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("path", [ROLE, TABLE, f"{ROLE}?as_of=2026-05"])
def test_another_site_shows_it_with_its_looks(visit, site, path, sandbox):
    page, complaints = visit(frame(site, path, sandbox))
    inside = page.frames[1]

    expect(inside.get_by_text("£65K–£120K").first).to_be_visible()
    assert inside.evaluate("getComputedStyle(document.body).paddingTop") == "16px"
    assert inside.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length") >= 2
    assert complaints == []


@pytest.mark.parametrize("path", [f"{ROLE}?as_of=soon", "/careers/embed/role/none/"])
def test_a_refusal_is_shown_in_the_frame(visit, site, path):
    page, _ = visit(frame(site, path))

    expect(page.frames[1].get_by_role("heading", name="Nothing to show here")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/careers/", "/careers/ml-engineer/", "/careers/embed/", "/admin/login/"])
def test_nothing_else_can_be_framed(visit, site, path):
    page, complaints = visit(frame(site, path))

    assert page.frames[1].url.startswith("chrome-error:")
    assert any("frame-ancestors" in line or "X-Frame-Options" in line for line in complaints), complaints


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_links_leave_the_frame_and_notes_do_not(visit, site, host, sandbox):
    page, _ = visit(frame(site, TABLE, sandbox))

    inside = page.frames[1]
    press(inside.get_by_label(re.compile("^Note a")).first, lambda: inside.url == f"{site.url}{TABLE}#table-note-a")
    assert page.url == host.url
    press(inside.get_by_role("link", name="Sources and checks"), lambda: page.url != host.url)

    page.wait_for_url(re.compile(r"/careers/\?roles=ml-engineer,"))
    assert len(page.frames) == 1


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("is_script_late", [False, True])
def test_the_script_makes_a_frame_as_high_as_what_it_shows(visit, site, sandbox, is_script_late):
    script = f'<script src="{site.url}/static/embed/frame-height.js"></script>'
    frames = frame(site, ROLE, sandbox) + frame(site, TABLE, sandbox)
    page, complaints = visit(frames if is_script_late else script + frames)
    if is_script_late:
        page.add_script_tag(url=f"{site.url}/static/embed/frame-height.js")

    before = settled_height(page)
    assert before < 500
    assert settled_height(page, 2) > 1000
    details = page.frames[1].locator("details").first
    press(details.locator("summary"), lambda: details.evaluate("details => details.open"))
    assert settled_height(page, above=before) > before + 20
    assert complaints == []


def settled_height(page, number=1, above=0):
    """The height of the frame of this number, once it is that of what it shows."""
    inside = page.frames[number]
    wait_until_settled(page, inside, 600)

    def height_shown_whole():
        height = inside.frame_element().evaluate("frame => frame.clientHeight")
        return height if above < height == inside.evaluate(HEIGHT) else 0

    return until(page, height_shown_whole)


def test_the_script_hears_no_frame_of_another_site_and_nothing_odd(visit, site, host):
    tell = "parent.postMessage({type: 'veltrix:height', height: 999}, '*')"
    page, _ = visit(
        f'<iframe title="Other" height="100" srcdoc="<script>{tell}</script>"></iframe>{frame(site)}'
        f'<script src="{site.url}/static/embed/frame-height.js"></script>'
    )
    page.wait_for_function("document.querySelectorAll('iframe')[1].style.height")
    settled_height(page, 2)
    own = page.locator("iframe").nth(1)
    before = own.evaluate("frame => frame.style.height")

    for height in ("-5", "NaN", "1e9", "'40px'", "1.5", "null", "{}"):
        page.frames[2].evaluate(f"() => parent.postMessage({{type: 'veltrix:height', height: {height}}}, '*')")
    page.evaluate("postMessage({type: 'veltrix:height', height: 777}, '*')")
    page.evaluate("postMessage(null, '*')")
    page.wait_for_timeout(200)

    assert own.evaluate("frame => frame.style.height") == before
    assert page.locator("iframe").first.evaluate("frame => frame.style.height") == ""


@pytest.mark.parametrize("width", [320, 480, 700, 900])
def test_without_the_script_the_height_that_oembed_gives_cuts_nothing_off(visit, site, width):
    paths = [ROLE, TABLE, "/careers/embed/role/ai-research-scientist/", f"{ROLE}?as_of=2026-05", f"{ROLE}?as_of=1999"]
    described = [
        json.load(urlopen(f"{site.url}/careers/oembed/?{urlencode({'url': site.url + path, 'maxwidth': width})}"))  # noqa: S310
        for path in [*paths, f"{TABLE}?as_of=2026-05", f"{TABLE}?as_of=1999"]
    ]
    page, complaints = visit("".join(one["html"].replace("lazy", "eager") for one in described))

    for one, inside in zip(described, page.frames[1:], strict=True):
        wait_until_settled(page, inside, width)
        real = inside.evaluate(HEIGHT)
        assert real <= one["height"] <= real * 1.25 + 20, one["html"]
        assert inside.evaluate("document.documentElement.scrollWidth") == width
    assert complaints == []


def test_a_frozen_embed_shows_the_old_figure_after_an_update(visit, site):
    site.run("-c", UPDATE)

    page, complaints = visit(frame(site) + frame(site, f"{ROLE}?as_of=2026-05") + frame(site, f"{TABLE}?as_of=2026-05"))

    live, frozen, table = page.frames[1:]
    expect(live.get_by_text("£71K–£131K").first).to_be_visible()
    expect(live.get_by_text("Current figures")).to_be_visible()
    expect(frozen.get_by_text("As of 31 May 2026, frozen, by what is known now")).to_be_visible()
    for inside in (frozen, table):
        expect(inside.get_by_text("£65K–£120K").first).to_be_visible()
        assert "£71K" not in inside.content()
    assert complaints == []


def test_it_needs_no_script(visit, site):
    page, _ = visit(frame(site, ROLE, 'sandbox=""'), java_script_enabled=False)

    expect(page.frames[1].get_by_text("£65K–£120K").first).to_be_visible()
    note = page.frames[1].get_by_text("nobody can check it").first
    press(page.frames[1].locator("summary").first, note.is_visible)
    expect(note).to_be_visible()


def test_only_what_embeds_load_is_open_to_other_sites(site):
    def headers(path):
        return urlopen(f"{site.url}/static/{path}").headers  # noqa: S310

    def headers_of_304(path):
        connection = HTTPConnection(urlsplit(site.url).netloc, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", f"/static/{path}", headers={"If-None-Match": headers(path)["ETag"]})
            answer = connection.getresponse()
            assert answer.status == 304
            return answer.headers

    for path in ("embed/embed.css", "embed/height.js", "embed/frame-height.js", "fonts/newsreader.woff2"):
        assert headers(path)["Cross-Origin-Resource-Policy"] == "cross-origin", path
        assert headers(path)["Access-Control-Allow-Origin"] == "*", path
        assert headers(path)["X-Frame-Options"] == "DENY", path
        assert "Cross-Origin-Resource-Policy" not in headers_of_304(path), path
    for path in ("css/site.css", "js/copy-text.js", "img/favicon.svg"):
        assert headers(path)["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert "Access-Control-Allow-Origin" not in headers(path), path


def test_the_offer_on_a_roles_page_is_copied_whole(reader, visit):
    page = reader.open("/careers/ml-engineer/")
    html = page.get_by_role("textbox", name="Frame with current pay").inner_text()
    script = page.get_by_role("textbox", name=re.compile("^Once a page")).inner_text()

    shown, complaints = visit(html + script)

    shown.wait_for_function("document.querySelector('iframe').style.height")
    expect(shown.frames[1].get_by_role("heading", name="ML Engineer")).to_be_visible()
    assert complaints == []
