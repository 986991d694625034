"""The comparison of roles: one value for the page, for the block in articles, and for whatever else shows it."""

from .query import LISTS, PARAMETERS, Query
from .scales import Bar, Scale
from .table import ROLES_AT_HOME, Comparison, PayCell, best_paid, compare, comparisons_of, roles_requiring
from .words import order_note, summary

__all__ = [
    "LISTS",
    "PARAMETERS",
    "ROLES_AT_HOME",
    "Bar",
    "Comparison",
    "PayCell",
    "Query",
    "Scale",
    "best_paid",
    "compare",
    "comparisons_of",
    "order_note",
    "roles_requiring",
    "summary",
]
