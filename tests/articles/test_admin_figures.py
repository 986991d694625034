from copy import copy

from django.test import TestCase
from django.utils import timezone

from articles.models import Statistic, StatisticValue
from articles.schedule import withdraw
from articles.uses import readings
from tests.factories import (
    add_role_table,
    make_article,
    make_draft,
    make_markets,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    make_table,
    make_user,
    publish_as_is,
)


def figure_data(**values):
    """What the form of the figure 97M sends, unchanged but for these values."""
    defaults = {
        "value": "97000000.0000",
        "display_text": "97M",
        "horizon_year": "",
        "source": "",
        "locator": "",
        "quote": "",
        "as_of": "",
        "check_status": "unchecked",
        "check_note": "",
        "checked_on": "",
        "review_by": "",
        "why": "update",
        "why_note": "",
    }
    return defaults | values


class FigureFormTests(TestCase):
    def setUp(self):
        self.statistic = make_statistic("97M", source=make_source())
        self.value = self.statistic.current
        self.url = f"/admin/articles/statisticvalue/{self.value.pk}/change/"
        self.client.force_login(make_user("Editor"))

    def data(self, **values):
        return figure_data(source=self.value.source_id, **values)

    def test_a_change_publishes_a_successor(self):
        response = self.client.post(self.url, self.data(display_text="170M", value="170000000"), follow=True)

        self.assertContains(response, "170M is published (update): <a href=")
        self.value.refresh_from_db()
        self.assertEqual(self.value.display_text, "97M")
        self.assertEqual(self.value.successor.display_text, "170M")

    def test_saving_and_going_on_goes_on_with_the_new_figure(self):
        response = self.client.post(self.url, self.data(display_text="170M", value="170000000", _continue="1"))

        current = self.statistic.values.current().get()
        self.assertRedirects(response, f"/admin/articles/statisticvalue/{current.pk}/change/")

    def test_what_contradicts_itself_is_refused_in_words(self):
        wrong = [
            (
                {"display_text": "97M", "value": "78000000"},
                "This reads as 97,000,000, but the plain number is 78,000,000",
            ),
            ({"display_text": "70M", "value": "70000000", "why": "re-sourced"}, "“Re-sourced” keeps the figure"),
            ({"check_status": "confirmed"}, "A confirmed figure has a source and the day of the check."),
            ({"display_text": "70M", "value": "70000000", "why": ""}, "Choose why the figure changes."),
        ]
        for values, message in wrong:
            with self.subTest(message):
                self.assertContains(self.client.post(self.url, self.data(**values)), message)
        self.assertEqual(StatisticValue.objects.count(), 1)

    def test_what_is_no_date_is_refused_wherever_it_is_sent(self):
        preview = self.url.replace("change", "preview")
        statistic = Statistic.objects.create(slug="bare", claim="x", unit="x")
        for as_of in ("2025-13", "2026-", "April 2026", "2025-02-30"):
            for url in (self.url, preview, "/admin/articles/statisticvalue/add/"):
                with self.subTest(f"{url} {as_of}"):
                    response = self.client.post(url, self.data(as_of=as_of, statistic=statistic.pk))
                    self.assertEqual(response.status_code, 200)
                    self.assertRegex(response.text, "Write a year, a month or a day|does not exist in the calendar")

    def test_a_check_and_its_note_fit_the_figure(self):
        value = {"display_text": "70M", "value": "70000000"}
        wrong = [
            ({"checked_on": "2026-11-01"}, "An unchecked figure has no day of a check"),
            ({"check_status": "disputed", "checked_on": "2999-01-01"}, "This day is still to come."),
        ]
        for values, message in wrong:
            with self.subTest(message):
                self.assertContains(self.client.post(self.url, self.data(**value, **values)), message)
        self.client.post(self.url, self.data(check_note="It is rounded.", locator="p. 1", why="re-sourced"))
        url = f"/admin/articles/statisticvalue/{self.statistic.current.pk}/change/"

        response = self.client.post(url, self.data(**value, check_note="It is rounded.", locator="p. 1"))

        self.assertContains(response, "This note is about the earlier figure.")

    def test_two_figures_may_be_checked_on_one_day(self):
        today = timezone.localdate().isoformat()
        for text in ("70M", "71M"):
            url = f"/admin/articles/statisticvalue/{self.statistic.current.pk}/change/"
            data = self.data(
                display_text=text, value=text.replace("M", "000000"), check_status="confirmed", checked_on=today
            )
            self.assertEqual(self.client.post(url, data).status_code, 302)

        self.assertEqual(self.statistic.current.display_text, "71M")

    def test_a_refused_form_is_headed_by_the_figure_on_record(self):
        response = self.client.post(self.url, self.data(display_text="98M", value="98000000", why="correction"))

        self.assertEqual(response.context["subtitle"], str(self.value))

    def test_a_check_of_the_earlier_figure_is_not_carried_over(self):
        checked = {"check_status": "disputed", "check_note": "x", "checked_on": "2026-11-23"}
        self.client.post(self.url, self.data(**checked))
        current = self.statistic.values.current().get()
        url = f"/admin/articles/statisticvalue/{current.pk}/change/"

        response = self.client.post(url, self.data(display_text="70M", value="70000000", **checked))

        self.assertContains(response, "This check was of the earlier figure.")

    def test_saving_without_a_change_publishes_nothing_and_says_so(self):
        response = self.client.post(self.url, self.data(why="correction", why_note="Because"))

        self.assertContains(response, "Nothing but the reason was changed")
        self.assertEqual(StatisticValue.objects.count(), 1)

    def test_those_who_only_read_see_the_reason_on_record(self):
        successor = self.value.publish_successor(display_text="98M", why="correction", why_note="A slip.")
        self.client.force_login(make_user("Author"))

        response = self.client.get(f"/admin/articles/statisticvalue/{successor.pk}/change/")

        self.assertContains(response, "A slip.")

    def test_a_range_cannot_be_changed_into_another_current_one(self):
        role = make_role(pay={"GB": (1, 2)})
        base = make_salary(role, make_markets()["GB"], kind="base")
        data = self.data(low=1, high=2, kind="unstated", period="year", basis="", level="", median="", sample_size="")

        response = self.client.post(f"/admin/careers/salaryrange/{base.pk}/change/", data)

        self.assertContains(response, "There is a current range of this kind already")

    def test_a_correction_needs_its_reason(self):
        response = self.client.post(self.url, self.data(display_text="98M", value="98000000", why="correction"))

        self.assertContains(response, "Say what was wrong: readers see the reason of a correction or a retraction.")
        self.assertEqual(StatisticValue.objects.count(), 1)

    def test_the_second_of_two_editors_is_told_and_nothing_is_lost(self):
        self.client.post(self.url, self.data(display_text="170M", value="170000000"))

        response = self.client.post(self.url, self.data(display_text="180M", value="180000000"))

        self.assertContains(response, "A newer figure was published in the meantime.")
        self.assertContains(response, "180M")
        self.assertEqual(StatisticValue.objects.current().get().display_text, "170M")

    def test_a_past_figure_is_only_read_and_never_deleted(self):
        self.client.post(self.url, self.data(display_text="170M", value="170000000"))

        response = self.client.get(self.url)
        self.assertNotContains(response, 'name="display_text"')
        self.assertNotContains(response, 'name="_save"')
        self.assertContains(response, "Open the current figure.")
        self.assertEqual(self.client.post(self.url.replace("change", "delete"), {"post": "yes"}).status_code, 403)

    def test_a_new_figure_is_published_at_once(self):
        statistic = Statistic.objects.create(slug="without-figure", claim="of people wait", unit="share")

        self.client.post("/admin/articles/statisticvalue/add/", self.data(statistic=statistic.pk, why="new"))

        self.assertEqual(statistic.current.display_text, "97M")


