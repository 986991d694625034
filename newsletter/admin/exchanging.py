"""Import and export of subscribers at the desk, each with a permission of its own and after a second proof of who asks.

Between an import's preview and its confirmation, those who would be taken travel in the form, signed: no file is left
over anywhere, and nobody but the person who saw the preview can confirm it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from articles.spreadsheets import MAX_BYTES, TOO_LARGE, UnreadableTableError, read
from newsletter import exporting, importing
from newsletter.importing import MAX_CONSENT, MAX_ROWS, TAKEN, Entry, Row, Verdict
from newsletter.models import Subscriber
from veltrix import audit
from veltrix.sign_in.confirming import ask_to_confirm

SALT = "newsletter.admin.import"
HOURS_TO_CONFIRM = 2
# Below what Django takes of a form; a larger table is split.
MAX_TOKEN = 2_000_000
# How many rows are shown of those who stay out, and of those who are taken.
MOST_OUT, MOST_TAKEN = 500, 100

TOO_MUCH_TEXT = "The file holds too much text to be previewed at once. Split it into several."
EXPIRED = "This preview is too old, or is not of this site. Nothing was imported: send the file again."


class ImportForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text=f"CSV in UTF-8 or an Excel workbook (.xlsx, its first sheet), up to {MAX_BYTES // 1_000_000} MB and "
        f"{MAX_ROWS:,} rows. The first row names the columns: address, and if you have them confirmed_on "
        "(2024-05-31) and consent. Other columns are not read.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    consent = forms.CharField(
        label="Where and how they agreed",
        required=False,
        max_length=MAX_CONSENT,
        widget=forms.Textarea(attrs={"class": "vLargeTextField", "rows": 3}),
        help_text="For rows without a consent of their own. It is kept as the evidence, so say it exactly: “Signed "
        "list at the stand, Data Days, Leeds, 12 May 2026: monthly figures by e-mail.” No addresses.",
    )

    def clean_file(self) -> UploadedFile:
        """Put the table that the file holds beside it."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise ValidationError(TOO_LARGE)
        try:
            table = read(file.read(), MAX_ROWS)
        except UnreadableTableError as error:
            raise ValidationError(str(error)) from error
        if problem := importing.problem_of_header(table.headers or []):
            raise ValidationError(problem)
        self.cleaned_data["table"] = table
        return file

    def clean_consent(self) -> str:
        consent: str = self.cleaned_data["consent"]
        return importing.checked_consent(consent) if consent else ""

    def clean(self) -> dict[str, Any]:
        table = self.cleaned_data.get("table")
        is_said = self.cleaned_data.get("consent") or "consent" in self.errors
        if table is not None and importing.CONSENT not in table.headers and not is_said:
            self.add_error("consent", "Say where and how they agreed: the file has no column consent.")
        return self.cleaned_data


class ExportForm(forms.Form):
    status = forms.ChoiceField(
        label="Whom",
        required=False,
        choices=[
            *((value, label) for value, label in Subscriber.Status.choices if value != Subscriber.Status.ERASED),
            ("", "Everybody whose address is held"),
        ],
    )


@dataclass
class Preview:
    """What an import would do: how many of each verdict, the first rows of either kind, and all who would be taken."""

    counts: Counter[str] = field(default_factory=Counter)
    out: list[Row] = field(default_factory=list)
    taken: list[Row] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Preview":
        preview = cls()
        for row in rows:
            preview.counts[row.verdict] += 1
            is_taken = row.verdict in TAKEN
            shown, most = (preview.taken, MOST_TAKEN) if is_taken else (preview.out, MOST_OUT)
            if len(shown) < most:
                shown.append(row)
            if is_taken and row.entry:
                preview.entries.append(row.entry)
        return preview

    @property
    def summary(self) -> list[tuple[Verdict, int]]:
        return [(verdict, self.counts[verdict]) for verdict in Verdict if self.counts[verdict]]

    @property
    def has_more(self) -> bool:
        return self.counts.total() > len(self.out) + len(self.taken)


