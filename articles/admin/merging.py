"""A draft that two people have changed: both are shown, and nothing is saved before somebody has chosen."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from articles import drafts
from articles.documents import UnreadableDocumentError, blocks_of, document_of
from articles.merges import Draft, Merge, merge
from articles.models import Article, WorkingCopy
from articles.models.blocks import UnknownReferenceError

from .form_drafts import as_fields, as_posted, draft_in_form
from .working_copies import copy_of, name_of, permitted, whose

NAMES = {"mine": "Yours", "theirs": "Theirs", "both": "Both, theirs first"}


def merge_address(article: Article, window: str) -> str:
    return f"{reverse('admin:articles_article_merge', args=[article.pk])}?window={window}"


class MergeForm(forms.Form):
    """One choice for each value and block of which there are two."""

    # The `changed_at` of the draft that is shown as theirs, and the moment until which the other was typed.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    use_required_attribute = False

    def __init__(self, merged: Merge, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merged = merged
        for head in merged.heads:
            self._ask(f"head-{head.key}", ["theirs", "mine"], head.proposal)
        for number, place in enumerate(merged.places):
            if not place.is_settled:
                sides = ["theirs", "mine", *(["both"] if place.mine and place.theirs else [])]
                self._ask(f"place-{number}", sides, place.proposal)

    def _ask(self, name: str, sides: list[str], proposal: str) -> None:
        self.fields[name] = forms.ChoiceField(
            choices=[(side, NAMES[side]) for side in sides],
            widget=forms.RadioSelect,
            initial=proposal,
            error_messages={"required": "Both of you changed this: choose one."},
        )

    def rows(self) -> list[tuple[Any, Any]]:
        """What differs, with the field that asks for the choice."""
        heads = [(head, self[f"head-{head.key}"]) for head in self.merged.heads]
        places = [
            (place, self[f"place-{number}"]) for number, place in enumerate(self.merged.places) if not place.is_settled
        ]
        return [*heads, *places]

    def document(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        return self.merged.document(
            {head.key: chosen[f"head-{head.key}"] for head in self.merged.heads},
            {
                number: chosen[f"place-{number}"]
                for number, place in enumerate(self.merged.places)
                if not place.is_settled
            },
        )


def merge_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was typed beside what was saved meanwhile, and save what is chosen of the two."""
    with transaction.atomic():
        return _merge(model_admin, request, pk)


def _merge(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    article = permitted(model_admin, request, pk)
    copy = copy_of(request, article)
    change = reverse("admin:articles_article_change", args=[pk])
    if copy is None or article is None:
        messages.info(request, "There is nothing to bring together: what was typed is saved or discarded.")
        return HttpResponseRedirect(change)
    if request.method == "POST":
        article = Article.objects.select_for_update(of=("self",)).get(pk=pk)
        copy = WorkingCopy.objects.select_for_update().filter(pk=copy.pk).first() or copy
    own = Article.objects.select_related("live_version").get(pk=pk)
    mine = draft_in_form(model_admin, as_posted(request, as_fields(copy.fields or [])), own)
    if mine.problems:
        # What cannot be read is no part of a draft yet: to go on would be to leave it out.
        for problem in mine.problems:
            messages.error(request, problem.sentence)
        messages.warning(request, "Put this right and save again: you then see both drafts side by side.")
        return HttpResponseRedirect(f"{change}?copy={copy.window}")
    form = MergeForm(_merge_of(mine.draft, article, copy), request.POST or None)
    now = f"{article.changed_at.isoformat()} {copy.typed_at.isoformat() if copy.typed_at else ''}"
    if form.is_bound and form.is_valid():
        if form.cleaned_data["seen"] != now:
            form.add_error(None, "One of the drafts has changed while you were choosing. Look at both of them again.")
        elif _save(request, model_admin, article, form, copy):
            return HttpResponseRedirect(change)
    if form.is_bound:
        form.data = {**request.POST.dict(), "seen": now}
    else:
        form.initial["seen"] = now
    save = article.saves.select_related("saved_by").defer("document").first()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": "Two drafts to bring together",
        "form": form,
        "copy": copy,
        "saved_by": name_of(save.saved_by) if save and save.saved_by and save.saved_at == article.changed_at else "",
        "open_choices": sum(1 for field in form if field.name != "seen" and not field.initial),
    }
    return render(request, "admin/articles/article/merge.html", context)


def _merge_of(mine: Draft, article: Article, copy: WorkingCopy) -> Merge:
    blocks = blocks_of(article)
    theirs = Draft(document_of(article, blocks), drafts.keys_of(blocks))
    base = drafts.saved_as(article, copy.known)
    return merge(mine, theirs, Draft(base.document, base.keys) if base else None)


def _save(request: HttpRequest, model_admin: ModelAdmin, article: Article, form: MergeForm, copy: WorkingCopy) -> bool:
    try:
        drafts.replace(article, form.document(), by=whose(request), note="Two drafts brought together")
    except (UnknownReferenceError, UnreadableDocumentError) as error:
        form.add_error(None, error.args[0])
    except ValidationError as error:
        form.add_error(None, error.messages)
    else:
        mine = form.merged.mine
        article.saves.create(
            document=mine.document,
            keys=list(mine.keys),
            saved_at=copy.typed_at or copy.seen_at,
            saved_by=whose(request),
            note="As it was typed, before two drafts were brought together",
        )
        copy.delete()
        model_admin.log_change(request, article, "Two drafts brought together.")
        messages.success(request, "The draft is saved with what you have chosen. Both drafts are kept under History.")
        return True
    return False
