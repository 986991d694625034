"""HTML as Markdown, read again by another program (markdown-it): every word, block and link comes back."""

import itertools
import sys
from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote

from django.test import SimpleTestCase
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from articles import markdown
from articles.elsewhere import portable

NESTING = {"p", "h2", "h3", "ul", "ol", "li", "blockquote", "table", "tr", "th", "td"}
HOSTILE = [*list("ab1.)( *_`~[]<>#+-=|!&;:\\\"'“”\n\u202eאé🙂\xa0/"), "&amp;", "<b>", "](x)", "![", "http://a.b", "---"]
words = st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=9).map("".join)


class Read(HTMLParser):
    """The blocks of a page with their words, and where its links lead."""

    def __init__(self, html):
        super().__init__()
        self.blocks, self.links = [["", ""]], []
        self.feed(html)
        # A link without words can be followed nowhere.
        self.links = [href for href, text in self.links if text.strip()]
        found = [(tag, " ".join(text.split())) for tag, text in self.blocks]
        self.blocks = [(tag, text) for tag, text in found if text]

    def handle_starttag(self, tag, attrs):
        if tag in NESTING:
            self.blocks.append([tag if tag not in {"p", "li"} else "", ""])
        elif tag == "a":
            self.links.append([unquote(dict(attrs)["href"]), ""])
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag):
        if tag in NESTING:
            self.blocks.append(["", ""])

    def handle_data(self, data):
        self.blocks[-1][1] += data
        if self.lasttag == "a":
            self.links[-1][1] += data


def read_again(html):
    """What markdown-it makes of the Markdown, and what it was made from."""
    html = portable(html, "/articles/x/")
    text = markdown.blocks(html)
    return Read(MarkdownIt("commonmark").enable("table").render(text)), Read(html), text


inline = st.recursive(
    words.map(escape),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        inner.map(lambda text: f"<strong>{text}</strong>"),
        inner.map(lambda text: f"<em>{text}</em>"),
        words.map(lambda text: f"{escape(text)}<br>{escape(text)}"),
        st.tuples(words, words).map(lambda two: f'<a href="https://example.com/{escape(two[0])}">{escape(two[1])}</a>'),
    ),
    max_leaves=6,
)
blocks = st.recursive(
    st.one_of(inline.map(lambda text: f"<p>{text}</p>"), inline.map(lambda text: f"<h2>{text}</h2>")),
    lambda inner: st.one_of(
        st.lists(inline.map(lambda text: f"<li><p>{text}</p></li>"), min_size=1, max_size=3).map(
            lambda items: f"<ul>{''.join(items)}</ul>"
        ),
        st.lists(inner.map(lambda text: f"<li>{text}</li>"), min_size=1, max_size=3).map(
            lambda items: f"<ol>{''.join(items)}</ol>"
        ),
        inner.map(lambda text: f"<blockquote>{text}</blockquote>"),
        st.lists(inner, min_size=2, max_size=3).map("".join),
    ),
    max_leaves=5,
)


class RoundTripTests(SimpleTestCase):
    @settings(max_examples=300)
    @given(blocks)
    @example("<p>a</p><ul><li><p>b</p></li></ul><ul><li><p>c</p></li></ul>")
    @example("<h2>#</h2><h2>a ##</h2>")
    @example("<p>1. not a list</p><p>- nor this</p><p># no heading<br>= nor here</p>")
    @example("<p>wow!<a href='https://example.com/x'>y</a></p>")
    def test_every_word_block_and_link_comes_back(self, html):
        again, before, text = read_again(html)

        self.assertEqual(again.blocks, before.blocks, text)
        self.assertEqual(again.links, before.links, text)

    @settings(max_examples=100)
    @given(st.lists(st.lists(words, min_size=2, max_size=2), min_size=2, max_size=3))
    @example([["a|b", "c\\|d"], ["\\", "|"]])
    def test_cells_of_tables_hold_anything(self, rows):
        cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)

        again, before, text = read_again(f"<table>{cells}</table>")

        self.assertEqual([text for _, text in again.blocks], [text for _, text in before.blocks], text)


