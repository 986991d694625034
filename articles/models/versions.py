from collections.abc import Collection, Iterable
from typing import Any, ClassVar, NoReturn, cast

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .article import Article, Author, Category, Series
from .sourced import Sourced
from .statistics import Statistic, StatisticValue


class ImmutableVersionError(Exception):
    """A published version was to be changed or deleted."""


class ArticleVersionQuerySet(models.QuerySet["ArticleVersion"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise ImmutableVersionError("A published version is never changed; publish another.")

    def delete(self) -> NoReturn:
        raise ImmutableVersionError("A published version is never deleted.")


class ArticleVersion(models.Model):
    """An article as it was published: one immutable document, and the columns that lists are made from."""

    article = models.ForeignKey(Article, models.PROTECT, related_name="versions")
    document = models.JSONField(encoder=DjangoJSONEncoder)
    title = models.CharField(max_length=160)
    standfirst = models.TextField(blank=True)
    category = models.ForeignKey(Category, models.PROTECT, related_name="article_versions")
    series = models.ForeignKey(Series, models.PROTECT, null=True, related_name="+")
    headline = models.ForeignKey(Statistic, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(default=timezone.now)
    # When it was taken from the draft: what was saved later is no part of it.
    written_at = models.DateTimeField(default=timezone.now, editable=False)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    # What was unresolved when it was published all the same, a sentence each, and why; readers see both.
    open_points = models.JSONField(default=list)
    open_reason = models.CharField(max_length=300, blank=True)
    # What the review of live articles asks of every document, read once: it never changes.
    title_year = models.PositiveSmallIntegerField(null=True)
    bare_figures = models.JSONField(default=list)

    objects = ArticleVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="article_version_with_open_points_has_a_reason",
                condition=Q(open_points=[]) | ~Q(open_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, published {self.published_at:%d %B %Y %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise ImmutableVersionError("A published version is never changed; publish another.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ImmutableVersionError("A published version is never deleted.")


class Cancellation(models.Model):
    """That a version was scheduled, and taken back before its moment came: readers never saw it."""

    version = models.OneToOneField(ArticleVersion, models.PROTECT, related_name="cancellation")
    cancelled_at = models.DateTimeField(default=timezone.now)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.version.title}, cancelled"


class LiveReference(models.Model):
    """That the live version of an article, or its scheduled change, refers to a record, thereby kept from deletion.

    A subclass adds one field: `target`, a `PROTECT` foreign key to the records of its kind.
    """

    article = models.ForeignKey(Article, models.CASCADE, related_name="%(class)s_set", related_query_name="%(class)s")
    # Whether the version that readers see refers to it, and whether the scheduled change does.
    is_live = models.BooleanField(default=True)
    is_coming = models.BooleanField(default=False)

    # The lookup from a reference to when the figures of its record were published; "" where it has none.
    moments: ClassVar[str] = ""

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(name="one_%(class)s_for_each_article", fields=["article", "target"]),
            models.CheckConstraint(name="%(class)s_is_live_or_coming", condition=Q(is_live=True) | Q(is_coming=True)),
        ]

    def __str__(self) -> str:
        return f"{self.article}, {'live' if self.is_live else 'to come'}"

    @classmethod
    def kinds(cls) -> "list[type[LiveReference]]":
        """The kinds of references of all installed apps."""
        return [model for model in apps.get_models() if issubclass(model, LiveReference)]

    @classmethod
    def target_model(cls) -> type[models.Model]:
        return cast("type[models.Model]", cls._meta.get_field("target").related_model)

    @classmethod
    def articles_of(cls, record: models.Model) -> Collection[int]:
        """Primary keys of the articles whose live version, or scheduled change, refers to this record."""
        rows: models.Manager[Any] = cls._default_manager
        return list(rows.filter(target=record).values_list("article", flat=True))

    @classmethod
    def figures_shown(cls, articles: models.QuerySet[Article]) -> Iterable[tuple[int, Sourced]]:
        """Keys of these articles, each with a figure in force that a reference of this kind shows in its live version.

        In a number of queries that does not grow. Records of most kinds show no figure.
        """
        return ()

    @classmethod
    def renew(cls, article: Article, targets: Collection[int]) -> None:
        """Make the references of the live version `targets` (primary keys), no others. No change may be scheduled."""
        rows = cls._of(article)
        rows.exclude(target__in=targets).delete()
        cls._add(article, targets)

    @classmethod
    def announce(cls, article: Article, targets: Collection[int]) -> None:
        """Let the scheduled change refer to `targets`."""
        cls._of(article).filter(target__in=targets).update(is_coming=True)
        cls._add(article, targets, is_live=False, is_coming=True)

    @classmethod
    def promote(cls, article: Article) -> None:
        """Make what the scheduled change refers to what the live version does."""
        cls._of(article).filter(is_coming=False).delete()
        cls._of(article).update(is_live=True, is_coming=False)

    @classmethod
    def forget_coming(cls, article: Article) -> None:
        """Let nothing be referred to by the scheduled change only."""
        cls._of(article).filter(is_live=False).delete()
        cls._of(article).update(is_coming=False)

    @classmethod
    def _of(cls, article: Article) -> "models.QuerySet[Any]":
        return cls._default_manager.filter(article=article)

    @classmethod
    def _add(cls, article: Article, targets: Collection[int], **states: bool) -> None:
        known = set(cls._of(article).values_list("target", flat=True))
        missing = sorted(set(targets) - known)
        cls._default_manager.bulk_create(cls(article=article, target_id=key, **states) for key in missing)  # type: ignore[misc]


class StatisticReference(LiveReference):
    target = models.ForeignKey(Statistic, models.PROTECT, related_name="live_references")

    moments = "target__values__published_at"

    @classmethod
    def figures_shown(cls, articles: models.QuerySet[Article]) -> Iterable[tuple[int, Sourced]]:
        rows = cls._default_manager.filter(article__in=articles, is_live=True)
        values = StatisticValue.objects.in_force().filter(statistic__in=rows.values("target"))
        by_statistic = {value.statistic_id: value for value in values}
        pairs = rows.values_list("article", "target")
        return [(article, by_statistic[target]) for article, target in pairs if target in by_statistic]


class AuthorReference(LiveReference):
    target = models.ForeignKey(Author, models.PROTECT, related_name="live_references")
