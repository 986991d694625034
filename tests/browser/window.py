"""A window of the browser that writes down whatever no page of this site may do."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, Route

from .pages import Visit
from .site import Site


def until[Value](page: Page, condition: Callable[[], Value], seconds: float = 30) -> Value:
    """Let the page go on until something comes true that Playwright’s `expect` cannot be asked, and give it."""
    for _ in range(round(seconds * 20)):
        if value := condition():
            return value
        page.wait_for_timeout(50)
    raise AssertionError(f"{page.url}: not within {seconds} s")


class Window:
    """A profile of its own with one page. `problems` says what went wrong in it so far, a line each."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.problems: list[str] = []
        self.expected_statuses = {200, 301, 302, 304}
        options = {"locale": "en-GB", "reduced_motion": "reduce", **options}
        self.context = browser.new_context(base_url=url, **options)
        self.context.on("console", self._note_message)
        self.context.on("weberror", lambda error: self._note(f"error: {error.error}"))
        self.context.on("request", self._note_request)
        self.context.on("response", self._note_response)
        self.page: Page = self.context.new_page()

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a page of the site, which must answer with this status."""
        self.expected_statuses.add(status)
        response = self.page.goto(path)
        assert response is not None
        assert response.status == status, f"{path} answered {response.status}"
        return self.page

    def post(self, path: str, form: dict[str, str], status: int = 200) -> Page:
        """Send a form that no page offers as if one of the site did, and show the answer."""

        def send(route: Route) -> None:
            headers = {**route.request.headers, "content-type": "application/x-www-form-urlencoded"}
            route.continue_(method="POST", post_data=urlencode(form), headers=headers)

        self.page.route(self.url + path, send, times=1)
        return self.open(path, status)

    def post_from_elsewhere(self, path: str, status: int) -> Page:
        """Send an empty form from a page that is not of this site, and show the answer."""
        self.expected_statuses.add(status)
        self.page.set_content(f'<form action="{self.url}{path}" method="post"></form>')
        with self.page.expect_navigation():
            self.page.evaluate("document.forms[0].submit()")
        return self.page

    def visit(self, visit: Visit, site: Site) -> Page:
        """Go to one of the pages that readers can meet."""
        path, form = visit.filled(site.staged)
        if visit.is_from_elsewhere:
            return self.post_from_elsewhere(path, visit.status)
        if form is not None:
            return self.post(path, form, visit.status)
        return self.open(path, visit.status)

    def close(self) -> None:
        self.context.close()

    def _note(self, problem: str) -> None:
        self.problems.append(f"{self.page.url}: {problem}")

    def _note_message(self, message: ConsoleMessage) -> None:
        # A failed load is judged by its status, below. Violations of the content security policy come here.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._note(f"error in the console: {message.text}")

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and f"{parts.scheme}://{parts.netloc}" != self.url:
            self._note(f"asked another host for {request.url}")

    def _note_response(self, response: Response) -> None:
        if response.status not in self.expected_statuses:
            self._note(f"{response.request.method} {response.url} answered {response.status}")
