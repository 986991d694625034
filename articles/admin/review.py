"""The review's queue in the admin."""

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from articles import review_queue
from articles.partial_dates import months_after
from articles.review import Severity, rules
from articles.review_queue import WHO, Counts, Entry, Filters, counted
from veltrix import audit

TICK = "Tick at least one finding."


class SnoozeForm(forms.Form):
    until = forms.DateField(
        label="Snooze until",
        input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d %B %Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="A day within a year.",
        error_messages={"required": "Say until when it can wait.", "invalid": "Write the day as 2027-04-30."},
    )
    reason = forms.CharField(
        label="Why it can wait",
        max_length=300,
        help_text="In a sentence; your colleagues read it.",
        error_messages={"required": "Say why it can wait."},
    )
    use_required_attribute = False

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        today = timezone.localdate()
        if not today < until <= months_after(today, 12):
            raise ValidationError("Choose a day after today, at most a year away.")
        return until


class PersonField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return name_of(obj)


class AssignForm(forms.Form):
    person = PersonField(
        queryset=User.objects.none(),
        label="Assign to",
        empty_label="Choose somebody",
        error_messages={
            "required": "Choose whom to assign it to.",
            "invalid_choice": "This person cannot see the queue. Choose somebody else.",
        },
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("PersonField", self.fields["person"]).queryset = review_queue.reviewers()


def name_of(user: User) -> str:
    full_name = user.get_full_name()
    return f"{full_name} ({user.get_username()})" if full_name else user.get_username()


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Show the queue, or do to the ticked findings what was asked, and show it as before."""
    if not request.user.has_perm("articles.view_reviewmark"):
        raise PermissionDenied
    filters = Filters.read(request.GET)
    found = review_queue.entries(timezone.localdate())
    snooze_form, assign_form = SnoozeForm(), AssignForm()
    if request.method == "POST":
        if not request.user.has_perm("articles.change_reviewmark"):
            raise PermissionDenied
        act = request.POST.get("act")
        form: SnoozeForm | AssignForm | None = None
        if act == "snooze":
            form = snooze_form = SnoozeForm(request.POST)
        elif act == "assign":
            form = assign_form = AssignForm(request.POST)
        if form and not request.POST.getlist("finding"):
            form.add_error(None, TICK)
        if form is None or form.is_valid():
            _act(request, act or "", found, form.cleaned_data if form else {})
            address = "?".join(part for part in (request.path, filters.parameters()) if part)
            return HttpResponseRedirect(address)
    asked = filters.let_through(found, request.user)
    context = {
        **admin.site.each_context(request),
        "title": "Review of figures",
        "filters": filters,
        "query": filters.parameters(),
        "rules": rules(),
        "severities": list(Severity),
        "who": WHO.items(),
        "counts": Counts.of(found, request.user),
        "groups": [_with_links(request, group, filters) for group in review_queue.groups(asked, filters)],
        "may_change": request.user.has_perm("articles.change_reviewmark"),
        "forms": [snooze_form, assign_form],
        "snooze_form": snooze_form,
        "assign_form": assign_form,
        "ticked": request.POST.getlist("finding"),
    }
    return render(request, "admin/review.html", context)


def _with_links(request: HttpRequest, group: review_queue.Group, filters: Filters) -> dict[str, Any]:
    """A group for the template, with the query parts of its pages and, for each finding, the form of its record."""
    page = group.page
    return {
        "previous": filters.parameters(page=str(page.number - 1)),
        "next": filters.parameters(page=str(page.number + 1)),
        "all": filters.parameters(rule=group.rule.key, page=""),
        "rule": group.rule,
        "page": page,
        "awake": group.awake,
        "resting": group.resting,
        "wakes_on": group.wakes_on,
        "rows": [{"entry": entry, **_form_of(request, entry.finding.subject)} for entry in page],
    }


def _form_of(request: HttpRequest, record: models.Model) -> dict[str, str]:
    """The address of a record's form and what can be done there; nothing for whom it is closed."""
    if not admin.site.is_registered(type(record)):
        return {}
    model_admin = admin.site.get_model_admin(type(record))
    if not model_admin.has_view_or_change_permission(request, record):
        return {}
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_change"
    verb = "Edit" if model_admin.has_change_permission(request, record) else "View"
    return {"verb": verb, "form_url": reverse(name, args=[record.pk])}


def _act(request: HttpRequest, act: str, found: list[Entry], data: dict[str, Any]) -> None:
    """Do to the ticked findings what was asked, and say what came of it."""
    by = cast("User", request.user)
    ticked = set(request.POST.getlist("finding"))
    chosen = [entry for entry in found if entry.key in ticked]
    if gone := len(ticked) - len(chosen):
        words = "One finding is" if gone == 1 else f"{gone} findings are"
        messages.warning(request, f"{words} no longer there: what was found has been put right in the meantime.")
    elif not ticked:
        messages.error(request, TICK)
    values: dict[str, Any]
    if act in {"take", "assign"}:
        person = by if act == "take" else data["person"]
        values, said = {"assigned_to": person}, f"assigned to {name_of(person)}"
    elif act == "unassign":
        chosen = [entry for entry in chosen if entry.assigned_to]
        values, said = {"assigned_to": None}, "assigned to nobody"
    elif act == "snooze":
        values = {"snoozed_until": data["until"], "snooze_reason": data["reason"]}
        said = f"resting until {data['until']:%-d %B %Y}: {data['reason'].rstrip('.')}"
    elif act == "wake":
        chosen = [entry for entry in chosen if entry.is_resting]
        values, said = {"snoozed_until": None, "snooze_reason": ""}, "open again"
    else:
        messages.error(request, "Nothing was done: use one of the buttons.")
        return
    if chosen:
        with transaction.atomic():
            review_queue.mark(chosen, by, f"{said[0].upper()}{said[1:]}.", **values)
            audit.note(request, audit.Act.CHANGED, words=f"Review: {counted(len(chosen), 'finding')} {said}.")
        one = len(chosen) == 1
        messages.success(request, f"{counted(len(chosen), 'finding')} {'is' if one else 'are'} now {said}.")
    elif ticked and not gone:
        messages.info(request, "Nothing was to be done: this was so already.")
