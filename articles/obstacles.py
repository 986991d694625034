"""The errors that stand between a draft and its publication, unless somebody publishes it with a reason."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils import timezone

from . import checklist
from .models import Article, Statistic
from .pages import Page
from .review import Finding, Severity, of_figures


@dataclass(frozen=True)
class Obstacles:
    """What is wrong with the figures that a document shows, and with its blocks."""

    figures: list[Finding]
    places: list[checklist.Point]

    def __bool__(self) -> bool:
        return bool(self.figures or self.places)

    def sentences(self) -> list[str]:
        """What is unresolved, for readers: a sentence for each rule. It names no figure, for figures change."""
        figures = _counted((finding.rule.title for finding in self.figures), "figure")
        return [*figures, *_counted((checklist.RULES[point.rule] for point in self.places), "place")]

    def state_with(self, article: Article) -> str:
        """A short text that changes with the draft and with what is found in it."""
        found = sorted(f"{finding.rule.key} {finding.subject_key}" for finding in self.figures)
        found += sorted(f"{point.rule} {point.place} {point.message}" for point in self.places)
        return sha256(json.dumps([article.changed_at.isoformat(), found]).encode()).hexdigest()


def obstacles_of(document: Mapping[str, Any]) -> Obstacles:
    """In a number of queries that does not grow with the document."""
    return Obstacles(unresolved_figures(document), checklist.errors(document))


def unresolved_figures(document: Mapping[str, Any]) -> list[Finding]:
    """The errors of the review in the figures that a document shows."""
    figures = Page.of(document, published_at=None).sources.values
    # What the article's card leads with need not stand in the article.
    leading = Statistic.objects.filter(slug=document["headline"]).with_current().first()
    if leading and leading.current:
        figures.append(leading.current)
    shown = {(type(figure), figure.pk): figure for figure in figures}
    return list(of_figures(shown.values(), timezone.localdate(), severities=[Severity.ERROR]))


def _counted(titles: Iterable[str], what: str) -> list[str]:
    return [f"{title}: {count} {what}{'' if count == 1 else 's'}." for title, count in Counter(titles).items()]
