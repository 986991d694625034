"""An article goes from one installation to another as one file, whole or not at all."""

import json
import re
import warnings
import zipfile
from datetime import timedelta
from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.utils import timezone
from django.utils.html import escape
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase
from PIL import Image as Pillow

from articles import exchange, redirects
from articles.document_checks import checked
from articles.documents import UnreadableDocumentError, document_of, read_document
from articles.exchange import UnreadablePackageError, bring_in, fitted, packed, unpacked
from articles.models import Article, Image, RichText
from articles.pictures import MAX_BYTES, originals, take_in
from articles.publishing import publish
from tests.factories import make_article, make_draft, make_path, make_role, make_source, make_statistic, make_table

IMPORT = "/admin/articles/article/import/"


def picture_file(colour="red"):
    file = BytesIO()
    Pillow.new("RGB", (80, 60), colour).save(file, "PNG")
    return SimpleUploadedFile("picture.png", file.getvalue())


def make_full(**values):
    """A draft with a block of every kind that needs a record or a file."""
    statistic, role = make_statistic(slug="jobs", source=make_source()), make_role("Engineer", pay={"GB": (1, 2)})
    blocks = [
        {"type": "rich-text", "html": '<h2>Why</h2><p>Some <data value="statistic:jobs"></data>.</p>'},
        {"type": "statistic", "statistic": statistic.slug},
        {"type": "role-table", "table": make_table(role, slug="table").slug, "caption": "Pay"},
        {"type": "skill-list", "path": make_path().slug, "heading": ""},
        {"type": "image", "file": take_in(picture_file()), "alt": "A red field", "credit": "Us", "caption": ""},
        {"type": "table", "caption": "A table", "cells": [["A", "B"], ["1", "2"]], "note": ""},
    ]
    article = make_draft(slug="piece", title="A whole piece", **values)
    document = {**document_of(article), "blocks": blocks}
    return read_document(fitted(document, article), article)


def archive_of(parts, **options):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return file.getvalue()


def with_document(**changes):
    """The bytes of a package whose document was changed so."""
    document = {**document_of(make_draft()), **changes}
    return archive_of([("article.json", json.dumps(document))])


def page_of(text):
    """A page without what differs from one answer to the next."""
    text = re.sub(r'article:published_time" content="[^"]*"', "", text)
    return re.sub(r"\?v=\w+|Last changed <time[^>]*>[^<]*</time>|\"dateModified\":\"[^\"]*\",", "", text)


class RoundTripTests(TestCase):
    def test_a_document_published_elsewhere_gives_the_same_page(self):
        article = make_full()
        publish(article, by=None, reason="They are all we have.")
        before = self.client.get("/articles/piece/").text
        file = packed(Article.objects.get(pk=article.pk).live_version.document)
        self.assertIn("<picture", before)
        # Elsewhere the records are the same, but the article and its picture have never been there.
        name = Image.objects.get().file
        Article.objects.filter(pk=article.pk).update(slug="moved-away", number=900)
        originals().delete(name)

        package = unpacked(BytesIO(file))
        exchange.keep_pictures(package)
        Article.objects.filter(pk=article.pk).update(live_version=None, published_at=None)
        again = bring_in(fitted(package.document, None), None, by=None)
        publish(again, by=None, reason="They are all we have.")

        self.assertNotEqual(again.pk, article.pk)
        self.assertEqual(page_of(self.client.get("/articles/piece/").text), page_of(before))

    def test_the_same_draft_gives_the_same_bytes(self):
        article = make_full()

        self.assertEqual(packed(document_of(article)), packed(document_of(Article.objects.get(pk=article.pk))))

    def test_the_order_that_a_database_keeps_a_documents_parts_in_makes_no_difference(self):
        document = document_of(make_full())

        self.assertEqual(packed(dict(reversed(document.items()))), packed(document))

    def test_a_picture_that_is_only_talked_about_is_no_part_of_the_file(self):
        article = make_draft(html=f"<p>It was called {'0' * 40}.png then.</p>")

        self.assertEqual(unpacked(BytesIO(packed(document_of(article)))).pictures, {})

    def test_an_import_into_a_draft_leaves_what_was_there_in_its_history(self):
        article = make_full()
        package = unpacked(BytesIO(packed(document_of(article))))
        RichText.objects.update(html="<p>Written since</p>")

        bring_in(fitted(package.document, article), article, by=None)

        self.assertIn("<h2>Why</h2>", RichText.objects.get().html)
        self.assertIn("Written since", json.dumps([save.document for save in article.saves.all()]))

    def test_a_new_article_gets_a_free_number_and_address(self):
        article = make_full()
        document = fitted(document_of(article), None)

        other = bring_in(document, None, by=None)

        self.assertEqual((other.slug, other.number), ("piece-2", article.number + 1))

    def test_an_article_that_is_here_keeps_number_address_and_moment(self):
        planned = timezone.now() + timedelta(days=3)
        article = make_draft(slug="piece", published_at=planned)
        document = {**document_of(article), "number": 77, "published_at": None}

        bring_in(fitted(document, article), article, by=None)

        article = Article.objects.get()
        self.assertEqual((article.slug, article.published_at), ("piece", planned))
        self.assertNotEqual(article.number, 77)

    def test_a_dry_run_leaves_nothing(self):
        document = fitted(document_of(make_full()), None)

        bring_in(document, None, by=None, dry_run=True)

        self.assertEqual(Article.objects.count(), 1)


