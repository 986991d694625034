"""The review of figures: rules, what they find, and the register in which every app enters its own.

A rule about a single figure is a small function of the figure and the day; the badges that readers see ask the same
functions. A rule about other records finds them by itself. Findings are never stored: `ReviewMark` keeps what people
made of them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.text import Truncator

from .models import Sourced
from .models.sourced import kinds_of_figures


class Severity(StrEnum):
    """An error stands in the way of publishing; a warning asks to be looked at."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Rule:
    key: str
    title: str
    severity: Severity


@dataclass(frozen=True)
class Finding:
    """That a record breaks a rule; `message` says how, in a sentence.

    Where a rule can find several things about one record, `point` names the one, shortly and lastingly.
    """

    rule: Rule
    subject: models.Model
    message: str
    point: str = ""

    @property
    def subject_key(self) -> str:
        """The name of what it is about in `ReviewMark.subject`: no two findings of a rule have the same."""
        key = f"{self.subject._meta.label_lower}:{self.subject.pk}"
        return f"{key}:{self.point}" if self.point else key

    @property
    def name(self) -> str:
        """What the record is called."""
        if isinstance(self.subject, Sourced):
            return f"{self.subject.text}: {Truncator(self.subject.subject).words(10)}"
        return str(self.subject)

    @property
    def url(self) -> str:
        """The record's page for readers; empty where it has none."""
        return str(self.subject.get_absolute_url()) if hasattr(self.subject, "get_absolute_url") else ""


# A sentence that says what is wrong, empty where nothing is.
type FigureCheck[Figure: Sourced] = Callable[[Figure, date], str]
# A record, a sentence, and the point of the finding where the rule can find several things about one record. In a
# number of queries that does not grow.
type RecordCheck = Callable[[date], Iterable[tuple[models.Model, str] | tuple[models.Model, str, str]]]


@dataclass(frozen=True)
class Badge:
    """What readers should know of a figure, in plain words, and why."""

    words: str
    reason: str


# What readers see where a rule is broken, None where it is not for them.
type BadgeOf[Figure: Sourced] = Callable[[Figure], Badge | None]

_figure_rules: dict[str, tuple[Rule, type[Sourced], FigureCheck[Any], BadgeOf[Any] | None]] = {}
_record_rules: dict[str, tuple[Rule, RecordCheck]] = {}


def figure_rule[Figure: Sourced](
    key: str, title: str, severity: Severity, *, of: type[Sourced] = Sourced, badge: BadgeOf[Figure] | None = None
) -> Callable[[FigureCheck[Figure]], FigureCheck[Figure]]:
    """Enter a rule about each figure of a kind; `badge` says the same to readers."""

    def enter(check: FigureCheck[Figure]) -> FigureCheck[Figure]:
        _figure_rules[key] = (Rule(key, title, severity), of, check, badge)
        return check

    return enter


def record_rule(key: str, title: str, severity: Severity) -> Callable[[RecordCheck], RecordCheck]:
    """Enter a rule about records other than figures."""

    def enter(check: RecordCheck) -> RecordCheck:
        _record_rules[key] = (Rule(key, title, severity), check)
        return check

    return enter


def rules() -> list[Rule]:
    """All rules, errors first, in the order in which they were entered."""
    entered = [entry[0] for entry in _figure_rules.values()] + [entry[0] for entry in _record_rules.values()]
    return sorted(entered, key=lambda rule: rule.severity != Severity.ERROR)


def of_figures(
    figures: Iterable[Sourced], today: date, *, severities: Collection[Severity] = tuple(Severity)
) -> Iterator[Finding]:
    """What the rules of these severities find in figures, which come with their evidence.

    Warnings also ask for the figure before (`for_review`).
    """
    asked = [entry for entry in _figure_rules.values() if entry[0].severity in severities]
    for figure in figures:
        for rule, kind, check, _ in asked:
            if figure.is_withdrawn and rule.key != "withdrawn":
                continue
            if isinstance(figure, kind) and (message := check(figure, today)):
                yield Finding(rule, figure, message)


def badges_of(figure: Sourced, today: date) -> list[Badge]:
    """The badges of a figure, which comes with its evidence, the gravest first."""
    day = f"{timezone.localdate(figure.published_at):%-d %b %Y}" if figure.published_at else ""
    if figure.is_withdrawn:
        return [Badge(f"Withdrawn {day}", figure.why_note)]
    badges = [Badge(f"Corrected {day}", figure.why_note)] if figure.why == Sourced.Why.CORRECTION else []
    for _, kind, check, badge in _figure_rules.values():
        # What is not for readers is not asked: it may ask for more of the figure than a page has loaded.
        if badge and isinstance(figure, kind) and check(figure, today) and (shown := badge(figure)):
            badges.append(shown)
    return badges


def words_of(badges: Iterable[Badge]) -> str:
    """Several badges as one line: “No source stated; base or total not stated”."""
    first, *others = [badge.words for badge in badges] or [""]
    return "; ".join([first, *(words[:1].lower() + words[1:] for words in others)])


def figures_in_force() -> Iterator[Sourced]:
    """All that readers see now, with what the rules ask of it: one query for each kind of figure."""
    for kind in kinds_of_figures():
        figures = kind._default_manager.in_force().for_review()  # type: ignore[attr-defined]
        yield from figures.fetch_mode(models.FETCH_RAISE)


def collect(today: date) -> list[Finding]:
    """All findings, in the order of the rules, those of a rule by what they are about."""
    found = list(of_figures(figures_in_force(), today))
    for rule, check in _record_rules.values():
        found.extend(Finding(rule, *what) for what in check(today))
    order = {rule.key: place for place, rule in enumerate(rules())}

    def place(finding: Finding) -> tuple[int, str, str, str]:
        subject = finding.subject
        about = subject.subject if isinstance(subject, Sourced) else str(subject)
        return order[finding.rule.key], subject._meta.label, about.casefold(), finding.subject_key

    return sorted(found, key=place)
