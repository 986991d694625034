from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from articles.models import Article, Category, RichText, WorkingCopy
from careers.models import Role, Skill, SkillAlias
from newsletter import upkeep
from newsletter.models import Delivery, Edition, Subscriber
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_category, make_draft, make_role, make_skill, make_user, publish_as_is
from tests.newsletter.lists import make_part, make_sent
from tests.page_cache.support import front
from veltrix.models import Act, AuditEntry, ContentChange
from veltrix.page_cache import content
from veltrix.page_cache.stores import UnavailableError


class Away:
    """A store that nobody can reach."""

    def __init__(self):
        self.asked = 0

    def renew(self):
        self.asked += 1
        raise UnavailableError


class ChangesTests(CommittedTestCase):
    def setUp(self):
        context = front()
        self.store = context.__enter__().store
        self.addCleanup(context.__exit__, None, None, None)

    @contextmanager
    def begins(self, generations):
        """The block begins so many generations, and leaves no change untold."""
        seen, renew = [], self.store.renew
        self.store.renew = lambda: (seen.append(1), renew())
        before = self.store.generation()
        yield
        self.store.renew = renew
        self.assertEqual(len(seen), generations)
        self.assertEqual(self.store.generation() != before, generations > 0)
        self.assertEqual(ContentChange.objects.count(), 0)

    def test_whichever_way_a_row_is_written_it_is_seen(self):
        role, skill = make_role(), make_skill()
        ways = [
            lambda: make_category("Another"),
            lambda: role.save(),
            lambda: Role.objects.update(name=F("name")),
            lambda: Skill.objects.bulk_create([Skill(slug=slug, name=slug, kind="data") for slug in "ab"]),
            lambda: Skill.objects.bulk_update([skill], ["name"]),
            lambda: Skill.objects.get_or_create(slug="c", defaults={"name": "c", "kind": "data"}),
            lambda: SkillAlias.objects.create(skill=skill, alias="py"),
            lambda: SkillAlias.objects.all().delete(),
            lambda: connection.cursor().execute("UPDATE careers_role SET name = 'x'"),
            lambda: connection.cursor().execute("  delete from careers_skill where slug = 'a'"),
            lambda: role.delete(),
        ]
        for number, way in enumerate(ways):
            with self.subTest(number), self.begins(1):
                way()

    def test_statements_that_hold_several_writes_are_read_whole(self):
        seen, unseen = 'UPDATE "careers_role" SET "name" = 1', 'DELETE FROM "newsletter_delivery" WHERE true'
        for sql, is_change in {
            f"WITH gone AS ({unseen} RETURNING id) {seen}": True,
            f"WITH gone AS ({seen} RETURNING id) {unseen}": True,
            f"WITH gone AS ({unseen} RETURNING id) SELECT * FROM gone": False,  # noqa: S608
            'TRUNCATE "auth_user", "articles_article"': True,
            "SAVEPOINT s1": False,
            f"/* a remark */ {seen}": True,
        }.items():
            with self.subTest(sql):
                self.assertEqual(content.watch.is_change(sql), is_change)

    def test_pages_can_be_forgotten_by_hand(self):
        before = self.store.generation()
        call_command("forget_pages", stdout=StringIO())

        self.assertNotEqual(self.store.generation(), before)

    def test_a_row_that_was_written_outside_a_transaction_is_given_back_whole(self):
        category = Category.objects.create(slug="one", name="One")

        self.assertEqual(Category.objects.get(slug="one").pk, category.pk)

    def test_a_transaction_begins_one_generation_when_it_is_committed(self):
        with self.begins(1), transaction.atomic():
            before = self.store.generation()
            make_role()
            with transaction.atomic():
                make_skill()
            Role.objects.update(name="x")
            self.assertEqual(self.store.generation(), before)

    def test_what_is_rolled_back_begins_none(self):
        with self.begins(0), self.assertRaises(ZeroDivisionError), transaction.atomic():
            make_role()
            raise ZeroDivisionError

    def test_what_follows_a_part_that_was_rolled_back_is_seen(self):
        with self.begins(1), transaction.atomic():
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                make_role()
                raise ZeroDivisionError
            make_skill()

    def test_a_statement_that_fails_begins_none_that_matters(self):
        make_category("One")
        with self.assertRaises(IntegrityError):
            Category.objects.create(slug="one", name="One")

        self.assertEqual(ContentChange.objects.count(), 0)

    def test_what_no_reader_sees_begins_none(self):
        article = make_draft()
        user = make_user()
        with self.begins(0):
            RichText.objects.update(html="<p>Other words.</p>")
            WorkingCopy.objects.all().delete()
            user.save()
            AuditEntry.objects.create(act=Act.SIGN_IN)
            Subscriber.objects.update(email=F("email"))
            Delivery.objects.all().delete()
        self.assertEqual(Article.objects.get(pk=article.pk), article)

    def test_a_draft_that_is_saved_begins_none_until_it_is_published(self):
        article = make_article(title="As it was")
        article.title = "Another"
        with self.begins(0):
            article.save(update_fields=["title", "category", "changed_at"])
        with self.begins(1):
            publish_as_is(article)
        for fields in (["slug"], ["title", "number"], None):
            with self.subTest(fields), self.begins(1):
                article.save(update_fields=fields)
        with self.begins(1):
            Article.objects.bulk_update([article], ["title"])

    def test_a_statement_that_hits_no_row_begins_none(self):
        with self.begins(0):
            Role.objects.filter(pk=0).update(name="x")
            Role.objects.all().delete()

    def test_an_edition_is_seen_when_it_begins_to_be_sent_and_no_more(self):
        edition = make_sent(make_part())
        with self.begins(1):
            Edition.objects.filter(pk=edition.pk).update(started_at=timezone.now())
        with self.begins(0):
            Edition.objects.filter(pk=edition.pk).update(state=Edition.State.SENT, finished_at=timezone.now())

    def test_a_worker_with_nothing_to_do_begins_none(self):
        make_sent(make_part())
        make_article()
        with self.begins(0):
            upkeep.tick()
            content.settle()

    def test_a_cursor_goes_on_after_it_has_written_what_readers_see(self):
        """On SQLite its rows are read before the statement is over."""
        with connection.cursor() as cursor:
            insert = "INSERT INTO careers_careerpath (slug, name, \"order\", summary) VALUES (%s, %s, 1, '')"
            for slug in "abc":
                cursor.execute(f"{insert} RETURNING slug", [slug, slug])
                self.assertEqual(cursor.fetchone(), (slug,))
            cursor.execute(f"{insert} RETURNING slug", ["d", "d"])
            self.assertEqual(list(cursor), [("d",)])
            cursor.execute("UPDATE careers_careerpath SET summary = 'x'")
            cursor.execute("SELECT slug FROM careers_careerpath ORDER BY slug")
            self.assertEqual(cursor.fetchmany(2), [("a",), ("b",)])
            self.assertEqual(cursor.fetchall(), [("c",), ("d",)])

    def test_every_table_is_known_to_be_seen_or_not(self):
        """A new table counts as seen; whoever adds one says here which it is."""
        tables = {kind._meta.db_table for kind in apps.get_models(include_auto_created=True)}
        self.assertEqual(sorted(tables - content.watch.unseen_tables), SEEN)


