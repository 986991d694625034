"""The page from which an edition is sent, watched, stopped and, in the end, reported on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from articles.admin.scheduling import MomentField
from articles.publishing import in_words
from newsletter import claims, eligibility, replies, signing
from newsletter.models import Delivery, Edition, MailReport, NotPossibleError

from .edition_preview import context_of, has_errors, viewed

MOST_UNCERTAIN = 50
# How often the page of an edition that is being sent is loaded again, seconds.
REFRESH = 4
ACTS = ["now", "schedule", "take-back", "pause", "resume", "cancel"]
NOT_UNCERTAIN = "This delivery is not uncertain any more."
SETTLEMENTS = {
    "sent": (Delivery.State.SENT, "it was sent"),
    "failed": (Delivery.State.FAILED, "it was not sent"),
    "again": (Delivery.State.PENDING, "send it again"),
}


class ActForm(forms.Form):
    """What is to be done with the edition; a moment for its schedule, a reason for its pause."""

    act = forms.ChoiceField(choices=[(act, act) for act in ACTS])
    at = MomentField(required=False)
    reason = forms.CharField(label="Reason", max_length=200, required=False)

    def clean(self) -> None:
        act = self.cleaned_data.get("act")
        if act is None:
            raise BadRequest("There is no such act.")
        if act != "schedule":
            self.errors.pop("at", None)
            self.cleaned_data["at"] = None
        elif self.cleaned_data.get("at", "") is None:
            self.add_error("at", "Choose a moment.")


class SettlementForm(forms.Form):
    """What became of a delivery of which nobody knew, and how that is known now."""

    delivery = forms.ModelChoiceField(Delivery.objects.uncertain())
    settle = forms.ChoiceField(choices=[(name, words) for name, (_, words) in SETTLEMENTS.items()])
    evidence = forms.CharField(
        max_length=150, error_messages={"required": "Say how you know: what the log of the mail server says, perhaps."}
    )


@dataclass(frozen=True)
class Line:
    """A line of the report: what, how many, and what share of all deliveries."""

    label: str
    number: int
    total: int
    note: str = ""

    @property
    def share(self) -> str:
        return f"{100 * self.number / self.total:.1f}%" if self.total else "–"


def sending_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    edition = viewed(model_admin, request, pk)
    form, settlement = ActForm(), SettlementForm()
    is_still = "still" in request.GET
    here = reverse("admin:newsletter_edition_sending", args=[pk]) + ("?still" if is_still else "")
    if request.method == "POST":
        if "settle" in request.POST:
            settlement = SettlementForm(request.POST)
            is_done = _settle(model_admin, request, edition, settlement)
        else:
            form = ActForm(request.POST)
            is_done = _act(model_admin, request, edition, form)
        if is_done:
            return HttpResponseRedirect(here)
        edition.refresh_from_db()
    # A page that is loaded again takes away what somebody is writing: it offers what one press does.
    is_reloaded = request.method != "POST" and _moves(edition) and not is_still
    context = {**_context(model_admin, request, edition, form), "still": is_still, "is_reloaded": is_reloaded}
    response = render(request, "admin/newsletter/edition/sending.html", context)
    if is_reloaded:
        response.headers["Refresh"] = str(REFRESH)
    return response


def _moves(edition: Edition) -> bool:
    """Whether the workers are about to change what the page says."""
    is_due = (
        edition.state == Edition.State.SCHEDULED and edition.scheduled_at and edition.scheduled_at <= timezone.now()
    )
    return bool(is_due) or edition.state in {Edition.State.PREPARING, Edition.State.SENDING}


def _context(model_admin: ModelAdmin, request: HttpRequest, edition: Edition, form: ActForm) -> dict[str, Any]:
    is_open = edition.state in {Edition.State.DRAFT, Edition.State.SCHEDULED}
    progress = edition.progress()
    checklist: dict[str, Any] = context_of(edition) if is_open else {"points": [], "problem": ""}
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": edition,
        "title": "Sending" if not edition.is_over else "Report",
        "form": form,
        "progress": progress,
        "moves": _moves(edition),
        "may_add": model_admin.has_add_permission(request),
        "may_send": request.user.has_perm("newsletter.send_edition"),
        "may_settle": request.user.has_perm("newsletter.settle_delivery"),
        "may_see_readers": request.user.has_perm("newsletter.view_subscriber"),
        **checklist,
        "has_errors": bool(checklist["problem"]) or has_errors(checklist["points"]),
        "audience": eligibility.expected(edition) if is_open else None,
        "exclusions": edition.exclusions.all(),
        "lines": report_lines(edition, progress),
        "refusals": _refusals(edition),
        "reports": _reports(edition),
        "uncertain": _uncertain(edition),
        "settlements": [(name, words) for name, (_, words) in SETTLEMENTS.items()],
        "slices": edition.senders.count(),
        "lost": edition.senders.filter(is_lost=True).count(),
        "time_zone": settings.TIME_ZONE,
        "now": timezone.now(),
    }


def report_lines(edition: Edition, progress: Any) -> list[Line]:
    """What has become of the deliveries: lines that add up to all of them."""
    total = progress.total
    skipped = dict(
        edition.deliveries.filter(state=Delivery.State.SKIPPED).values_list("skip").annotate(Count("pk")).order_by()
    )
    left_out = [Line(Delivery.Skip(skip).label, number, total, "Left out") for skip, number in sorted(skipped.items())]
    return [
        Line("Sent", progress.sent, total),
        Line("Refused", progress.failed, total),
        Line("Uncertain", progress.uncertain, total),
        *left_out,
        Line("Waiting", total - progress.sent - progress.failed - progress.uncertain - sum(skipped.values()), total),
    ]


def _refusals(edition: Edition) -> Iterable[Any]:
    """The mail servers' codes, each with the reply that came with one of them."""
    failed = edition.deliveries.failed().values("code").annotate(number=Count("pk"), example=Max("reply"))
    return failed.order_by("-number")[:20]


