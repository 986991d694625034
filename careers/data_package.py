"""The package of all that is given away: a Data Package 2.0 of roles, salaries, statistics and sources."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from articles import open_data as ground
from articles.models import Source, StatisticValue
from articles.open_data import LICENCE, RESOURCE_PROFILE, iso
from veltrix.publication import PUBLISHER

from .models import Market, SalaryRange
from .open_data import (
    ROLE_RECORDS,
    ROLES,
    SALARIES,
    TITLE,
    RoleFacts,
    all_roles,
    all_salary_ranges,
    as_json,
    roles_json,
)

PACKAGE_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
DESCRIPTION = (
    "Roles in AI with the skills they ask for, every salary range and every statistic that Veltrix has published, each "
    "with its source, its date, whether it was checked, and its history."
)
ALL_RECORDS = [*ROLE_RECORDS, "articles.source", "articles.statistic"]


@dataclass(frozen=True)
class Data:
    """All that is given away, as it stands or as it was true on the last day of a partial date."""

    as_of: str
    roles: list[RoleFacts]
    markets: list[Market]
    ranges: list[SalaryRange]
    values: list[StatisticValue]
    sources: list[Source]

    @classmethod
    def read(cls, as_of: str) -> Self:
        return cls(
            as_of,
            roles=all_roles(),
            markets=list(Market.objects.all()),
            ranges=all_salary_ranges(),
            values=ground.all_statistic_values(),
            sources=ground.all_sources(),
        )

    @cached_property
    def changed_at(self) -> datetime | None:
        return ground.last_change([*self.ranges, *self.values], records=ALL_RECORDS)

    def files(self) -> dict[str, bytes]:
        """The files of the package by name, all but its description."""
        salaries = ground.records_of(self.ranges, self.as_of)
        return {
            "roles.csv": ROLES.csv(self.roles),
            "salaries.csv": SALARIES.csv(salaries),
            "statistics.csv": ground.STATISTICS.csv(ground.records_of(self.values, self.as_of)),
            "sources.csv": ground.SOURCES.csv(self.sources),
            "roles.json": roles_json(self.roles, self.markets, salaries, self.as_of),
        }


TABLES = [ROLES, SALARIES, ground.STATISTICS, ground.SOURCES]
ADDRESSES = {
    "roles.csv": "careers:roles_csv",
    "roles.json": "careers:roles_json",
    "salaries.csv": "careers:salaries_csv",
    "statistics.csv": "articles:statistics_csv",
    "sources.csv": "articles:sources_csv",
}


def address_of(file_name: str, as_of: str = "") -> str:
    """Where a file of the package is served."""
    query = f"?as_of={as_of}" if as_of else ""
    return f"{settings.SITE_URL}{reverse(ADDRESSES[file_name])}{query}"


def version_of(data: Data) -> str:
    """The day of the last change, and the date that was asked for: 2026-11-24, 2026-11-24+as-of-2025."""
    day = iso(data.changed_at)[:10] if data.changed_at else "0"
    return f"{day}+as-of-{data.as_of}" if data.as_of else day


def description(data: Data, files: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """The data package: with files beside it, and what they measure; else with the addresses of the living files."""
    about_date = f" Figures are those that were true on the last day of {data.as_of}." if data.as_of else ""
    cited = {figure.source for figure in [*data.ranges, *data.values] if figure.source}
    package: dict[str, Any] = {
        "$schema": PACKAGE_PROFILE,
        "name": "veltrix-data",
        "title": TITLE,
        "description": DESCRIPTION + about_date,
        "homepage": settings.SITE_URL + reverse("careers:index"),
        "version": version_of(data),
    }
    if data.changed_at:
        package["created"] = iso(data.changed_at)
    package |= {
        "licenses": [LICENCE],
        "contributors": [{"title": PUBLISHER, "path": settings.SITE_URL, "roles": ["publisher"]}],
    }
    if cited:
        package["sources"] = [
            {"title": source.citation, **({"path": source.address} if source.address else {})}
            for source in sorted(cited, key=lambda source: source.slug)
        ]
    package["resources"] = [_resource(table.resource(is_whole=not data.as_of), data, files) for table in TABLES]
    package["resources"].append(_resource(ROLES_AS_JSON, data, files))
    return package


ROLES_AS_JSON = {
    "$schema": RESOURCE_PROFILE,
    "name": "roles-json",
    "title": "Roles with pay, requirements and codes",
    "description": "The same roles as one nested document, with their pay, requirements, codes and sources.",
    "format": "json",
    "mediatype": "application/json",
    "encoding": "utf-8",
}


def _resource(described: dict[str, Any], data: Data, files: Mapping[str, bytes] | None) -> dict[str, Any]:
    file_name = f"{described['name'].removesuffix('-json')}.{described['format']}"
    if files is None:
        return {**described, "path": address_of(file_name, data.as_of)}
    content = files[file_name]
    return {
        **described,
        "path": file_name,
        "bytes": len(content),
        "hash": f"sha256:{sha256(content).hexdigest()}",
    }


def readme(data: Data) -> bytes:
    """What is in the package, in plain words."""
    context = {
        "title": TITLE,
        "description": DESCRIPTION,
        "publisher": PUBLISHER,
        "licence": LICENCE,
        "homepage": settings.SITE_URL + reverse("careers:index"),
        "version": version_of(data),
        "year": data.changed_at.year if data.changed_at else None,
        "as_of": data.as_of,
        "tables": TABLES,
    }
    return render_to_string("careers/open-data.md", context).encode()


def package_zip(data: Data) -> bytes:
    """The whole package in one file; the same data gives the same bytes."""
    files = data.files()
    members = {
        "README.md": readme(data),
        "datapackage.json": as_json(description(data, files)),
        **files,
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(member, content)
    return archive.getvalue()