class LeftTests(CommittedTestCase):
    """Changes that were committed by a process that could not tell the store."""

    def test_a_change_waits_until_the_store_can_be_told(self):
        away = Away()
        with front(away):
            make_category()
            self.assertEqual((away.asked, ContentChange.objects.count()), (1, 1))
            content.settle()
            self.assertEqual(away.asked, 1)

            ContentChange.objects.update(made_at=timezone.now() - timedelta(minutes=1))
            content.settle()
            self.assertEqual((away.asked, ContentChange.objects.count()), (2, 1))
        with front() as there:
            before = there.store.generation()
            content.settle()

            self.assertNotEqual(there.store.generation(), before)
            self.assertEqual(ContentChange.objects.count(), 0)
            content.settle()

    def test_migrations_are_not_watched_and_begin_a_generation(self):
        with front() as there:
            before = there.store.generation()
            call_command("migrate", verbosity=0)

            self.assertNotEqual(there.store.generation(), before)
            self.assertTrue(content.watch.is_on)

    def test_an_article_is_published_while_the_store_is_away(self):
        with front(Away()):
            self.assertTrue(make_article().is_public)


SEEN = [
    "articles_article",
    "articles_articleversion",
    "articles_author",
    "articles_authorreference",
    "articles_cancellation",
    "articles_category",
    "articles_redirect",
    "articles_series",
    "articles_source",
    "articles_statistic",
    "articles_statisticreference",
    "articles_statisticvalue",
    "careers_careerpath",
    "careers_careerpathreference",
    "careers_comparisontable",
    "careers_comparisontablereference",
    "careers_comparisontablerow",
    "careers_market",
    "careers_requirement",
    "careers_requirement_skills",
    "careers_role",
    "careers_rolecode",
    "careers_rolereference",
    "careers_rolerelation",
    "careers_salaryrange",
    "careers_skill",
    "careers_skillalias",
    "newsletter_edition",
    "newsletter_editioncontent",
]
