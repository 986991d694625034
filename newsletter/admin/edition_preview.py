"""How an edition will arrive: its mail as programs show it, what the checklist says, and a test by mail."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.http import urlencode

from articles.admin.access import record_for
from articles.review import Severity
from newsletter import addresses, composing, edition_checks, merging
from newsletter.composing import CannotComposeError
from newsletter.lanes import Verdict
from newsletter.mails import Mailing, Recipient
from newsletter.models import Edition, EditionContent, Subscriber
from newsletter.transport import open_lane

# A mail's styles stand at its elements, which the site's own policy forbids. It has nothing else: no script, picture or
# form, and it is shown in a frame without rights.
MAIL_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "frame-ancestors": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.NONE],
    "sandbox": [""],
}
# A token as long as real ones that is nobody's: following a link of a preview or a test changes nothing.
NOBODY = Recipient(0, "preview-preview-previe", "reader@example.com")
MOST_TESTS = 5
_DARK = "@media (prefers-color-scheme: dark)"


class ReaderForm(forms.Form):
    """Whose merge fields to show."""

    address = forms.EmailField(
        label="As this subscriber gets it",
        max_length=addresses.MAX_LENGTH,
        error_messages={"invalid": addresses.INVALID, "required": addresses.INVALID},
    )

    def clean_address(self) -> Subscriber:
        found = Subscriber.objects.with_address(addresses.canonical(self.cleaned_data["address"])).first()
        if found is None:
            raise ValidationError("Nobody on the list has this address.")
        return found


class TestForm(forms.Form):
    """Where to send a test."""

    to = forms.CharField(
        label="Send a test to",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 50}),
        help_text=f"Addresses, one a line; at most {MOST_TESTS}. Its links to leave or to choose lead nowhere.",
        error_messages={"required": "Write an address to send the test to."},
    )

    def clean_to(self) -> list[str]:
        typed = self.cleaned_data["to"].replace(",", " ").split()
        if len(typed) > MOST_TESTS:
            raise ValidationError(f"These are {len(typed)} addresses; a test goes to {MOST_TESTS} at most.")
        try:
            return list(dict.fromkeys(addresses.canonical(address) for address in typed))
        except ValidationError as error:
            raise ValidationError(f"One of these is no address: {error.messages[0]}") from error


@dataclass(frozen=True)
class Frame:
    """One way in which the mail is shown."""

    title: str
    width: int
    address: str


def content_of(edition: Edition) -> EditionContent:
    """What was frozen, or what would be if that were done now. Raises `CannotComposeError`."""
    frozen = EditionContent.objects.filter(edition=edition).first()
    return frozen or composing.compose(edition)


def preview_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    edition = viewed(model_admin, request, pk)
    reader = _reader(request)
    here = reverse("admin:newsletter_edition_preview", args=[pk])
    reader_form, test_form = ReaderForm(), TestForm(initial={"to": getattr(request.user, "email", "")})
    if request.method == "POST" and "address" in request.POST:
        reader_form = ReaderForm(request.POST)
        if _may_see_readers(request) and reader_form.is_valid():
            return HttpResponseRedirect(f"{here}?{urlencode({'as': reader_form.cleaned_data['address'].pk})}")
    elif request.method == "POST":
        if not request.user.has_perm("newsletter.change_edition"):
            raise PermissionDenied
        test_form = TestForm(request.POST)
        if test_form.is_valid() and _send_test(model_admin, request, edition, test_form.cleaned_data["to"]):
            return HttpResponseRedirect(request.get_full_path())
    try:
        content, problem = content_of(edition), ""
    except CannotComposeError as error:
        content, problem = None, error.args[0]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": edition,
        "title": "Preview",
        "content": content,
        "problem": problem,
        "points": edition_checks.points(edition, content) if content else [],
        "frames": _frames(edition, reader) if content else [],
        "text": merging.merged_text(content.text, _fields(reader)) if content else "",
        "kilobytes": round(len(content.html.encode()) / 1000) if content else 0,
        "reader": reader,
        "reader_form": reader_form if _may_see_readers(request) else None,
        "test_form": test_form if request.user.has_perm("newsletter.change_edition") else None,
    }
    return render(request, "admin/newsletter/edition/preview.html", context)


def mail_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of the mail by itself, for a frame; `scheme` says which colours the reader's screen has."""
    edition = viewed(model_admin, request, pk)
    try:
        html = content_of(edition).html
    except CannotComposeError as error:
        return HttpResponse(f"{error.args[0]}\n", content_type="text/plain; charset=utf-8", status=409)
    is_dark = request.GET.get("scheme") == "dark"
    html = html.replace(_DARK, "@media all" if is_dark else "@media not all")
    response = HttpResponse(merging.merged_html(html, _fields(_reader(request))))
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def viewed(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> Edition:
    return record_for(request, model_admin.has_view_permission, Edition.objects.all(), pk)


def has_errors(points: list[edition_checks.Point]) -> bool:
    return any(point.severity == Severity.ERROR for point in points)


def _may_see_readers(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("newsletter.view_subscriber"))


def _reader(request: HttpRequest) -> Subscriber | None:
    key = request.GET.get("as", "")
    if not (key.isdecimal() and len(key) < 19 and _may_see_readers(request)):
        return None
    return Subscriber.objects.filter(pk=key).exclude(email="").first()


def _fields(reader: Subscriber | None) -> dict[str, str]:
    """What the merge fields stand for: the reader's address, but never their token."""
    return merging.values(NOBODY.token, reader.email if reader else NOBODY.address)


def _frames(edition: Edition, reader: Subscriber | None) -> list[Frame]:
    address = reverse("admin:newsletter_edition_mail", args=[edition.pk])
    shown = []
    for title, width, scheme in (
        ("Desktop, light", 640, "light"),
        ("Desktop, dark", 640, "dark"),
        ("Phone, light", 360, "light"),
        ("Phone, dark", 360, "dark"),
    ):
        query = {"scheme": scheme} | ({"as": reader.pk} if reader else {})
        shown.append(Frame(title, width, f"{address}?{urlencode(query)}"))
    return shown


def _send_test(model_admin: ModelAdmin, request: HttpRequest, edition: Edition, to: list[str]) -> bool:
    """Send the edition as it stands to these addresses and tell of each what came of it; whether all were taken."""
    try:
        content = content_of(edition)
    except CannotComposeError as error:
        messages.error(request, error.args[0])
        return False
    content.subject = f"[Test] {content.subject}"
    mailing, lane = Mailing(content), open_lane()
    outcomes = {
        address: lane.send(mailing.mail_for(Recipient(NOBODY.delivery, NOBODY.token, address)), lambda: True)
        for address in to
    }
    lane.close()
    taken = [address for address, outcome in outcomes.items() if outcome.verdict == Verdict.ACCEPTED]
    if taken:
        model_admin.log_change(request, edition, f"Sent a test to {len(taken)} addresses.")
        messages.success(request, f"Sent a test to {', '.join(taken)}.")
    for address, outcome in outcomes.items():
        if address not in taken:
            said = f"{outcome.code or ''} {outcome.reply}".strip() or "no reason was given"
            messages.error(request, f"No test for {address}: {said}")
    return len(taken) == len(to)


def context_of(edition: Edition) -> dict[str, Any]:
    """What the checklist says, for the page that sends: the points, or why there is nothing to check."""
    try:
        return {"points": edition_checks.points(edition, content_of(edition)), "problem": ""}
    except CannotComposeError as error:
        return {"points": [], "problem": error.args[0]}
