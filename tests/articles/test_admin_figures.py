from django.test import TestCase

from articles.models import Statistic, StatisticValue
from tests.factories import (
    make_markets,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    make_user,
)


class FigureFormTests(TestCase):
    def setUp(self):
        self.statistic = make_statistic("97M", source=make_source())
        self.value = self.statistic.current
        self.url = f"/admin/articles/statisticvalue/{self.value.pk}/change/"
        self.client.force_login(make_user("Editor"))

    def data(self, **values):
        defaults = {
            "value": "97000000.0000",
            "display_text": "97M",
            "horizon_year": "",
            "source": self.value.source_id,
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

    def test_a_change_publishes_a_successor(self):
        response = self.client.post(self.url, self.data(display_text="170M", value="170000000"), follow=True)

        self.assertContains(response, "was changed successfully")
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
            ({"display_text": "70M", "value": "70000000", "why": ""}, "This field is required."),
        ]
        for values, message in wrong:
            with self.subTest(message):
                self.assertContains(self.client.post(self.url, self.data(**values)), message)
        self.assertEqual(StatisticValue.objects.count(), 1)

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
