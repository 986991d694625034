from .articles import ArticleAdmin
from .records import AuthorAdmin, CategoryAdmin, SeriesAdmin, SourceAdmin, StatisticAdmin, StatisticValueAdmin

__all__ = [
    "ArticleAdmin",
    "AuthorAdmin",
    "CategoryAdmin",
    "SeriesAdmin",
    "SourceAdmin",
    "StatisticAdmin",
    "StatisticValueAdmin",
]
