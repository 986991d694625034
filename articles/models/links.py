from datetime import timedelta
from hashlib import sha256
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .article import Article
from .sources import Source


class ExternalLinkQuerySet(models.QuerySet["ExternalLink"]):
    def due(self) -> Self:
        """Links to be looked at again: never looked at first, then those that were longest ago."""
        now = timezone.now()
        old = Q(failures=0, checked_at__lt=now - ExternalLink.FINE_FOR)
        failing = Q(failures__gt=0, checked_at__lt=now - ExternalLink.AGAIN_AFTER)
        return self.filter(Q(checked_at=None) | old | failing).order_by(
            models.F("checked_at").asc(nulls_first=True), "pk"
        )

    def broken(self) -> Self:
        return self.filter(failures__gte=ExternalLink.BROKEN_AFTER)


class ExternalLink(models.Model):
    """An address elsewhere that articles or sources lead to, and what it answered when it was last looked at."""

    FINE_FOR = timedelta(days=7)
    AGAIN_AFTER = timedelta(hours=20)
    # One failure may be a bad moment of the other side.
    BROKEN_AFTER = 2
    MOST_CHARACTERS = 2_000

    address = models.TextField(max_length=MOST_CHARACTERS, editable=False)
    # SHA-256 of the address: some are longer than what a database takes into an index.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    articles = models.ManyToManyField(Article, related_name="external_links", editable=False)
    sources = models.ManyToManyField(Source, related_name="external_links", editable=False)
    checked_at = models.DateTimeField("looked at", null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    # What is wrong with it, a sentence; empty where nothing is.
    problem = models.CharField(max_length=200, blank=True, editable=False)
    # Where it says that it has moved for good.
    moved_to = models.TextField(max_length=MOST_CHARACTERS, blank=True, editable=False)

    objects = ExternalLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "link elsewhere"
        verbose_name_plural = "links elsewhere"
        ordering = ["-failures", "address"]
        constraints = [
            models.CheckConstraint(
                name="external_link_that_fails_says_why", condition=Q(failures=0) | (Q(failures__gt=0) & ~Q(problem=""))
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @staticmethod
    def digest_of(address: str) -> str:
        return sha256(address.encode()).hexdigest()

    @property
    def is_broken(self) -> bool:
        return self.failures >= self.BROKEN_AFTER
