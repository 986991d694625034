"""The front page of the admin."""

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from articles.models import WorkingCopy
from articles.publishing import publish
from newsletter.models import ConsentEvent, Subscriber
from tests.articles.article_forms import changed
from tests.articles.test_admin_links import make_link
from tests.factories import make_article, make_draft, make_source, make_statistic, make_user


def part(response, name):
    """The words of a part of the page."""
    text = response.text
    start = text.index(f'id="front-{name}"')
    return text[start : text.index("</section>", start)]


class DeskTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Chief editor", first_name="Ada", last_name="King")

    def setUp(self):
        self.client.force_login(self.editor)

    def get(self):
        return self.client.get("/admin/")

    def save(self, article, **values):
        self.client.post(f"/admin/articles/article/{article.pk}/change/", changed(article, "<p>New</p>", **values))

    def test_it_names_the_drafts_that_one_has_saved_and_readers_do_not_see(self):
        mine, live, of_others, finished = make_draft(title="Mine"), make_article(), make_draft(), make_article()
        for article in (mine, live, finished):
            self.save(article, title=f"{article.title}, saved", _continue="1")
        finished.refresh_from_db()
        publish(finished, by=self.editor)

        drafts = part(self.get(), "drafts")

        self.assertIn("Mine, saved", drafts)
        self.assertIn(f"{live.title}, saved</a>", drafts)
        self.assertIn("live in an earlier version", drafts)
        self.assertNotIn(of_others.title, drafts)
        self.assertNotIn(finished.title, drafts)

    def test_it_names_what_one_has_typed_and_not_saved(self):
        article, now = make_draft(), timezone.now()
        copies = [
            (self.editor, "Typed by me", article),
            (self.editor, "A new one", None),
            (make_user(), "By others", None),
        ]
        for number, (user, title, about) in enumerate(copies):
            WorkingCopy.objects.create(
                article=about, user=user, window=f"{number:032}", fields=[["title", title]], typed_at=now, seen_at=now
            )

        drafts = part(self.get(), "drafts")

        self.assertIn(f'href="/admin/articles/article/{article.pk}/change/?copy={0:032}"', drafts)
        self.assertIn(f'href="/admin/articles/article/add/?copy={1:032}"', drafts)
        self.assertIn("Typed by me", drafts)
        self.assertNotIn("By others", drafts)

    def test_it_names_what_is_scheduled_and_what_was_published_by_whom(self):
        coming = make_draft(title="Coming", published_at=timezone.now() + timedelta(days=2))
        publish(coming, by=self.editor)
        publish(make_draft(title="Live now"), by=self.editor, note="At last")

        page = self.get()

        self.assertIn("Coming", part(page, "scheduled"))
        self.assertNotIn("Coming", part(page, "published"))
        self.assertIn("Live now", part(page, "published"))
        self.assertIn("by Ada King: At last", part(page, "published"))

    def test_it_counts_and_names_figures_to_review_and_broken_links(self):
        make_statistic("97M", claim="jobs are new")
        link = make_link("https://broken.example/", failures=2, problem="Its page is gone (410).")
        link.articles.add(make_article(title="Holds it"))
        make_link("https://fine.example/")

        page = self.get()

        self.assertIn("1 error,", part(page, "review"))
        self.assertIn("97M", part(page, "review"))
        for text in ("https://broken.example/", "Its page is gone (410).", "Holds it", "?state=broken"):
            self.assertIn(text, part(page, "links"))
        self.assertNotIn("fine.example", part(page, "links"))

    def test_it_counts_who_joined_and_who_left_in_a_week(self):
        now, kind = timezone.now(), ConsentEvent.Kind
        events = [(kind.CONFIRMED, 1), (kind.CONFIRMED, 6), (kind.CONFIRMED, 8), (kind.LEFT, 2), (kind.BOUNCED, 3)]
        for number, (what, days) in enumerate([*events, (kind.ASKED, 1), (kind.LEFT, 15)]):
            subscriber = Subscriber.objects.create(email=f"{number}@example.com", email_key=f"{number}@example.com")
            moment = now - timedelta(days=days)
            ConsentEvent.objects.create(subscriber=subscriber, kind=what, created_at=moment, wording="Yes")

        words = " ".join(part(self.get(), "subscribers").split())

        self.assertIn("+2", words)
        self.assertIn("2 left. The week before, 1 joined and 0 left.", words)

    def test_it_costs_as_many_queries_for_much_as_for_little(self):
        def fill(number):
            for place in range(number):
                article = make_article(statistics=[make_statistic(source=make_source())])
                self.save(article, title=f"Title {number} {place}", _continue="1")
                make_link(f"https://{number}-{place}.example/", failures=2, problem="Gone.").articles.add(article)
            with self.assertNumQueries(38):
                self.get()

        fill(1)
        fill(12)

    def test_each_sees_what_they_may(self):
        make_link("https://broken.example/", failures=2, problem="Gone.")
        parts = {
            "Author": {"drafts", "scheduled", "published", "links"},
            "Editor": {"drafts", "scheduled", "published", "links", "review", "subscribers"},
            None: set(),
        }
        for group, wanted in parts.items():
            with self.subTest(group):
                self.client.force_login(make_user(group))
                text = self.get().text
                shown = {name for name in parts["Editor"] if f'id="front-{name}"' in text}
                self.assertEqual(shown, wanted)

    def test_it_is_closed_to_those_who_have_not_signed_in(self):
        self.client.logout()

        self.assertEqual(self.get().status_code, 302)
