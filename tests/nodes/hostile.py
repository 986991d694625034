"""Requests that nobody sends by mistake, made up by lot from a seed, as bytes for a socket.

Each bears `MARK`, which must never be found in a page that is kept.
"""

import contextlib
import random
import socket
from collections.abc import Callable, Iterator

from tests.nodes.cluster import NAME
from tests.nodes.load import KEPT

MARK = "zq9poison"
TOKENS = "abcdefghijklmnopqrstuvwxyz0123456789-_"
METHODS = [
    "GET",
    "GET",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "QUERY",
    "G\x00T",
]
SURROGATE, OVERLONG, ENCODED_NUL, NUL = b"%ED%A0%80", b"%C0%AF", b"%00", b"\x00"
ODD_BYTES = [
    SURROGATE,
    OVERLONG,
    ENCODED_NUL,
    NUL,
    b"%",
    b"%2e%2e%2f",
    b"%ff",
    b"\xff\xfe",
    b"%0d%0aX: y",
    b"//",
    b"?",
    b"#",
]
HOSTS = [
    NAME.encode(),
    b"evil.example",
    f"{NAME}.evil.example".encode(),
    f"{NAME}:80@evil.example".encode(),
    f"{NAME}:99999999".encode(),
    NAME.upper().encode(),
    b"",
    b"[::1",
    b"\xff",
    f"{NAME}/{MARK}".encode(),
]
CODINGS = [
    "br;q=NaN",
    "*;q=0",
    "gzip;q=1e400",
    ",,,;;;",
    "br;q=0, identity;q=0",
    f"x-{MARK}",
    "br;" * 500,
    "identity;q=0",
]


def requests(number: int, seed: int) -> Iterator[bytes]:
    lot = random.Random(seed)  # noqa: S311
    kinds: list[Callable[[random.Random], bytes]] = [
        odd_address, odd_query, odd_host, forwarded, odd_headers, huge, smuggled, odd_form, garbage,
    ]  # fmt: skip
    for _ in range(number):
        yield lot.choice(kinds)(lot)


def request(lot: random.Random, target: bytes, *headers: bytes, method: str = "", host: bytes = NAME.encode()) -> bytes:
    """A request that is right but for what it is given."""
    own = [b"Host: " + host, b"X-Forwarded-Proto: https", f"User-Agent: {MARK}".encode(), b"Connection: close"]
    start = (method or "GET").encode("latin-1") + b" " + target + b" HTTP/1.1"
    return b"\r\n".join([start, *own, *headers, b"", b""])


def _path(lot: random.Random) -> bytes:
    return lot.choice(KEPT).encode()


def _odd(lot: random.Random) -> bytes:
    pieces = lot.choices([*ODD_BYTES, MARK.encode(), b"articles/", b"watched/"], k=lot.randint(1, 6))
    return b"".join(pieces)


def odd_address(lot: random.Random) -> bytes:
    target = lot.choice(
        [_path(lot) + _odd(lot), b"/" + _odd(lot), _odd(lot), b"http://evil.example/", b"*", b"a" * 4000]
    )
    return request(lot, target, method=lot.choice(METHODS))


def odd_query(lot: random.Random) -> bytes:
    names = [b"page", b"topic", b"sort", b"market", b"skill", b"roles", b"as_of", b"min", MARK.encode()]
    values = [b"1", b"-1", b"9" * 30, b"NaN", MARK.encode(), *ODD_BYTES]
    pairs = [lot.choice(names) + lot.choice([b"=", b"", b"[]="]) + lot.choice(values) for _ in range(lot.randint(1, 8))]
    return request(lot, _path(lot) + b"?" + lot.choice([b"&", b";"]).join(pairs * lot.choice([1, 1, 1, 30])))


def odd_host(lot: random.Random) -> bytes:
    further = [b"Host: evil.example"] if lot.random() < 0.2 else []
    return request(lot, _path(lot), *further, host=lot.choice(HOSTS))


def forwarded(lot: random.Random) -> bytes:
    headers = [
        b"X-Forwarded-Host: evil.example",
        b"X-Forwarded-Proto: " + lot.choice([b"http", b"https, http", MARK.encode(), b"\xff"]),
        b"X-Forwarded-For: " + lot.choice([b"127.0.0.1", MARK.encode(), b"1.1.1.1, " * 200 + b"::1%" + MARK.encode()]),
        b"X-Forwarded-Prefix: /" + MARK.encode(),
        b"X-Original-URL: /admin/",
        b"X-Rewrite-URL: /admin/",
        b"Forwarded: host=evil.example;proto=http",
        b"X-HTTP-Method-Override: POST",
        b"Script-Name: /" + MARK.encode(),
        b"SCRIPT_NAME: /" + MARK.encode(),
        b"X-Request-ID: " + MARK.encode() * lot.choice([1, 20]),
    ]
    return request(lot, _path(lot), *lot.sample(headers, lot.randint(1, 5)))


