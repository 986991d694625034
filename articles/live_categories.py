"""Triggers that keep `Article.live_category` the category of the live version, whoever writes to the database.

They are made anew after every migration, and rows from before are put right then. A row that is inserted keeps what it
says: nothing is live before it has a version, and a restored one knows its category. Version rows never change.
"""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# One statement each, in the order in which they are run. PostgreSQL changes the row on its way, SQLite after it.
_TRIGGERS = {
    "postgresql": [
        """
        CREATE OR REPLACE FUNCTION articles_article_live_category() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.live_category_id := (SELECT category_id FROM articles_articleversion WHERE id = NEW.live_version_id);
            RETURN NEW;
        END $$
        """,
        """
        CREATE OR REPLACE TRIGGER articles_article_live_category BEFORE UPDATE OF live_version_id ON articles_article
        FOR EACH ROW EXECUTE FUNCTION articles_article_live_category()
        """,
    ],
    "sqlite": [
        """
        CREATE TRIGGER IF NOT EXISTS articles_article_live_category AFTER UPDATE OF live_version_id ON articles_article
        FOR EACH ROW BEGIN
            UPDATE articles_article
            SET live_category_id = (SELECT category_id FROM articles_articleversion WHERE id = NEW.live_version_id)
            WHERE id = NEW.id;
        END
        """,
    ],
}
_FILL = """
    UPDATE articles_article
    SET live_category_id = (SELECT category_id FROM articles_articleversion WHERE id = live_version_id)
    WHERE live_category_id IS NULL AND live_version_id IS NOT NULL
"""


def install(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the trigger and fill what is empty: a receiver of `post_migrate`, idempotent."""
    connection = connections[using]
    if _has_column(connection):
        with connection.cursor() as cursor:
            for statement in [*_TRIGGERS[connection.vendor], _FILL]:
                cursor.execute(statement)


def take_off(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Take the trigger off SQLite, which drops no column that one names: a receiver of `pre_migrate`."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS articles_article_live_category")


def _has_column(connection: BaseDatabaseWrapper) -> bool:
    """Whether the migrations have come to it; some run to an earlier state."""
    with connection.cursor() as cursor:
        if "articles_article" not in connection.introspection.table_names(cursor):
            return False
        columns = connection.introspection.get_table_description(cursor, "articles_article")
    return any(column.name == "live_category_id" for column in columns)
