from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from articles.prose import sanitize_inner
from newsletter.plain_text import plain


class PlainTextTests(SimpleTestCase):
    def test_paragraphs_links_breaks_and_entities(self):
        html = (
            '<p>R&amp;D pays <strong>more</strong> than <a href="https://veltrix.example/a/">you think</a>.</p>'
            "<p>One line,<br>another.</p>"
        )

        assert plain(html) == "R&D pays more than you think (https://veltrix.example/a/).\n\nOne line,\nanother."

    def test_an_address_that_is_its_own_text_stands_once(self):
        assert plain('<p><a href="mailto:desk@veltrix.example">desk@veltrix.example</a></p>') == "desk@veltrix.example"

    def test_lists_stand_together_and_nest(self):
        html = (
            '<p>Before:</p><ul><li><p>one</p></li><li>two<ol start="3"><li>three</li><li>four</li></ol></li></ul>'
            "<p>After.</p>"
        )

        assert plain(html) == "Before:\n\n– one\n– two\n  3. three\n  4. four\n\nAfter."

    def test_quotes_are_marked_on_every_line(self):
        lines = plain(f"<blockquote><p>{'word ' * 30}</p></blockquote><p>After.</p>").split("\n")

        assert all(line.startswith("> word") for line in lines[:3])
        assert lines[-1] == "After."

    def test_lines_fit_and_addresses_are_never_broken(self):
        address = "https://veltrix.example/" + "a-long-way/" * 12

        lines = plain(f'<p>{"some words " * 20}<a href="{address}">here</a></p>').split("\n")

        assert all(len(line) <= 72 for line in lines if address not in line)
        assert f"({address})" in lines

    @given(st.text(st.sampled_from("<>/ pulioabrqe\n&;x"), max_size=200))
    def test_whatever_the_sanitiser_lets_through_becomes_text(self, html):
        assert "<p>" not in plain(sanitize_inner(html))
