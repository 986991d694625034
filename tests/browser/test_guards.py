"""The window notices what no page may do: without these, the silence of the other tests would mean nothing."""

import pytest

from .window import Window, until


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ("document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("document.body.append(Object.assign(document.createElement('script'), {textContent: 'x'}))", "Security"),
        ("setTimeout(() => { throw new Error('oops') })", "oops"),
        ("console.error('oops')", "oops"),
        ("fetch('/static/none.css').catch(() => 0)", "answered 404"),
        ("document.body.append(Object.assign(new Image(), {src: 'http://other.example/'}))", "other.example"),
    ],
)
def test_the_window_notices(browser, site, act, problem):
    window = Window(browser, site.url)
    page = window.open("/")

    page.evaluate(f"() => {{ {act} }}")

    until(page, lambda: any(problem in line for line in window.problems))
    window.close()
