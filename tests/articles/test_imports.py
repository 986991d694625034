"""Sources and statistics brought along in a table; what all imports have in common is tried with salary ranges."""

import re

from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase

from articles.models import Source, Statistic, StatisticValue
from tests.articles.test_spreadsheets import workbook
from tests.factories import make_source, make_statistic, make_user

SOURCES_URL = "/admin/articles/source/import/"
STATISTICS_URL = "/admin/articles/statistic/import/"


class ImportTestCase(TestCase):
    def setUp(self):
        self.client.force_login(make_user("Editor"))

    def preview(self, url, content, name="table.csv", **said):
        content = content.encode() if isinstance(content, str) else content
        return self.client.post(url, {"file": SimpleUploadedFile(name, content), **said})

    def confirm(self, response, url):
        token = re.search(r'name="table" value="([^"]+)"', response.content.decode())
        self.assertIsNotNone(token, "nothing to confirm")
        return self.client.post(f"{url}confirm/", {"table": token[1]}, follow=True)

    def assert_refused(self, response, *sentences):
        for sentence in sentences:
            self.assertContains(response, sentence)
        self.assertNotContains(response, 'name="table"')
        self.assertNotContains(response, "Import all of this")


class SourceTests(ImportTestCase):
    def test_sources_are_added_and_changed(self):
        make_source(slug="old", edition="2020")
        content = (
            "slug,producer,title,edition,kind,published,doi,newer_edition\n"
            "new,Office,Report,2025,dataset,2025-01,https://doi.org/10.1000/182,\n"
            "old,Office,Report,2020,report,2020,,new\n"
        )

        response = self.preview(SOURCES_URL, content)
        self.assertContains(response, "1 new, 1 changed, 0 unchanged.")
        self.confirm(response, SOURCES_URL)

        new, old = Source.objects.get(slug="new"), Source.objects.get(slug="old")
        self.assertEqual((new.kind, new.published, new.doi), ("dataset", "2025-01", "10.1000/182"))
        self.assertEqual((old.newer_edition, old.producer), (new, "Office"))
        self.assertEqual(LogEntry.objects.count(), 2)
        self.assert_refused(self.preview(SOURCES_URL, content), "0 new, 0 changed, 2 unchanged.")

    def test_an_export_brought_back_changes_nothing(self):
        new = make_source(slug="new", url="https://a.example/", authors="Frey, Carl; Osborne, Michael")
        make_source(
            slug="old", newer_edition=new, producer="-Office", projection_horizon=2030, isbn="978-3-16-148410-0"
        )

        response = self.preview(SOURCES_URL, self.client.get("/sources.csv").content)

        self.assert_refused(response, "0 new, 0 changed, 2 unchanged.")

    def test_an_edition_may_name_a_newer_one_that_comes_later_in_the_file(self):
        newest = make_source(slug="c")
        middle = make_source(slug="b", newer_edition=newest)
        make_source(slug="a", newer_edition=middle)
        content = self.client.get("/sources.csv").content
        Source.objects.update(newer_edition=None)
        Source.objects.all().delete()

        self.confirm(self.preview(SOURCES_URL, content), SOURCES_URL)

        self.assertEqual(self.client.get("/sources.csv").content, content)

    def test_what_is_wrong_is_named(self):
        make_source(slug="old")
        head = "slug,producer,title"
        wrong = {
            f"{head}\nnew,,x": "Row 2, column producer: A value is needed here.",
            f"{head},url\nnew,a,x,javascript:alert(1)": "Row 2, column url: Enter a valid URL.",
            f"{head},kind\nnew,a,x,blog": "Row 2, column kind: “blog” is none of these: report, dataset",
            f"{head},newer_edition\nnew,a,x,later": "Row 2, column newer_edition: There is no source “later”.",
            "slug,newer_edition\nold,old": "Row 2, column newer_edition: An edition cannot replace itself.",
            f"{head},newer_edition\nnew,a,x,new": "Row 2, column newer_edition: An edition cannot replace itself.",
            f"{head},newer_edition\nnew,a,x,later\nlater,,x,": "Row 3, column producer: A value is needed here.",
            f"{head},isbn\nnew,a,x,123": "column isbn: An ISBN has 13 digits",
            f"{head},accessed_on\nnew,a,x,soon": "column accessed_on: Enter a valid date.",
            f"{head},projection_horizon\nnew,a,x,12": "Row 2: Give the horizon as a year.",
        }
        for content, sentence in wrong.items():
            with self.subTest(sentence):
                self.assert_refused(self.preview(SOURCES_URL, content), sentence)


