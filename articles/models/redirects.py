import re
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from .article import Article

# A path without query and fragment, of one or more parts, as a browser shows it.
_PATH = re.compile(r"/(?!/)[^\s?#\\\x00-\x1f]*")
_ELSEWHERE = re.compile(r"//|[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def own_path(address: str) -> str:
    """The path of an address of this site, which may be written in full or without the slash that its page has.

    Raises `ValidationError`.
    """
    if address.startswith(f"{settings.SITE_URL}/"):
        address = address.removeprefix(settings.SITE_URL)
    if _ELSEWHERE.match(address):
        raise ValidationError("Redirects stay on this site: write the part of the address from its first “/” on.")
    path = unquote(address)
    if not _PATH.fullmatch(path) or path == "/":
        raise ValidationError("Write a path such as /blog/old-name/, without “?”, “#” and spaces.")
    return f"{path}/" if not _is_known(path) and _is_known(f"{path}/") else path


class Redirect(models.Model):
    """An old address that leads on for good: to an article wherever it moves, or to another page of this site."""

    path = models.CharField("old address", max_length=300, unique=True, help_text="Such as /blog/old-name/.")
    article = models.ForeignKey(
        Article, models.PROTECT, null=True, blank=True, related_name="redirects", editable=False
    )
    target = models.CharField(
        "new address",
        max_length=300,
        blank=True,
        help_text="A page of this site. An article is found again wherever it moves later.",
    )
    created_at = models.DateTimeField("since", default=timezone.now, editable=False)

    class Meta:
        ordering = ["path"]
        constraints = [
            models.CheckConstraint(
                name="redirect_leads_to_one_place",
                condition=Q(article=None) & ~Q(target="") | Q(article__isnull=False, target=""),
                violation_error_message="Say where it leads.",
            ),
            models.CheckConstraint(
                name="redirect_does_not_lead_to_itself",
                condition=~Q(path=F("target")),
                violation_error_message="It would lead back to itself.",
            ),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def destination(self) -> str:
        """The path that it leads to."""
        return self.article.get_absolute_url() if self.article else self.target

    @property
    def is_followed(self) -> bool:
        """Whether readers are led on: to an article once they could see it, be it gone since, which its page says."""
        return self.article is None or self.article.is_public or self.article.is_withdrawn

    def clean(self) -> None:
        """Settle where it leads: past other redirects, and to an article as such. Refuse what leads nowhere."""
        from articles.links import dead

        super().clean()
        self.path = self._checked("path", self.path)
        address = self._checked("target", self.target or (self.article.get_absolute_url() if self.article else ""))
        if other := Redirect.objects.filter(path=address).exclude(pk=self.pk).select_related("article").first():
            address = other.destination
        if address == self.path:
            raise ValidationError({"target": "That leads back to the old address: a loop."})
        if self.path.startswith(f"/{settings.ADMIN_PATH}"):
            raise ValidationError({"path": "Addresses of the desk lead nowhere else; a redirect would never be used."})
        if Article.objects.filter(slug=_slug(self.path)).exists() or not dead([self.path]):
            raise ValidationError({"path": "There is a page at this address; a redirect would never be used."})
        if dead([address]):
            raise ValidationError({"target": f"Readers find no page at {address}."})
        self.article = Article.objects.filter(slug=_slug(address)).first()
        self.target = "" if self.article else address

    @staticmethod
    def _checked(field: str, address: str) -> str:
        if not address:
            raise ValidationError({field: "Say where it leads."})
        try:
            return own_path(address.strip())
        except ValidationError as error:
            raise ValidationError({field: error.messages}) from error


def _match(path: str) -> Any:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _is_known(path: str) -> bool:
    """Whether Django knows a view for a path; a record need not be there."""
    return _match(path) is not None


def _slug(path: str) -> str:
    """The slug of the article whose address a path is; empty where it is none."""
    match = _match(path)
    return str(match.kwargs["slug"]) if match and match.view_name == "articles:detail" else ""


def address_of(slug: str) -> str:
    return reverse("articles:detail", args=[slug])
