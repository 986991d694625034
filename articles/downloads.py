"""Data files for programs: what may be asked of them, and how they are answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.views.decorators.http import require_safe

from veltrix.page_cache.views import kept

from . import open_data
from .partial_dates import first_day, validate_partial_date

CSV = "text/csv; charset=utf-8; header=present"
JSON = "application/json"
ZIP = "application/zip"
# Anybody may keep a file, and asks whether it is still the same.
CACHING = "public, no-cache"


@dataclass(frozen=True)
class File:
    """A data file: its name, what it is, and when what it holds was last changed, where that can be told."""

    name: str
    content_type: str
    # The bytes, or what makes them where that is dear and `key` says as well what they are.
    content: bytes | Callable[[], bytes]
    changed_at: datetime | None = None
    key: bytes = b""

    @property
    def etag(self) -> str:
        return quote_etag(sha256(self.key or self.read()).hexdigest())

    def read(self) -> bytes:
        return self.content() if callable(self.content) else self.content


def read_as_of(request: HttpRequest) -> str:
    """The partial date that `?as_of=` asks for, empty where none is asked for; `BadRequest` for anything else.

    A program must not get other data than it asked for without noticing, so nothing is ignored here.
    """
    if set(request.GET) - {"as_of"}:
        raise BadRequest("The only parameter of a data file is as_of.")
    return date_among(request.GET.getlist("as_of"))


def date_among(values: Sequence[str]) -> str:
    """The partial date that is given, empty where none is; `BadRequest` for several, and for one that is wrong."""
    if not values:
        return ""
    if len(values) > 1:
        raise BadRequest("as_of is given more than once.")
    try:
        validate_partial_date(values[0])
    except ValidationError as error:
        raise BadRequest("as_of is a year, a month or a day: 2025, 2025-06 or 2025-06-30.") from error
    if first_day(values[0]) > timezone.localdate():
        raise BadRequest("as_of lies in the future.")
    return values[0]


def data_file(make: Callable[[str], File]) -> Callable[..., HttpResponse]:
    """A view that answers with the file that `make` gives for an as-of date, or says that the asker has it already."""

    @kept("as_of", names_others=True)
    @require_safe
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            as_of = read_as_of(request)
        except BadRequest as error:
            return refusal(error)
        return answer(request, make(as_of), as_of)

    return view


def answer(request: HttpRequest, file: File, as_of: str = "") -> HttpResponse:
    """The file to keep under a name that says its date, or the word that the asker has it already (RFC 9110, 13)."""
    changed_at = int(file.changed_at.timestamp()) if file.changed_at else None
    response = get_conditional_response(request, file.etag, changed_at)
    if response is None:
        response = HttpResponse(file.read(), content_type=file.content_type)
        response.headers["Content-Disposition"] = f'attachment; filename="{dated(file.name, as_of)}"'
    response.headers["Cache-Control"] = CACHING
    response.headers["ETag"] = file.etag
    if file.changed_at:
        response.headers["Last-Modified"] = http_date(file.changed_at.timestamp())
    return response


def refusal(reason: object) -> HttpResponse:
    """The answer to a program that asked for something else than there is."""
    return HttpResponse(f"{reason}\n", status=400, content_type="text/plain; charset=utf-8")


def dated(name: str, as_of: str) -> str:
    """A file’s name with the date that it was asked for: salaries-as-of-2025.csv."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}-as-of-{as_of}.{ending}" if as_of else name


def sources_file(as_of: str) -> File:
    """Sources have no history: they are as they are described now."""
    content = open_data.SOURCES.csv(open_data.all_sources())
    return File("sources.csv", CSV, content, open_data.last_change([], records=["articles.source"]))


def statistics_file(as_of: str) -> File:
    values = open_data.all_statistic_values()
    content = open_data.STATISTICS.csv(open_data.records_of(values, as_of))
    records = ["articles.statistic", "articles.source"]
    return File("statistics.csv", CSV, content, open_data.last_change(values, records=records))


sources_csv = data_file(sources_file)
statistics_csv = data_file(statistics_file)
