from .announcements import Announcement
from .article import Article, Author, Byline, Category, Series
from .blocks import Block, CallOut, FaqItem, Quote, RichText, StatisticBlock, TableBlock
from .drafts import DraftSave, ShareLink, WorkingCopy
from .images import Image
from .links import ExternalLink
from .redirects import Redirect
from .review import ReviewMark
from .sourced import Sourced
from .sources import Source
from .statistics import Statistic, StatisticValue
from .versions import ArticleVersion, AuthorReference, Cancellation, LiveReference, StatisticReference

__all__ = [
    "Announcement",
    "Article",
    "ArticleVersion",
    "Author",
    "AuthorReference",
    "Block",
    "Byline",
    "CallOut",
    "Cancellation",
    "Category",
    "DraftSave",
    "ExternalLink",
    "FaqItem",
    "Image",
    "LiveReference",
    "Quote",
    "Redirect",
    "ReviewMark",
    "RichText",
    "Series",
    "ShareLink",
    "Source",
    "Sourced",
    "Statistic",
    "StatisticBlock",
    "StatisticReference",
    "StatisticValue",
    "TableBlock",
    "WorkingCopy",
]
