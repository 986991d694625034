from datetime import date, timedelta

import time_machine
from django.contrib.admin.models import LogEntry
from django.test import TestCase
from django.utils import timezone

from articles import schedule
from articles.models import Article
from articles.publishing import in_words
from tests.articles.test_schedule import edit
from tests.factories import make_article, make_draft, make_source, make_statistic, make_user
from veltrix.models import AuditEntry

DAY = timedelta(days=1)


def typed(moment):
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"


def next_years_last_sunday(month):
    """When the clocks of Europe change, in March and October."""
    last = date(timezone.now().year + 1, month, 31)
    return last - timedelta(days=last.isoweekday() % 7)


class ScheduleViewTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.article = make_article(slug="piece", title="Before")

    def setUp(self):
        self.client.force_login(self.editor)
        self.url = f"/admin/articles/article/{self.article.pk}/schedule/"
        self.moment = (timezone.now() + DAY).replace(second=0, microsecond=0)

    def act(self, act, **values):
        return self.client.post(self.url, {"act": act, **values}, follow=True)

    def words(self):
        return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]

    def test_an_editor_schedules_moves_and_cancels_a_change(self):
        edit(self.article)

        response = self.act("schedule", at=typed(self.moment), publish_note="Second edition")

        self.assertContains(response, "The change is scheduled: readers see it from")
        self.assertContains(response, "The change comes on")
        self.article.refresh_from_db()
        self.assertEqual((self.article.next_at, self.article.next_version.note), (self.moment, "Second edition"))
        self.assertContains(
            self.client.get("/admin/articles/article/"), f"Live, to come: the change of {in_words(self.moment)}"
        )
        self.assertContains(self.client.get(self.url), "Europe/London")
        self.assertContains(
            self.act("move", what="change", at=typed(self.moment + DAY)), "Moved the change of", count=1
        )
        self.assertContains(self.act("cancel", what="change"), "Cancelled the change of")
        history = self.client.get(f"/admin/articles/article/{self.article.pk}/history/")
        self.assertContains(history, "cancelled", count=2)
        self.assertEqual(
            self.words(),
            [
                f"Published as version {self.article.next_version_id}, to be seen from {in_words(self.moment)}.",
                f"Moved the change of {in_words(self.moment)} to {in_words(self.moment + DAY)}.",
                f"Cancelled the change of {in_words(self.moment + DAY)}.",
            ],
        )
        self.assertEqual(AuditEntry.objects.filter(subject_key=str(self.article.pk), act="changed").count(), 3)

    def test_an_editor_withdraws_at_a_moment_and_now(self):
        self.assertContains(self.act("withdraw", at=typed(self.moment)), "The withdrawal is scheduled for")
        self.assertContains(self.act("cancel", what="withdrawal"), "Cancelled the withdrawal of")

        self.assertContains(self.act("withdraw-now"), "Withdrawn since")

        self.assertEqual(self.client.get("/articles/piece/").status_code, 410)
        self.assertContains(self.client.get("/admin/articles/article/?state=withdrawn"), "Before")

    def test_what_is_to_come_is_cancelled_whatever_stands_in_the_field_of_its_moment(self):
        schedule.withdraw(self.article, at=self.moment)

        for at in ("2020-01-01T10:00", "soon"):
            self.client.post(self.url, {"act": "cancel", "what": "withdrawal", "at": at})
            self.article.refresh_from_db()
            self.assertIsNone(self.article.withdrawn_at)

    def test_a_draft_is_scheduled_for_its_first_publication(self):
        draft = make_draft(slug="draft")
        self.url = f"/admin/articles/article/{draft.pk}/schedule/"

        self.assertContains(self.act("schedule", at=typed(self.moment)), "is scheduled: readers see it from")

        draft.refresh_from_db()
        self.assertEqual(draft.published_at, self.moment)

    def test_errors_lead_to_the_gate_and_the_moment_goes_along(self):
        self.client.force_login(make_user("Chief editor"))
        edit(self.article, "<h3>Deep</h3>")

        gate = self.act("schedule", at=typed(self.moment), publish_note="Later")

        self.assertContains(gate, "Schedule all the same")
        self.assertContains(gate, "Readers would see it from")
        fields = {name: gate.context["form"].initial[name] for name in ("seen", "at", "publish_note")}
        address = f"/admin/articles/article/{self.article.pk}/publish/"
        self.assertContains(self.client.post(address, fields), "Say why: readers see the reason.")
        self.client.post(address, fields | {"reason": "It was asked for."})
        self.article.refresh_from_db()
        self.assertEqual((self.article.next_at, self.article.next_version.note), (self.moment, "Later"))

    def test_what_cannot_be_is_refused_in_words_and_keeps_what_was_typed(self):
        edit(self.article)
        clocks = "The clocks of Europe/London change then"
        refusals = [
            ({"act": "schedule", "at": ""}, "Choose a moment."),
            ({"act": "schedule", "at": "soon"}, "Write the moment as 2027-04-30 09:00."),
            ({"act": "schedule", "at": "2020-01-01T10:00"}, "Choose a moment to come."),
            ({"act": "schedule", "at": "2026-02-30T10:00"}, "Write the moment as 2027-04-30 09:00."),
            ({"act": "schedule", "at": f"{next_years_last_sunday(3)}T01:30"}, clocks),
            ({"act": "schedule", "at": f"{next_years_last_sunday(10)}T01:30"}, clocks),
            ({"act": "withdraw", "at": ""}, "Choose a moment."),
            ({"act": "withdraw", "at": "9999-01-01T00:00"}, "within the next five years"),
        ]
        for data, sentence in refusals:
            with self.subTest(data):
                response = self.client.post(self.url, {**data, "publish_note": "Kept"}, follow=True)
                self.assertContains(response, sentence)
                self.assertContains(response, "Kept")
                self.assertContains(response, f'value="{data["at"]}"' if data["at"] else "Moment")
        for act in ("move", "cancel"):
            response = self.act(act, what="change", at=typed(self.moment))
            self.assertContains(response, "This is no longer to come")
        for data in ({}, {"act": "nonsense"}, {"act": "cancel"}, {"act": "move", "what": "x"}):
            self.assertEqual(self.client.post(self.url, data).status_code, 400)
        self.assertIsNone(Article.objects.get(pk=self.article.pk).next_at)

    def test_whoever_cancels_one_thing_does_not_cancel_what_another_editor_scheduled_meanwhile(self):
        schedule.withdraw(self.article, at=self.moment + DAY)
        edit(self.article)
        schedule.schedule(self.article, at=self.moment, by=make_user("Editor"))

        page = self.act("cancel", what="withdrawal")

        self.assertContains(page, "Cancelled the withdrawal of")
        self.article.refresh_from_db()
        self.assertEqual((self.article.next_at, self.article.withdrawn_at), (self.moment, None))

    def test_what_another_editor_scheduled_first_is_told(self):
        edit(self.article)
        schedule.schedule(self.article, at=self.moment, by=make_user("Editor"))

        self.assertContains(self.act("schedule", at=typed(self.moment)), "A change of this article is scheduled for")
        self.assertContains(self.act("withdraw-now"), "A change of this article is scheduled for")
        self.assertEqual(self.words(), [])

    def test_what_is_wrong_with_another_moment_stands_beside_what_was_to_be_moved(self):
        edit(self.article)
        schedule.schedule(self.article, at=self.moment, by=self.editor)
        self.assertContains(self.client.get(self.url), f'value="{typed(self.moment)}"', count=1)

        page = self.act("move", what="change", at="2020-01-01T10:00")

        self.assertContains(page, "Choose a moment to come.", count=1)
        self.assertContains(page, 'value="2020-01-01T10:00"', count=1)

    def test_form_and_history_say_what_is_to_come(self):
        edit(self.article)
        version = schedule.schedule(self.article, at=self.moment, by=self.editor)
        later = "The draft was changed after it was scheduled"

        for page in ("change", "history"):
            response = self.client.get(f"/admin/articles/article/{self.article.pk}/{page}/")
            self.assertContains(response, f"The change comes on {in_words(self.moment)}.")
            self.assertNotContains(response, later)
        Article.objects.filter(pk=self.article.pk).update(changed_at=timezone.now())
        self.assertContains(self.client.get(f"/admin/articles/article/{self.article.pk}/change/"), later)
        compared = f"/admin/articles/article/{self.article.pk}/compare/?from=live&to=version-{version.pk}"
        self.assertContains(self.client.get(compared), "Version 2, scheduled")

    def test_a_draft_that_went_on_before_the_change_was_moved_is_still_said_to_differ(self):
        edit(self.article)
        schedule.schedule(self.article, at=self.moment, by=self.editor)
        Article.objects.filter(pk=self.article.pk).update(changed_at=timezone.now())

        self.act("move", what="change", at=typed(self.moment + DAY))

        form = self.client.get(f"/admin/articles/article/{self.article.pk}/change/")
        self.assertContains(form, "The draft was changed after it was scheduled")
        with time_machine.travel(self.moment + DAY):
            self.client.force_login(self.editor)
            self.assertContains(self.client.get("/admin/articles/article/"), "Live, draft changed")

    def test_the_moment_of_a_scheduled_publication_is_moved_on_the_schedule_only(self):
        draft = make_draft()
        schedule.schedule(draft, at=self.moment, by=self.editor)

        form = self.client.get(f"/admin/articles/article/{draft.pk}/change/")

        self.assertContains(form, f"The publication comes on {in_words(self.moment)}.")
        self.assertNotContains(form, 'name="published_at_0"')

    def test_every_page_with_moments_names_their_time_zone(self):
        for page in ("", f"{self.article.pk}/history/", f"{self.article.pk}/change/"):
            self.assertContains(
                self.client.get(f"/admin/articles/article/{page}"), "All times are those of Europe/London."
            )

    def test_it_is_closed_to_everybody_else(self):
        for user, status in ((make_user("Author"), 403), (make_user(), 403), (None, 302)):
            self.client.logout()
            if user:
                self.client.force_login(user)
            self.assertEqual(self.client.get(self.url).status_code, status)
            self.assertEqual(self.client.post(self.url, {"act": "withdraw-now"}).status_code, status)
        self.assertEqual(self.client.get("/articles/piece/").status_code, 200)
        self.client.force_login(self.editor)
        self.assertEqual(self.client.get("/admin/articles/article/999999/schedule/").status_code, 404)
        self.assertEqual(self.client.put(self.url).status_code, 405)


