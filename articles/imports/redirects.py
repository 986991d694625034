"""Old addresses from a table: each with the page that it leads to."""

from collections.abc import Callable
from copy import copy
from typing import Any

import tablib

from articles import redirects
from articles.models import Redirect
from articles.models.redirects import own_path
from articles.open_data import REQUIRED, Column, Table

from .rows import Change, Row, TableResource, Written

REDIRECTS = Table(
    name="redirects",
    title="Redirects",
    description="Old addresses and the pages that they lead to.",
    primary_key="path",
    columns=[
        Column("path", "string", "The old address, from its first “/” on.", lambda r: r.path, REQUIRED),
        Column("target", "string", "The page that it leads to.", lambda r: r.destination, REQUIRED),
    ],
)


class RedirectResource(TableResource):
    table = REDIRECTS
    needed = ("path", "target")
    written = ("path", "target")

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        found = Redirect.objects.select_related("article").select_for_update(of=("self",))
        self.records = {redirect.path: redirect for redirect in found}
        super().before_import(dataset, **kwargs)

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        return {"path": own_path, "target": own_path}

    def take(self, cells: dict[str, str], row: Row) -> None:
        values = self.values(cells, self.written)
        row.subject = path = values["path"]
        self.once(path, row, "path")
        earlier = self.records.get(path)
        if earlier and earlier.destination == values["target"]:
            row.compared = [earlier.pk]
            return
        later = copy(earlier) if earlier else Redirect(path=path)
        later.article, later.target = None, values["target"]
        self.check(later)
        row.compared = [earlier.pk] if earlier else []
        row.changes = [Change("target", earlier.destination if earlier else "", later.destination)]
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        redirects.keep(later)
        self.records[path] = later
        row.written = [Written(later, is_new=not earlier, message=f"leads to {later.destination}")]
