from .articles import ArticleAdmin
from .links import ExternalLinkAdmin
from .records import AuthorAdmin, CategoryAdmin, SeriesAdmin, SourceAdmin, StatisticAdmin, StatisticValueAdmin
from .redirects import RedirectAdmin

__all__ = [
    "ArticleAdmin",
    "AuthorAdmin",
    "CategoryAdmin",
    "ExternalLinkAdmin",
    "RedirectAdmin",
    "SeriesAdmin",
    "SourceAdmin",
    "StatisticAdmin",
    "StatisticValueAdmin",
]
