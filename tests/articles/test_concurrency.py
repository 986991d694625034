"""Two people at one figure, each with a connection of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections
from django.test import Client

from articles.models import Statistic, StatisticValue
from articles.models.sourced import SupersededFigureError
from tests.articles.test_admin_figures import figure_data
from tests.committed import CommittedTestCase
from tests.factories import make_statistic, make_user

PEOPLE = 4


class ConcurrencyTests(CommittedTestCase):
    def at_once(self, act):
        """What `act` gives to each of several people who start at the same moment."""
        barrier = Barrier(PEOPLE)

        def run(number):
            try:
                barrier.wait()
                return act(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(PEOPLE) as pool:
            return list(pool.map(run, range(PEOPLE)))

    def test_of_several_successors_at_once_one_is_published_and_the_others_are_told(self):
        value = make_statistic("97M").current

        def publish(number):
            try:
                return value.publish_successor(value=number, display_text=str(number), why="update")
            except SupersededFigureError:
                return None

        published = [figure for figure in self.at_once(publish) if figure]

        self.assertEqual(len(published), 1)
        self.assertEqual(StatisticValue.objects.current().get(), published[0])
        self.assertEqual(StatisticValue.objects.count(), 2)

    def test_of_several_editors_at_one_form_one_wins_and_the_others_keep_what_they_typed(self):
        value = make_statistic("97M").current
        clients = [Client() for _ in range(PEOPLE)]
        for client in clients:
            client.force_login(make_user("Editor"))

        def save(number):
            data = figure_data(value=str(number), display_text=str(number))
            return clients[number].post(f"/admin/articles/statisticvalue/{value.pk}/change/", data)

        answers = self.at_once(save)

        self.assertEqual(sorted(answer.status_code for answer in answers), [200] * (PEOPLE - 1) + [302])
        for number, answer in enumerate(answers):
            if answer.status_code == 200:
                self.assertContains(answer, "A newer figure was published in the meantime.")
                self.assertContains(answer, f'name="display_text" value="{number}"')
        self.assertEqual(StatisticValue.objects.count(), 2)

    def test_of_several_first_figures_one_is_published(self):
        statistic = Statistic.objects.create(slug="new", claim="x", unit="x")
        clients = [Client() for _ in range(PEOPLE)]
        for client in clients:
            client.force_login(make_user("Editor"))

        def save(number):
            data = figure_data(value=str(number), display_text=str(number), why="new", statistic=statistic.pk)
            return clients[number].post("/admin/articles/statisticvalue/add/", data)

        answers = self.at_once(save)

        self.assertEqual(sorted(answer.status_code for answer in answers), [200] * (PEOPLE - 1) + [302])
        self.assertEqual(statistic.values.count(), 1)
        refused = next(answer for answer in answers if answer.status_code == 200)
        self.assertContains(refused, "This statistic has a current value already")
