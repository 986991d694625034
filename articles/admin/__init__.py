from .articles import ArticleAdmin
from .links import ExternalLinkAdmin
from .records import AuthorAdmin, CategoryAdmin, SeriesAdmin, SourceAdmin, StatisticAdmin, StatisticValueAdmin

__all__ = [
    "ArticleAdmin",
    "AuthorAdmin",
    "CategoryAdmin",
    "ExternalLinkAdmin",
    "SeriesAdmin",
    "SourceAdmin",
    "StatisticAdmin",
    "StatisticValueAdmin",
]