class WritingTests(SimpleTestCase):
    def written(self, html):
        return markdown.blocks(portable(html, "/articles/x/"))

    def test_what_it_looks_like(self):
        cases = {
            "<h2>A heading</h2><p>Some <strong>bold</strong> and <em>slanted</em> words.</p>": (
                "## A heading\n\nSome **bold** and _slanted_ words."
            ),
            "<p>One<br>two</p>": "One\\\ntwo",
            "<ul><li><p>One</p></li><li><p>Two</p><ul><li>Three</li></ul></li></ul>": "- One\n- Two\n  - Three",
            '<ol start="3"><li>One</li><li>Two</li></ol>': "3. One\n4. Two",
            "<blockquote><p>a</p><p>b</p></blockquote>": "> a\n>\n> b",
            '<p><a href="/careers/">Roles</a></p>': "[Roles](http://127.0.0.1:8000/careers/)",
            '<p><a href="https://example.com/a_(b)">x</a></p>': "[x](<https://example.com/a_(b)>)",
            '<a href="/a/" title="A &quot;b&quot; [c]">x</a>': '[x](http://127.0.0.1:8000/a/ "A \\"b\\" \\[c\\]")',
            '<p>97M<sup><a href="#source-2">2</a></sup></p>': "97M[^2]",
            '<p><a href="#source-2"><data value="97">97M</data></a> jobs</p>': "97M[^2] jobs",
            '<p><a href="https://example.com/#source-2">2</a></p>': "[2](https://example.com/#source-2)",
            '<img src="/media/a.jpg" alt="A [chart]">': "![A \\[chart\\]](http://127.0.0.1:8000/media/a.jpg)",
            "<table><caption>Pay</caption><tr><th>Role</th><th>UK</th></tr><tr><td>A|B</td></tr></table>": (
                "**Pay**\n\n| Role | UK |\n| --- | --- |\n| A\\|B |  |"
            ),
            "<p>a<strong>b</strong>c</p>": "abc",
            "<p></p><ul></ul><h2> </h2>": "",
        }
        for html, expected in cases.items():
            with self.subTest(html):
                self.assertEqual(self.written(html), expected)

    def test_what_stands_very_deep_is_read_all_the_same(self):
        deep = "<blockquote>" * 3000 + "<p>x</p>" + "</blockquote>" * 3000

        self.assertIn("x", self.written(deep))

    def test_a_long_paragraph_takes_as_many_steps_as_its_length(self):
        def steps(number):
            count = itertools.count()
            sys.setprofile(lambda *event: next(count))
            try:
                self.written("<p>" + "<em>a</em> <strong>b</strong>" * number + "</p>")
            finally:
                sys.setprofile(None)
            return next(count)

        self.assertLess(steps(2_000), 25 * steps(100))


class PortableTests(SimpleTestCase):
    def test_only_what_means_the_same_everywhere_is_kept(self):
        html = (
            '<section class="split"><h2 class="a" id="b">One</h2><svg><title>No</title></svg><script>no</script>'
            '<p style="x" onclick="y">Two <a href="/a/" aria-label="z">three</a>'
            '<span class="note-mark"><a href="#source-1" aria-label="Source 1">1</a></span></p>'
            '<form><button>No</button></form><a href="javascript:x">four</a><a href="http://[">five</a></section>'
        )

        self.assertEqual(
            portable(html, "/articles/x/"),
            '<h2>One</h2><p>Two <a href="http://127.0.0.1:8000/a/">three</a>'
            '<sup><a href="http://127.0.0.1:8000/articles/x/#source-1" title="Source 1">1</a></sup></p>'
            "<a>four</a><a>five</a>",
        )
