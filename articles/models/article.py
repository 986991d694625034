from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Self

from content_editor.models import Region
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Count, F, Max, Prefetch, Q
from django.urls import reverse
from django.utils import timezone

from veltrix.prepared import Prepared

if TYPE_CHECKING:
    from .redirects import Redirect


# How many articles readers see under each topic, from an index alone.
_COUNTS = Prepared(
    lambda now: Article.objects.published(now).order_by().values_list("live_category").annotate(Count("pk")),
    now=datetime,
)


class CategoryQuerySet(models.QuerySet["Category"]):
    def with_articles(self) -> "list[Category]":
        """Topics that hold published articles, oldest first, `article_count` with those below. Two queries."""
        counts = Counter(dict(_COUNTS.rows(now=timezone.now())))
        topics = list(self.select_related("parent").order_by("pk"))
        below = Counter[int]()
        for topic in topics:
            if topic.parent_id:
                below[topic.parent_id] += counts[topic.pk]
        for topic in topics:
            topic.article_count = counts[topic.pk] + below[topic.pk]
        return [topic for topic in topics if topic.article_count]


class Category(models.Model):
    """A topic, with at most one topic above it: “Career / AI Jobs”."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=60, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    # From `with_articles()`.
    article_count: int

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="category_is_not_its_own_parent",
                condition=Q(parent=None) | ~Q(parent=F("id")),
                violation_error_message="A category cannot stand under itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent.name} / {self.name}" if self.parent else self.name

    def get_absolute_url(self) -> str:
        return reverse("articles:topic", args=[self.slug])

    def clean(self) -> None:
        super().clean()
        if self.parent and self.parent.parent_id not in {None, self.pk}:
            raise ValidationError({"parent": f"“{self.parent.name}” stands under another category itself."})
        if self.parent and self.pk and self.children.exists():
            raise ValidationError(
                {"parent": "Other categories stand under this one, so it cannot stand under another."}
            )


class Series(models.Model):
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "series"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("articles:series", args=[self.slug])


class Author(models.Model):
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True, help_text="One line: “founder of Veltrix Collective”.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("articles:author", args=[self.slug])


CARD_FIELDS = [
    "number",
    "slug",
    "published_at",
    "live_version__title",
    "live_version__standfirst",
    "live_version__category__name",
    "live_version__category__parent__name",
    "live_version__headline__slug",
    "live_version__headline__claim",
]


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, now: datetime | None = None) -> Self:
        """Articles that readers see now: a live version, and a moment of publication that has come."""
        now = now or timezone.now()
        shown = Q(withdrawn_at=None) | Q(withdrawn_at__gt=now)
        return self.filter(shown, published_at__lte=now, live_version__isnull=False)

    def under(self, category: Category) -> Self:
        """Those of which readers see the live version in a topic, or in a topic below it."""
        below = Category.objects.filter(parent=category).values_list("pk", flat=True)
        return self.filter(live_category__in=[category.pk, *below])

    def withdrawn(self) -> Self:
        """Articles that readers saw once and no longer see."""
        return self.filter(withdrawn_at__lte=timezone.now()).exclude(live_version=None)

    def due(self) -> Self:
        """Articles with a scheduled change whose moment has come, as they came: in an order that the index has."""
        return self.due_at(timezone.now())

    def due_at(self, now: datetime) -> Self:
        return self.filter(next_at__lte=now).order_by("next_at")

    def newest_first(self) -> Self:
        return self.order_by("-published_at", "-number")

    def cards(self) -> Self:
        """Load what a card prints and no more, but for the figure of its headline."""
        cards = self.select_related("live_version__category__parent", "live_version__headline").only(*CARD_FIELDS)
        return cards.newest_first()

    def for_index(self) -> Self:
        """Load what a card prints and no more, in two queries whatever the number of articles."""
        from .statistics import StatisticValue

        values = StatisticValue.objects.for_statistics()
        return self.cards().prefetch_related(
            Prefetch("live_version__headline__values", queryset=values, to_attr="current_values")
        )

    def highest_number(self) -> int:
        """The highest number in this set, 0 if it is empty."""
        return self.aggregate(highest=Max("number"))["highest"] or 0


class Article(models.Model):
    """An article's draft: this row and its blocks. Readers see `live_version`."""

    number = models.PositiveIntegerField(
        unique=True,
        validators=[MaxValueValidator(1_000_000)],
        error_messages={"unique": "Another article has this number."},
        help_text="Its place in the collection.",
    )
    slug = models.SlugField(
        "address",
        max_length=120,
        unique=True,
        error_messages={"unique": "Another article has this address."},
        help_text="The last part of its address. Where a published article gets another, the old one leads to it.",
    )
    title = models.CharField(max_length=160)
    standfirst = models.TextField(
        blank=True, max_length=400, help_text="Two sentences under the title, also shown in lists."
    )
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, help_text="The kicker above the title."
    )
    series = models.ForeignKey(Series, models.PROTECT, null=True, blank=True)
    headline = models.ForeignKey(
        "articles.Statistic",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="headline figure",
        help_text="The figure that the article’s card leads with.",
    )
    social_text = models.CharField(
        max_length=120, blank=True, help_text="The line on the picture that is shared elsewhere."
    )
    published_at = models.DateTimeField(
        "publication",
        null=True,
        blank=True,
        help_text="Empty: the moment of publishing. In the future: a published article waits for this moment.",
    )
    live_version = models.OneToOneField(
        "articles.ArticleVersion", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    # The category of the live version, kept so by the database (`articles.live_categories`): to count through versions,
    # which hold documents, takes ten times as long as from an index.
    live_category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, editable=False, db_index=False, related_name="+"
    )
    # A change of a live article that readers see from a moment on; see `articles.schedule`.
    next_version = models.OneToOneField(
        "articles.ArticleVersion", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    next_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    # From this moment on readers no longer see it.
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField("draft changed", auto_now=True)
    authors = models.ManyToManyField(Author, through="Byline", related_name="drafts")

    objects = ArticleQuerySet.as_manager()

    regions = [Region(key="main", title="Article")]

    class Meta:
        ordering = ["-number"]
        permissions = [
            ("publish_article", "Can publish articles"),
            ("publish_unresolved_article", "Can publish articles with unresolved errors in their figures"),
        ]
        # Lists of published articles and how long they are, without a look at the rows.
        indexes = [
            models.Index(
                name="article_published",
                fields=["-published_at", "-number", "withdrawn_at", "live_version"],
                condition=Q(live_version__isnull=False),
            ),
            models.Index(
                name="article_published_by_category",
                fields=["live_category", "-published_at", "-number", "withdrawn_at", "live_version"],
                condition=Q(live_version__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="article_number_is_positive",
                condition=Q(number__gte=1),
                violation_error_message="The first article has the number 1.",
            ),
            models.CheckConstraint(
                name="article_live_has_a_publication_moment",
                condition=Q(live_version=None) | Q(published_at__isnull=False),
                violation_error_message="A published article keeps its moment of publication.",
            ),
            models.CheckConstraint(
                name="article_next_version_has_a_moment",
                condition=Q(next_version=None, next_at=None) | Q(next_version__isnull=False, next_at__isnull=False),
            ),
            models.CheckConstraint(
                name="article_changes_and_is_withdrawn_only_once_published",
                condition=Q(live_version__isnull=False) | Q(next_version=None, withdrawn_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("articles:detail", args=[self.slug])

    def clean(self) -> None:
        super().clean()
        taken = self.slug and self._redirect_at_its_address()
        if taken:
            raise ValidationError(
                {"slug": f"This address leads to {taken.destination}, whose old address it is. Choose another."}
            )

    def _redirect_at_its_address(self) -> "Redirect | None":
        from .redirects import Redirect

        others = Redirect.objects.filter(path=self.get_absolute_url()).select_related("article")
        return (others.exclude(article=self) if self.pk else others).first()

    @property
    def is_public(self) -> bool:
        return bool(
            self.live_version_id and self.published_at and self.published_at <= timezone.now() and not self.is_withdrawn
        )

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.withdrawn_at and self.withdrawn_at <= timezone.now())


class Byline(models.Model):
    WRITTEN_BY = "Written by"

    article = models.ForeignKey(Article, models.CASCADE, related_name="bylines")
    author = models.ForeignKey(Author, models.PROTECT, related_name="+")
    credit = models.CharField(
        max_length=60, default=WRITTEN_BY, help_text="“Written by”, “Data synthesis and analysis by”."
    )
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_byline_for_each_author_and_credit",
                fields=["article", "author", "credit"],
                violation_error_message="This author has this credit already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credit} {self.author}"