class StatisticTests(ImportTestCase):
    def test_a_new_claim_comes_with_its_first_figure(self):
        make_source(slug="survey")
        content = (
            "statistic,claim,unit,value,display_text,source,as_of\njobs,jobs are new,jobs,97000000,97M,survey,2025\n"
        )

        response = self.confirm(self.preview(STATISTICS_URL, content), STATISTICS_URL)

        self.assertContains(response, "1 new, 0 changed, 0 unchanged.")
        statistic = Statistic.objects.get()
        self.assertEqual((statistic.claim, statistic.current.display_text), ("jobs are new", "97M"))
        self.assertEqual((statistic.current.why, statistic.current.source.slug), ("new", "survey"))
        self.assertEqual(
            sorted(LogEntry.objects.values_list("content_type__model", flat=True)), ["statistic", "statisticvalue"]
        )

    def test_another_figure_is_published_as_a_successor(self):
        statistic = make_statistic("97M", slug="jobs", claim="jobs are new")
        value = statistic.current
        content = workbook(
            ["statistic", "claim", "value", "display_text", "why", "why_note"],
            ["jobs", "jobs are new", 98_000_000, "98M", "correction", "A slip."],
        )

        response = self.preview(STATISTICS_URL, content, "figures.xlsx")
        for text in ("<del>97M</del>", "<ins>98M</ins>"):
            self.assertContains(response, text, html=True)
        self.confirm(response, STATISTICS_URL)

        statistic = Statistic.objects.get()
        self.assertEqual(statistic.current.supersedes, value)
        value.refresh_from_db()
        self.assertEqual(value.display_text, "97M")

    def test_the_claim_of_a_statistic_without_a_figure_may_be_edited(self):
        Statistic.objects.create(slug="jobs", claim="jobs are new", unit="jobs")

        self.confirm(
            self.preview(STATISTICS_URL, "statistic,claim,value,display_text\njobs,jobs will be new,97,97\n"),
            STATISTICS_URL,
        )

        self.assertEqual(Statistic.objects.get().claim, "jobs will be new")

    def test_an_export_brought_back_changes_nothing_with_all_its_history(self):
        value = make_statistic("+5%", slug="up", claim="=more", source=make_source()).current
        value.publish_successor(value=6, display_text="+6%", why="correction", why_note="-1").publish_successor(
            why="retraction", why_note="No."
        )
        make_statistic("97M", scope="@home")

        response = self.preview(STATISTICS_URL, self.client.get("/statistics.csv").content)

        self.assert_refused(response, "0 new, 0 changed, 4 unchanged.")

    def test_an_edited_export_with_history_changes_what_was_edited(self):
        statistic = make_statistic("97M", slug="jobs", claim="jobs are new")
        statistic.current.publish_successor(value=98_000_000, display_text="98M", why="update")
        content = self.client.get("/statistics.csv").content.decode()
        *before, last = content.rstrip("\r\n").split("\r\n")
        edited = last.replace("98000000,98M", "99000000,99M")

        self.confirm(self.preview(STATISTICS_URL, "\r\n".join([*before, edited]), why="update"), STATISTICS_URL)

        statistic = Statistic.objects.get()
        self.assertEqual(statistic.current.display_text, "99M")
        self.assertEqual(statistic.values.count(), 3)

    def test_the_reason_of_an_export_is_not_taken_for_that_of_its_edit(self):
        make_statistic("97M").current.publish_successor(value=98_000_000, display_text="98M", why="update")
        content = self.client.get("/statistics.csv").content.decode().replace("98000000,98M", "99000000,99M")

        self.assert_refused(self.preview(STATISTICS_URL, content), "column why: This is the reason of the figure that")

    def test_what_is_wrong_is_named_and_nothing_of_it_is_written(self):
        make_statistic("97M", slug="jobs")
        wrong = {
            "statistic,value,display_text\nnew,1,1": "Row 2, column claim: ",
            "statistic,claim,unit,value\nnew,x,y,": "Row 2, column value: A value is needed here.",
            "statistic,claim,unit\nnew,x,y": "Row 2, column value: ",
            "statistic,claim\n,x": "Row 2, column statistic: A value is needed here.",
            "statistic,claim\nNo slug,x": "Row 2, column statistic: Enter a valid",
            "statistic,value,why\njobs,98000000,update": "This reads as 97,000,000, but the plain number is",
            'statistic,value,why\njobs,"98,000,000",update': "Row 2, column value: Enter a number.",
            "statistic,horizon_year,why\njobs,12,update": "Row 2: Give the horizon as a year.",
            "statistic\njobs\njobs": "Row 3, column statistic: Row 2 is about the same.",
            "statistic,claim\njobs,x": "Row 2, column claim: A published figure keeps its words. They say",
        }
        for content, sentence in wrong.items():
            with self.subTest(sentence):
                self.assert_refused(self.preview(STATISTICS_URL, content), sentence)
        self.assertEqual((Statistic.objects.count(), StatisticValue.objects.count()), (1, 1))

    def test_whoever_may_not_change_figures_may_not_import_claims(self):
        from django.contrib.auth.models import Permission

        user = make_user()
        user.user_permissions.add(*Permission.objects.filter(codename__in=["add_statistic", "change_statistic"]))
        self.client.force_login(user)

        self.assertEqual(self.client.get(STATISTICS_URL).status_code, 403)
        self.assertEqual(self.client.post(f"{STATISTICS_URL}confirm/").status_code, 403)