class RefusalTests(TestCase):
    def refusal(self, content):
        with self.assertRaises(UnreadablePackageError) as caught:
            package = unpacked(BytesIO(content))
            exchange.keep_pictures(package)
            bring_in(fitted(package.document, None), None, by=None)
        return " ".join(caught.exception.args[0])

    def test_files_that_are_no_article_are_refused_in_words(self):
        document = json.dumps(document_of(make_draft()))
        name = "0" * 40 + ".png"
        files = [
            (b"", "This is no file that an article was exported to"),
            (b"PK\x03\x04 broken", "This is no file that an article was exported to"),
            (b"\x89PNG\r\n\x1a\n", "This is no file that an article was exported to"),
            (archive_of([]), "This is no file that an article was exported to"),
            (archive_of([("article.json", document), ("../x", "")]), "holds “../x”, which is no part of an article"),
            (archive_of([("article.json", document), ("pictures/x.svg", "")]), "which is no part of an article"),
            (archive_of([("article.json", document), ("x/article.json", document)]), "which is no part of an article"),
            (archive_of([("article.json", document), (f"pictures/{name}", b"x")]), "which the article does not show"),
            (archive_of([("article.json", b"\xff\xfe")]), "article.json is no JSON in UTF-8."),
            (archive_of([("article.json", "[" * 100_000)]), "article.json is no JSON in UTF-8."),
            (archive_of([("article.json", '{"number": NaN}')]), "article.json is no JSON in UTF-8."),
            (archive_of([("article.json", "[]")]), "The file is no JSON object."),
            (archive_of([("article.json", "{}")]), "The file is not of the format veltrix-article/1."),
            (archive_of([("article.json", b" " * 3_000_000)], compression=8), "article.json is too large."),
            (archive_of([(f"pictures/{n:040x}.png", b"") for n in range(201)]), "more than 200 parts"),
        ]  # fmt: skip
        for content, sentence in files:
            with self.subTest(sentence):
                self.assertIn(sentence, self.refusal(content))
        self.assertEqual(Article.objects.count(), 1)

    def test_zips_that_hide_something_are_refused_in_words(self):
        document = json.dumps(document_of(make_draft()))
        encrypted = bytearray(archive_of([("article.json", document)]))
        for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            encrypted[encrypted.index(header) + offset] |= 1
        with warnings.catch_warnings(action="ignore"):
            twice = archive_of([("article.json", document), ("article.json", "{}")])
        files = [
            (archive_of([("article.json", document)], compression=zipfile.ZIP_BZIP2), "use deflate"),
            (archive_of([("article.json", document)], compression=zipfile.ZIP_LZMA), "use deflate"),
            (archive_of([("article.json", document), ("/etc/passwd", "")]), "holds “/etc/passwd”"),
            (archive_of([("article.json", document), ("pictures/", "")]), "holds “pictures/”"),
            (twice, "holds article.json twice"),
            (bytes(encrypted), "This is no file that an article was exported to"),
        ]
        for content, sentence in files:
            with self.subTest(sentence):
                self.assertIn(sentence, self.refusal(content))

    def test_many_parts_that_are_nothing_but_air_are_too_large_together(self):
        names = [f"pictures/{number:040x}.png" for number in range(40)]
        bomb = archive_of([(name, bytes(MAX_BYTES)) for name in names], compression=zipfile.ZIP_DEFLATED)
        self.assertLess(len(bomb), 1_000_000)

        self.assertIn("is too large.", self.refusal(bomb))

    def test_documents_with_parts_of_the_wrong_kind_are_refused_with_their_place(self):
        refusals = [
            ({"number": "1"}, "The number is no whole number"),
            ({"number": True}, "The number is no whole number"),
            ({"number": 10**30}, "The number is no whole number"),
            ({"slug": "no slug"}, "The address is no short name"),
            ({"title": 5}, "The title is no text."),
            ({"title": "x" * 161}, "The title has more than 160 characters."),
            ({"title": "a\x00b"}, "The title holds characters that are no text."),
            ({"title": "a\ud800b"}, "The title holds characters that are no text."),
            ({"category": 7}, "The category is no text."),
            ({"published_at": "soon"}, "The moment of publication is none"),
            ({"published_at": "2026-01-01"}, "The moment of publication is none"),
            ({"bylines": {}}, "The bylines are no list."),
            ({"bylines": [{"author": "x"}]}, "Byline 1: the credit is no text."),
            ({"bylines": [{"author": "x", "credit": "y", "z": 1}]}, "Byline 1 holds “z”, which is not known here."),
            ({"blocks": None}, "The blocks are no list."),
            ({"blocks": [{}] * 1_001}, "The blocks are more than 1000."),
            ({"blocks": [{"type": "script"}]}, "Block 1 is of no type that is known here."),
            ({"blocks": [{"type": ["rich-text"]}]}, "Block 1 is of no type that is known here."),
            ({"blocks": [{"type": "rich-text"}]}, "Block 1 lacks “html”."),
            ({"blocks": [{"type": "rich-text", "html": 5}]}, "Block 1: text is no text."),
            ({"blocks": [{"type": "rich-text", "html": "x", "id": 5}]}, "Block 1 holds “id”, which is not known here."),
            ({"blocks": [{"type": "table", "caption": "x", "cells": [[1]]}]}, "Each cell of a table is text."),
            ({"blocks": [{"type": "table", "caption": "x", "cells": "x"}]}, "cells: a list is expected."),
            ({"blocks": [{"type": "table", "caption": "x", "cells": None}]}, "cells: a list is expected."),
            ({"published_at": "0001-01-01T00:00:00+14:00"}, "The moment of publication is none"),
            ({"extra": 1}, "The file holds “extra”, which is not known here."),
        ]
        for changes, sentence in refusals:
            with self.subTest(sentence, changes=str(changes)[:60]):
                self.assertIn(sentence, self.refusal(with_document(**changes)))

    def test_all_that_is_not_known_here_is_named_at_once(self):
        blocks = [
            {"type": "rich-text", "html": '<p>a<data value="statistic:lost"></data></p>'},
            {"type": "statistic", "statistic": "gone"},
            {"type": "role-table", "table": "missing", "caption": "x"},
            {"type": "skill-list", "path": "nowhere", "heading": "x"},
        ]
        bylines = [{"author": "nobody", "credit": "Written by"}]

        words = self.refusal(with_document(blocks=blocks, bylines=bylines, category="void", series="none"))

        for name in ("statistic:lost", "gone", "missing", "nowhere", "nobody", "void", "none"):
            self.assertIn(f"“{name}”", words)

    def test_pictures_pass_the_checks_of_every_upload(self):
        image = {"type": "image", "alt": "x", "credit": "y", "caption": ""}
        document = document_of(make_draft())

        def package(name, content):
            parts = json.dumps({**document, "blocks": [{**image, "file": name}]})
            return archive_of([("article.json", parts), *([(f"pictures/{name}", content)] if content else [])])

        name = "0" * 40 + ".png"
        self.assertIn("is neither in the file nor here", self.refusal(package(name, b"")))
        self.assertIn("its content is not what its name says", self.refusal(package(name, picture_file().read())))
        self.assertIn("This is an SVG drawing", self.refusal(package(name, b"<svg onload='x'/>")))

    def test_faults_that_only_the_form_would_find_are_named(self):
        words = self.refusal(with_document(blocks=[{"type": "rich-text", "html": "<p> </p>"}]))

        self.assertIn("Block 1: Write something here, or remove the block.", words)

    def test_an_address_that_leads_on_to_another_article_is_refused(self):
        article = make_article(slug="old")
        Article.objects.filter(pk=article.pk).update(slug="new")
        redirects.moved(Article.objects.get(pk=article.pk), "old")

        self.assertIn("Address: ", self.refusal(with_document(slug="old", number=99)))


