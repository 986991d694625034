from io import StringIO

import time_machine
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import ReviewMark, StatisticValue
from articles.publishing import publish
from articles.review import collect
from tests.factories import (
    add_role_table,
    make_draft,
    make_markets,
    make_path,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    make_table,
    make_user,
)

URL = "/admin/review/"


def make_unsourced(text="42%"):
    """A figure of one error, no source, and of no other finding; its key in the queue comes with it."""
    value = make_statistic(text, as_of="2026", check_status="confirmed").current
    return value, f"no-source articles.statisticvalue:{value.pk}"


def make_reader_of_the_queue(**values):
    """Somebody who may see the queue and change nothing."""
    user = make_user(**values)
    user.user_permissions.add(Permission.objects.get(codename="view_reviewmark"))
    return user


def mark_of(key):
    rule, subject = key.split()
    return ReviewMark.objects.filter(rule=rule, subject=subject).first()


@time_machine.travel("2026-11-24T12:00:00Z", tick=False)
class AccessTests(TestCase):
    def test_only_people_of_the_desk_who_keep_figures_may_open_it(self):
        visitors = [
            (None, 302),
            (make_user(is_staff=False), 302),
            (make_user(), 403),
            (make_user("Author"), 403),
            (make_user("Editor"), 200),
            (make_user("Chief editor"), 200),
            (make_user("Administrator"), 200),
            (make_reader_of_the_queue(), 200),
        ]
        for user, status in visitors:
            with self.subTest(user and list(user.groups.all())):
                self.client.logout()
                if user:
                    self.client.force_login(user)

                response = self.client.get(URL)

                self.assertEqual(response.status_code, status)
                if status == 302:
                    self.assertIn("/admin/login/", response.headers["Location"])
                self.assertIn(self.client.get(URL.rstrip("/")).status_code, {301, 302})

    def test_only_those_who_may_change_marks_do(self):
        _, key = make_unsourced()
        for user, status in [(make_user("Author"), 403), (make_reader_of_the_queue(), 403), (make_user("Editor"), 302)]:
            with self.subTest(user.groups.first()):
                self.client.force_login(user)

                response = self.client.post(URL, {"act": "take", "finding": key})

                self.assertEqual(response.status_code, status)
                self.assertEqual(mark_of(key) is not None, status == 302)

    def test_whoever_may_only_look_is_offered_nothing_else(self):
        make_unsourced()
        self.client.force_login(make_reader_of_the_queue())

        response = self.client.get(URL)

        self.assertContains(response, "It names no source.")
        self.assertNotContains(response, "Take it")
        self.assertNotContains(response, 'id="acts"')
        self.assertNotContains(response, "/admin/articles/statisticvalue/")

    def test_a_forged_form_and_other_methods_are_refused(self):
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user("Editor"))

        self.assertEqual(client.post(URL, {"act": "take"}).status_code, 403)
        self.client.force_login(make_user("Editor"))
        self.assertEqual(self.client.put(URL).status_code, 405)


