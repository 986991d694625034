"""Publishing from the desk, and the gate where a draft with unresolved errors is published with a reason."""

from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.documents import blocks_of
from articles.models import Article
from articles.obstacles import obstacles_of
from articles.publishing import ChangedMeanwhileError, NotPublishableError, UnresolvedErrorsError, in_words, publish
from articles.schedule import NotScheduledError, schedule
from veltrix import audit

from .checking import admin_address, line_of
from .form_drafts import saved_draft
from .working_copies import permitted, whose

MOST_NOTE = 300
YEARS = range(2000, 2200)

CHANGED_MEANWHILE = (
    "The draft, or what is known of its figures, has changed since this page was opened. Look at the list again before "
    "you publish."
)


class GateForm(forms.Form):
    """The reason for which a draft is published although it has unresolved errors."""

    reason = forms.CharField(
        label="Why is it published all the same?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="Readers see this beneath the article, with what is unresolved.",
        error_messages={"required": "Say why: readers see the reason."},
    )
    publish_note = forms.CharField(
        label="Note for the history",
        max_length=MOST_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    # The state of the draft and its obstacles that the reason is given for.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    # The moment from which on readers shall see it; empty for now.
    at = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_at(self) -> datetime | None:
        text = self.cleaned_data["at"]
        moment = moment_in(text)
        if text and moment is None:
            raise ValidationError("The moment is not readable. Choose it anew on the schedule.")
        return moment


def moment_in(text: str) -> datetime | None:
    """A moment in ISO 8601, with its zone; None where a text is none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo and moment.year in YEARS else None


def may_publish(request: HttpRequest) -> bool:
    return request.user.has_perm("articles.publish_article")


def publish_saved(
    model_admin: ModelAdmin,
    request: HttpRequest,
    article: Article,
    reason: str = "",
    seen: str | None = None,
    at: datetime | None = None,
) -> HttpResponse:
    """Publish the draft that has just been saved, or schedule that; whatever is missing, the draft stays saved.

    Raises `ChangedMeanwhileError` when the draft is no longer what was `seen`.
    """
    try:
        note = request.POST.get("publish_note", "").replace("\x00", "")[:MOST_NOTE]
        with transaction.atomic():
            if at:
                version = schedule(article, at=at, by=whose(request), note=note, reason=reason, seen=seen)
            else:
                version = publish(article, by=whose(request), note=note, reason=reason, seen=seen)
            when = f", from {in_words(at)}" if at else ""
            audit.note(request, audit.Act.PUBLISHED, article, f"As version {version.pk}{when}.")
    except NotPublishableError as error:
        for sentence in error.args[0]:
            messages.error(request, f"Saved, but not published. {sentence}")
    except NotScheduledError as error:
        messages.error(request, f"Not scheduled. {error.args[0]}")
    except UnresolvedErrorsError:
        kept = {"note": note, "at": at.isoformat() if at else ""}
        query = urlencode({name: value for name, value in kept.items() if value})
        address = reverse("admin:articles_article_publish", args=[article.pk])
        return HttpResponseRedirect(f"{address}?{query}" if query else address)
    else:
        despite = f" despite unresolved errors: {version.open_reason.rstrip('.')}" if version.open_reason else ""
        when = f", to be seen from {in_words(at)}" if at else ""
        model_admin.log_change(request, article, f"Published as version {version.pk}{when}{despite}.")
        messages.success(request, _published_message(article))
    return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))


def _published_message(article: Article) -> SafeString | str:
    article.refresh_from_db()
    if article.next_at:
        return f"The change is scheduled: readers see it from {in_words(article.next_at)} on."
    if article.is_public:
        return format_html("“{}” is live: <a href='{}'>read it</a>.", article.title, article.get_absolute_url())
    return f"“{article.title}” is scheduled: readers see it from {in_words(article.published_at)} on."


def gate_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show the errors that stand in the way of publishing the saved draft; who may, publishes it with a reason."""
    article = permitted(model_admin, request, pk)
    if article is None or not may_publish(request):
        raise PermissionDenied
    may_override = request.user.has_perm("articles.publish_unresolved_article")
    if request.method == "POST" and not may_override:
        raise PermissionDenied
    form = GateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            data = form.cleaned_data
            return publish_saved(model_admin, request, article, data["reason"], data["seen"], data["at"])
        except ChangedMeanwhileError:
            form.add_error(None, CHANGED_MEANWHILE)
            article.refresh_from_db()
    draft = saved_draft(article, blocks_of(article))
    obstacles = obstacles_of(draft.document)
    if not obstacles:
        messages.info(request, "No error is left. Publish the draft from here.")
        return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))
    seen = obstacles.state_with(article)
    if form.is_bound:
        # What was typed stays; what is seen is what stands on the page now.
        form.data = {**request.POST.dict(), "seen": seen}
        at = moment_in(request.POST.get("at", ""))
    else:
        last_reason = article.live_version.open_reason if article.live_version else ""
        at = moment_in(request.GET.get("at", ""))
        note = request.GET.get("note", "")[:MOST_NOTE]
        form.initial = {"seen": seen, "reason": last_reason, "publish_note": note, "at": at.isoformat() if at else ""}
    by_figure = groupby(obstacles.figures, key=lambda finding: finding.subject)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": "Unresolved errors",
        "figures": [
            (figure, [finding.message for finding in found], admin_address(figure, request))
            for figure, found in by_figure
        ],
        "places": [line_of(draft, point) for point in obstacles.places],
        "form": form,
        "may_override": may_override,
        "at": at,
        "time_zone": settings.TIME_ZONE,
    }
    return render(request, "admin/articles/article/gate.html", context)
