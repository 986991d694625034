"""An article goes from one installation to another as one file, whole or not at all."""

import json
import re
import tempfile
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from threading import Barrier

from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase
from PIL import Image as Pillow

from articles import exchange, redirects
from articles.document_checks import checked
from articles.documents import UnreadableDocumentError, document_of, read_document
from articles.exchange import Package, UnreadablePackageError, bring_in, fitted, packed, unpacked
from articles.models import Article, Image, RichText
from articles.pictures import MAX_BYTES, originals, take_in
from articles.publishing import publish
from tests.committed import CommittedTestCase
from tests.factories import (
    make_article,
    make_draft,
    make_path,
    make_role,
    make_source,
    make_statistic,
    make_table,
    make_user,
)
from veltrix.models import AuditEntry

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
    text = re.sub(r'(name="stamp" value|article:published_time" content)="[^"]*"', "", text)
    return re.sub(r"sign-up-\w+|\?v=\w+|Last changed <time[^>]*>[^<]*</time>|\"dateModified\":\"[^\"]*\",", "", text)


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

    @settings(max_examples=60, deadline=None)
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

    @settings(max_examples=400, deadline=None)
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

    @settings(max_examples=150, deadline=None)
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


class AdminTests(TestCase):
    def setUp(self):
        self.client.force_login(make_user("Author"))

    def send(self, content, **values):
        return self.client.post(IMPORT, {"file": SimpleUploadedFile("piece.zip", content), **values})

    def test_an_export_is_a_file_of_the_draft_or_of_the_live_version(self):
        article = make_article(slug="piece", html="<p>Live</p>")
        RichText.objects.update(html="<p>Draft</p>")
        url = f"/admin/articles/article/{article.pk}/export/"

        draft, live = self.client.get(url), self.client.get(url, {"state": "live"})

        self.assertEqual(draft.headers["Content-Disposition"], 'attachment; filename="piece.zip"')
        self.assertIn("no-store", draft.headers["Cache-Control"])
        self.assertIn("Draft", str(unpacked(BytesIO(draft.content)).document))
        self.assertIn("Live", str(unpacked(BytesIO(live.content)).document))
        never = self.client.get(f"/admin/articles/article/{make_draft().pk}/export/?state=live")
        self.assertEqual(never.status_code, 404)

    def test_a_lost_picture_is_told_instead_of_an_export(self):
        article = make_full()
        originals().delete(Image.objects.get().file)

        response = self.client.get(f"/admin/articles/article/{article.pk}/export/", follow=True)

        self.assertContains(response, "the file of one of its pictures is lost")

    def test_an_import_is_previewed_with_its_differences_and_then_taken(self):
        article = make_full()
        file = packed(document_of(article))
        RichText.objects.update(html="<p>Here</p>")

        preview = self.send(file)

        self.assertContains(preview, "It goes into the draft of")
        self.assertContains(preview, "<del>Here</del>")
        self.assertEqual(RichText.objects.get().html, "<p>Here</p>")
        done = self.client.post(IMPORT, {"package": preview.context["token"]}, follow=True)
        self.assertContains(done, "is imported as a draft")
        self.assertIn("<h2>Why</h2>", RichText.objects.get().html)
        self.assertEqual(LogEntry.objects.latest("pk").change_message, "Imported from a file into the draft.")

    def test_as_a_new_article_it_gets_its_own_place(self):
        article = make_full(published_at=datetime(2025, 7, 1, 12, tzinfo=UTC))

        preview = self.send(packed(document_of(article)), as_new="on")

        self.assertContains(preview, f"It makes a new article: number {article.number + 1},")
        self.assertContains(preview, "Once published, it bears the moment 1 July 2025, 13:00.")
        self.client.post(IMPORT, {"package": preview.context["token"]})
        self.assertTrue(Article.objects.filter(slug="piece-2").exists())

    def test_exports_and_imports_stand_in_the_audit_log(self):
        article = make_full()
        file = self.client.get(f"/admin/articles/article/{article.pk}/export/").content
        self.client.post(IMPORT, {"package": self.send(file, as_new="on").context["token"]})

        acts = AuditEntry.objects.order_by("pk").values_list("act", "words")
        self.assertEqual(list(acts)[-2:], [("exported", "The draft."), ("added", "Imported from a file.")])

    def test_a_long_article_costs_an_export_as_many_queries_as_a_short_one(self):
        article = make_full()
        url = f"/admin/articles/article/{article.pk}/export/"
        self.client.get(url)
        with CaptureQueriesContext(connection) as short:
            self.client.get(url)
        document = document_of(article)
        read_document({**document, "blocks": document["blocks"] * 10}, article)

        with self.assertNumQueries(len(short)):
            self.client.get(url)

    def test_what_a_file_refers_to_is_looked_up_in_as_many_queries_for_many_as_for_few(self):
        document = checked(document_of(make_full()))
        others = [{"type": "statistic", "statistic": f"gone-{number}"} for number in range(50)]

        for blocks in (document["blocks"], document["blocks"] * 10 + others):
            with self.subTest(len(blocks)), self.assertNumQueries(6):
                exchange.unknown_records({**document, "blocks": blocks})

    def test_an_article_that_was_deleted_after_the_preview_is_not_brought_back(self):
        article = make_full()
        token = self.send(packed(document_of(article))).context["token"]
        article.delete()

        done = self.client.post(IMPORT, {"package": token}, follow=True)

        self.assertContains(done, "The article was deleted after the preview.")
        self.assertEqual(Article.objects.count(), 0)

    def test_a_new_article_is_imported_once_however_often_it_is_confirmed(self):
        token = self.send(packed(document_of(make_full())), as_new="on").context["token"]
        self.client.post(IMPORT, {"package": token})

        done = self.client.post(IMPORT, {"package": token}, follow=True)

        self.assertContains(done, "Address: Another article has this address.")
        self.assertEqual(Article.objects.count(), 2)

    def test_what_changed_after_the_preview_is_not_overwritten(self):
        article = make_full()
        token = self.send(packed(document_of(article))).context["token"]
        article.save()

        done = self.client.post(IMPORT, {"package": token}, follow=True)

        self.assertContains(done, "Somebody saved the draft after the preview.")

    def test_a_preview_is_one_persons_and_cannot_be_forged(self):
        token = self.send(packed(document_of(make_full()))).context["token"]
        self.client.force_login(make_user("Author"))

        for forged in (token, "x", f"{token}x"):
            done = self.client.post(IMPORT, {"package": forged}, follow=True)
            self.assertContains(done, "This preview is too old, or is not of this site.")

    def test_what_is_wrong_stands_at_the_file(self):
        for content, sentence in (
            (b"x", "This is no file that an article was exported to"),
            (with_document(number="x"), "The number is no whole number from 1 to 1000000."),
        ):
            self.assertContains(self.send(content), sentence)
        self.assertContains(self.client.post(IMPORT), "Choose a file.")
        unknown = self.send(with_document(slug="other", category="void"))
        self.assertContains(unknown, "There is no category “void”.")
        self.assertNotContains(unknown, "Import it as a draft")

    def test_it_is_closed_to_everybody_else(self):
        export = f"/admin/articles/article/{make_draft().pk}/export/"
        self.assertEqual(self.client.post(export).status_code, 405)
        for user, status in ((make_user(), 403), (None, 302)):
            self.client.logout()
            if user:
                self.client.force_login(user)
            for path in (IMPORT, export):
                self.assertEqual(self.client.get(path).status_code, status)
            self.assertEqual(self.client.post(IMPORT, {"package": "x"}).status_code, status)