def _uncertain(edition: Edition) -> list[tuple[Delivery, str]]:
    """The first deliveries of which nobody knows, each with the name that its mail has in the logs of mail servers."""
    deliveries = edition.deliveries.uncertain().select_related("subscriber", "sender").order_by("pk")[:MOST_UNCERTAIN]
    return [(delivery, signing.sign_delivery(delivery.pk)) for delivery in deliveries]


def _reports(edition: Edition) -> list[tuple[str, int]]:
    counted = edition.reports.values_list("kind").annotate(Count("pk")).order_by("kind")
    return [(MailReport.Kind(kind).label, number) for kind, number in counted]


def _act(model_admin: ModelAdmin, request: HttpRequest, edition: Edition, form: ActForm) -> bool:
    """Do what the form asks for and say so; False if the page has something to say in its place."""
    if not request.user.has_perm("newsletter.send_edition"):
        raise PermissionDenied
    if not form.is_valid():
        return False
    act = form.cleaned_data["act"]
    if act in {"now", "schedule"} and (problem := _in_the_way(edition)):
        messages.error(request, problem)
        return False
    try:
        with transaction.atomic():
            said = _do(edition, act, form.cleaned_data["at"], form.cleaned_data["reason"], str(request.user))
            model_admin.log_change(request, edition, said)
    except NotPossibleError as error:
        messages.error(request, error.args[0])
    else:
        messages.success(request, said)
    return True


def _in_the_way(edition: Edition) -> str:
    checklist = context_of(edition)
    if checklist["problem"]:
        return str(checklist["problem"])
    return "The checklist names an error: mend it first." if has_errors(checklist["points"]) else ""


def _do(edition: Edition, act: str, at: Any, reason: str, who: str) -> str:
    """Do one act; say in a sentence what was done. Raises `NotPossibleError`."""
    match act:
        case "now":
            edition.schedule(timezone.now())
            return "It is being sent: the audience is prepared first."
        case "schedule":
            edition.schedule(at)
            return f"It will be sent on {in_words(at)}."
        case "take-back":
            edition.unschedule()
            return "It is a draft again."
        case "pause":
            edition.pause(reason or f"Paused by {who}.")
            return "Paused: nothing more leaves but the few mails that are on their way."
        case "resume":
            edition.resume()
            return "It goes on."
        case _:
            edition.cancel()
            return "Cancelled: what has not left will not leave."


def _settle(model_admin: ModelAdmin, request: HttpRequest, edition: Edition, form: SettlementForm) -> bool:
    """Write down what somebody found out about an uncertain delivery, with a line in the log."""
    if not request.user.has_perm("newsletter.settle_delivery"):
        raise PermissionDenied
    if not form.is_valid():
        gone = "delivery" in form.errors
        messages.error(request, NOT_UNCERTAIN if gone else str(next(iter(form.errors.values()))[0]))
        return True
    delivery, evidence = form.cleaned_data["delivery"], form.cleaned_data["evidence"]
    state, words = SETTLEMENTS[form.cleaned_data["settle"]]
    with transaction.atomic():
        if delivery.edition_id != edition.pk or not claims.settle(delivery, state, evidence):
            messages.error(request, NOT_UNCERTAIN)
            return True
        said = f"Delivery {delivery.pk} was uncertain; {words}: {replies.without_addresses(evidence)}"
        model_admin.log_change(request, edition, said)
    messages.success(request, f"Noted: {words}.")
    return True
