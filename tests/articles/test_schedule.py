"""What is to come goes live, changes and goes away at its minute, with no job that has to run."""

from datetime import timedelta

import time_machine
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import schedule
from articles.models import Article, RichText, Statistic, StatisticBlock
from articles.models.versions import Cancellation
from articles.publishing import NotPublishableError, UnresolvedErrorsError, publish
from articles.schedule import Coming, NotScheduledError, What
from tests.factories import make_article, make_author, make_category, make_draft, make_statistic
from tests.plans import plan_of

HOUR = timedelta(hours=1)


def edit(article, html="<p>After</p>", **values):
    RichText.objects.filter(parent=article).update(html=html)
    Article.objects.filter(pk=article.pk).update(changed_at=timezone.now(), **values)
    article.refresh_from_db()


class ScheduleTestCase(TestCase):
    def setUp(self):
        self.article = make_article(slug="piece", title="Before", html="<p>Before</p>")
        self.now = (timezone.now() + timedelta(seconds=1)).replace(microsecond=0)
        self.moment = self.now + 24 * HOUR

    def at(self, moment):
        return time_machine.travel(moment, tick=False)

    def read(self, moment, path="/articles/piece/"):
        with self.at(moment):
            return self.client.get(path)

    def refresh(self):
        self.article = Article.objects.get(pk=self.article.pk)
        return self.article


class ChangeTests(ScheduleTestCase):
    def schedule(self, **values):
        edit(self.article, title="After", **values)
        return schedule.schedule(self.article, at=self.moment, by=None, note="Next", reason="It is a test.")

    def test_readers_see_a_change_from_its_moment_on_and_not_before(self):
        self.schedule()

        second = timedelta(seconds=1)
        for moment, words in ((self.now, "Before"), (self.moment - second, "Before"), (self.moment, "After")):
            page = self.read(moment)
            self.assertContains(page, f"<p>{words}</p>")
            self.assertContains(self.read(moment, "/articles/"), words)
            self.assertContains(self.read(moment, "/"), words)
        self.assertContains(self.read(self.moment), "Last changed")
        self.assertIsNone(self.refresh().next_at)
        self.assertEqual(self.article.live_version.published_at, self.moment)

    def test_lists_and_references_follow_at_the_same_moment(self):
        other, author, statistic = (
            make_category("Other"),
            make_author("Grace Hopper"),
            make_statistic("97M", slug="jobs"),
        )
        self.article.bylines.update(author=author)
        self.schedule(category=other, headline=statistic, html='<p><data value="statistic:jobs"></data></p>')

        with self.assertRaises(ProtectedError):
            statistic.delete()
        self.assertNotContains(self.read(self.now, "/"), "97M")
        for path in ("/topics/other/", "/authors/grace-hopper/", "/statistics/jobs/"):
            self.assertNotContains(self.read(self.now, path), "/articles/piece/")
        for path in ("/topics/other/", "/authors/grace-hopper/", "/statistics/jobs/"):
            self.assertContains(self.read(self.moment, path), "/articles/piece/")
        self.assertContains(self.read(self.moment, "/"), "97M")
        self.assertNotContains(self.read(self.moment, "/topics/ai-jobs/"), "/articles/piece/")
        self.assertEqual(self.article.statisticreference_set.count(), 1)

    def test_what_readers_no_longer_see_is_set_free_at_its_moment(self):
        statistic = make_statistic(slug="jobs")
        StatisticBlock.objects.create(parent=self.article, region="main", ordering=20, statistic=statistic)
        publish(self.article, by=None, reason="It is a test.")
        self.article.articles_statisticblock_set.all().delete()
        self.schedule()

        self.assertContains(self.read(self.now, "/statistics/jobs/"), "/articles/piece/")
        self.assertNotContains(self.read(self.moment, "/statistics/jobs/"), "/articles/piece/")
        self.assertFalse(self.article.statisticreference_set.exists())

    def test_it_comes_even_where_what_it_names_has_another_name_by_then(self):
        statistic = make_statistic(slug="jobs")
        StatisticBlock.objects.create(parent=self.article, region="main", ordering=20, statistic=statistic)
        self.schedule()

        Statistic.objects.filter(pk=statistic.pk).update(slug="posts")

        self.assertContains(self.read(self.moment, "/articles/"), "After")
        self.assertContains(self.read(self.moment, "/statistics/posts/"), "/articles/piece/")

    def test_a_page_costs_one_query_for_this_whatever_is_scheduled(self):
        def count():
            with CaptureQueriesContext(connection) as queries:
                self.client.get("/articles/piece/")
            return len(queries)

        # To read on.
        make_article()
        before = count()
        for number in range(5):
            later = make_article()
            edit(later)
            schedule.schedule(later, at=self.moment + number * HOUR, by=None)

        self.assertEqual(count(), before)

    def test_that_query_reads_an_index_and_not_every_article(self):
        self.assertIn("articles_article_next_at", plan_of(Article.objects.due().values_list("pk")))

    def test_a_scheduled_change_is_not_undone_by_a_publication_before_it(self):
        self.schedule()
        edit(self.article, "<p>In between</p>")

        with self.assertRaisesMessage(NotPublishableError, "A change of this article is scheduled for"):
            publish(self.article, by=None)
        with self.assertRaisesMessage(NotScheduledError, "Cancel it first"):
            schedule.schedule(self.article, at=self.moment, by=None)
        with self.at(self.moment):
            publish(self.article, by=None)
        self.assertEqual([version.title for version in self.article.versions.all()], ["After", "After", "Before"])
        self.assertContains(self.read(self.moment + HOUR), "In between")

    def test_a_cancelled_change_never_comes_and_stays_in_the_history(self):
        version = self.schedule()

        was = schedule.cancel(self.article, What.CHANGE, by=None)

        self.assertEqual(was, Coming(What.CHANGE, self.moment))
        self.assertContains(self.read(self.moment + HOUR), "Before")
        self.assertEqual(Cancellation.objects.get().version, version)
        self.assertIsNone(schedule.next_moment())

    def test_cancelling_sets_records_free_that_only_the_change_refers_to(self):
        statistic = make_statistic(slug="jobs")
        self.schedule(html='<p><data value="statistic:jobs"></data></p>')

        schedule.cancel(self.article, What.CHANGE, by=None)

        self.assertFalse(self.article.statisticreference_set.exists())
        self.assertTrue(statistic.pk)

    def test_a_moved_change_comes_at_its_new_moment_only(self):
        self.schedule()

        schedule.move(self.article, What.CHANGE, at=self.moment + HOUR, by=None)

        self.assertContains(self.read(self.moment), "<p>Before</p>")
        self.assertContains(self.read(self.moment + HOUR), "<p>After</p>")
        self.assertEqual(self.refresh().live_version.published_at, self.moment + HOUR)

    def test_what_lacks_something_or_has_errors_is_refused_as_in_publishing(self):
        edit(self.article, "<h3>Deep</h3>")
        with self.assertRaises(UnresolvedErrorsError):
            schedule.schedule(self.article, at=self.moment, by=None)
        edit(self.article, standfirst="")
        with self.assertRaises(NotPublishableError):
            schedule.schedule(self.article, at=self.moment, by=None)
        self.assertIsNone(self.refresh().next_at)

    def test_moments_that_are_past_or_too_far_and_changes_that_change_nothing_are_refused(self):
        for at in (self.now - HOUR, self.now + timedelta(days=366 * 6)):
            with self.assertRaises(NotScheduledError):
                schedule.schedule(self.article, at=at, by=None)
        with self.assertRaisesMessage(NotScheduledError, "there is no change to schedule"):
            schedule.schedule(self.article, at=self.moment, by=None)
        for what in What:
            with self.assertRaisesMessage(NotScheduledError, "This is no longer to come"):
                schedule.cancel(self.article, what, by=None)
            with self.assertRaisesMessage(NotScheduledError, "This is no longer to come"):
                schedule.move(self.article, what, at=self.moment, by=None)

    def test_the_database_refuses_half_a_change(self):
        for values in ({"next_at": self.moment}, {"next_version": self.article.live_version}):
            with self.assertRaises(IntegrityError), transaction.atomic():
                Article.objects.filter(pk=self.article.pk).update(**values)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Article.objects.filter(pk=make_draft().pk).update(withdrawn_at=self.moment)
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.article.authorreference_set.update(is_live=False)


