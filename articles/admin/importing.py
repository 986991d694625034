"""Import in the admin: a file is previewed row by row, and confirmed as it was previewed or not at all.

Between the two the table travels in the form itself, signed: no temporary file, so that nothing is left over, any
machine can answer, and what was previewed is what is taken.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import tablib
from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from articles.imports import FigureResource, Problem, Row, TableResource
from articles.models import Sourced
from articles.spreadsheets import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, TOO_LARGE, UnreadableTableError, read
from veltrix import audit

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SALT = "articles.admin.importing"
HOURS_TO_CONFIRM = 2
# Below what Django takes of a form; a larger table is split.
MAX_TOKEN = 2_000_000
TOO_MUCH_TEXT = "The table holds too much text to be previewed at once. Split the file into several."
EXPIRED = "This preview is too old, or is not of this site. Nothing was imported: send the file again."
NOT_TAKEN = "Nothing was imported."
REASONS: Any = [choice for choice in Sourced.Why.choices if choice[0] not in {Sourced.Why.NEW, Sourced.Why.RETRACTION}]


class ImportForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text=f"CSV in UTF-8 or an Excel workbook (.xlsx, its first sheet), up to {MAX_BYTES // 1_000_000} MB, "
        f"{MAX_ROWS:,} rows and {MAX_COLUMNS} columns. The first row names the columns.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def clean_file(self) -> UploadedFile:
        """Put the table that the file holds beside it."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise ValidationError(TOO_LARGE)
        try:
            self.cleaned_data["table"] = read(file.read())
        except UnreadableTableError as error:
            raise ValidationError(str(error)) from error
        return file


class FigureImportForm(ImportForm):
    why = forms.ChoiceField(
        label="Reason",
        required=False,
        choices=[("", "Each row says why (column why)"), *REASONS],
        help_text="For changed figures whose row gives no reason of its own.",
    )
    why_note = forms.CharField(
        label="Reason in words",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="For a correction: what was wrong. Readers see it.",
    )

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if self.cleaned_data.get("why") == Sourced.Why.CORRECTION and not self.cleaned_data.get("why_note"):
            self.add_error("why_note", "Say what was wrong: readers see the reason of a correction.")
        return data


@dataclass
class Preview:
    """What an import did, or would do."""

    rows: list[Row]
    problems: list[Problem]

    @classmethod
    def of(cls, result: Any) -> "Preview":
        rows = [row for row in result.rows if not row.is_empty]
        return cls(rows, [problem for row in rows for problem in row.problems])

    @property
    def summary(self) -> str:
        """“2 new, 1 changed, 5 unchanged.”"""
        counts = {word: 0 for word in ("New", "Changed", "Unchanged", "Error")}
        for row in self.rows:
            counts[row.verdict] += 1
        said = [f"{counts[word]} {word.lower()}" for word in ("New", "Changed", "Unchanged")]
        errors = counts["Error"]
        return ", ".join(said) + (f", {errors} with errors" if errors else "") + "."

    @property
    def has_news(self) -> bool:
        return any(row.verdict in {"New", "Changed"} for row in self.rows)


class ImportMixin:
    """Adds the import of a table to the admin of a model."""

    import_resource: ClassVar[type[TableResource]]
    # Models that an import also writes.
    import_further_models: ClassVar[list[type[models.Model]]] = []
    change_list_template: Any = "admin/change_list_with_import.html"

    model: Any
    opts: Any
    admin_site: Any

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whoever may add and change all that an import writes."""
        return all(
            request.user.has_perm(f"{model._meta.app_label}.{act}_{model._meta.model_name}")
            for model in (self.model, *self.import_further_models)
            for act in ("add", "change")
        )

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name=f"{name}_import"),
            path("import/confirm/", view(self.confirm_import_view), name=f"{name}_import_confirm"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"has_import_permission": self.has_import_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and show what importing it would do; everything is tried in a transaction and taken back."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form_class = FigureImportForm if issubclass(self.import_resource, FigureResource) else ImportForm
        form = form_class(request.POST or None, request.FILES or None) if request.method == "POST" else form_class()
        context: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            file, table = form.cleaned_data["file"], form.cleaned_data["table"]
            said = {name: form.cleaned_data.get(name, "") for name in ("why", "why_note")}
            resource = self.import_resource(**said)
            wrong = resource.problems_of_header(table.headers)
            if wrong:
                form.add_error("file", wrong)
            else:
                result = resource.import_data(table, dry_run=True)
                if result.base_errors:
                    raise result.base_errors[0].error
                context["preview"] = preview = Preview.of(result)
                context["file_name"] = file.name
                if preview.has_news and not preview.problems:
                    token = self._sign(request, file.name, table, said, [row.digest for row in result.rows])
                    if len(token) > MAX_TOKEN:
                        form.add_error("file", TOO_MUCH_TEXT)
                        context = {}
                    else:
                        context["token"] = token
        return self._page(request, {"form": form, **context})

    def confirm_import_view(self, request: HttpRequest) -> HttpResponse:
        """Import what was previewed, if it still would do the same; all of it or nothing."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            data = signing.loads(
                request.POST.get("table", ""), salt=self._salt(request), max_age=HOURS_TO_CONFIRM * 60 * 60
            )
        except signing.BadSignature:
            messages.error(request, EXPIRED)
            return HttpResponseRedirect(self._url("import"))
        table = tablib.Dataset(*data["rows"], headers=data["headers"])
        resource = self.import_resource(**data["said"], expected=data["digests"])
        with transaction.atomic():
            result = resource.import_data(table, dry_run=False, rollback_on_validation_errors=True)
            if result.base_errors:
                raise result.base_errors[0].error
            preview = Preview.of(result)
            if not preview.problems:
                self._log(request, preview, data["name"])
        if preview.problems:
            messages.error(request, NOT_TAKEN)
            return self._page(request, {"preview": preview, "file_name": data["name"]})
        messages.success(request, f"Imported from “{data['name']}”: {preview.summary}")
        return HttpResponseRedirect(self._url("changelist"))

    def _log(self, request: HttpRequest, preview: Preview, name: str) -> None:
        what = f"{self.opts.verbose_name_plural} from “{name}”: {preview.summary}"
        audit.note(request, audit.Act.CHANGED, words=f"Imported {what}")
        for row in preview.rows:
            for written in row.written:
                LogEntry.objects.log_actions(
                    cast("User", request.user).pk,
                    [written.record],
                    ADDITION if written.is_new else CHANGE,
                    change_message=f"Imported from “{name}”, row {row.number}: {written.message}",
                    single_object=True,
                )

    def _salt(self, request: HttpRequest) -> str:
        """A preview is of one model and one person."""
        return f"{SALT}:{self.opts.label_lower}:{request.user.pk}"

    def _sign(self, request: HttpRequest, name: str, table: tablib.Dataset, said: Any, digests: list[str]) -> str:
        data = {
            "name": name,
            "headers": table.headers,
            "rows": [list(row) for row in table],
            "said": said,
            "digests": digests,
        }
        return signing.dumps(data, salt=self._salt(request), compress=True)

    def _url(self, view: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}")

    def _page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "resource": self.import_resource,
            "import_url": self._url("import"),
            "confirm_url": self._url("import_confirm"),
            "changelist_url": self._url("changelist"),
            **context,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/import.html", context)