class ReadingsTests(TestCase):
    """Before saving, an editor sees where the figure is shown and how each place will read."""

    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.statistic = make_statistic("97M", slug="jobs", claim="jobs are new.")
        cls.article = make_article(title="About jobs", statistics=[cls.statistic], headline=cls.statistic)
        make_draft(title="A draft", statistics=[cls.statistic])

    def setUp(self):
        self.client.force_login(self.editor)
        self.base = f"/admin/articles/statisticvalue/{self.statistic.current.pk}"

    def rows(self, response):
        return {reading.use.where: (reading.now, reading.then) for reading in response.context["readings"]}

    def preview(self, path=None, **values):
        data = figure_data(display_text="98M", value="98000000", **values)
        return self.client.post(path or f"{self.base}/preview/", data)

    def test_the_form_shows_every_place_and_how_it_reads(self):
        response = self.client.get(f"{self.base}/change/")

        article = f"Article {self.article}"
        self.assertEqual(
            {where: now for where, (now, then) in self.rows(response).items()},
            {
                "Its own page": "97M: jobs are new.",
                article: "97M jobs are new.",
                f"Card of a{article[1:]}": "97M",
                "Front page": "97M jobs are new.",
                "Data file": "97M 97000000",
            },
        )
        self.assertNotContains(response, "A draft")

    def test_a_withdrawn_article_is_no_such_place(self):
        withdraw(self.article)

        rows = self.rows(self.client.get(f"{self.base}/change/"))

        self.assertEqual(list(rows), ["Its own page", "Data file"])

    def test_the_preview_shows_how_each_will_read_and_saves_nothing(self):
        response = self.preview(why="update")

        self.assertEqual(self.rows(response)["Its own page"], ("97M: jobs are new.", "98M: jobs are new."))
        self.assertEqual(response.context["errors"], [])
        self.assertEqual(StatisticValue.objects.get().display_text, "97M")

    def test_the_preview_of_a_retraction_shows_what_is_left(self):
        data = figure_data(why="retraction", why_note="Made up.")

        response = self.client.post(f"{self.base}/preview/", data)

        self.assertEqual(self.rows(response)["Its own page"], ("97M: jobs are new.", "withdrawn: jobs are new."))

    def test_the_preview_names_what_stands_in_the_way(self):
        response = self.preview(why="correction")

        self.assertContains(response, "Say what was wrong: readers see the reason")

    def test_a_refused_form_still_shows_how_each_would_read(self):
        response = self.preview(f"{self.base}/change/", why="correction")

        self.assertEqual(self.rows(response)["Its own page"], ("97M: jobs are new.", "98M: jobs are new."))

    def test_a_script_gets_the_part_and_a_person_the_page(self):
        part = self.client.post(f"{self.base}/preview/", figure_data(why="update"), headers={"Sec-Fetch-Dest": "empty"})

        self.assertNotContains(part, "<html")
        self.assertContains(self.preview(why="update"), "<html")

    def test_pay_is_shown_with_its_pages_and_tables(self):
        role = make_role("Analyst", pay={"GB": (50_000, 90_000)})
        article = make_draft()
        add_role_table(article, make_table(role))
        publish_as_is(article)

        response = self.client.get(f"/admin/careers/salaryrange/{role.salary_ranges.get().pk}/change/")

        self.assertEqual(
            [reading.now for reading in response.context["readings"]],
            [
                "£50,000 to £90,000 a year",
                "Analyst, UK: £50K–£90K",
                "Analyst, UK: £50K–£90K",
                "Analyst, UK: £50K–£90K",
                "50000 90000 GBP year",
            ],
        )

    def test_a_text_is_shown_with_the_words_around_the_figure(self):
        role = make_role("Analyst", pay={"GB": (50_000, 90_000), "US": (1, 2)})
        refer = '<data value="{}"></data>'
        html = (
            f"<h2>Not this</h2><p>Of {refer.format('statistic:jobs')} jobs many pay {refer.format('salary:analyst/gb')}"
            f" a <em>year</em>.</p><p>Or {refer.format('salary:analyst/us')}.</p>"
        )
        article = make_article(html=html)

        pay = self.client.get(f"/admin/careers/salaryrange/{role.salary_ranges.get(market__code='GB').pk}/change/")
        jobs = self.client.get(f"{self.base}/change/")

        where = f"Text of article {article}"
        self.assertEqual(self.rows(pay)[where][0], "Of … jobs many pay £50K–£90K a year.")
        self.assertEqual(self.rows(jobs)[where][0], "Of 97M jobs many pay … a year.")

    def test_tables_are_named_where_they_show_this_range_or_would(self):
        role = make_role("Analyst", pay={"GB": (50_000, 90_000)})
        total = make_salary(role, make_markets()["GB"], kind="total", low=60_000, high=99_000)
        base = role.salary_ranges.get(kind="unstated")

        of_base, of_total = (
            self.rows(self.client.get(f"/admin/careers/salaryrange/{s.pk}/change/")) for s in (base, total)
        )

        self.assertNotIn("Roles and pay", of_base)
        self.assertEqual(of_total["Roles and pay"][0], "Analyst, UK: £60K–£99K")
        withdrawn = copy(total)
        withdrawn.why = "retraction"
        self.assertIn(
            ("Roles and pay", "Analyst, UK: £60K–£99K", "Analyst, UK: £50K–£90K"),
            [(reading.use.where, reading.now, reading.then) for reading in readings(total, withdrawn)],
        )

    def test_only_those_who_may_publish_figures_get_a_preview_and_only_by_post(self):
        self.assertEqual(self.client.get(f"{self.base}/preview/").status_code, 405)
        self.assertEqual(self.preview("/admin/articles/statisticvalue/999999/preview/").status_code, 404)
        self.client.force_login(make_user("Author"))
        self.assertEqual(self.preview().status_code, 403)
        self.client.logout()
        self.assertEqual(self.preview().status_code, 302)