class FirstPublicationTests(ScheduleTestCase):
    def test_a_draft_is_scheduled_moved_and_cancelled(self):
        draft = make_draft(slug="draft")
        schedule.schedule(draft, at=self.moment, by=None)

        self.assertEqual(self.read(self.moment - HOUR, "/articles/draft/").status_code, 404)
        self.assertEqual(self.read(self.moment, "/articles/draft/").status_code, 200)
        schedule.move(draft, What.PUBLICATION, at=self.moment + HOUR, by=None)
        self.assertEqual(self.read(self.moment, "/articles/draft/").status_code, 404)
        with self.assertRaisesMessage(NotScheduledError, "The publication is scheduled for"):
            schedule.schedule(draft, at=self.moment, by=None)
        schedule.cancel(draft, What.PUBLICATION, by=None)
        self.assertEqual(self.read(self.moment + HOUR, "/articles/draft/").status_code, 404)
        draft.refresh_from_db()
        self.assertIsNone(draft.live_version)

    def test_one_that_is_moved_to_an_earlier_day_was_not_changed_since(self):
        draft = make_draft(slug="draft")
        schedule.schedule(draft, at=self.moment + 72 * HOUR, by=None)

        schedule.move(draft, What.PUBLICATION, at=self.moment, by=None)

        self.assertNotContains(self.read(self.moment, "/articles/draft/"), "Last changed")
        with self.at(self.moment):
            self.assertEqual(
                [event.what for event in schedule.events(self.now, self.moment + 99 * HOUR)], ["Published"]
            )
        self.assertEqual(draft.versions.filter(cancellation=None).count(), 1)


