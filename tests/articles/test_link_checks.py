"""Addresses elsewhere are looked at on a real server, which listens on loopback."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from unittest import mock

import time_machine
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.tasks import default_task_backend
from django.test import TestCase
from django.utils import timezone

from articles import drafts, link_checks, outgoing
from articles.link_checks import Outcome, check_due, is_public, look_at, take_note, take_stock
from articles.models import ExternalLink
from articles.schedule import schedule
from tests.articles.article_forms import changed
from tests.articles.test_schedule import edit
from tests.factories import make_article, make_draft, make_source, make_user
from tests.newsletter.certificates import certificate

# How many of them a server has to say that sends one at a time.
MOST_LETTERS = 100


class Handler(BaseHTTPRequestHandler):
    """Answers `/<status>` with that status; `/moved` has moved, `/get-only` knows no HEAD, `/silent` says nothing."""

    def do_HEAD(self):
        self.server.seen.append((self.command, self.path, self.headers["User-Agent"]))
        name = self.path.strip("/").partition("?")[0]
        if name == "silent":
            self.server.stop.wait(5)
        elif name == "garbage":
            self.wfile.write(b"\x00\xff nothing of HTTP\r\n\r\n")
        elif name == "nowhere-good":
            self.send_response(301)
            self.send_header("Location", "http://[")
            self.end_headers()
        elif name == "moved":
            self.send_response(301)
            self.send_header("Location", "/200")
            self.end_headers()
        else:
            status = {"get-only": 405 if self.command == "HEAD" else 200}.get(name) or int(name)
            self.send_response(status)
            self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *arguments):
        pass


class LinkCheckTestCase(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.server.stop = threading.Event()
        cls.server.daemon_threads = True
        cls.url = f"http://127.0.0.1:{cls.server.server_port}"
        thread = threading.Thread(target=cls.server.serve_forever, daemon=True)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.shutdown)
        cls.addClassCleanup(cls.server.stop.set)

    def setUp(self):
        self.server.seen = []

    def look_at(self, path):
        return look_at(f"{self.url}{path}", lambda ip, port: True)


class LookTests(LinkCheckTestCase):
    def test_a_page_that_is_there_leaves_nothing_to_say(self):
        for path in ("/200", "/204", "/302", "/get-only", "/403", "/429", "/200?q=a b&c=ü"):
            with self.subTest(path):
                self.assertEqual(self.look_at(path), Outcome())

        self.assertTrue(all("VeltrixLinkCheck (+http://127.0.0.1:8000/)" in agent for *_, agent in self.server.seen))
        self.assertEqual([seen[0] for seen in self.server.seen if seen[1] == "/get-only"], ["HEAD", "GET"])

    def test_what_is_wrong_is_said_in_a_sentence(self):
        sentences = {
            "/404": "Its page is not there (404).",
            "/410": "Its page is gone (410).",
            "/500": "It answers with the error 500.",
            "/garbage": "The connection failed.",
        }
        for path, sentence in sentences.items():
            with self.subTest(path):
                self.assertEqual(self.look_at(path), Outcome(sentence))

    def test_a_redirect_for_good_is_reported_and_not_followed(self):
        self.assertEqual(self.look_at("/moved"), Outcome(moved_to=f"{self.url}/200"))
        self.assertEqual([seen[1] for seen in self.server.seen], ["/moved"])

    def test_who_says_nothing_is_not_waited_for(self):
        with mock.patch.object(outgoing, "TIMEOUT", 0.3):
            self.assertEqual(self.look_at("/silent"), Outcome("No answer within 0.3 seconds."))

    def test_who_sends_a_letter_at_a_time_is_cut_off(self):
        for scheme in ("http", "https"):
            with (
                self.subTest(scheme),
                certificate(is_trusted=True) as context,
                socket.create_server(("127.0.0.1", 0)) as server,
                mock.patch.object(outgoing, "TIMEOUT", 1),
            ):
                letters = []
                wrap = partial(context.wrap_socket, server_side=True) if scheme == "https" else lambda plain: plain
                thread = threading.Thread(target=self.drip, args=(server, wrap, letters), daemon=True)
                thread.start()
                outcome = look_at(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", lambda ip, port: True)
                thread.join(5)

                self.assertEqual(outcome, Outcome("The connection failed."))
                # It had more to say.
                self.assertTrue(0 < len(letters) < MOST_LETTERS, letters)

    def drip(self, server, wrap, letters):
        connection, _ = server.accept()
        with suppress(OSError), wrap(connection) as answering:
            while len(letters) < MOST_LETTERS and not self.server.stop.wait(0.1):
                answering.sendall(b"H")
                letters.append("H")

    def test_hosts_that_are_not_known_and_ports_that_are_closed_are_told(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        addresses = {
            "http://nowhere.invalid/": "Its host is not known.",
            f"http://127.0.0.1:{port}/": "The connection failed.",
            "http://127.0.0.1:99999/": "The connection failed.",
            "http:///x": "Its host is not known.",
            # It speaks no TLS.
            self.url.replace("http:", "https:"): "The connection failed.",
        }
        for address, sentence in addresses.items():
            with self.subTest(address):
                self.assertEqual(look_at(address, lambda ip, port: True).problem, sentence)

    def test_a_certificate_that_nobody_vouches_for_is_told(self):
        with certificate(is_trusted=False) as context, socket.create_server(("127.0.0.1", 0)) as server:

            def shake():
                connection, _ = server.accept()
                with connection, mock.patch("sys.stderr", StringIO()):
                    try:
                        context.wrap_socket(connection, server_side=True)
                    except (OSError, ssl.SSLError):
                        pass

            thread = threading.Thread(target=shake, daemon=True)
            thread.start()
            outcome = look_at(f"https://127.0.0.1:{server.getsockname()[1]}/", lambda ip, port: True)
            thread.join(5)

        self.assertEqual(outcome, Outcome("Its certificate is not right."))

    def test_machines_of_our_own_network_are_never_asked(self):
        for address in (self.url + "/200", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/"):
            with self.subTest(address):
                self.assertEqual(look_at(address), Outcome("It does not lead to a public web site."))
        self.assertEqual(self.server.seen, [])
        for ip in ("10.0.0.1", "192.168.1.1", "169.254.169.254", "172.16.0.1", "100.64.0.1", "fd00::1",
                   "64:ff9b::a9fe:a9fe", "fec0::1", "::ffff:10.0.0.1", "::10.0.0.1", "::1", "::"):  # fmt: skip
            self.assertFalse(is_public(ip, 443), ip)
        self.assertTrue(is_public("93.184.215.14", 443))
        self.assertFalse(is_public("93.184.215.14", 22))


class KeptResultsTests(LinkCheckTestCase):
    def make_draft_with(self, *paths):
        words = " ".join(f'<a href="{self.url}{path}">words {path}</a>' for path in paths)
        return make_draft(html=f"<p>{words}</p>")

    def check(self):
        return check_due(lambda ip, port: True, pause=0)

    def test_saving_a_draft_asks_the_queue_to_look_at_what_is_new(self):
        draft = make_draft()
        self.client.force_login(make_user("Author"))
        data = changed(draft, f'<p><a href="{self.url}/200">there</a></p>', _continue="1")

        with self.captureOnCommitCallbacks() as callbacks:
            self.client.post(f"/admin/articles/article/{draft.pk}/change/", data)

        # Beside those that tell the site's log and the index of the search.
        self.assertEqual(len(callbacks), 3)
        self.assertEqual([link.address for link in draft.external_links.all()], [f"{self.url}/200"])
        with self.captureOnCommitCallbacks() as callbacks:
            drafts.keep(draft, by=None)
        self.assertEqual(callbacks, [])

    def test_what_was_found_is_kept_and_asked_again_when_it_is_old(self):
        take_note(self.make_draft_with("/200", "/404"), {"blocks": []})
        draft = self.make_draft_with("/200", "/404")
        drafts.keep(draft, by=None)

        with time_machine.travel(timezone.now(), tick=False) as clock:
            self.assertEqual(self.check(), 2)
            self.assertEqual(self.check(), 0)
            clock.shift(timedelta(hours=21))
            self.assertEqual(self.check(), 1)
            clock.shift(timedelta(days=7))
            self.assertEqual(self.check(), 2)

        lost = ExternalLink.objects.broken().get()
        self.assertEqual((lost.failures, lost.problem), (3, "Its page is not there (404)."))

    def test_one_failure_does_not_make_a_link_broken(self):
        drafts.keep(self.make_draft_with("/500"), by=None)

        self.check()

        self.assertFalse(ExternalLink.objects.broken().exists())
        self.assertEqual(ExternalLink.objects.get().failures, 1)

    def test_the_checklist_says_what_was_found(self):
        draft = self.make_draft_with("/404", "/moved", "/200")
        drafts.keep(draft, by=None)
        self.client.force_login(make_user("Author"))
        url = f"/admin/articles/article/{draft.pk}/checklist/"
        self.assertNotContains(self.client.get(url), "leads to http")

        self.check()
        page = self.client.get(url)

        self.assertContains(page, f"“words /404” leads to {self.url}/404. Its page is not there (404). Looked at on")
        self.assertContains(page, f"“words /moved” leads to {self.url}/moved, which has moved to {self.url}/200.")
        self.assertNotContains(page, "“words /200”")

    def test_what_one_address_answers_never_keeps_the_others_waiting(self):
        for address in ("http://a[b@example.invalid/x", f"{self.url}/nowhere-good", f"{self.url}/200"):
            digest = ExternalLink.digest_of(address)
            ExternalLink.objects.create(address=address, digest=digest)

        self.assertEqual(self.check(), 3)

        problems = dict(ExternalLink.objects.values_list("address", "problem"))
        self.assertEqual(set(problems.values()), {"", "The connection failed."})
        self.assertEqual(problems[f"{self.url}/200"], "")
        self.assertFalse(ExternalLink.objects.filter(checked_at=None).exists())

    def test_hosts_are_given_time_between_two_questions(self):
        drafts.keep(self.make_draft_with("/200", "/201", "/204"), by=None)
        started = timezone.now()

        check_due(lambda ip, port: True, pause=0.2)

        self.assertGreaterEqual(timezone.now() - started, timedelta(seconds=0.4))

    def test_a_run_has_an_end_and_asks_for_another(self):
        drafts.keep(self.make_draft_with(*(f"/200?{number}" for number in range(3))), by=None)

        self.assertEqual(check_due(lambda ip, port: True, pause=0, most=2), 2)
        self.assertEqual(check_due(lambda ip, port: True, pause=0, most=2), 1)
        with (
            mock.patch.object(link_checks, "check_due", return_value=link_checks.MOST_IN_A_RUN),
            mock.patch.object(default_task_backend, "enqueue") as enqueue,
        ):
            link_checks.check_links.func()
        enqueue.assert_called_once()

    def test_taking_stock_knows_live_articles_and_sources_and_forgets_the_rest(self):
        live = make_article(html='<p><a href="https://live.invalid/">live</a></p>')
        source = make_source(url="https://source.invalid/", archive_url="https://archive.invalid/")
        link = "https://forgotten.invalid/"
        ExternalLink.objects.create(address=link, digest=ExternalLink.digest_of(link))

        take_stock()

        self.assertEqual([str(link) for link in live.external_links.all()], ["https://live.invalid/"])
        self.assertEqual(
            {str(link) for link in source.external_links.all()}, {"https://source.invalid/", "https://archive.invalid/"}
        )
        self.assertFalse(ExternalLink.objects.filter(address=link).exists())

    def test_what_a_scheduled_change_leads_to_is_known_whatever_becomes_of_the_draft(self):
        article = make_article(html="<p>Now</p>")
        edit(article, '<p><a href="https://later.invalid/">later</a></p>')
        schedule(article, at=timezone.now() + timedelta(days=1), by=None)
        edit(article, "<p>Something else</p>")

        for take in (take_stock, lambda: drafts.keep(article, by=None)):
            article.external_links.clear()
            article.refresh_from_db()
            take()
            self.assertEqual([str(link) for link in article.external_links.all()], ["https://later.invalid/"])

    def test_the_command_looks_at_all_and_names_what_is_broken(self):
        make_article(html=f'<p><a href="{self.url}/200">x</a></p>')
        out = StringIO()

        call_command("check_links", stdout=out)
        ExternalLink.objects.update(checked_at=timezone.now() - timedelta(days=2))
        call_command("check_links", stdout=out)

        # Loopback is no public web site.
        self.assertIn(f"{self.url}/200: It does not lead to a public web site.", out.getvalue())
        self.assertIn("1 links, 1 broken", out.getvalue())
        self.assertEqual(self.server.seen, [])

    def test_a_link_cannot_fail_without_a_reason(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            ExternalLink.objects.create(address="https://a.invalid/", digest="x", failures=1)
