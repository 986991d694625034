"""Data files on careers for programs; see `articles.downloads`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from articles import open_data as ground
from articles.downloads import CSV, JSON, ZIP, File, answer, data_file, refusal
from articles.open_data import LICENCE, last_change, records_of
from articles.partial_dates import in_words
from veltrix.page_cache.views import keep_out, kept
from veltrix.publication import PUBLISHER

from . import data_package, open_data
from .comparison import LISTS, PARAMETERS, Comparison, PayCell, Query, compare, summary
from .comparison.chart import Chart
from .comparison.drawing import Drawing
from .models import Market


@dataclass(frozen=True)
class Offer:
    """A file that the page on roles and pay offers."""

    name: str
    view: str
    media_type: str
    about: str

    @property
    def url(self) -> str:
        return reverse(self.view)


FILES = [
    Offer("veltrix-data.zip", "careers:data_zip", ZIP, "Everything below, with a guide to every column"),
    Offer("salaries.csv", "careers:salaries_csv", "text/csv", "Every salary range, its source and its history"),
    Offer("roles.csv", "careers:roles_csv", "text/csv", "Roles and what they ask for"),
    Offer("roles.json", "careers:roles_json", JSON, "Roles with pay, skills and codes, for programs"),
    Offer("statistics.csv", "articles:statistics_csv", "text/csv", "Every figure in our articles, with its history"),
    Offer("sources.csv", "articles:sources_csv", "text/csv", "The publications that they come from"),
    Offer("datapackage.json", "careers:datapackage", JSON, "A description for programs: Data Package 2.0"),
]
SVG = "image/svg+xml"
PNG = "image/png"


def roles_csv_file(as_of: str) -> File:
    """Roles have no history: they are as they are described now."""
    content = open_data.ROLES.csv(open_data.all_roles())
    return File("roles.csv", CSV, content, last_change([], records=open_data.ROLE_RECORDS))


def roles_json_file(as_of: str) -> File:
    ranges = open_data.all_salary_ranges()
    salaries = records_of(ranges, as_of)
    content = open_data.roles_json(open_data.all_roles(), Market.objects.all(), salaries, as_of)
    changed_at = last_change(ranges, records=[*open_data.ROLE_RECORDS, "articles.source"])
    return File("roles.json", JSON, content, changed_at)


def salaries_file(as_of: str) -> File:
    ranges = open_data.all_salary_ranges()
    content = open_data.SALARIES.csv(records_of(ranges, as_of))
    records = ["careers.role", "careers.market", "articles.source"]
    return File("salaries.csv", CSV, content, last_change(ranges, records=records))


def package_file(as_of: str) -> File:
    ranges, values = open_data.all_salary_ranges(), ground.all_statistic_values()
    data = data_package.Data(as_of, roles=[], markets=[], ranges=ranges, values=values, sources=[])
    content = open_data.as_json(data_package.description(data))
    return File("datapackage.json", JSON, content, data.changed_at)


def zip_file(as_of: str) -> File:
    data = data_package.Data.read(as_of)
    return File("veltrix-data.zip", ZIP, data_package.package_zip(data), data.changed_at)


roles_csv = data_file(roles_csv_file)
roles_json = data_file(roles_json_file)
salaries_csv = data_file(salaries_file)
package_json = data_file(package_file)
package_zip = data_file(zip_file)


@kept(*PARAMETERS, lists=LISTS, names_others=True)
@require_safe
def chart_svg(request: HttpRequest, market: str) -> HttpResponse:
    return _chart(request, market, SVG)


@kept(*PARAMETERS, lists=LISTS, names_others=True)
@require_safe
def chart_png(request: HttpRequest, market: str) -> HttpResponse:
    return _chart(request, market, PNG)


def _chart(request: HttpRequest, slug: str, content_type: str) -> HttpResponse:
    """One market's chart of what the address asks of the comparison; nothing is left out of it unnoticed."""
    query = Query.read(request.GET)
    market = next((market for market in query.all_markets if market.slug == slug), None)
    if market is None:
        raise Http404("There is no such market.")
    if market not in query.markets:
        query.ignore("market", *request.GET.getlist("market"))
    comparison = compare(query)
    if query.ignored:
        return refusal(f"Not understood: {', '.join(query.ignored)}.")
    if query.is_roundabout:
        keep_out(request)
    drawing = drawing_of(comparison, market, query)
    svg = drawing.svg()
    if content_type == SVG:
        return answer(request, File(f"ai-pay-{slug}.svg", SVG, svg), query.as_of)
    # The SVG says all that the PNG shows, and is quick to write.
    return answer(request, File(f"ai-pay-{slug}.png", PNG, drawing.png, key=svg + b"PNG"), query.as_of)


def drawing_of(comparison: Comparison, market: Market, query: Query) -> Drawing:
    """The chart of one market of a comparison, with all that a reader of a stray copy must know."""
    today = f"{timezone.localdate():%-d %B %Y}"
    date = f"By what was known on {today}." if query.as_of else f"As shown on {today}."
    address = f"{settings.SITE_URL}{reverse('careers:index')}".partition("://")[2]
    cells = [cell for row in comparison.rows for cell in row.pay if cell.market == market]
    return Drawing.of(
        Chart.of(comparison, market),
        subtitle=f"{summary(comparison, query)}. {date}",
        notes=[*_evidence(cells), *_open_ends(cells)],
        credit=f"{PUBLISHER}, {address}. {LICENCE['title']}",
    )


def _evidence(cells: Sequence[PayCell]) -> list[str]:
    """Where the ranges come from, as of when they hold, and what is to be said of them."""
    salaries = [cell.salary for cell in cells if cell.salary]
    citations = dict.fromkeys(salary.source.citation for salary in salaries if salary.source)
    dates = sorted({salary.as_of for salary in salaries if salary.as_of})
    said = Counter(cell.note.words for cell in cells if cell.note and cell.note.words)
    return [
        *([f"Sources: {'; '.join(citations)}."] if citations else []),
        *([f"Figures as of {', '.join(in_words(date) for date in dates)}."] if dates else []),
        *(f"{words}: {count} of {len(cells)} roles." for words, count in said.items()),
    ]


def _open_ends(cells: Iterable[PayCell]) -> list[str]:
    if not any(cell.salary and cell.salary.is_open_ended for cell in cells):
        return []
    return ["An arrow marks a range whose source gives its upper figure with a plus sign, or gives none."]