class WaitingPublicationTests(ScheduleTestCase):
    def test_what_a_later_publication_replaces_before_its_moment_was_never_seen(self):
        draft = make_draft(title="First")
        first = schedule.schedule(draft, at=self.moment, by=None)
        edit(draft, title="Second")

        second = publish(draft, by=None)

        self.assertEqual((first.published_at, second.published_at), (self.moment, self.moment))
        self.assertEqual(Cancellation.objects.get().version, first)
        self.assertEqual([event.title for event in schedule.coming(9)], ["Second"])


class WithdrawalTests(ScheduleTestCase):
    def test_a_withdrawn_article_is_gone_from_its_moment_on_everywhere(self):
        schedule.withdraw(self.article, at=self.moment)

        self.assertContains(self.read(self.moment - HOUR), "Before")
        gone = self.read(self.moment)
        self.assertContains(gone, "This article was withdrawn", status_code=410)
        for path in ("/", "/articles/", "/topics/ai-jobs/", "/authors/ada-lovelace/"):
            self.assertNotContains(self.read(self.moment, path), "/articles/piece/")

    def test_it_can_be_cancelled_and_moved(self):
        schedule.withdraw(self.article, at=self.moment)
        with self.assertRaisesMessage(NotScheduledError, "The withdrawal is scheduled for"):
            schedule.withdraw(self.article, at=self.moment + HOUR)

        schedule.move(self.article, What.WITHDRAWAL, at=self.moment + HOUR, by=None)

        self.assertEqual(self.read(self.moment).status_code, 200)
        schedule.cancel(self.article, What.WITHDRAWAL, by=None)
        self.assertEqual(self.read(self.moment + HOUR).status_code, 200)

    def test_a_withdrawn_article_is_published_again(self):
        schedule.withdraw(self.article)
        self.assertEqual(self.client.get("/articles/piece/").status_code, 410)
        with self.assertRaisesMessage(NotScheduledError, "Readers do not see this article."):
            schedule.withdraw(self.article)

        publish(self.refresh(), by=None)

        self.assertEqual(self.client.get("/articles/piece/").status_code, 200)

    def test_a_withdrawn_article_comes_back_at_a_moment_and_is_gone_until_then(self):
        first = self.article.published_at
        schedule.withdraw(self.article)

        schedule.schedule(self.refresh(), at=self.moment, by=None)

        self.assertEqual(self.read(self.moment - HOUR).status_code, 410)
        self.assertEqual(self.read(self.moment).status_code, 200)
        self.assertEqual((self.refresh().published_at, self.article.withdrawn_at), (first, None))

    def test_it_stays_withdrawn_when_its_return_is_cancelled(self):
        schedule.withdraw(self.article)
        schedule.schedule(self.refresh(), at=self.moment, by=None)

        schedule.cancel(self.article, What.CHANGE, by=None)

        self.assertEqual(self.read(self.moment).status_code, 410)

    def test_a_change_comes_before_the_withdrawal_or_not_at_all(self):
        edit(self.article)
        schedule.withdraw(self.article, at=self.moment)
        refused = "A change can only come before the withdrawal"
        with self.assertRaisesMessage(NotScheduledError, refused):
            schedule.schedule(self.article, at=self.moment, by=None)
        schedule.schedule(self.article, at=self.moment - 2 * HOUR, by=None)
        with self.assertRaisesMessage(NotScheduledError, refused):
            schedule.move(self.article, What.CHANGE, at=self.moment + HOUR, by=None)
        with self.assertRaisesMessage(NotScheduledError, refused):
            schedule.move(self.article, What.WITHDRAWAL, at=self.moment - 3 * HOUR, by=None)

        self.assertEqual([each.what for each in schedule.coming_of(self.refresh())], ["change", "withdrawal"])
        self.assertEqual(self.article.versions.count(), 2)

    def test_a_change_that_no_page_was_asked_for_before_the_withdrawal_does_not_undo_it(self):
        edit(self.article)
        schedule.schedule(self.article, at=self.moment, by=None)
        schedule.withdraw(self.article, at=self.moment + HOUR)

        self.assertEqual(self.read(self.moment + 2 * HOUR).status_code, 410)
        self.assertIsNone(self.refresh().next_at)


class NextMomentTests(ScheduleTestCase):
    def test_it_is_the_first_of_all_that_comes(self):
        self.assertIsNone(schedule.next_moment())
        schedule.withdraw(self.article, at=self.moment)
        self.assertEqual(schedule.next_moment(), self.moment)
        changing = make_article()
        edit(changing)
        schedule.schedule(changing, at=self.moment - HOUR, by=None)
        self.assertEqual(schedule.next_moment(), self.moment - HOUR)
        schedule.schedule(make_draft(), at=self.moment - 2 * HOUR, by=None)
        self.assertEqual(schedule.next_moment(), self.moment - 2 * HOUR)

        self.assertEqual([event.what for event in schedule.coming(9)], ["Published", "Changed", "Withdrawn"])
        with self.at(self.moment):
            self.assertEqual(schedule.next_moment(), self.moment - HOUR, "The change is not made yet.")
            schedule.settle()
            self.assertIsNone(schedule.next_moment())
            self.assertEqual(schedule.coming(9), [])
