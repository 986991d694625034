"""What other sites may show in a frame: a role's pay or a table of roles, live or frozen at a date."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
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

from . import embed_heights
from .comparison import Comparison, PayCell, comparisons_of
from .models import ComparisonTable, Role
from .pay import pay_of

DEFAULT_WIDTH = 600
# Wider than this an embed gains nothing.
MOST_WIDTH = 900
HOST_SCRIPT = "embed/frame-height.js"


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
        return embed_heights.of_pay(self.title, self.pay, width)


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
        return embed_heights.of_table(self.title, self.comparison, width)