class RetractionTests(TestCase):
    def setUp(self):
        self.client.force_login(make_user("Editor"))
        self.statistic = make_statistic("97M")

    def post(self, **values):
        url = f"/admin/articles/statisticvalue/{self.statistic.current.pk}/change/"
        return self.client.post(url, figure_data(**values), follow=True)

    def test_a_figure_is_withdrawn_with_a_reason_and_another_may_follow(self):
        response = self.post(why="retraction", why_note="Made up.")
        self.assertContains(response, "97M is withdrawn: <a href=")
        self.assertTrue(self.statistic.current.is_withdrawn)

        self.post(why="correction", why_note="It was real.", display_text="96M", value="96000000")

        self.assertEqual(self.statistic.current.display_text, "96M")
        self.assertEqual(self.statistic.values.count(), 3)

    def test_what_makes_no_sense_is_refused_in_words(self):
        self.assertContains(self.post(why="retraction"), "Say what was wrong")
        response = self.post(why="retraction", why_note="x", display_text="96M", value="96000000")
        self.assertContains(response, "A retraction takes the figure back as it was")
        self.assertEqual(self.statistic.values.count(), 1)

        self.post(why="retraction", why_note="Made up.")

        self.assertContains(self.post(why="retraction", why_note="Again."), "This figure was withdrawn.")
        self.assertContains(self.post(why="re-sourced", locator="p. 2"), "This figure was withdrawn.")
        self.assertContains(self.post(why="update"), "The same figure comes back as a correction, with the reason")
        self.assertContains(self.client.get("/admin/articles/statisticvalue/"), "Withdrawn")

    def test_a_retraction_keeps_the_date_of_what_it_withdraws(self):
        self.post(why="correction", why_note="x", as_of="2025")

        response = self.post(why="retraction", why_note="Made up.", as_of="")

        self.assertContains(response, "A retraction takes the figure back as it was")

    def test_an_update_is_a_later_figure(self):
        self.post(why="correction", why_note="x", as_of="2024-05")

        for as_of in ("2023", "2024", "2024-05", "2024-05-01"):
            refused = self.post(why="update", as_of=as_of, display_text="96M", value="96000000")
            self.assertContains(refused, "An update is a later figure, and the one before it holds as of May 2024.")
        self.assertContains(self.post(why="update", as_of="2999"), "This day is still to come")
        self.post(why="update", as_of="2024-05-02", display_text="96M", value="96000000")

        self.assertEqual(self.statistic.current.display_text, "96M")