def odd_headers(lot: random.Random) -> bytes:
    headers = [
        b"Accept-Encoding: " + lot.choice(CODINGS).encode(),
        b"Range: " + lot.choice([b"bytes=0-0", b"bytes=-1", b"bytes=9-1", b"bytes=" + b"0-1," * 300, MARK.encode()]),
        b"If-None-Match: " + lot.choice([b"*", b'"' * 99, MARK.encode(), b"W/" * 200]),
        b"If-Modified-Since: " + lot.choice([b"Thu, 99 Foo 99999", MARK.encode(), b"0"]),
        b"Accept-Language: " + MARK.encode(),
        b"Accept: " + lot.choice([b"*/*;q=x", MARK.encode(), b"text/html;level=1,,", b"\xff"]),
        b"Cookie: "
        + lot.choice([MARK.encode() + b"=1", b"__Host-session=" + MARK.encode(), b"a=" + b"b" * 3000, b"=;=;"]),
        b"Authorization: Basic " + lot.choice([b"\xff", MARK.encode(), b"Og=="]),
        b"Sec-Fetch-Site: " + MARK.encode(),
        b"Upgrade: h2c",
        b"Expect: " + lot.choice([b"100-continue", MARK.encode()]),
    ]
    return request(lot, _path(lot), *lot.sample(headers, lot.randint(1, 5)), method=lot.choice(METHODS))


def huge(lot: random.Random) -> bytes:
    size = lot.choice([7_000, 9_000, 40_000])
    many = [f"X-{MARK}-{number}: 1".encode() for number in range(lot.choice([60, 200]))]
    target = lot.choice([b"/", b"/careers/fit/?skills="]) + b"a" * size
    return lot.choice([request(lot, target), request(lot, b"/", b"X-Long: " + b"a" * size), request(lot, b"/", *many)])


def smuggled(lot: random.Random) -> bytes:
    """Two answers to where a body ends (RFC 9112, section 6.3), and in it a request for somebody else's page."""
    inner = request(lot, f"/articles/watched/?{MARK}".encode(), b"Host: evil.example")
    lengths = [
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: \x0bchunked"],
        [b"Transfer-Encoding : chunked"],
        [b"Content-Length: 0", b"Content-Length: 44"],
        [b"Content-Length: -1"],
        [b"Content-Length: +5"],
        [b"Content-Length: 99999999999999999999"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: 0x5"],
    ]
    body = lot.choice([b"0\r\n\r\n", b"5;x=\n\r\nhello\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b""])
    outer = request(lot, _path(lot), *lot.choice(lengths), method=lot.choice(["GET", "POST", "HEAD"]))
    return outer.replace(b"Connection: close", b"Connection: keep-alive") + body + inner


def odd_form(lot: random.Random) -> bytes:
    kind = lot.choice(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", MARK]
    )
    body = b"&".join(b"email=" + _odd(lot) for _ in range(lot.choice([1, 3, 2_000])))
    headers = [f"Content-Type: {kind}; charset={lot.choice(['utf-8', 'utf-7', MARK])}".encode()]
    headers += [f"Content-Length: {len(body)}".encode(), b"Sec-Fetch-Site: same-origin"]
    target = lot.choice(
        [b"/newsletter/", b"/newsletter/unsubscribe/" + MARK.encode() + b"/", b"/newsletter/reports/x/"]
    )
    return request(lot, target, *headers, method="POST") + body


def garbage(lot: random.Random) -> bytes:
    lines = [lot.randbytes(lot.randint(1, 400)), b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n"]
    lines += [f"GET /{MARK} HTTP/1.1\r\nHost: {NAME}\r\n folded\r\n\r\n".encode(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    return lot.choice(lines) + b"\r\n\r\n"


def statuses(connection: socket.socket, data: bytes) -> list[int]:
    """Send it, and read all that is answered; none where the connection was closed without a word."""
    answered = b""
    with connection, contextlib.suppress(OSError):
        connection.sendall(data)
        while piece := connection.recv(65536):
            answered += piece
            # Whoever waits for more has been answered by then.
            connection.settimeout(0.3)
    starts = [line for line in answered.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    return [int(line.split()[1]) for line in starts]
