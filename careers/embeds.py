"""What other sites may show in a frame: a role's pay or a table of roles, live or frozen at a date."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar, Self, override
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.history import lines_of
from articles.partial_dates import in_words, last_day
from articles.review import badges_of, words_of

from .comparison import Comparison, PayCell, comparisons_of
from .models import ComparisonTable, Role
from .pay import pay_of

DEFAULT_WIDTH = 600
# Wider than this an embed gains nothing.
MOST_WIDTH = 900
HOST_SCRIPT = "embed/frame-height.js"
# As long as what a role’s embed says where there is no figure.
NO_FIGURE = "No figure is on record for 30 September 2026."


@dataclass(frozen=True)
class Embed(ABC):
    """What an embed shows. `as_of` is a partial date, empty for a live one."""

    slug: str
    title: str
    as_of: str

    # The name of its address, and what prints it.
    view: ClassVar = ""
    template: ClassVar = ""

    @classmethod
    @abstractmethod
    def find(cls, slug: str, as_of: str = "") -> Self:
        """The embed of this role or table; `Http404` where there is none."""

    @abstractmethod
    def height(self, width: int) -> int:
        """How high it is at most at this width, both in CSS pixels, with all that unfolds still folded."""

    @property
    @abstractmethod
    def full_path(self) -> str:
        """The page that shows the same with its sources and checks."""

    @property
    def url(self) -> str:
        query = f"?as_of={self.as_of}" if self.as_of else ""
        return f"{settings.SITE_URL}{reverse(self.view, args=[self.slug])}{query}"

    @property
    def full_url(self) -> str:
        return settings.SITE_URL + self.full_path

    @property
    def frozen_at(self) -> str:
        """The day at which it is frozen, in words; empty while it is live, or its time has not passed."""
        is_over = self.as_of and last_day(self.as_of) <= timezone.localdate()
        return in_words(last_day(self.as_of).isoformat()) if is_over else ""

    @property
    def as_of_text(self) -> str:
        return in_words(self.as_of)

    def today(self) -> Self:
        """The same, frozen at this day."""
        return replace(self, as_of=timezone.localdate().isoformat())

    def frame(self, width: int = DEFAULT_WIDTH, height: int | None = None) -> SafeString:
        """The HTML that shows it on another page."""
        return format_html(
            '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy"'
            ' style="border:0;max-width:100%"></iframe>',
            self.url,
            self.title,
            width,
            height or self.height(width),
        )

    @property
    def script(self) -> SafeString:
        """The HTML that gives frames the height of what they show."""
        return format_html('<script src="{}" async></script>', f"{settings.SITE_URL}{settings.STATIC_URL}{HOST_SCRIPT}")

    @property
    def oembed_json(self) -> str:
        """Where a description of it is to be had."""
        return self._oembed("json")

    @property
    def oembed_xml(self) -> str:
        return self._oembed("xml")

    def _oembed(self, form: str) -> str:
        return f"{settings.SITE_URL}{reverse('careers:oembed')}?{urlencode({'url': self.url, 'format': form})}"


@dataclass(frozen=True)
class RoleEmbed(Embed):
    role: Role
    pay: list[PayCell]

    view = "careers:embed_role"
    template = "careers/embed/role.html"

    @classmethod
    def of(cls, role: Role, pay: list[PayCell], as_of: str = "") -> Self:
        return cls(role.slug, f"Pay of the role {role.name}", as_of, role, pay)

    @override
    @classmethod
    def find(cls, slug: str, as_of: str = "") -> Self:
        role = Role.objects.filter(slug=slug).first()
        if role is None:
            raise Http404("There is no such role.")
        lines = lines_of(role.salary_ranges.published().for_review())
        return cls.of(role, pay_of(lines, last_day(as_of) if as_of else None), as_of)

    @override
    @property
    def full_path(self) -> str:
        return self.role.get_absolute_url()

    @override
    def height(self, width: int) -> int:
        inner = width - 2 * PADDING
        # As many columns as fit, at least 15 rem wide and 2.25 rem apart.
        columns = max(1, min(len(self.pay), (inner + 36) // 276))
        column = (inner + 36) // columns - 36
        heights = [_height_of_cell(cell, column) for cell in self.pay] or [_lines(NO_FIGURE, inner, TEXT_LETTER) * TEXT]
        rows = [max(heights[start : start + columns]) + 24 for start in range(0, len(heights), columns)]
        return _safe(_frame_height(self.title, inner) + sum(rows))


@dataclass(frozen=True)
class TableEmbed(Embed):
    comparison: Comparison

    view = "careers:embed_table"
    template = "careers/embed/table.html"

    @override
    @classmethod
    def find(cls, slug: str, as_of: str = "") -> Self:
        table = ComparisonTable.objects.filter(slug=slug).first()
        if table is None:
            raise Http404("There is no such table.")
        day = last_day(as_of) if as_of else None
        return cls(table.slug, table.title, as_of, comparisons_of([slug], day)[slug])

    @override
    @property
    def full_path(self) -> str:
        parts = {"roles": ",".join(row.role.slug for row in self.comparison.rows), "as_of": self.as_of}
        query = urlencode({name: value for name, value in parts.items() if value}, safe=",")
        return f"{reverse('careers:index')}?{query}" if query else reverse("careers:index")

    @override
    def height(self, width: int) -> int:
        inner = width - 2 * PADDING
        rows = _height_of_table(self.comparison, inner)
        notes = sum(
            _lines(f"{note.words}. {note.reasons}", min(inner, 704) - 24, SMALL_LETTER) * SMALL + 8
            for note in self.comparison.notes
        )
        return _safe(_frame_height(self.title, inner) + rows + notes + 16)


# Heights: what the style sheet of embeds makes of text, in CSS pixels. Guessed a little high, since a frame that is too
# low hides something and one that is too high hides nothing.

PADDING = 16
# Of a line of text of each size, and of a letter of it.
TEXT, UI, SMALL = 28, 21, 20
TEXT_LETTER, UI_LETTER, SMALL_LETTER = 8.6, 7.8, 6.9


def _lines(text: str, width: float, letter: float) -> int:
    return max(1, ceil(len(text) * letter / max(width, letter)))


def _frame_height(title: str, inner: int) -> int:
    """The title above, the credit line beneath, and the space around them."""
    return 2 * PADDING + _lines(title, inner, 10) * 25 + 16 + (56 if inner >= 560 else 98)


def _height_of_cell(cell: PayCell, column: int) -> int:
    figure = cell.salary or cell.withdrawn
    badges = words_of(badges_of(figure, timezone.localdate())) if figure else ""
    status = max(44, _lines(f"{badges} Why?", column, 7.6) * SMALL + 16) if badges else 0
    if cell.salary is None:
        return 13 + UI + 12 + 52 + 12 + status
    source = cell.salary.source.citation if cell.salary.source else ""
    about = f"{cell.salary.text_long}; {cell.salary.get_kind_display()}; as of {cell.salary.as_of_text}. {source}"
    return 13 + UI + 12 + 56 + 12 + 34 + 12 + _lines(about, column, SMALL_LETTER) * SMALL + status


def _height_of_table(comparison: Comparison, inner: int) -> int:
    """Caption, rows and axis of the table: below 46 rem a block for each role, else a line."""
    is_narrow = inner < 736
    columns = max(1, (inner + 24) // 264)
    height = 44 + (44 if is_narrow else 84)
    for row in comparison.rows:
        skills = ", ".join(line.label for line in row.core)
        if is_narrow:
            # Where they are very narrow, market, figure and bar stand one under the other.
            pay = ceil(len(row.pay) / columns) * (UI + 8 if inner >= 256 else 3 * UI + 8)
            height += 33 + UI + 4 + pay + 8 + _lines(skills, inner, SMALL_LETTER) * 19
        else:
            name = _lines(row.role.name, inner * 0.2 - 36, 9) * 23
            height += 33 + max(name, UI + 16, _lines(skills, inner * 0.38, UI_LETTER) * UI)
    return height


def _safe(height: float) -> int:
    return ceil(height * 1.04)
