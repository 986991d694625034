"""Roles and salary ranges from a table; see `articles.imports`."""

from collections.abc import Callable
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db import models

from articles.imports import FIGURE_COLUMNS, NEEDED, FigureResource, RecordResource, Row, reference_to

from .models import CareerPath, Market, Role, SalaryRange
from .open_data import ROLES, SALARIES, RoleFacts, all_roles

# What a row need not be told apart by.
USUAL = {"", SalaryRange.Kind.UNSTATED, SalaryRange.Period.YEAR}


class RoleResource(RecordResource):
    """What a role is; what it asks for and its codes are edited on its own page."""

    model = Role
    table = ROLES
    written = ("slug", "name", "summary", "path", "order")
    guarded = ("path_name", "core_skills", "must_have", "nice_to_have", "codes", "related")

    def existing(self) -> dict[str, Any]:
        list(Role.objects.select_for_update().order_by("pk").values_list("pk"))
        self.facts = {facts.role.slug: facts for facts in all_roles()}
        return {slug: facts.role for slug, facts in self.facts.items()}

    def shown(self, record: Any) -> Any:
        facts = self.facts[record.slug]
        return RoleFacts(record, facts.lists, facts.related)

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        paths = {path.slug: path for path in CareerPath.objects.all()}
        return {**super().make_readers(), "path": reference_to("path", paths)}


class SalaryRangeResource(FigureResource):
    model = SalaryRange
    table = SALARIES
    needed = ("role", "market")
    line_fields = ("kind", "period", "level")
    number_fields = ("low", "high", "is_open_ended", "median", "sample_size")
    guarded = ("role_name", "currency", "source_citation")
    written = ("id", "role", "market", *SalaryRange.figure_fields, *FIGURE_COLUMNS)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.roles = {role.slug: role for role in Role.objects.all()}
        self.markets = {market.code: market for market in Market.objects.all()}
        super().before_import(dataset, **kwargs)

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        own = {"role": reference_to("role", self.roles), "market": reference_to("market", self.markets)}
        return {**super().make_readers(), **own}

    def owners(self, cells: dict[str, str], row: Row, named: Any) -> dict[str, models.Model]:
        found = self.values(cells, self.needed)
        missing = {name: NEEDED for name, owner in found.items() if owner is None}
        if missing:
            raise ValidationError(missing)
        parts = [cells.get(name, "") for name in self.line_fields]
        row.subject = " ".join([found["role"].slug, found["market"].code, *(p for p in parts if p not in USUAL)])
        return found

    def complete(self, later: Any) -> None:
        later.currency = later.currency or later.market.currency
