"""What a feed must be: the rules of RFC 4287 and of JSON Feed 1.1 that a feed of a site can break."""

import json
import re
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

NAMESPACE = "{http://www.w3.org/2005/Atom}"
JSON_ITEM = {
    "id",
    "url",
    "title",
    "content_html",
    "summary",
    "image",
    "date_published",
    "date_modified",
    "authors",
    "tags",
}
JSON_FEED = {"version", "title", "home_page_url", "feed_url", "description", "language", "authors", "hubs", "items"}


def is_absolute(address):
    parts = urlsplit(address or "")
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def is_moment(text):
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text or ""))


def atom_problems(content):
    """The root of an Atom feed, and what is wrong with it, a line each (sections 4.1.1 and 4.1.2)."""
    root = ElementTree.fromstring(content)  # noqa: S314 - our own
    problems = [] if root.tag == f"{NAMESPACE}feed" else ["it is no feed"]
    problems += _of_element(root, "the feed", alternates=1)
    entries = root.findall(f"{NAMESPACE}entry")
    for entry in entries:
        problems += _of_element(entry, entry.findtext(f"{NAMESPACE}title"), alternates=1)
        if entry.find(f"{NAMESPACE}author") is None and root.find(f"{NAMESPACE}author") is None:
            problems.append("an entry has no author")
        if len(entry.findall(f"{NAMESPACE}content")) > 1 or len(entry.findall(f"{NAMESPACE}summary")) > 1:
            problems.append("an entry has more than one content or summary")
    ids = [entry.findtext(f"{NAMESPACE}id") for entry in entries]
    if len(ids) != len(set(ids)):
        problems.append("two entries have one id")
    if [link.get("href") for link in _links(root, "self")] == []:
        problems.append("it does not say where it is")
    return root, problems


def _of_element(element, name, *, alternates):
    problems = [
        f"{name}: not one {child}"
        for child in ("id", "title", "updated")
        if len(element.findall(NAMESPACE + child)) != 1
    ]
    for child in ("updated", "published"):
        texts = [found.text for found in element.findall(NAMESPACE + child)]
        problems += [f"{name}: {text} is no moment" for text in texts if not is_moment(text)]
    if len(_links(element, "alternate")) != alternates:
        problems.append(f"{name}: not one page")
    problems += [
        f"{name}: {link.get('href')} is relative"
        for link in element.findall(f"{NAMESPACE}link")
        if not is_absolute(link.get("href"))
    ]
    if not re.match(r"[a-z]+:", element.findtext(f"{NAMESPACE}id") or ""):
        problems.append(f"{name}: its id is no IRI")
    problems += [
        f"{name}: an author without a name" for a in element.findall(f"{NAMESPACE}author/{NAMESPACE}name") if not a.text
    ]
    return problems


def _links(element, rel):
    return [link for link in element.findall(f"{NAMESPACE}link") if link.get("rel", "alternate") == rel]


def json_problems(content):
    """A JSON feed, and what is wrong with it, a line each."""
    feed = json.loads(content)
    problems = [f"the feed has no member {name}" for name in feed.keys() - JSON_FEED]
    if feed.get("version") != "https://jsonfeed.org/version/1.1" or not feed.get("title"):
        problems.append("no version or title")
    problems += [f"{name} is relative" for name in ("home_page_url", "feed_url") if not is_absolute(feed.get(name))]
    for item in feed["items"]:
        problems += [f"an item has no member {name}" for name in item.keys() - JSON_ITEM]
        problems += [f"{name} is missing" for name in ("id", "url", "content_html") if not item.get(name)]
        problems += [
            f"{item[name]} is relative" for name in ("url", "image") if name in item and not is_absolute(item[name])
        ]
        moments = [item[name] for name in ("date_published", "date_modified") if name in item]
        problems += [f"{moment} is no moment" for moment in moments if not is_moment(moment)]
        problems += ["an author without a name" for author in item.get("authors", []) if not author.get("name")]
        if len(moments) == 2 and datetime.fromisoformat(moments[1]) < datetime.fromisoformat(moments[0]):
            problems.append("changed before it appeared")
    if len({item["id"] for item in feed["items"]}) != len(feed["items"]):
        problems.append("two items have one id")
    return feed, problems
