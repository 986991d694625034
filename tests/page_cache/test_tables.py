"""No page that is kept shows a row of which the page cache is not told: asked of every kept view, by its statements."""

import re

from django.db import connection
from django.test import TestCase

from veltrix.page_cache import content

from .every_page import fill, kept_paths, with_every_page

# The moments of the desk’s log: an entry is written in the transaction of the change that it tells of, which is seen.
WITH_WHAT_IS_SEEN = {"django_admin_log", "django_content_type"}


@with_every_page
class TablesTests(TestCase):
    def test_no_page_that_is_kept_reads_a_table_whose_changes_nobody_sees(self):
        fill()
        unseen = content.watch.unseen_tables - WITH_WHAT_IS_SEEN

        found = {path: tables for path in kept_paths(self.client) if (tables := self.tables_of(path) & unseen)}

        self.assertEqual(found, {})

    def tables_of(self, path):
        """Every word of the statements that a page asks the database."""
        words = set()

        def listen(execute, sql, params, many, context):
            words.update(re.findall(r"\w+", sql))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(listen):
            self.assertEqual(self.client.get(path).status_code, 200, path)
        return words
