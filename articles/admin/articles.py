from typing import Any, cast

from content_editor.admin import ContentEditor
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.forms.utils import ErrorDict
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property

from articles import drafts, redirects, references
from articles.models import Article, Sourced
from articles.review import badges_of, words_of
from articles.schedule import coming_of

from . import history, working_copies
from .blocks import BylineInline, block_inlines
from .desk_urls import desk_urls
from .form_drafts import as_fields, as_posted, is_sound
from .gate import may_publish, publish_saved
from .merging import merge_address


class ArticleStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("draft", "Draft"),
            ("scheduled", "Scheduled"),
            ("live", "Live"),
            ("changed", "Live, draft changed"),
            ("coming", "Live, change scheduled"),
            ("withdrawn", "Withdrawn"),
        ]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Article]) -> models.QuerySet[Article]:
        now = timezone.now()
        shown = Q(withdrawn_at=None) | Q(withdrawn_at__gt=now)
        conditions = {
            "draft": Q(live_version=None),
            "scheduled": Q(live_version__isnull=False, published_at__gt=now),
            "live": Q(live_version__isnull=False, published_at__lte=now) & shown,
            "changed": Q(live_version__isnull=False, changed_at__gt=F("live_version__written_at")) & shown,
            "coming": Q(next_at__gt=now),
            "withdrawn": Q(withdrawn_at__lte=now),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


# The field that marks a form as filled with what was kept of it, not sent by anybody: it is never valid.
RESTORED = "_restored"
# The code of the error that a draft was saved by somebody else since its form was opened.
STALE = "stale"


class ArticleForm(forms.ModelForm):
    """An article's draft. A save that knows nothing of a later one by somebody else is refused."""

    # The moment of the draft that the form was made from, and the window that it is open in.
    known = forms.CharField(required=False, widget=forms.HiddenInput)
    window = forms.CharField(required=False, widget=forms.HiddenInput)
    # Off where nothing is going to be saved.
    asks_who_saved = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["window"] = working_copies.new_window()
        if self.instance.pk:
            self.initial["known"] = self.instance.changed_at.isoformat()
        if "published_at" in self.fields:
            self.fields["published_at"].help_text += f" In the time of {settings.TIME_ZONE}."

    @cached_property
    def changed_data(self) -> list[str]:
        """The fields that say something else than the draft; those that only tell where it stands say nothing."""
        return [name for name in super().changed_data if name not in {"known", "window"}]

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if RESTORED in self.data:
            raise ValidationError("This is what was typed before; nothing has been sent.", code=RESTORED)
        if self.asks_who_saved and self.instance.pk:
            locked = Article.objects.select_for_update().only("changed_at", "live_version").get(pk=self.instance.pk)
            is_published_since = locked.live_version_id != self.instance.live_version_id
            if is_published_since or self.data.get("known") != locked.changed_at.isoformat():
                raise ValidationError(
                    f"Somebody else saved this draft at {timezone.localtime(locked.changed_at):%H:%M:%S}, after you "
                    "had opened it. Nothing of yours is saved yet, and it is all still here. Put right what is marked "
                    "below and save again: you then see both drafts side by side.",
                    code=STALE,
                )
        return data


def _is_only_stale(form: forms.ModelForm, inlines: Any) -> bool:
    """Whether a form could be saved if nobody else had saved the draft, and its window is known."""
    others = [inline.formset for inline in inlines]
    return (
        form.errors.keys() == {NON_FIELD_ERRORS}
        and form.has_error(NON_FIELD_ERRORS, STALE)
        and working_copies.is_window(form["window"].value() or "")
        and all(is_sound(formset) for formset in others)
    )


def _addresses_around(article: Article | None) -> dict[str, str]:
    """Where the form's working copy, its preview and its checklist are."""
    names = {
        "copy_url": "working_copy",
        "discard_url": "discard_copy",
        "preview_url": "preview",
        "checklist_url": "checklist",
    }
    if article is None:
        return {key: reverse(f"admin:articles_article_add_{name}") for key, name in names.items()}
    return {key: reverse(f"admin:articles_article_{name}", args=[article.pk]) for key, name in names.items()}


class FigureQuery(forms.Form):
    """What the editor of text asks for: figures about some words, or those that some references mean."""

    MOST = 20

    q = forms.CharField(max_length=100, required=False)

    def clean(self) -> dict[str, Any] | None:
        asked = cast("QueryDict", self.data).getlist("reference")
        if len(asked) > self.MOST or not all(map(references.is_well_formed, asked)):
            raise ValidationError(f"Give at most {self.MOST} references of the form “kind:key”.")
        return super().clean()

    def figures(self) -> list[tuple[str, Sourced]]:
        """References with their figures, at most twenty."""
        asked = cast("QueryDict", self.data).getlist("reference")
        if asked:
            return list(references.load(asked).items())
        return references.search(self.cleaned_data["q"], most=self.MOST)


def figure_for_editor(reference: str, figure: Any) -> dict[str, str]:
    return {
        "reference": reference,
        "text": figure.text,
        "about": figure.about,
        "source": figure.source.citation if figure.source else "",
        "status": words_of(badges_of(figure, timezone.localdate())) or "Confirmed",
    }


@admin.register(Article)
class ArticleAdmin(ContentEditor):
    form = ArticleForm
    change_form_template = "admin/articles/article/change_form.html"
    list_display = ["number", "title", "state", "category", "published_at", "changed_at"]
    list_display_links = ["number", "title"]
    list_filter = [ArticleStateFilter, "category", "series", "authors"]
    list_select_related = ["category__parent", "live_version"]
    search_fields = ["title", "standfirst", "slug", "=number"]
    date_hierarchy = "published_at"
    actions = None  # what was ever published stays, and a draft is deleted from its own page
    view_on_site = False  # "View live" appears only where there is something to see
    autocomplete_fields = ["category", "series", "headline"]
    fieldsets = [
        (None, {"fields": ["title", "standfirst", "known", "window"]}),
        ("Place and time", {"fields": [("number", "slug"), ("category", "series"), "published_at"]}),
        ("In lists and shares", {"fields": ["headline", "social_text"]}),
    ]
    inlines = [BylineInline, *block_inlines()]

    class Media:
        css = {"all": ["css/admin.css"]}
        js = ["js/admin/block-editor.js", "js/admin/working-copy.js", "js/admin/preview.js", "js/admin/picture.js"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Article]:
        return super().get_queryset(request).defer("live_version__document")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"number": Article.objects.all().highest_number() + 1, **super().get_changeform_initial_data(request)}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Article | None = None) -> dict[str, Any]:
        return {} if obj and obj.live_version_id else {"slug": ["title"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Article | None = None) -> list[str]:
        """A published article keeps its number. Those who publish set its address here, its moment on its schedule."""
        if obj is None or obj.live_version_id is None:
            return []
        return ["number", "published_at"] if may_publish(request) else ["number", "slug", "published_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        """An article that was ever published is never lost."""
        return (obj is None or obj.live_version_id is None) and super().has_delete_permission(request, obj)

    @admin.display(description="state")
    def state(self, article: Article) -> str:
        if article.live_version is None:
            return "Draft"
        when = "Withdrawn" if article.is_withdrawn else "Live" if article.is_public else "Scheduled"
        if coming := coming_of(article):
            return f"{when}, to come: {', '.join(map(str, coming))}"
        is_changed = article.is_public and article.changed_at > article.live_version.written_at
        return f"{when}, draft changed" if is_changed else when

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        # The block editor would also copy any rows named by `_clone` in the request, whosever they are. Articles have
        # one region, so nothing of ours ever asks for that.
        super(ContentEditor, self).save_related(request, form, formsets, change)
        are_changed = any(formset.has_changed() for formset in formsets)
        if change and not form.has_changed() and are_changed:
            form.instance.save(update_fields=["changed_at"])
        if not change or form.has_changed() or are_changed:
            drafts.keep(form.instance, by=working_copies.whose(request))
        working_copies.forget(request)

    def save_model(self, request: HttpRequest, obj: Article, form: Any, change: bool) -> None:
        # A save that changes nothing leaves the draft as old as it is. None writes more than it was asked to: somebody
        # else may have published a version meanwhile.
        if not change:
            super().save_model(request, obj, form, change)
        elif form.has_changed():
            obj.save(update_fields=[*form.changed_data, "changed_at"])
        if change and obj.live_version_id and "slug" in form.changed_data:
            redirect = redirects.moved(obj, form.initial["slug"])
            self.log_change(request, obj, f"Moved: {redirect.path} leads to {obj.get_absolute_url()} now.")
            messages.success(request, f"The article has moved, at once. Its old address {redirect.path} leads to it.")

    # Publishing

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if "_publish" in request.POST and not may_publish(request):
            raise PermissionDenied
        if request.method == "GET" and (
            copy := working_copies.to_restore(request, self._asked_for(request, object_id))
        ):
            restored = {"restored": copy, **(extra_context or {})}
            with transaction.atomic():
                # The form is filled as if it had been sent; it is not, so nothing is saved.
                posted = as_posted(request, as_fields([*(copy.fields or []), (RESTORED, "1")]))
                return super().changeform_view(posted, object_id, form_url, restored)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _asked_for(self, request: HttpRequest, object_id: str | None) -> Article | None:
        """The article of a form; a new one where there is none yet, or where somebody may not change it."""
        article = self.get_object(request, object_id) if object_id else None
        return article if article and self.has_change_permission(request, article) else None

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        form = context["adminform"].form
        rows = [row for formset in context["inline_admin_formsets"] for row in formset.formset.forms]
        if form.is_bound and RESTORED in form.data:
            # What is only half typed is no mistake yet.
            context["errors"] = None
            for each in [form, *rows]:
                each._errors = ErrorDict()
        elif form.is_bound and form.instance.pk and _is_only_stale(form, context["inline_admin_formsets"]):
            working_copies.keep(request, form.instance, is_typed=True)
            return HttpResponseRedirect(merge_address(form.instance, request.POST["window"]))
        article = self.get_object(request, str(kwargs["obj"].pk)) if kwargs.get("obj") else None
        window = form["window"].value() or ""
        context |= {
            "may_publish": may_publish(request),
            "differences": article and history.changes_since_live(article),
            "coming": coming_of(article) if article else [],
            "time_zone": settings.TIME_ZONE,
            "window": window,
            **_addresses_around(article),
            "unsaved_copies": working_copies.others_open(request, article, window),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Article, post_url_continue: str | None = None) -> HttpResponse:
        if "_publish" in request.POST:
            return publish_saved(self, request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Article) -> HttpResponse:
        if "_publish" in request.POST:
            return publish_saved(self, request, obj)
        return super().response_change(request, obj)

    # Further views

    def get_urls(self) -> list[URLPattern]:
        figures = path("figures/", self.admin_site.admin_view(self.figures_view), name="articles_article_figures")
        return [figures, *desk_urls(self), *super().get_urls()]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """Current figures for the editor of text, as JSON: those found by `q`, or those that the `reference`s mean."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        form = FigureQuery(request.GET)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=400)
        return JsonResponse({"figures": [figure_for_editor(*hit) for hit in form.figures()]})
