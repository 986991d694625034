"""A server that is killed while it publishes leaves the old version live, or the new one; never less, never both."""

import os
import signal

from django.db import connection, connections
from django.test import Client

from articles.models import RichText
from articles.models.versions import StatisticReference
from tests.articles.article_forms import changed
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_source, make_statistic, make_user

OLD, NEW = "The text as it was.", "The text as it is now."


class KilledTests(CommittedTestCase):
    def setUp(self):
        statistic = make_statistic(slug="jobs", source=make_source())
        self.article = make_article(html=f"<p>{OLD}</p>")
        self.data = changed(
            self.article, f'<p>{NEW} <data value="statistic:{statistic.slug}"></data></p>', _publish="1"
        )
        self.client.force_login(make_user("Chief editor"))
        self.url = f"/admin/articles/article/{self.article.pk}/change/"

    def publish_and_die_at(self, number):
        """Let a process publish that is killed before its statement of this number; whether it lived to its end."""
        cookies = self.client.cookies
        # A connection that two processes share would be closed for both.
        connections.close_all()
        if (child := os.fork()) == 0:
            die_at(number)
            client = Client()
            client.cookies = cookies
            status = client.post(self.url, self.data).status_code
            os._exit(0 if status == 302 else 1)
        _, status = os.waitpid(child, 0)
        self.assertIn(status, {0, signal.SIGKILL})
        return status == 0

    def is_new(self):
        """Whether page, draft, versions and references are all new; they are all old otherwise."""
        page = Client().get(self.article.get_absolute_url()).text
        (block,), references = RichText.objects.all(), StatisticReference.objects.count()
        found = [OLD in page, NEW in page, NEW in block.html, self.article.versions.count(), references]
        self.assertIn(found, [[True, False, False, 1, 0], [False, True, True, 2, 1]])
        return NEW in page

    def test_a_kill_at_any_statement_leaves_the_old_version_or_the_new_one(self):
        kills = 0
        while not self.is_new():
            self.publish_and_die_at(kills)
            kills += 1

        # The request goes on after its transaction, but everything in it came at once.
        self.assertGreater(kills, 50)
        self.assertFalse(self.publish_and_die_at(0))
        self.assertTrue(self.is_new())


def die_at(number):
    """Kill this process before its statement of this number."""
    remaining = [number]

    def count(execute, *arguments):
        if remaining[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        remaining[0] -= 1
        return execute(*arguments)

    connection.execute_wrappers.append(count)
