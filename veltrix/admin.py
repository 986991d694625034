from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse

from . import audit, audit_admin  # noqa: F401 - registers the audit log
from .models import SessionRecord
from .sign_in.confirming import ask_to_confirm
from .sign_in.sessions import record_of

admin.site.unregister([User, Group])

RIGHTS = ["is_active", "is_staff", "is_superuser"]


class AsksWhoItIs(ModelAdmin):
    """Whoever changes what people may do confirms first who they are, and the audit log says what it was."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return ask_to_confirm(request) or super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return ask_to_confirm(request) or super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Its actions delete.
        asked = ask_to_confirm(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save what somebody may do and note what that has changed. The row itself is saved already."""
        record = form.instance
        before = {name: _names(getattr(record, name)) for name in self.filter_horizontal}
        super().save_related(request, form, formsets, change)
        words = [_difference(name, before[name], _names(getattr(record, name))) for name in self.filter_horizontal]
        words += [f"{name}: {getattr(record, name)}." for name in RIGHTS if name in form.changed_data]
        if said := " ".join(filter(None, words)):
            audit.note(request, audit.Act.PERMISSIONS, record, said)


def _names(related: Any) -> set[str]:
    return {str(record) for record in related.all()}


def _difference(name: str, before: set[str], after: set[str]) -> str:
    given, taken = sorted(after - before), sorted(before - after)
    if not given and not taken:
        return ""
    told = [f"given {', '.join(given)}"] * bool(given) + [f"taken {', '.join(taken)}"] * bool(taken)
    return f"{name.replace('_', ' ')}: {'; '.join(told)}."


@admin.register(Group)
class GroupsAdmin(AsksWhoItIs, GroupAdmin):
    pass


@admin.register(User)
class PeopleAdmin(AsksWhoItIs, UserAdmin):
    """People and their groups. Nobody but a superuser makes superusers, touches one, or grants single permissions."""

    change_form_template = "admin/sign_in/person.html"

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or request.user.is_superuser:
            return fieldsets
        kept = {"is_superuser", "user_permissions"}
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in kept]})
            for title, options in fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A person's acts stay on record: an account is made inactive instead."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not (obj.is_active and obj.is_staff):
            SessionRecord.objects.filter(user=obj).end()

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set somebody's password, which ends their sessions."""
        if response := ask_to_confirm(request):
            return response
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            user = User.objects.get(pk=id)
            SessionRecord.objects.filter(user=user).exclude(pk=record_of(request).pk).end()
            audit.note(request, audit.Act.PASSWORD, user, "Set by somebody else." if user != request.user else "")
        return response
