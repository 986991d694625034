"""What is done with findings of the review."""

from datetime import date, timedelta

import time_machine
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from articles import review_queue
from articles.models import ReviewMark
from tests.factories import make_source, make_user
from veltrix.models import AuditEntry

from .test_review import URL, make_unsourced, mark_of


@time_machine.travel("2026-11-24T12:00:00Z", tick=False)
class ActTests(TestCase):
    def setUp(self):
        self.editor = make_user("Editor", username="editor", first_name="Ada", last_name="Lovelace")
        self.client.force_login(self.editor)
        self.value, self.key = make_unsourced("97M")

    def act(self, act, *keys, query="", **data):
        return self.client.post(URL + query, {"act": act, "finding": keys or [self.key], **data}, follow=True)

    def test_a_finding_is_taken_and_given_back(self):
        response = self.act("take", query="?rule=no-source&colour=red")

        self.assertRedirects(response, f"{URL}?rule=no-source")
        self.assertContains(response, "1 finding is now assigned to Ada Lovelace (editor).")
        self.assertContains(response, "1 assigned to you.")
        said = "Review: 1 finding assigned to Ada Lovelace (editor)."
        self.assertEqual(AuditEntry.objects.get().words, said)
        mark = mark_of(self.key)
        self.assertEqual((mark.assigned_to, mark.changed_by), (self.editor, self.editor))

        self.act("unassign")
        mark.refresh_from_db()
        self.assertIsNone(mark.assigned_to)

    def test_a_finding_is_assigned_to_somebody_who_may_see_it(self):
        chief = make_user("Chief editor")

        self.assertContains(self.act("assign", person=chief.pk), f"is now assigned to {chief.username}.")

        self.assertEqual(mark_of(self.key).assigned_to, chief)

    def test_a_finding_is_not_assigned_to_others(self):
        others = [
            make_user("Author"),
            make_user("Editor", is_active=False),
            make_user("Editor", is_staff=False),
        ]
        for person in [*(other.pk for other in others), 0, "x", ""]:
            with self.subTest(person):
                response = self.act("assign", person=person)

                self.assertEqual(response.status_code, 200)
                self.assertContains(response, "Nothing was changed.")
                self.assertContains(response, "<title>Error: Review of figures")
                self.assertIsNone(mark_of(self.key))

    def test_a_snooze_hides_a_finding_until_its_day(self):
        response = self.act("snooze", until="2026-12-01", reason="The report is on its way.")

        self.assertContains(response, "1 finding is now resting until 1 December 2026: The report is on its way.")
        self.assertContains(response, "0 open, 1 resting until 1 December 2026")
        self.assertNotContains(response, "It names no source.")
        shown = self.client.get(f"{URL}?snoozed=show")
        self.assertContains(shown, "Resting until 1 December 2026: The report is on its way.")

        for day, number in [("2026-11-30", 0), ("2026-12-01", 1)]:
            with time_machine.travel(f"{day}T12:00:00Z", tick=False):
                self.client.force_login(self.editor)
                self.assertContains(self.client.get(URL), "It names no source.", number)

    def test_a_snooze_can_be_ended(self):
        self.act("snooze", until="2026-12-01", reason="Soon.")

        response = self.act("wake")

        self.assertContains(response, "1 finding is now open again.")
        self.assertContains(response, "It names no source.")
        self.assertEqual((mark_of(self.key).snoozed_until, mark_of(self.key).snooze_reason), (None, ""))

    def test_a_snooze_has_a_reason_and_a_day_within_a_year(self):
        wrong = [
            ({"until": "2026-12-01", "reason": "  "}, "Say why it can wait."),
            ({"until": "", "reason": "Soon."}, "Say until when it can wait."),
            ({"until": "soon", "reason": "Soon."}, "Write the day as 2027-04-30."),
            ({"until": "2026-11-24", "reason": "Soon."}, "Choose a day after today, at most a year away."),
            ({"until": "2027-11-25", "reason": "Soon."}, "Choose a day after today, at most a year away."),
            ({"until": "2026-12-01", "reason": "x" * 301}, "at most 300 characters"),
            ({"until": "2026-12-01", "reason": "a\x00b"}, "Null characters are not allowed."),
        ]
        for data, message in wrong:
            with self.subTest(data):
                response = self.act("snooze", **data)

                self.assertContains(response, message)
                self.assertContains(response, f'value="{self.key}" checked')
                self.assertIsNone(mark_of(self.key))
        for until in ("2026-11-25", "2027-11-24", "01/12/2026"):
            self.assertContains(self.act("snooze", until=until, reason="Soon."), "is now resting")

    def test_several_findings_are_marked_at_once(self):
        _, other = make_unsourced()

        self.assertContains(self.act("take", self.key, other), "2 findings are now assigned to")

        self.assertEqual(ReviewMark.objects.filter(assigned_to=self.editor).count(), 2)

    def test_one_mark_leaves_the_other_things_as_they_were(self):
        self.act("take")
        self.act("snooze", until="2026-12-01", reason="Soon.")

        mark = mark_of(self.key)
        self.assertEqual((mark.assigned_to, mark.snoozed_until), (self.editor, date(2026, 12, 1)))

    def test_every_change_is_logged(self):
        self.act("take")
        self.act("snooze", until="2026-12-01", reason="Soon.")

        entries = LogEntry.objects.order_by("pk")
        self.assertEqual({entry.get_edited_object() for entry in entries}, {mark_of(self.key)})
        self.assertEqual(
            [entry.get_change_message() for entry in entries],
            ["Assigned to Ada Lovelace (editor).", "Resting until 1 December 2026: Soon."],
        )
        self.assertEqual({entry.object_repr for entry in entries}, {f"No source: 97M: {self.value.statistic.claim}"})

    def test_a_finding_that_is_no_more_is_told_in_words(self):
        self.value.publish_successor(why="re-sourced", source=make_source(url="https://x.test/"))

        response = self.act("take")

        self.assertContains(response, "One finding is no longer there")
        self.assertFalse(ReviewMark.objects.exists())
        self.assertContains(self.act("take", "x", "no-source", "a b:c"), "3 findings are no longer there")

    def test_nothing_ticked_or_asked_is_told_in_words(self):
        for data, message in [
            ({"act": "take"}, "Tick at least one finding."),
            ({"act": "snooze", "until": "2026-12-01", "reason": "Soon."}, "Tick at least one finding."),
            ({"act": "explode", "finding": self.key}, "Nothing was done"),
            ({"finding": self.key}, "Nothing was done"),
            ({"act": "wake", "finding": self.key}, "this was so already"),
            ({"act": "unassign", "finding": self.key}, "this was so already"),
        ]:
            with self.subTest(data):
                response = self.client.post(URL, data, follow=True)

                self.assertContains(response, message)
                self.assertFalse(ReviewMark.objects.exists())

    def test_of_two_people_at_once_the_later_one_wins(self):
        colleague = make_user("Editor")
        seen = review_queue.entries(timezone.localdate())
        self.act("take")

        review_queue.mark(seen, colleague, "Assigned.", assigned_to=colleague)

        self.assertEqual((mark_of(self.key).assigned_to, mark_of(self.key).changed_by), (colleague, colleague))

    def test_another_figure_is_another_finding(self):
        self.act("snooze", until="2026-12-01", reason="Soon.")
        self.value.publish_successor(why="update", display_text="98M")

        self.assertContains(self.client.get(URL), "98M")

    def test_the_database_refuses_a_snooze_without_a_reason_and_a_second_mark(self):
        ReviewMark.objects.create(rule="no-source", subject="a.b:1")
        tomorrow = timezone.localdate() + timedelta(days=1)
        for values in [
            {"rule": "no-source", "subject": "a.b:1"},
            {"rule": "x", "subject": "y", "snoozed_until": tomorrow},
        ]:
            with self.subTest(values), self.assertRaises(IntegrityError), transaction.atomic():
                ReviewMark.objects.create(**values)
