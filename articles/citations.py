"""How to cite a source, or a figure of this site: in short, in full, as BibTeX and as CSL-JSON.

The full form follows the APA style, seventh edition. No library writes it here: those that read the Citation Style
Language need its styles, which are under a share-alike licence. The forms are tested against published examples.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self, cast

from django.conf import settings
from django.utils import timezone

from veltrix.publication import PUBLISHER

from .clocks import MOMENT
from .models import Source, Sourced
from .partial_dates import first_day

Kind = Source.Kind

CSL_TYPES = {
    Kind.REPORT: "report",
    Kind.DATASET: "dataset",
    Kind.ARTICLE: "article-journal",
    Kind.WEB_PAGE: "webpage",
    Kind.BOOK: "book",
}
# The entry type, and the field that names whoever publishes it.
BIBTEX_TYPES = {
    Kind.REPORT: ("techreport", "institution"),
    Kind.DATASET: ("misc", "howpublished"),
    Kind.ARTICLE: ("article", "journal"),
    Kind.WEB_PAGE: ("misc", "howpublished"),
    Kind.BOOK: ("book", "publisher"),
}
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
BIBTEX_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)


@dataclass(frozen=True)
class Citation:
    """What is cited. `issued` is a partial date or empty; without `persons` the producer is the author."""

    key: str
    kind: str
    producer: str
    title: str
    persons: tuple[tuple[str, str], ...] = ()
    edition: str = ""
    issued: str = ""
    url: str = ""
    doi: str = ""
    isbn: str = ""
    accessed_on: date | None = None
    # What else belongs to it: where a figure was taken from, and what became of its check.
    note: str = ""

    @classmethod
    def of_source(cls, source: Source) -> Self:
        return cls(
            key=source.slug,
            kind=source.kind,
            producer=source.producer,
            title=source.title,
            persons=tuple(source.persons),
            edition="" if source.edition == source.published[:4] else source.edition,
            issued=source.published,
            url=source.url,
            doi=source.doi,
            isbn=source.isbn,
            accessed_on=source.accessed_on,
        )

    @classmethod
    def of_figure(cls, figure: Sourced, key: str) -> Self:
        """Cite the page of a figure as it stood when it was published, under an address that says so."""
        moment = cast("datetime", figure.published_at).astimezone(UTC)
        published_on = timezone.localdate(moment)
        status = figure.get_check_status_display().lower()
        origin = f"as cited from {figure.source.citation}" if figure.source else "no source stated"
        return cls(
            key=key,
            kind=Kind.DATASET,
            producer=PUBLISHER,
            title=f"{figure.text[:1].upper()}{figure.text[1:]}: {figure.subject}".rstrip("."),
            issued=published_on.isoformat(),
            url=f"{settings.SITE_URL}{figure.get_absolute_url()}?published_on={moment:{MOMENT}}",
            accessed_on=timezone.localdate(),
            note=f"{origin}; {status}",
        )

    @property
    def year(self) -> str:
        return self.issued[:4] or "n.d."

    @property
    def short(self) -> str:
        """Author and year, as in running text."""
        families = [family for family, _ in self.persons]
        authors = self.producer
        if len(families) > 2:
            authors = f"{families[0]} et al."
        elif families:
            authors = " & ".join(families)
        return f"{authors} ({self.year})"

    @property
    def full(self) -> str:
        """A whole reference in the APA style."""
        title = self.title.rstrip(".")
        if self.edition or self.note:
            title += f" ({self.edition or self.note})"
        if self.kind == Kind.DATASET:
            title += " [Data set]"
        authors = _persons_in_apa(self.persons) or _sentence(self.producer)
        parts = [f"{authors} ({self._date_in_apa()})", title]
        if self.persons:
            parts.append(self.producer)
        address = f"https://doi.org/{self.doi}" if self.doi else self.url
        # What has no date of its own may change: when it was seen belongs to its address.
        if address and not self.issued and self.accessed_on:
            address = f"Retrieved {self.accessed_on:%B %-d, %Y}, from {address}"
        return " ".join([*(_sentence(part) for part in parts), address]).strip()

    def _date_in_apa(self) -> str:
        if not self.issued:
            return "n.d."
        first = first_day(self.issued)
        forms = [f"{first:%Y}", f"{first:%Y, %B}", f"{first:%Y, %B %-d}"]
        return forms[self.issued.count("-")]

    @property
    def bibtex(self) -> str:
        """An entry for BibTeX and biblatex; special characters are escaped."""
        entry, publisher = BIBTEX_TYPES[Kind(self.kind)]
        persons = " and ".join(_person_in_bibtex(family, given) for family, given in self.persons)
        fields = {
            "author": persons or f"{{{_escaped(self.producer)}}}",
            "title": f"{{{_escaped(self.title)}}}",
            publisher: _escaped(self.producer),
            "edition": _escaped(self.edition),
            "year": self.issued[:4],
            "month": MONTHS[int(self.issued[5:7]) - 1] if len(self.issued) > 4 else "",
            "doi": _without_braces(self.doi),
            "isbn": self.isbn,
            "url": _without_braces(self.url),
            "urldate": self.accessed_on.isoformat() if self.accessed_on else "",
            "note": _escaped(self.note),
        }
        lines = [
            # The months are words that BibTeX knows; all else is text.
            f"  {name} = {value if name == 'month' else f'{{{value}}}'},"
            for name, value in fields.items()
            if value
        ]
        return "\n".join([f"@{entry}{{{self.key},", *lines, "}"])

    def as_csl(self) -> Mapping[str, Any]:
        """An item of CSL-JSON (schema csl-data, version 1.0); what is unknown is left out."""
        authors = [{"family": family, "given": given} for family, given in self.persons]
        item: dict[str, Any] = {
            "id": self.key,
            "type": CSL_TYPES[Kind(self.kind)],
            "author": authors or [{"literal": self.producer}],
            "title": self.title,
            "publisher": self.producer,
            "edition": self.edition,
            "issued": {"date-parts": [[int(part) for part in self.issued.split("-")]]} if self.issued else None,
            "DOI": self.doi,
            "ISBN": self.isbn,
            "URL": self.url,
            "note": self.note,
            "accessed": {"date-parts": [[*self.accessed_on.timetuple()[:3]]]} if self.accessed_on else None,
        }
        if self.kind == Kind.ARTICLE:
            item["container-title"] = item.pop("publisher")
        return {name: value for name, value in item.items() if value}

    @property
    def csl_json(self) -> str:
        return json.dumps([self.as_csl()], ensure_ascii=False, indent=2)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _persons_in_apa(persons: tuple[tuple[str, str], ...]) -> str:
    names = [f"{family}, {_initials(given)}" if given else _sentence(family) for family, given in persons]
    if len(names) > 20:
        names = [*names[:19], f". . . {names[-1]}"]
        return ", ".join(names)
    if len(names) > 1:
        names[-1] = f"& {names[-1]}"
    return ", ".join(names)


def _initials(given: str) -> str:
    """“Carl Benedikt” as “C. B.”, “Jean-Luc” as “J.-L.”, “J.K.” as “J. K.”; a suffix behind a comma stays."""
    given, comma, suffix = given.partition(",")
    words = [word for word in re.split(r"[\s.]+", given) if word]
    initials = " ".join("-".join(f"{part[0]}." for part in word.split("-") if part) for word in words)
    return f"{initials}, {suffix.strip()}" if comma and suffix.strip() else initials


def _person_in_bibtex(family: str, given: str) -> str:
    """“Family, Given”, with the suffix in between where there is one; an “and” inside a name parts no names."""
    given, _, suffix = (part.strip() for part in given.partition(","))
    parts = [_escaped(part) for part in (family, suffix, given) if part]
    return ", ".join(f"{{{part}}}" if re.search(r"\band\b", part) else part for part in parts)


def _without_braces(address: str) -> str:
    """An address in which nothing ends its field; BibTeX takes all else as it is."""
    return address.replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D")


def _escaped(text: str) -> str:
    return text.translate(BIBTEX_SPECIAL)
