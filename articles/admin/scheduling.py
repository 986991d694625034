"""Scheduling at the desk: when readers see a draft, a change, or no longer see an article; and its calendar."""

import calendar
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from articles import schedule
from articles.models import Article
from articles.models.sourced import kinds_of_figures
from articles.publishing import in_words
from articles.schedule import Event, NotScheduledError

from .gate import MOST_NOTE, may_publish, publish_saved
from .working_copies import permitted, whose

MONTHS_AROUND = range(2000, 2201)


class MomentForm(forms.Form):
    at = forms.DateTimeField(
        label="Moment",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d %B %Y, %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Choose a moment.", "invalid": "Write the moment as 2027-04-30 09:00."},
    )
    publish_note = forms.CharField(
        label="Note for the history",
        max_length=MOST_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    use_required_attribute = False

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at <= timezone.now():
            raise ValidationError(schedule.IS_PAST)
        return at


@dataclass(frozen=True)
class Coming:
    """What is to come of an article, in words, and its moment."""

    what: str
    moment: datetime


def coming_of(article: Article | None) -> Coming | None:
    """What comes next of an article: its change, its first publication, or its withdrawal."""
    if article is None or article.live_version_id is None:
        return None
    now = timezone.now()
    if article.next_at and article.next_at > now:
        return Coming("A change", article.next_at)
    if article.published_at and article.published_at > now:
        return Coming("The publication", article.published_at)
    if article.withdrawn_at and article.withdrawn_at > now:
        return Coming("The withdrawal", article.withdrawn_at)
    return None


def schedule_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """What is to come of an article; whoever may publish it sets it, moves it and takes it back."""
    article = permitted(model_admin, request, pk)
    if article is None or not may_publish(request):
        raise PermissionDenied
    form = MomentForm(request.POST or None)
    if request.method == "POST":
        act = request.POST.get("act", "")
        try:
            if act in WITHOUT_MOMENT:
                return _done(model_admin, request, article, WITHOUT_MOMENT[act](request, article))
            if act == "schedule" and form.is_valid():
                return publish_saved(model_admin, request, article, at=form.cleaned_data["at"])
            if act in WITH_MOMENT and form.is_valid():
                return _done(model_admin, request, article, WITH_MOMENT[act](request, article, form.cleaned_data["at"]))
        except NotScheduledError as error:
            form.add_error(None, error.args[0])
        article.refresh_from_db()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": "Schedule",
        "coming": coming_of(article),
        "form": form,
        "time_zone": settings.TIME_ZONE,
        "now": timezone.now(),
    }
    return render(request, "admin/articles/article/schedule.html", context)


def _done(model_admin: ModelAdmin, request: HttpRequest, article: Article, said: str) -> HttpResponse:
    model_admin.log_change(request, article, said)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("admin:articles_article_schedule", args=[article.pk]))


def _cancel(request: HttpRequest, article: Article) -> str:
    return f"Cancelled {schedule.cancel(article, by=whose(request))}."


def _withdraw_now(request: HttpRequest, article: Article) -> str:
    schedule.withdraw(article)
    return "Withdrawn: readers no longer see this article, and its address says that it is gone."


def _withdraw(request: HttpRequest, article: Article, at: datetime) -> str:
    schedule.withdraw(article, at=at)
    return f"The withdrawal is scheduled for {in_words(at)}."


def _move(request: HttpRequest, article: Article, at: datetime) -> str:
    return f"Moved {schedule.move(article, at=at, by=whose(request))} to {in_words(at)}."


WITHOUT_MOMENT = {"cancel": _cancel, "withdraw-now": _withdraw_now}
WITH_MOMENT = {"withdraw": _withdraw, "move": _move}


@dataclass
class Day:
    day: date
    is_of_month: bool
    events: list[Event] = field(default_factory=list)
    # Figures that somebody wants to look at again on this day.
    reviews: int = 0


def calendar_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """A month: what readers saw for the first time, what they will see, and which figures are due to be looked at."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    first = _month(request.GET.get("month", ""))
    weeks = month_of(first, may_review=request.user.has_perm("articles.view_reviewmark"))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"Calendar: {first:%B %Y}",
        "month": first,
        "earlier": first - timedelta(days=1),
        "later": first + timedelta(days=31),
        "weeks": weeks,
        "today": timezone.localdate(),
        "day_names": list(calendar.day_name),
        "time_zone": settings.TIME_ZONE,
        "is_empty": not any(day.events or day.reviews for week in weeks for day in week if day.is_of_month),
    }
    return render(request, "admin/articles/article/calendar.html", context)


def _month(text: str) -> date:
    """The first day of a month such as 2026-12; of this one where the text names none."""
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if match and int(match[1]) in MONTHS_AROUND:
        return date(int(match[1]), int(match[2]), 1)
    return timezone.localdate().replace(day=1)


def month_of(first: date, *, may_review: bool) -> Sequence[Sequence[Day]]:
    """The weeks of a month with what happens on their days, in a number of queries that does not grow."""
    weeks = [
        [Day(day, day.month == first.month) for day in week]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]
    start, end = weeks[0][0].day, weeks[-1][-1].day + timedelta(days=1)
    by_day = defaultdict(list)
    for event in schedule.events(_midnight(start), _midnight(end)):
        by_day[timezone.localdate(event.moment)].append(event)
    reviews: dict[date, int] = defaultdict(int)
    for kind in kinds_of_figures() if may_review else ():
        figures = kind._default_manager.in_force().filter(review_by__range=(start, end))  # type: ignore[attr-defined]
        for day in figures.values_list("review_by", flat=True):
            reviews[day] += 1
    for day in (day for week in weeks for day in week):
        day.events, day.reviews = by_day[day.day], reviews[day.day]
    return weeks


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
