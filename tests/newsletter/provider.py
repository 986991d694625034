"""A mail provider's API on loopback, which answers as it is told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class Provider:
    """`answer` is (status, body) or "silence", "hang up" or "cut off"; `requests` are (path, headers, fields)."""

    def __init__(self):
        self.answer = 200, {}
        self.requests = []
        self.connections = 0
        self.released = threading.Event()


@contextmanager
def provider_api(context=None):
    """The provider, and the address of its API; with a TLS context, over TLS."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            super().setup()
            provider.connections += 1

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_json = self.headers["Content-Type"] == "application/json"
            fields = json.loads(body) if is_json or body.startswith("{") else parse_qs(body)
            provider.requests.append((self.path, self.headers, fields))
            if provider.answer == "silence":
                provider.released.wait(10)
            if provider.answer in ("silence", "hang up"):
                self.close_connection = True
                return
            if provider.answer == "cut off":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                self.close_connection = True
                return
            status, answer = provider.answer
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Nothing: a client that refuses the certificate hangs up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        scheme = "https" if context else "http"
        try:
            yield provider, f"{scheme}://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            provider.released.set()
            server.shutdown()
            thread.join()
