"""Articles as files at the desk: exported whole, and imported after a look at what that would change.

Between the look and the import the document travels in the form itself, signed, as tables do; its pictures have been
taken in by then, and are pruned if nothing comes to name them.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from articles import exchange
from articles.differences import between
from articles.documents import document_of
from articles.exchange import Package, UnreadablePackageError
from articles.models import Article
from veltrix import audit

from .access import record_for
from .importing import EXPIRED, HOURS_TO_CONFIRM, MAX_TOKEN
from .working_copies import whose

SALT = "articles.admin.exchanging"
MAX_BYTES = 25_000_000
TOO_LARGE = "The file is larger than 25 MB. Import it with manage.py import_article."
# As many as the article's form takes with one save: to draw them takes a second each.
MOST_PICTURES = 10
TOO_MANY_PICTURES = f"The file holds more than {MOST_PICTURES} pictures. Import it with manage.py import_article."
TOO_LONG = "The article is too long to be previewed. Import it with manage.py import_article."


class PackageForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="A zip that an article was exported to, up to 25 MB.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip"}),
        error_messages={"required": "Choose a file.", "empty": "This file is empty. Choose another."},
    )
    as_new = forms.BooleanField(
        label="As a new article, even if one has its address",
        required=False,
        help_text="It then gets another number and address.",
    )
    use_required_attribute = False

    def clean_file(self) -> UploadedFile:
        """Put the package that the file holds beside it."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise ValidationError(TOO_LARGE)
        try:
            package = exchange.unpacked(file)
            if len(package.pictures) > MOST_PICTURES:
                raise ValidationError(TOO_MANY_PICTURES)
            exchange.keep_pictures(package)
        except UnreadablePackageError as error:
            raise ValidationError(error.args[0]) from error
        self.cleaned_data["package"] = package
        return file


def export_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The saved draft with its pictures as a file, or with `?state=live` the live version."""
    articles = Article.objects.select_related("live_version")
    article = record_for(request, model_admin.has_view_permission, articles, pk)
    is_live = request.GET.get("state") == "live"
    if is_live and article.live_version is None:
        raise Http404("There is no live version.")
    try:
        content = exchange.packed(
            article.live_version.document if is_live and article.live_version else document_of(article)
        )
    except FileNotFoundError:
        messages.error(request, "It cannot be exported: the file of one of its pictures is lost.")
        return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))
    audit.note(request, audit.Act.EXPORTED, article, "The live version." if is_live else "The draft.")
    response = HttpResponse(content, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{article.slug}.zip"'
    return response


def import_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Take a file and show what importing it would do, or import what was shown."""
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied
    if "package" in request.POST:
        return _confirm(model_admin, request)
    form = PackageForm(request.POST, request.FILES) if request.method == "POST" else PackageForm()
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        context = _preview(request, form.cleaned_data["package"], as_new=form.cleaned_data["as_new"])
        if len(context["token"]) > MAX_TOKEN:
            form.add_error("file", TOO_LONG)
            context = {}
    return _page(model_admin, request, {"form": form, **context})


def _preview(request: HttpRequest, package: Package, *, as_new: bool) -> dict[str, Any]:
    target = None if as_new else exchange.target_of(package.document)
    document = exchange.fitted(package.document, target)
    problems: list[str] = []
    try:
        exchange.bring_in(document, target, by=whose(request), dry_run=True)
    except UnreadablePackageError as error:
        problems = error.args[0]
    moment = target.changed_at.isoformat() if target else ""
    data = {"document": document, "target": target.pk if target else None, "known": moment}
    return {
        "target": target,
        "document": document,
        "moment": parse_datetime(document["published_at"] or ""),
        "pictures": len(package.pictures),
        "problems": problems,
        "differences": between(document_of(target), document) if target and not problems else None,
        "token": signing.dumps(data, salt=_salt(request), compress=True),
    }


def _confirm(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    try:
        data = signing.loads(request.POST["package"], salt=_salt(request), max_age=HOURS_TO_CONFIRM * 60 * 60)
    except signing.BadSignature:
        messages.error(request, EXPIRED)
        return HttpResponseRedirect(reverse("admin:articles_article_import"))
    try:
        article = _import(model_admin, request, **data)
    except UnreadablePackageError as error:
        for sentence in error.args[0]:
            messages.error(request, sentence)
        return HttpResponseRedirect(reverse("admin:articles_article_import"))
    messages.success(
        request, f"“{article.title}” is imported as a draft. Readers see nothing of it until it is published."
    )
    return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))


@transaction.atomic
def _import(
    model_admin: ModelAdmin, request: HttpRequest, *, document: dict[str, Any], target: int | None, known: str
) -> Article:
    article = Article.objects.filter(pk=target).first() if target else None
    if target and article is None:
        raise UnreadablePackageError([exchange.GONE])
    imported = exchange.bring_in(document, article, by=whose(request), known=known)
    if article:
        model_admin.log_change(request, imported, "Imported from a file into the draft.")
    else:
        model_admin.log_addition(request, imported, "Imported from a file.")
    return imported


def _salt(request: HttpRequest) -> str:
    """A preview is one person's."""
    return f"{SALT}:{request.user.pk}"


def _page(model_admin: ModelAdmin, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Import an article",
        **context,
    }
    return render(request, "admin/articles/article/import.html", context)
