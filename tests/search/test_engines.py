"""OpenSearch by a setting: how its address is read, and what is sent to it. No OpenSearch runs here: a server of the
test's own takes what it would get and gives what its documentation says that it answers."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.core.exceptions import ImproperlyConfigured
from django.test import TestCase, override_settings
from django_tasks_db.models import DBTaskResult

from tests.factories import make_role
from veltrix.models import SearchEntry, SearchMark
from veltrix.search import engines, index
from veltrix.search.tasks import settle_search

INDEX = "site_veltrix_searchentry"


class AddressTests(TestCase):
    def read(self, address):
        return engines.read("SEARCH_URL", address)["default"]

    def test_without_an_address_the_database_searches(self):
        assert self.read("")["BACKEND"] == "modelsearch.backends.database"

    def test_an_address_names_host_port_account_and_prefix(self):
        backend = self.read("opensearch+https://reader:p%40ss@search.example:9200/site")

        (host,) = backend["HOSTS"]
        assert (host["host"], host["port"], host["http_auth"]) == ("search.example", 9200, ("reader", "p@ss"))
        assert host["use_ssl"] is host["verify_certs"] is True
        assert backend["INDEX_PREFIX"] == "site_"

    def test_a_port_and_a_prefix_are_those_that_are_usual(self):
        backend = self.read("opensearch+https://search.example")

        assert (backend["HOSTS"][0]["port"], backend["HOSTS"][0]["http_auth"]) == (443, None)
        assert backend["INDEX_PREFIX"] == "veltrix_"

    def test_what_is_no_address_stops_with_a_line_that_holds_no_password(self):
        for address in ("https://u:secret@h", "opensearch+https://", "opensearch+https://u:secret@h:x", "elsewhere"):
            with self.subTest(address), self.assertRaises(ImproperlyConfigured) as caught:
                self.read(address)
            assert str(caught.exception).startswith("SEARCH_URL ")
            assert "secret" not in str(caught.exception)


class Engine(BaseHTTPRequestHandler):
    """Takes requests and gives the answers that the test has laid down, by the end of the path."""

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.server.taken.append((self.command, self.path, body, self.headers.get("Authorization")))
        action = self.path.partition("?")[0].rpartition("/")[2]
        status, answer = self.server.answers.get(action, (200, {}))
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def log_message(self, *args):
        pass


class OpenSearchTests(TestCase):
    def setUp(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
        self.server.taken, self.server.answers = [], {"_bulk": (200, {"errors": False, "items": []})}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        address = f"opensearch+http://reader:secret@127.0.0.1:{self.server.server_port}/site"
        settings = override_settings(MODELSEARCH_BACKENDS=engines.read("SEARCH_URL", address))
        settings.enable()
        self.addCleanup(settings.disable)

    def taken(self, action):
        return [body for _, path, body, _ in self.server.taken if path.partition("?")[0].endswith(action)]

    def hits(self, *keys):
        found = [{"_id": key, "_score": 1.0, "fields": {"pk": [key]}} for key in keys]
        buckets = [{"key": "role", "doc_count": len(keys)}] if keys else []
        answer = {"hits": {"total": {"value": len(keys)}, "hits": found}, "count": len(keys)}
        facets = {"kind": {"buckets": buckets}}
        self.server.answers["_search"] = (200, {**answer, "aggregations": facets, "_scroll_id": "1"})
        self.server.answers["_count"] = (200, {"count": len(keys)})

    def test_a_change_waits_for_a_task_that_sends_the_words(self):
        with self.captureOnCommitCallbacks(execute=True):
            make_role("Zookeeper", summary="Feeds giraffes.")
        assert (self.server.taken, SearchMark.objects.count()) == ([], 1)
        assert [task.task_path for task in DBTaskResult.objects.all()] == ["veltrix.search.tasks.settle_search"]

        settle_search.call()

        (sent,) = self.taken("/_bulk")
        action, document = (json.loads(line) for line in sent.splitlines())
        assert self.server.taken[0][1].startswith(f"/{INDEX}/_bulk")
        assert action["index"]["_id"].startswith("role:")
        assert (document["title"], document["body"]) == ("zookeep kindrole", "feed giraff")
        assert (document["beginnings_edgengrams"], document["kind_filter"]) == ("zookeeper", "role")
        assert self.server.taken[0][3].startswith("Basic ")
        assert not SearchMark.objects.exists()

    def test_what_could_not_be_sent_is_sent_later(self):
        make_role("Zookeeper")
        self.server.answers["_bulk"] = (503, {"error": "busy"})

        with self.assertRaises(Exception) as caught:
            index.settle()

        assert type(caught.exception).__module__.startswith("opensearchpy")
        assert (SearchEntry.objects.count(), SearchMark.objects.count()) == (0, 1)
        self.server.answers["_bulk"] = (200, {"errors": False, "items": []})
        index.settle()
        assert (SearchEntry.objects.count(), SearchMark.objects.count()) == (1, 0)

    def test_a_record_that_is_gone_is_taken_out(self):
        role = make_role("Zookeeper")
        index.settle()
        key = f"role:{role.pk}"
        role.delete()

        index.settle()

        assert [path for method, path, _, _ in self.server.taken if method == "DELETE"]
        assert not SearchEntry.objects.filter(pk=key).exists()

    def test_a_search_asks_for_stems_and_shows_what_comes(self):
        role = make_role("Zookeeper", summary="Feeds giraffes.")
        index.settle()
        self.hits(f"role:{role.pk}")

        page = self.client.get("/search/", {"q": "feeding giraffes", "kind": "role"})

        self.assertContains(page, "<mark>Feeds</mark> <mark>giraffes</mark>.")
        self.assertContains(page, "1 result for")
        assert any("feed giraff" in body for body in self.taken("/_search"))

    def test_where_it_does_not_answer_the_page_says_so(self):
        self.server.answers["_search"] = self.server.answers["_count"] = (503, {"error": "busy"})

        with self.assertLogs("veltrix.search.finding", "ERROR"):
            page = self.client.get("/search/", {"q": "zebra"})
        with self.assertLogs("veltrix.search.finding", "ERROR"):
            finder = self.client.get("/search/finder/", {"q": "zebra"})

        self.assertContains(page, "does not answer at the moment", status_code=503)
        assert page.headers["Retry-After"] == "30"
        self.assertContains(finder, 'data-href="/search/?q=zebra"')
