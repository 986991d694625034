"""What surrounds an article's draft: its earlier saves, what is typed and not saved, and links that show it."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .article import Article


class DraftSave(models.Model):
    """The draft as a save left it, so that nothing that was ever saved is lost by a later save."""

    # Earlier saves of one article than these are not kept.
    MOST = 200

    article = models.ForeignKey(Article, models.CASCADE, related_name="saves")
    document = models.JSONField(encoder=DjangoJSONEncoder)
    # The row of each block, in the order of the document: “rich-text:12”.
    keys = models.JSONField(default=list)
    # The article's `changed_at` that this save has set.
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-saved_at", "-pk"]
        indexes = [models.Index(name="saves_of_an_article_by_time", fields=["article", "-saved_at"])]

    def __str__(self) -> str:
        return f"{self.article}, saved {timezone.localtime(self.saved_at):%d %B %Y %H:%M:%S}"


class WorkingCopyQuerySet(models.QuerySet["WorkingCopy"]):
    def unsaved(self) -> Self:
        """Copies that hold something typed and not saved yet."""
        return self.exclude(fields__isnull=True)

    def open_now(self) -> Self:
        """Copies whose window has told of itself a moment ago."""
        return self.filter(seen_at__gt=timezone.now() - WorkingCopy.SILENCE)


class WorkingCopy(models.Model):
    """An article's form as it is open in somebody's window, with what is typed there and not saved yet."""

    # A window that says nothing for longer is taken for closed. An open one tells of itself every five seconds.
    SILENCE = timedelta(seconds=35)
    # What was typed and never saved is kept so long.
    KEPT = timedelta(days=30)

    # None where the article is being added.
    article = models.ForeignKey(Article, models.CASCADE, null=True, related_name="working_copies")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    window = models.CharField(max_length=32)
    # The `changed_at` of the draft that the form was made from, in ISO 8601; empty where the article is being added.
    known = models.CharField(max_length=40, blank=True)
    # The form's fields as pairs of name and value, in the order in which they are sent.
    fields = models.JSONField(null=True)
    typed_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    objects = WorkingCopyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_working_copy_for_each_window", fields=["user", "window"]),
            models.CheckConstraint(
                name="working_copy_with_fields_was_typed", condition=Q(fields__isnull=True) | Q(typed_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.article or 'New article'}, in a window of {self.user}"

    @property
    def title(self) -> str:
        return next((value for name, value in self.fields or [] if name == "title" and value), "Without a title")


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def open_now(self) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class ShareLink(models.Model):
    """That whoever has this link may read the saved draft of an article for a week."""

    LIFE = timedelta(days=7)

    article = models.ForeignKey(Article, models.CASCADE, related_name="share_links")
    # SHA-256 of the random part of the link, which itself is not kept.
    key_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="share_link_ends_after_it_begins", condition=Q(expires_at__gt=F("created_at"))),
            models.CheckConstraint(
                name="share_link_is_revoked_by_somebody",
                condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.article}, shared until {timezone.localtime(self.expires_at):%d %B %Y %H:%M}"

    def revoke(self, by: Any, at: datetime | None = None) -> None:
        """End the link at once; saves both columns of its revocation."""
        self.revoked_at, self.revoked_by = at or timezone.now(), by
        self.save(update_fields=["revoked_at", "revoked_by"])
