"""What nginx does by the configuration of the deploy guide, before a server that tells what it was asked."""

import contextlib
import re
import tempfile
import threading
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.nodes.cluster import NAME, Node, ask, nginx, until

# Of every answer, whoever gives it.
HEADERS = {
    "X-Content-Type-Options",
    "Strict-Transport-Security",
    "Content-Security-Policy",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
}
OF_SITE = "from the site"
# Lets a test come from any address.
VISITOR = "set_real_ip_from 127.0.0.1; real_ip_header X-Visitor;"
MOMENT = "Sun, 29 Nov 2026 04:00:00 GMT"


def tag_of(body):
    return f'"{body.hex()}"'


class Telling(BaseHTTPRequestHandler):
    """A page that says how it was asked for, marked to be kept as the site's pages are."""

    def do_GET(self):
        body = f"{self.path} in {self.headers['Accept-Encoding']}".encode()
        self.send_response(200)
        headers = {"X-Accel-Expires": "@1", "ETag": tag_of(body), "Last-Modified": MOMENT, "Content-Length": len(body)}
        for name, value in (headers | dict.fromkeys(HEADERS, OF_SITE)).items():
            self.send_header(name, value)
        self.send_header("Told-Id", self.headers["X-Request-ID"])
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def proxy():
    """Nginx, and what ends the server behind it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()

    def end():
        server.shutdown()
        thread.join()
        server.server_close()

    with tempfile.TemporaryDirectory(prefix="veltrix-nginx-") as name:
        node = Node("127.0.0.1", Path(name), {}, port=server.server_port)
        with nginx(Path(name) / "nginx", [node], rate="1r/m", more=VISITOR) as running:
            yield running, end


def test_no_page_takes_the_place_of_another_however_their_addresses_end(proxy):
    running, end = proxy
    assert running.get("/pagebr", Accept_Encoding="identity").body == b"/pagebr in None"

    end()

    assert running.get("/pagebr", Accept_Encoding="identity").body == b"/pagebr in None"
    assert running.get("/page", Accept_Encoding="br").status in {502, 504}


def test_a_date_alone_does_not_tell_that_a_page_is_the_same(proxy):
    """Two that were made within a second have one date; so the site heeds tags only."""
    running, _ = proxy
    for path in ("/one", "/other"):
        assert running.get(path, If_Modified_Since=MOMENT).status == 200
        answer = running.get(path)
        assert "Last-Modified" not in answer.headers
        assert running.get(path, If_None_Match=answer.headers["ETag"]).status == 304


def test_a_coding_that_a_client_refuses_is_not_asked_for(proxy):
    running, _ = proxy
    for asked, told in {
        "gzip, deflate, br, zstd": "br",
        "gzip": "gzip",
        "GZIP;q=1.0": "gzip",
        "gzip, br;q=0": "gzip",
        "br; q=0.000, gzip;q=0": "None",
        "br;q=0.5": "br",
        "zebra": "None",
        "": "None",
    }.items():
        assert running.get("/coding", Accept_Encoding=asked).body.decode() == f"/coding in {told}", asked


def test_without_tls_there_are_only_challenges_and_the_way_to_it(proxy):
    running, _ = proxy
    token = running.folder / "acme/.well-known/acme-challenge/a-token"
    token.parent.mkdir(parents=True)
    token.write_text("proof")

    assert get_without_tls(running, "/.well-known/acme-challenge/a-token").body == b"proof"
    for path in ("/articles/?page=2", "/.well-known/security.txt"):
        answer = get_without_tls(running, path)
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}{path}")


def get_without_tls(running, path):
    return ask(HTTPConnection("127.0.0.1", running.plain_port, timeout=30), path, "GET", running.headers)


def test_no_client_names_its_request(proxy):
    running, _ = proxy
    for path in ("/page", "/static/file.css"):
        assert re.fullmatch("[0-9a-f]{32}", running.get(path, X_Request_ID="as-a-client-says").headers["Told-Id"]), path


def test_its_log_holds_no_secret_of_an_address(proxy):
    running, _ = proxy
    secret = "a-secret-that-lets-somebody-act"
    places = ["/newsletter/unsubscribe/", "/newsletter/preferences/", "/newsletter/confirm/", "/drafts/"]
    for place in places:
        running.get(f"{place}{secret}/erase/?page=1")
        get_without_tls(running, f"{place}{secret}/")
    running.get(f"/newsletter/%75nsubscribe%2F{secret}/")
    running.get("/articles/?page=2")

    # A line is written once the answer is on its way.
    file = running.folder / "access.log"
    until(lambda: "/articles/?page=2 " in file.read_text())
    log = file.read_text()
    assert secret not in log
    for place in places:
        for status in (200, 301):
            assert f'"GET {place}... HTTP/1.1" {status} ' in log
    assert '"GET /articles/?page=2 HTTP/1.1" 200 ' in log


def test_what_nginx_says_by_itself_bears_the_headers_of_the_site(proxy):
    running, _ = proxy
    for path, status in {"/readyz": 404, "/page": 200}.items():
        answer = running.get(path)
        assert answer.status == status
        # Those of the site stand there once.
        for name in HEADERS:
            assert (answer.headers[name] == OF_SITE) == (status == 200), (path, name)

    answers = [running.get("/page") for _ in range(220)]
    assert Counter(answer.status for answer in answers)[429] > 5
    assert {answer.headers.get("Retry-After") for answer in answers if answer.status == 429} == {"5"}
    assert {answer.headers.get("Retry-After") for answer in answers if answer.status != 429} == {None}


def test_a_body_is_as_large_as_the_site_takes_at_its_address(proxy):
    running, _ = proxy
    for path, most in {"/newsletter/": 64_000, "/newsletter/reports/a/": 2_000_000, "/admin/": 30_000_000}.items():
        assert sent(running, path, most, bytes(most)) == 200, path
        # Refused by its length, before a byte of it is there.
        assert sent(running, path, most * 11 // 10) == 413, path


def sent(running, path, length, body=None):
    connection = running.connect()
    with contextlib.closing(connection):
        connection.request("POST", path, body, running.headers | {"Content-Length": str(length)})
        return connection.getresponse().status


def test_an_error_is_written_down_without_the_secret_of_its_address(proxy):
    running, end = proxy
    end()
    secret = "a-secret-that-lets-somebody-act"
    paths = [f"/newsletter/{place}/{secret}/" for place in ("unsubscribe", "preferences", "confirm")]
    for path in [*paths, f"/drafts/{secret}/", "/page"]:
        assert running.get(path).status in {502, 504}

    file = running.folder / "error.log"
    until(lambda: "/page" in file.read_text())
    assert secret not in file.read_text()


def test_a_network_of_ipv6_is_one_visitor(proxy):
    running, _ = proxy

    def refused(*addresses):
        return sum(running.get("/page", X_Visitor=address).status == 429 for address in addresses)

    assert refused(*(f"2001:db8::{number:x}" for number in range(1, 221))) > 5
    assert refused("2001:db8:0:1::1", "2001:db8:1::1", "192.0.2.1", "192.0.2.2") == 0
