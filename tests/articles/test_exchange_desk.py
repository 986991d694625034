"""Articles as files at the desk, several at once, and by commands."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from threading import Barrier

from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from articles import exchange
from articles.document_checks import checked
from articles.documents import document_of, read_document
from articles.exchange import Package, UnreadablePackageError, bring_in, fitted, packed, unpacked
from articles.models import Article, Image, RichText
from articles.pictures import originals
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_draft, make_user
from veltrix.models import AuditEntry

from .test_exchange import IMPORT, make_full, with_document


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