class PropertyTests(PropertyTestCase):
    texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).map(str.strip).filter(bool)

    prose = texts.map(lambda text: f"<p>{escape(text)}</p>")
    blocks = st.one_of(
        st.fixed_dictionaries({"type": st.just("rich-text"), "html": prose}),
        st.fixed_dictionaries({"type": st.just("call-out"), "heading": texts, "html": prose}),
        st.fixed_dictionaries({"type": st.just("faq-item"), "question": texts, "html": prose}),
        st.fixed_dictionaries({"type": st.just("quote"), "text": texts}, optional={"attribution": texts}),
        st.fixed_dictionaries({"type": st.just("table"), "caption": texts, "cells": st.just([["A"], ["1"]])}),
        st.fixed_dictionaries({"type": st.just("statistic"), "statistic": st.just("jobs")}),
    )

    @settings(max_examples=60)
    @given(title=texts, blocks=st.lists(blocks, max_size=6), is_new=st.booleans())
    def test_export_import_export_gives_the_same_bytes(self, title, blocks, is_new):
        make_statistic(slug="jobs", source=make_source())
        article = make_draft()
        article = read_document({**document_of(article), "title": title, "blocks": blocks}, article)
        file = packed(document_of(article))
        if is_new:
            article.delete()
        target = None if is_new else article

        again = bring_in(fitted(unpacked(BytesIO(file)).document, target), target, by=None)

        self.assertEqual(packed(document_of(Article.objects.get(pk=again.pk))), file)

    whole = archive_of([("article.json", "{}"), (f"pictures/{'0' * 40}.png", b"x")], compression=zipfile.ZIP_DEFLATED)

    @settings(max_examples=400)
    @given(
        changes=st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4),
        end=st.just(len(whole)) | st.integers(0, len(whole)),
    )
    def test_no_broken_zip_ends_in_an_error(self, changes, end):
        content = bytearray(self.whole)
        for place, value in changes:
            content[place] = value

        with self.assertRaises(UnreadablePackageError):
            unpacked(BytesIO(bytes(content[:end])))

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )

    @settings(max_examples=150)
    @given(
        key=st.sampled_from(["number", "slug", "title", "category", "published_at", "bylines", "blocks", "format"]),
        value=json_values,
    )
    def test_nothing_of_the_wrong_kind_passes_or_breaks(self, key, value):
        document = {**document_of(Article(number=1, slug="a", title="A"), [], []), "category": None}
        try:
            checked({**document, key: value})
        except UnreadableDocumentError as error:
            self.assertIsInstance(error.args[0], str)
