"""Lists of a million rows at the desk: nothing that is clicked counts them all or sorts them anew."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

# So many rows are counted and can be paged through. What lies beyond is found by a filter or a search.
MOST_COUNTED = 10_000
MOST_AT_ONCE = 1_000

TOO_MANY_AT_ONCE = f"Nothing was done: choose at most {MOST_AT_ONCE:,} at a time."


class LongListPaginator(Paginator):
    """Counts no further than MOST_COUNTED. Templates say “more than” where `is_cut_off`."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST_COUNTED)

    @property
    def is_cut_off(self) -> bool:
        return self._counted > MOST_COUNTED

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: MOST_COUNTED + 1].count()


class LongChangeList(ChangeList):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The one order that an index gives, whatever the address asks for."""
        return list(self.model_admin.get_ordering(request))


class LongList(admin.ModelAdmin):
    """The admin of a long list. Its `ordering` is total and by an index, and so are its filters."""

    list_per_page = 100
    paginator = LongListPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], action_location: Any = ActionLocation.CHANGE_LIST
    ) -> HttpResponse | None:
        is_across = request.POST.get("select_across", "0") != "0"
        if is_across and queryset.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
            self.message_user(request, TOO_MANY_AT_ONCE, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, action_location)
