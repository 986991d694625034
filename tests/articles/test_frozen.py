from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.utils import timezone

from articles import frozen
from articles.models import StatisticValue
from tests.factories import make_article, make_markets, make_role, make_salary, make_statistic


def execute(statement, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


class FrozenRowsTests(TestCase):
    """What the database itself refuses, to whoever holds a connection."""

    @classmethod
    def setUpTestData(cls):
        cls.value = make_statistic("97M").current
        cls.salary = make_salary(make_role(), make_markets()["GB"], low=50_000, high=90_000)
        cls.version = make_article().live_version

    def test_a_published_row_is_not_altered(self):
        statements = [
            ("UPDATE articles_statisticvalue SET display_text = '98M' WHERE id = %s", self.value.pk),
            ("UPDATE articles_statisticvalue SET published_at = NULL WHERE id = %s", self.value.pk),
            ("UPDATE articles_statisticvalue SET id = id + 1000 WHERE id = %s", self.value.pk),
            ("UPDATE careers_salaryrange SET high = 1000000 WHERE id = %s", self.salary.pk),
            ("UPDATE articles_articleversion SET title = 'Other' WHERE id = %s", self.version.pk),
        ]
        for statement, pk in statements:
            with self.subTest(statement), self.assertRaises(IntegrityError):
                execute(statement, pk)

    def test_a_published_row_is_not_deleted(self):
        rows = [("articles_statisticvalue", self.value), ("careers_salaryrange", self.salary)]
        for table, row in [*rows, ("articles_articleversion", self.version)]:
            with self.subTest(table), self.assertRaises(IntegrityError):
                execute(f"DELETE FROM {table} WHERE id = %s", row.pk)  # noqa: S608

    def test_a_published_row_is_superseded_once_by_a_successor_and_with_nothing_else_changed(self):
        now = timezone.now()
        both = "UPDATE articles_statisticvalue SET superseded_at = %s, display_text = '98M' WHERE id = %s"
        once = "UPDATE articles_statisticvalue SET superseded_at = %s WHERE id = %s"

        with self.assertRaises(IntegrityError):
            execute(once, now, self.value.pk)
        StatisticValue.objects.create(
            statistic=self.value.statistic, value=1, display_text="1", supersedes=self.value, why="update"
        )
        with self.assertRaises(IntegrityError):
            execute(both, now, self.value.pk)
        execute(once, now, self.value.pk)
        for again in (now, None):
            with self.assertRaises(IntegrityError):
                execute(once, again, self.value.pk)

        self.assertEqual(StatisticValue.objects.get(pk=self.value.pk).display_text, "97M")

    def test_a_row_that_was_never_published_may_change_and_go(self):
        draft = StatisticValue.objects.create(statistic=self.value.statistic, value=1, display_text="1")

        execute("UPDATE articles_statisticvalue SET display_text = '2' WHERE id = %s", draft.pk)
        execute("DELETE FROM articles_statisticvalue WHERE id = %s", draft.pk)

        self.assertEqual(StatisticValue.objects.get(), self.value)

    def test_no_row_is_put_in_the_place_of_a_published_one(self):
        columns = ", ".join(f.column for f in StatisticValue._meta.concrete_fields)
        copied = columns.replace("id, ", f"{self.value.pk + 1}, ", 1)
        # By its id, and by what no two current figures may have in common, for which the connection is set up.
        replace = "INSERT OR REPLACE INTO articles_statisticvalue SELECT {} FROM articles_statisticvalue"
        statements = [replace.format(columns), replace.format(copied)]
        if connection.vendor == "postgresql":
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            statements = ["TRUNCATE articles_statisticvalue CASCADE"]
        for statement in statements:
            with self.subTest(statement), self.assertRaises(IntegrityError):
                execute(statement)

        self.assertEqual(StatisticValue.objects.get(), self.value)

    def test_every_kind_of_figure_is_guarded_and_so_are_versions(self):
        guarded = {model._meta.label for model in frozen.guarded_models()}

        figures = {"articles.StatisticValue", "careers.SalaryRange"}
        self.assertEqual(
            guarded, {*figures, "articles.ArticleVersion", "newsletter.EditionContent", "veltrix.AuditEntry"}
        )

    def test_a_migration_may_drop_a_column_and_the_triggers_come_back(self):
        config = apps.get_app_config("articles")
        field = StatisticValue._meta.get_field("locator")
        frozen.take_off(app_config=config, using="default", plan=[])
        with self.assertRaises(IntegrityError):
            execute("UPDATE articles_statisticvalue SET display_text = '98M' WHERE id = %s", self.value.pk)

        frozen.take_off(app_config=config, using="default", plan=["a migration"])
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE articles_statisticvalue DROP COLUMN {field.column}")
            cursor.execute(f"ALTER TABLE articles_statisticvalue ADD COLUMN {field.column} varchar(120) DEFAULT ''")
        frozen.install(app_config=config, using="default")

        with self.assertRaises(IntegrityError):
            execute("UPDATE articles_statisticvalue SET display_text = '98M' WHERE id = %s", self.value.pk)

    def test_a_migration_that_rebuilds_a_table_gets_its_triggers_back(self):
        frozen.unguard(connection, StatisticValue)
        execute("UPDATE articles_statisticvalue SET display_text = '98M' WHERE id = %s", self.value.pk)

        frozen.install(app_config=apps.get_app_config("articles"), using="default")

        with self.assertRaises(IntegrityError):
            execute("UPDATE articles_statisticvalue SET display_text = '99M' WHERE id = %s", self.value.pk)