class CalendarTests(TestCase):
    URL = "/admin/articles/article/calendar/"

    @classmethod
    def setUpTestData(cls):
        cls.author = make_user("Author")

    def setUp(self):
        self.client.force_login(self.author)

    def test_a_month_shows_what_was_and_what_is_to_come(self):
        with time_machine.travel("2026-11-03T09:30Z"):
            live = make_article(title="Went live")
            edit(live)
            schedule.schedule(live, at=timezone.now() + 9 * DAY, by=None)
            gone = make_article(title="Goes away")
            schedule.withdraw(gone, at=timezone.now() + 20 * DAY)
            schedule.schedule(make_draft(title="Comes later"), at=timezone.now() + 40 * DAY, by=None)

            self.client.force_login(self.author)
            page = self.client.get(self.URL)

            words = " ".join(page.text.split())
            for what in ("Published: <a", "Changed: <a", "Withdrawn: <a"):
                self.assertIn(what, words)
            self.assertContains(page, "November 2026, in the time of Europe/London")
            self.assertNotContains(page, "Comes later")
            self.assertContains(self.client.get(self.URL, {"month": "2026-12"}), "Comes later")
            self.assertContains(self.client.get(self.URL, {"month": "2027-05"}), "Nothing stands in this month.")

    def test_figures_to_be_looked_at_again_are_counted_for_reviewers(self):
        statistic = make_statistic(source=make_source())
        day = timezone.localdate()
        statistic.current.publish_successor(why="re-sourced", review_by=day)

        self.assertNotContains(self.client.get(self.URL), "to look at again")
        self.client.force_login(make_user("Editor"))
        self.assertContains(self.client.get(self.URL), "1 figure to look at again")

    def test_odd_months_are_this_month(self):
        this = f"{timezone.localdate():%B %Y}, in the time"
        for month in ("", "x", "2026-13", "0000-01", "9999-12", "2026-1", "2026-01-01", "١٢٣٤-٠١"):
            self.assertContains(self.client.get(self.URL, {"month": month}), this)

    def test_a_full_month_costs_as_many_queries_as_an_empty_one(self):
        def count():
            with self.assertNumQueries(9):
                self.client.get(self.URL)

        count()
        for number in range(12):
            article = make_article()
            edit(article)
            schedule.schedule(article, at=timezone.now() + timedelta(minutes=number + 1), by=None)
        count()

    def test_it_is_closed_to_those_who_may_not_see_articles(self):
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(self.URL).status_code, 403)
        self.assertEqual(self.client.post(self.URL).status_code, 405)
        self.client.logout()
        self.assertEqual(self.client.get(self.URL).status_code, 302)
