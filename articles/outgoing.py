"""How machines elsewhere are asked: nobody keeps a process waiting for long, however slowly they answer."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

# In seconds: to connect, and for each part of an answer. Once connected, the whole may take twice as long.
TIMEOUT = 10


@contextmanager
def connected(host: str, port: int, *, is_https: bool, ip: str = "") -> Iterator[http.client.HTTPConnection]:
    """A connection for one request, which is cut off at the limit. `ip` is the address of the host to be taken, if any.

    Raises whatever `socket` and `ssl` do.
    """
    with socket.create_connection((ip or host, port), timeout=TIMEOUT) as plain, _cut_off(plain):
        connection = http.client.HTTPConnection(host, port)
        connection.sock = plain
        if is_https:
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, context=context)
            # The name, not the number, is what the certificate is checked against.
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        with closing(connection):
            yield connection


@contextmanager
def _cut_off(plain: socket.socket) -> Iterator[None]:
    """The limit of a socket holds for each of its reads: who sends a letter a second is cut off here."""
    # Another handle of the same connection: TLS takes this one away.
    with plain.dup() as same:
        timer = threading.Timer(2 * TIMEOUT, _hang_up, [same])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