@time_machine.travel("2026-11-24T12:00:00Z", tick=False)
class QueueTests(TestCase):
    def setUp(self):
        self.editor = make_user("Editor", username="editor", first_name="Ada", last_name="Lovelace")
        self.client.force_login(self.editor)

    def test_findings_stand_under_their_rules_errors_first(self):
        value, _ = make_unsourced("97M")
        make_statistic("12%", source=make_source(url="https://x.test/"), as_of="2026")

        response = self.client.get(URL)

        self.assertEqual([g["rule"].key for g in response.context["groups"]], ["no-source", "not-confirmed"])
        self.assertContains(response, "1 error, 1 warning, none assigned to you.")
        self.assertContains(response, f'href="/admin/articles/statisticvalue/{value.pk}/change/"')

    def test_it_leads_to_the_readers_page_where_there_is_one(self):
        make_role("Analyst", pay={"GB": (1, 2)})

        self.assertContains(self.client.get(URL), 'href="/careers/analyst/#pay-gb"')

    def test_an_orderly_site_has_nothing_to_review(self):
        self.assertContains(self.client.get(URL), "Every figure is in order.")

    def test_filters_narrow_it(self):
        _, key = make_unsourced("97M")
        _, other = make_unsourced("98M")
        make_statistic("12%", source=make_source(url="https://x.test/"), as_of="2026")
        self.client.post(URL, {"act": "take", "finding": key})
        self.client.post(URL, {"act": "snooze", "finding": other, "until": "2026-12-01", "reason": "Soon."})
        shown = {
            "": {"97M", "12%"},
            "rule=no-source": {"97M"},
            "severity=warning": {"12%"},
            "severity=error": {"97M"},
            "who=mine": {"97M"},
            "who=nobody": {"12%"},
            "snoozed=show": {"97M", "98M", "12%"},
            "rule=no-source&who=nobody": set(),
            "rule=no-source&who=nobody&snoozed=show": {"98M"},
            "rule=too-old": set(),
        }
        for query, expected in shown.items():
            with self.subTest(query):
                response = self.client.get(f"{URL}?{query}")

                rows = [row for group in response.context["groups"] for row in group["rows"]]
                self.assertEqual({row["entry"].finding.subject.text for row in rows}, expected)

    def test_what_it_does_not_understand_is_named_and_left_out(self):
        make_unsourced("97M")
        odd = [
            ("rule=no-such", "rule=no-such"),
            ("severity=worst&who=you", "severity=worst"),
            ("page=-1", "page=-1"),
            ("page=²", "page=²"),
            ("page=x&colour=red", "colour=red"),
            ("rule=<b>", "rule=&lt;b&gt;"),
        ]
        for query, named in odd:
            with self.subTest(query):
                response = self.client.get(f"{URL}?{query}")

                self.assertContains(response, named)
                self.assertContains(response, "97M")
        self.assertNotContains(self.client.get(f"{URL}?rule=&severity=&who=&page=1"), "Not understood")
        many = self.client.get(URL, {f"name-{i}": "x" * 2000 for i in range(50)})
        self.assertLess(len(many.content), 30_000)
        self.assertEqual(self.client.get(f"{URL}?page=999999999999999999").status_code, 200)

    def test_long_groups_are_cut_and_have_pages_of_their_own(self):
        for _ in range(55):
            make_unsourced()

        among_others = self.client.get(URL)
        first = self.client.get(f"{URL}?rule=no-source")
        second = self.client.get(f"{URL}?rule=no-source&page=2")

        self.assertEqual(among_others.content.count(b"Take it"), 20)
        self.assertContains(among_others, 'href="?rule=no-source"')
        self.assertContains(among_others, "55 open")
        self.assertEqual(first.content.count(b"Take it"), 50)
        self.assertContains(first, 'href="?rule=no-source&amp;page=2"')
        self.assertEqual(second.content.count(b"Take it"), 5)
        self.assertContains(second, "Page 2 of 2")


class FrontPageTests(TestCase):
    def test_it_counts_what_is_open_for_those_who_may_see_the_queue(self):
        _, key = make_unsourced()
        make_unsourced()
        editor = make_user("Editor")
        self.client.force_login(editor)
        rule, subject = key.split()
        ReviewMark.objects.create(rule=rule, subject=subject, assigned_to=editor)

        response = self.client.get("/admin/")

        self.assertContains(response, '<a href="/admin/review/">2 errors, no warnings</a>')
        self.assertContains(response, "1 assigned to you.")
        self.assertContains(response, '<a href="/admin/review/">Review</a>')

    def test_others_are_told_nothing_of_it(self):
        make_unsourced()
        self.client.force_login(make_user("Author"))

        self.assertNotContains(self.client.get("/admin/"), "eview")


class CostTests(TestCase):
    def make_content(self, number):
        """As many statistics as roles with pay, all of which break rules, in articles; a mark for each statistic."""
        source, market = make_source(), make_markets()["GB"]
        roles = [make_role(core=["Python"], path=make_path(f"Path {number}-{n}")) for n in range(number)]
        for role in roles:
            make_salary(role, market, low=1, as_of="2020", source=source)
        for _ in range(number // 5):
            statistics = [make_statistic(as_of="2020", source=source) for _ in range(5)]
            draft = make_draft(title="Work in 2199", statistics=statistics)
            add_role_table(draft, make_table(*roles))
            publish(draft, by=None)
        for value in StatisticValue.objects.all():
            subject = f"articles.statisticvalue:{value.pk}"
            ReviewMark.objects.update_or_create(
                rule="not-confirmed", subject=subject, defaults={"assigned_to": self.editor}
            )

    def cost(self, act):
        with CaptureQueriesContext(connection) as queries:
            act()
        return len(queries)

    def test_two_hundred_figures_cost_as_many_queries_as_twenty(self):
        self.editor = make_user("Editor")
        self.client.force_login(self.editor)
        acts = {
            "rules": lambda: collect(timezone.localdate()),
            "queue": lambda: self.client.get(URL),
            "one rule": lambda: self.client.get(f"{URL}?rule=not-confirmed"),
            "front page": lambda: self.client.get("/admin/"),
            "command": lambda: call_command("review_figures", stdout=StringIO()),
        }
        self.make_content(10)
        few = {name: self.cost(act) for name, act in acts.items()}

        self.make_content(100)

        self.assertEqual({name: self.cost(act) for name, act in acts.items()}, few)
        self.assertLessEqual(few["rules"], 24)
        self.assertLess(len(self.client.get(URL).content), 500_000)
