"""Records and figures from a table: each row is compared with what there is, and either all of them are taken or none.

The columns are those of the open data, so that an export can be edited and brought back; a row that says what the site
says already changes nothing. Flat records are changed; a figure never is: where a row gives another one, its successor
is published.
"""

from .figures import FIGURE_COLUMNS, FigureResource, StatisticResource
from .records import RecordResource, SourceResource
from .rows import NEEDED, Problem, Row, TableResource, reference_to

__all__ = [
    "FIGURE_COLUMNS",
    "NEEDED",
    "FigureResource",
    "Problem",
    "RecordResource",
    "Row",
    "SourceResource",
    "StatisticResource",
    "TableResource",
    "reference_to",
]
