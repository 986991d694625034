"""Who may have which record at the desk, where a view is not one of Django’s own."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404


def record_for[Record: Model](
    request: HttpRequest, may: Callable[[HttpRequest, Record], bool], records: QuerySet[Record], pk: int
) -> Record:
    """The record with this key, for whoever may have it by this method of its `ModelAdmin`; refused to all others.

    404 where there is none.
    """
    record = get_object_or_404(records, pk=pk)
    if not may(request, record):
        raise PermissionDenied
    return record
