from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.migrations.state import ProjectState
from django.test import SimpleTestCase

from tests.migrations import IN_ITS_OWN_TIME, MIXED, NO_DEFAULT, TWO_STEPS, VALIDATED_LATER, problems, problems_of
from veltrix.postgresql.indexes import AddIndexWhileInUse

CREATED = migrations.CreateModel(
    "Thing", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=10, null=True))]
)
INDEX = models.Index(fields=["name"], name="thing_by_name")
CHECK = models.CheckConstraint(condition=models.Q(name__gt=""), name="thing_has_a_name")


class MigrationTests(SimpleTestCase):
    def test_no_migration_of_this_site_stops_it(self):
        self.assertEqual(problems(), [])


class ProblemTests(SimpleTestCase):
    def problems_of(self, *operations, atomic=True):
        state = ProjectState()
        CREATED.state_forwards("things", state)
        migration = migrations.Migration("0002", "things")
        migration.operations, migration.atomic = list(operations), atomic
        return problems_of(migration, state)

    def assert_one(self, expected, *operations):
        found = self.problems_of(*operations)
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_what_locks_a_table_or_breaks_a_release_is_found(self):
        for expected, operation in [
            (NO_DEFAULT, migrations.AddField("thing", "size", models.IntegerField(default=0))),
            (TWO_STEPS, migrations.RemoveField("thing", "name")),
            (TWO_STEPS, migrations.RenameField("thing", "name", "title")),
            (TWO_STEPS, migrations.DeleteModel("thing")),
            (TWO_STEPS, migrations.AlterModelTable("thing", "another")),
            ("written anew", migrations.AlterField("thing", "name", models.IntegerField(null=True))),
            (IN_ITS_OWN_TIME, migrations.AddIndex("thing", INDEX)),
            (IN_ITS_OWN_TIME, migrations.AddConstraint("thing", models.UniqueConstraint(fields=["name"], name="u"))),
            (VALIDATED_LATER, migrations.AddConstraint("thing", CHECK)),
        ]:
            with self.subTest(operation.describe()):
                self.assert_one(expected, operation)

    def test_a_column_that_may_no_longer_be_null_is_found(self):
        field = models.CharField(max_length=10, default="")

        found = self.problems_of(migrations.AlterField("thing", "name", field))

        self.assertTrue(any("SET NOT NULL" in problem for problem in found), found)

    def test_data_and_schema_in_one_transaction_are_found(self):
        add = migrations.AddField("thing", "size", models.IntegerField(null=True))

        self.assert_one(MIXED, add, migrations.RunPython(migrations.RunPython.noop))

    def test_the_ways_that_the_messages_name_are_free_of_it(self):
        for operation, atomic in [
            (migrations.AddField("thing", "size", models.IntegerField(null=True)), True),
            (migrations.AddField("thing", "size", models.IntegerField(db_default=0)), True),
            (AddIndexConcurrently("thing", INDEX), False),
            (AddIndexWhileInUse("thing", INDEX), False),
            (AddConstraintNotValid("thing", CHECK), True),
            (migrations.RunPython(migrations.RunPython.noop), True),
        ]:
            with self.subTest(operation.describe()):
                self.assertEqual(self.problems_of(operation, atomic=atomic), [])
        self.assertEqual(
            self.problems_of(AddConstraintNotValid("thing", CHECK), ValidateConstraint("thing", CHECK.name)), []
        )

    def test_a_table_that_is_new_may_have_what_it_likes(self):
        made = migrations.CreateModel(
            "Other", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
        )

        self.assertEqual(
            self.problems_of(made, migrations.AddIndex("other", models.Index(fields=["name"], name="other_by_name"))),
            [],
        )