class ExchangeMixin:
    """Adds import and export to the admin of subscribers."""

    opts: Any
    admin_site: Any

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsletter.import_subscriber")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsletter.export_subscriber")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="newsletter_subscriber_import"),
            path("import/confirm/", view(self.confirm_import_view), name="newsletter_subscriber_import_confirm"),
            path("export/", view(self.export_view), name="newsletter_subscriber_export"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            "has_import_permission": self.has_import_permission(request),
            "has_export_permission": self.has_export_permission(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)  # type: ignore[misc]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and show what importing it would do; nothing is written."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if asked := ask_to_confirm(request):
            return asked
        form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
        context: dict[str, Any] = {"form": form}
        if form.is_bound and form.is_valid():
            data = form.cleaned_data
            preview = Preview.of(importing.judged(data["table"], data["consent"]))
            name = data["file"].name
            token = self._sign(request, name, preview.entries) if preview.entries else ""
            if len(token) > MAX_TOKEN:
                form.add_error("file", TOO_MUCH_TEXT)
            else:
                context |= {"preview": preview, "file_name": name, "token": token}
        return self._page(request, "import", "Import subscribers", context)

    def confirm_import_view(self, request: HttpRequest) -> HttpResponse:
        """Subscribe those whom the preview showed; who must stay out by now does."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if asked := ask_to_confirm(request, back=self._url("import")):
            return asked
        try:
            name, entries = self._unsign(request, request.POST.get("people", ""))
        except signing.BadSignature:
            messages.error(request, EXPIRED)
            return HttpResponseRedirect(self._url("import"))
        source = importing.source_of(name)
        with transaction.atomic():
            number = importing.take(entries, source)
            audit.note(request, audit.Act.ADDED, words=f"Imported subscribers: {number} ({source}).")
        said = f"Subscribed: {number}. They are those who signed up at “{source}”."
        if changed := len(entries) - number:
            said += f" Since the preview {changed} more had signed up or must stay out."
        messages.success(request, said)
        return HttpResponseRedirect(self._url("changelist"))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask whom to export, and stream them; by POST, because it is written down."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        if asked := ask_to_confirm(request):
            return asked
        form = ExportForm(request.POST) if request.method == "POST" else ExportForm(initial={"status": "active"})
        if not form.is_bound or not form.is_valid():
            return self._page(request, "export", "Export subscribers", {"form": form})
        status = form.cleaned_data["status"]
        whom = dict(form.fields["status"].choices)[status]  # type: ignore[attr-defined]
        audit.note(request, audit.Act.EXPORTED, words=f"Subscribers: {whom}.")
        response = StreamingHttpResponse(exporting.lines(status), content_type="text/csv; charset=utf-8")
        name = f"subscribers-{status or 'all'}-{timezone.localdate():%Y-%m-%d}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _salt(self, request: HttpRequest) -> str:
        return f"{SALT}:{request.user.pk}"

    def _sign(self, request: HttpRequest, name: str, entries: list[Entry]) -> str:
        places = {consent: place for place, consent in enumerate({entry.consent: None for entry in entries})}
        people = [[entry.address, str(entry.confirmed_on or ""), places[entry.consent]] for entry in entries]
        data = {"name": name, "consents": list(places), "people": people}
        return signing.dumps(data, salt=self._salt(request), compress=True)

    def _unsign(self, request: HttpRequest, token: str) -> tuple[str, list[Entry]]:
        """The name of the file and those who would be taken. Raises `BadSignature`."""
        data = signing.loads(token, salt=self._salt(request), max_age=HOURS_TO_CONFIRM * 60 * 60)
        entries = [
            Entry(address, date.fromisoformat(day) if day else None, data["consents"][place])
            for address, day, place in data["people"]
        ]
        return data["name"], entries

    def _url(self, view: str) -> str:
        return reverse(f"admin:newsletter_subscriber_{view}")

    def _page(self, request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/newsletter/subscriber/{name}.html", context)
