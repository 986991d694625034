"""Merging of skills in the admin: ticked in the list, looked at side by side, merged with one button."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from veltrix import audit

from .merging import MergeError, in_quotes, merge
from .models import Skill

MOST_AT_ONCE = 50
TOO_FEW = "Choose at least two skills that are not merged yet."
TOO_MANY = f"Merge at most {MOST_AT_ONCE} skills at once."
LIST = "admin:careers_skill_changelist"


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        Skill.objects.none(),
        label="Which one stays?",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose the skill that stays.",
            "invalid_choice": "The skill that stays is one of those that are merged.",
        },
    )

    def __init__(self, data: Any, skills: QuerySet[Skill]) -> None:
        super().__init__(data)
        cast("forms.ModelChoiceField", self.fields["into"]).queryset = skills

    @property
    def most_asked(self) -> Skill:
        return max((skill for _, skill in self.choices()), key=lambda skill: len(skill.requirements.all()))

    def choices(self) -> list[tuple[Any, Skill]]:
        """Each choice with its skill."""
        return [(choice, choice.data["value"].instance) for choice in self["into"].subwidgets]


def may_merge(user: Any) -> bool:
    """Whoever may change and delete skills may merge them."""
    return bool(user.has_perm("careers.change_skill") and user.has_perm("careers.delete_skill"))


def to_merge_page(request: HttpRequest, chosen: QuerySet[Skill]) -> HttpResponse | None:
    """The way from the ticked list to the page that merges; None where too many are ticked, which is said."""
    keys = [str(key) for key in chosen.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1]]
    if len(keys) > MOST_AT_ONCE:
        messages.error(request, TOO_MANY)
        return None
    return HttpResponseRedirect(reverse("admin:careers_skill_merge", query={"skills": ",".join(keys)}))


@require_http_methods(["GET", "HEAD", "POST"])
def merge_page(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """Show what each skill has and ask which one stays; merge on POST."""
    if not may_merge(request.user):
        raise PermissionDenied
    skills = Skill.objects.unmerged().with_all_it_has().filter(pk__in=keys_in(request.GET.get("skills", "")))
    if len(skills) < 2:
        messages.error(request, TOO_FEW)
        return HttpResponseRedirect(reverse(LIST))
    form = MergeForm(request.POST if request.method == "POST" else None, skills)
    if form.is_valid():
        return _merged(request, skills, form.cleaned_data["into"])
    context = {**site.each_context(request), "title": "Merge skills", "opts": Skill._meta, "form": form}
    request.current_app = site.name
    return TemplateResponse(request, "admin/merge.html", context)


def _merged(request: HttpRequest, skills: QuerySet[Skill], into: Skill) -> HttpResponse:
    try:
        with transaction.atomic():
            merged = merge(skills, into, cast("User", request.user))
            if merged:
                audit.note(request, audit.Act.CHANGED, into, f"{in_quotes(merged)} merged into it.")
    except MergeError as error:
        messages.error(request, f"{error} Nothing was merged.")
    else:
        if merged:
            verb = "is" if len(merged) == 1 else "are"
            messages.success(request, f"{in_quotes(merged)} {verb} part of “{into}” now.")
    return HttpResponseRedirect(reverse(LIST))


def keys_in(text: str) -> list[int]:
    """The keys that an address names, parted by commas; whatever else stands there is left out."""
    parts = text.split(",")[:MOST_AT_ONCE]
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 18]
