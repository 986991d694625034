"""Scheduling at the desk: when readers see a draft, a change, or no longer see an article; and its calendar."""

import calendar
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from articles import schedule
from articles.models import Article
from articles.models.sourced import kinds_of_figures
from articles.publishing import in_words
from articles.schedule import Coming, Event, NotScheduledError, What

from .gate import MOST_NOTE, may_publish, publish_saved
from .working_copies import permitted, whose

MONTHS_AROUND = range(2000, 2201)
CLOCKS_CHANGE = (
    "The clocks of {} change then: this time of day does not exist, or comes twice. Choose one an hour before or after."
)
AT_A_MOMENT = {"schedule", "withdraw", "move"}
OF_SOMETHING = {"move", "cancel"}


class MomentField(forms.DateTimeField):
    """A moment to come, typed in the time of the site’s zone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Moment",
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            error_messages={"invalid": "Write the moment as 2027-04-30 09:00."},
            **options,
        )

    def to_python(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except ValidationError as error:
            if error.code == "ambiguous_timezone":
                raise ValidationError(CLOCKS_CHANGE.format(settings.TIME_ZONE)) from error
            raise

    def validate(self, value: datetime | None) -> None:
        super().validate(value)
        if value and value <= timezone.now():
            raise ValidationError(schedule.IS_PAST)


class ScheduleForm(forms.Form):
    """An act, of what that is to come, and the moment and note that it needs."""

    act = forms.ChoiceField(choices=[(act, act) for act in ("schedule", "withdraw", "withdraw-now", "move", "cancel")])
    what = forms.TypedChoiceField(choices=What, coerce=What, empty_value=None, required=False)
    at = MomentField(required=False)
    publish_note = forms.CharField(
        label="Note for the history",
        max_length=MOST_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def clean(self) -> None:
        act = self.cleaned_data.get("act")
        if act is None or "what" not in self.cleaned_data or (act in OF_SOMETHING and not self.cleaned_data["what"]):
            raise BadRequest("There is no such act.")
        if act not in AT_A_MOMENT:
            self.errors.pop("at", None)
            self.cleaned_data["at"] = None
        elif self.cleaned_data.get("at", "") is None:
            self.add_error("at", "Choose a moment.")


def schedule_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """What is to come of an article; whoever may publish it sets it, moves it and takes it back."""
    article = permitted(model_admin, request, pk)
    if article is None or not may_publish(request):
        raise PermissionDenied
    form = ScheduleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["act"] == "schedule":
            return publish_saved(model_admin, request, article, at=form.cleaned_data["at"])
        try:
            with transaction.atomic():
                said = _act(article, by=whose(request), **form.cleaned_data)
                model_admin.log_change(request, article, said)
        except NotScheduledError as error:
            messages.error(request, error.args[0])
            article.refresh_from_db()
        else:
            messages.success(request, said)
            return HttpResponseRedirect(reverse("admin:articles_article_schedule", args=[article.pk]))
    coming = schedule.coming_of(article)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": "Schedule",
        "coming": [(each, _form_of(each, form)) for each in coming],
        "form": ScheduleForm() if form.is_bound and form.cleaned_data.get("what") else form,
        "may_schedule": all(each.what is What.WITHDRAWAL for each in coming),
        "may_withdraw": article.is_public and not article.withdrawn_at,
        "time_zone": settings.TIME_ZONE,
        "now": timezone.now(),
    }
    return render(request, "admin/articles/article/schedule.html", context)


def _act(article: Article, *, act: str, what: What, at: datetime, publish_note: str, by: User | None) -> str:
    """Do what a form asks for; say in a sentence what was done. Raises `NotScheduledError`."""
    match act:
        case "cancel":
            return f"Cancelled {schedule.cancel(article, what, by=by)}."
        case "move":
            return f"Moved {schedule.move(article, what, at=at, by=by)} to {in_words(at)}."
        case "withdraw":
            schedule.withdraw(article, at=at)
            return f"The withdrawal is scheduled for {in_words(at)}."
        case _:
            schedule.withdraw(article)
            return "Withdrawn: readers no longer see this article, and its address says that it is gone."


def _form_of(coming: Coming, sent: ScheduleForm) -> ScheduleForm:
    """The form that moves or cancels something to come: what was sent for it, or its present moment."""
    if sent.is_bound and sent.cleaned_data.get("what") is coming.what:
        sent.auto_id = f"id_{coming.what}_%s"
        return sent
    return ScheduleForm(initial={"at": coming.moment}, auto_id=f"id_{coming.what}_%s")


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