class ConcurrencyTests(CommittedTestCase):
    def test_of_several_confirmations_at_once_one_imports_and_the_others_are_told(self):
        document = fitted(document_of(make_draft(slug="piece")), None)
        barrier = Barrier(3)

        def confirm(_):
            try:
                barrier.wait()
                return bring_in(document, None, by=None)
            except UnreadablePackageError as error:
                return error.args[0]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(confirm, range(3)))

        self.assertEqual(sum(isinstance(answer, Article) for answer in answers), 1)
        self.assertEqual(Article.objects.filter(slug="piece-2").count(), 1)


class CommandTests(TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = str(self.folder / "piece.zip")

    def run_command(self, *arguments, **options):
        out = StringIO()
        call_command(*arguments, stdout=out, **options)
        return out.getvalue()

    def test_they_do_what_the_desk_does(self):
        article = make_full()
        self.assertIn("Written:", self.run_command("export_article", "piece", output=self.file))
        RichText.objects.update(html="<p>Here</p>")

        self.assertIn("It would go into the draft", self.run_command("import_article", self.file, dry_run=True))
        self.assertEqual(RichText.objects.get().html, "<p>Here</p>")
        self.assertIn("Imported into the draft", self.run_command("import_article", self.file))
        self.assertIn("<h2>Why</h2>", RichText.objects.get().html)
        self.assertIn("a new article", self.run_command("import_article", self.file, as_new=True))
        self.assertEqual(Article.objects.exclude(pk=article.pk).get().slug, "piece-2")

    def test_refusals_are_sentences_and_change_nothing(self):
        Path(self.file).write_bytes(with_document(slug="other", series="void"))
        refusals = [
            (("export_article", "nowhere"), "There is no article at “nowhere”."),
            (("export_article", make_draft(slug="draft").slug, "--live"), "there is no live version"),
            (("export_article", "draft", "-o", str(self.folder / "no" / "x.zip")), "cannot be written"),
            (("import_article", str(self.folder / "none.zip")), "cannot be read"),
            (("import_article", self.file), "There is no series “void”."),
        ]
        for arguments, sentence in refusals:
            with self.subTest(sentence), self.assertRaisesMessage(CommandError, sentence):
                self.run_command(*arguments)
        self.assertEqual(Article.objects.count(), 2)

    def test_a_package_without_pictures_is_a_package(self):
        self.assertEqual(Package({}).pictures, {})
