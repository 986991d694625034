"""Looking at addresses elsewhere: politely, and never at a machine of our own network.

One request at a time, at least a second between two to one host, each with a name that says whose it is; redirects are
reported, not followed. An address is looked at by the numbers that its name meant when it was found to be public
(OWASP ASVS 1.3.6, 15.3.2), so that a name that changes meanwhile leads nowhere else.
"""

import http.client
import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings
from django.db import transaction
from django.tasks import task
from django.utils import timezone

from . import outgoing
from .links import is_internal
from .markup import links
from .models import Article, ExternalLink, Source

logger = logging.getLogger(__name__)

PAUSE = 1.0
# One run of the task looks at no more than this, and asks for another: letters wait no longer.
MOST_IN_A_RUN = 10
PORTS = {80, 443}
# Addresses of version 6 whose last four bytes are one of version 4 (RFC 6052; RFC 4291, section 2.5.5.1).
HOLDING_ANOTHER = [ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")]
# Answers of sites that refuse programs, or that ask not to be asked now: the page may well be there.
UNDECIDED = {401, 403, 405, 406, 429, 503, 999}


@dataclass(frozen=True)
class Outcome:
    """What an address answered: `problem` is a sentence, empty where the page is there."""

    problem: str = ""
    moved_to: str = ""


class NotPublicError(Exception):
    """An address names a machine that is not on the public Internet, or a port that is not the web's."""


type MayConnect = Callable[[str, int], bool]


def is_public(ip: str, port: int) -> bool:
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        is_holding = any(address in network for network in HOLDING_ANOTHER)
        within = ipaddress.IPv4Address(address.packed[-4:]) if is_holding else None
        address = address.ipv4_mapped or within or address
    is_local = address.is_multicast or getattr(address, "is_site_local", False)
    return address.is_global and not is_local and port in PORTS


def look_at(address: str, may_connect: MayConnect = is_public) -> Outcome:
    """Ask for a page with HEAD, then GET where that is not understood; whatever the other side does is an outcome."""
    try:
        status, location = _ask("HEAD", address, may_connect)
        if status in {400, 404, 405, 500, 501}:
            status, location = _ask("GET", address, may_connect)
        moved_to = urljoin(address, location.replace("\x00", ""))[: ExternalLink.MOST_CHARACTERS]
    except NotPublicError:
        return Outcome("It does not lead to a public web site.")
    except socket.gaierror:
        return Outcome("Its host is not known.")
    except ssl.SSLCertVerificationError:
        return Outcome("Its certificate is not right.")
    except TimeoutError:
        return Outcome(f"No answer within {outgoing.TIMEOUT} seconds.")
    except (OSError, http.client.HTTPException, ValueError):
        return Outcome("The connection failed.")
    if status in {301, 308} and location:
        return Outcome(moved_to=moved_to)
    if status < 400 or status in UNDECIDED:
        return Outcome()
    sentences = {404: "Its page is not there (404).", 410: "Its page is gone (410)."}
    return Outcome(sentences.get(status, f"It answers with the error {status}."))


def _ask(method: str, address: str, may_connect: MayConnect) -> tuple[int, str]:
    """Status and Location of the answer."""
    parts = urlsplit(address)
    is_https = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_https else 80)
    ips = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not all(may_connect(ip, port) for ip in ips):
        raise NotPublicError(address)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
    agent = f"VeltrixLinkCheck (+{settings.SITE_URL}/)"
    with outgoing.connected(host, port, is_https=is_https, ip=ips[0]) as connection:
        headers = {"User-Agent": agent, "Accept": "*/*", "Connection": "close"}
        connection.request(method, path + query, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", "")


def addresses_in(document: Mapping[str, Any]) -> set[str]:
    """The addresses elsewhere that a document's texts lead to."""
    hrefs = {link.href.strip() for _, link in links(document)}
    return {
        href for href in hrefs if href.startswith(("http://", "https://")) and _fits(href) and not is_internal(href)
    }


def _fits(address: str) -> bool:
    return len(address) <= ExternalLink.MOST_CHARACTERS and "\x00" not in address


def _host_of(address: str) -> str:
    """The host that an address names; empty where it names none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def take_note(article: Article, *documents: Mapping[str, Any]) -> None:
    """Remember what an article's documents lead to; addresses that are new are looked at by the queue's worker."""
    if _set_links(article, set().union(*map(addresses_in, documents))):
        transaction.on_commit(check_links.enqueue)


def _set_links(record: Article | Source, addresses: set[str]) -> bool:
    """Make these the links of an article or source; whether there are new ones among them."""
    known = _rows(addresses)
    missing = addresses - {row.address for row in known}
    if missing:
        new = [ExternalLink(address=address, digest=ExternalLink.digest_of(address)) for address in sorted(missing)]
        ExternalLink.objects.bulk_create(new, ignore_conflicts=True)
        known = _rows(addresses)
    record.external_links.set(known)
    return bool(missing)


def _rows(addresses: Iterable[str]) -> list[ExternalLink]:
    digests = list(map(ExternalLink.digest_of, addresses))
    return list(ExternalLink.objects.filter(digest__in=digests)) if digests else []


def take_stock() -> None:
    """Bring what leads where up to date for all articles and sources, and forget addresses that nothing leads to."""
    for article in Article.objects.select_related("live_version", "next_version").iterator(chunk_size=100):
        states = (article.saves.first(), article.live_version, article.next_version)
        documents = [state.document for state in states if state]
        _set_links(article, set().union(*map(addresses_in, documents)))
    for source in Source.objects.iterator(chunk_size=500):
        addresses = {address for address in (source.address, source.archive_url) if address and _fits(address)}
        _set_links(source, addresses)
    ExternalLink.objects.filter(articles=None, sources=None).delete()


def check_due(may_connect: MayConnect = is_public, pause: float = PAUSE, most: int = MOST_IN_A_RUN) -> int:
    """Look at the links that are due, at most so many; how many there were. What was found is kept at once."""
    asked_at: dict[str, float] = {}
    due = list(ExternalLink.objects.due()[:most])
    for link in due:
        host = _host_of(link.address)
        time.sleep(max(0.0, asked_at.get(host, -pause) + pause - time.monotonic()))
        outcome = look_at(link.address, may_connect)
        asked_at[host] = time.monotonic()
        link.checked_at = timezone.now()
        link.failures = min(link.failures + 1, 1_000) if outcome.problem else 0
        link.problem, link.moved_to = outcome.problem, outcome.moved_to
        link.save(update_fields=["checked_at", "failures", "problem", "moved_to"])
    logger.info("Looked at %s links elsewhere", len(due))
    return len(due)


# Behind everything that somebody waits for.
@task(priority=-50)
def check_links() -> None:
    if check_due() == MOST_IN_A_RUN:
        check_links.enqueue()
