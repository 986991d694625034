"""What may follow a published figure. The form in the admin and the import ask here; the database guards the rest."""

from django.utils import timezone

from .models import Sourced
from .partial_dates import first_day, last_day

RESOURCED = "“Re-sourced” keeps the figure and changes its evidence. For another figure choose update or correction."
UNSOURCED = "A confirmed figure has a source and the day of the check."
OUTDATED_CHECK = "This check was of the earlier figure. Set the day of the new check, or “unchecked”."
UNCHANGED = (
    "Nothing but the reason was changed, so there is no new figure to publish. Change the figure or its evidence."
)
NO_REASON = "Choose why the figure changes."
NOT_NEW = "There is a figure already, so this one is an update, a correction or re-sourced."
KEPT_IN_RETRACTION = "A retraction changes nothing but takes the figure back. To give another one choose correction."
WITHDRAWN = "This figure was withdrawn. What follows it is an update, or a correction if withdrawing it was wrong."
EARLIER = "An update is a later figure, but the one before it holds as of {}. If that one was wrong, choose correction."
NOT_YET = "This day is still to come: a figure holds as of a day that has passed."

# Beside the figure itself: what it rests on.
EVIDENCE_FIELDS = (
    "source",
    "locator",
    "quote",
    "as_of",
    "check_status",
    "check_note",
    "checked_on",
    "review_by",
)


def changed_fields(earlier: Sourced, later: Sourced) -> set[str]:
    """Names of the fields of the figure and its evidence in which two rows differ."""
    names = [*earlier.figure_fields, *EVIDENCE_FIELDS]
    attributes = {name: earlier._meta.get_field(name).attname for name in names}  # type: ignore[union-attr]
    return {name for name, attribute in attributes.items() if getattr(earlier, attribute) != getattr(later, attribute)}


def problems_alone(figure: Sourced) -> list[tuple[str, str]]:
    """What contradicts itself in a figure, as pairs of a field and a sentence."""
    Status = Sourced.CheckStatus
    found = []
    if figure.check_status == Status.CONFIRMED and not (figure.source_id and figure.checked_on):
        found.append(("check_status", UNSOURCED))
    if figure.as_of and first_day(figure.as_of) > timezone.localdate():
        found.append(("as_of", NOT_YET))
    return found


def problems(earlier: Sourced, later: Sourced) -> list[tuple[str, str]]:
    """What speaks against publishing `later` (unsaved, valid in itself) as the successor of `earlier`.

    Pairs of a field and a sentence; the field is empty where the sentence is about the whole.
    """
    Why = Sourced.Why
    changed = changed_fields(earlier, later)
    found = problems_alone(later)
    is_other_figure = bool(changed & set(earlier.figure_fields))
    if not later.why:
        found.append(("why", NO_REASON))
    if later.why == Why.NEW:
        found.append(("why", NOT_NEW))
    if earlier.is_withdrawn and later.why in {Why.RESOURCED, Why.RETRACTION}:
        found.append(("why", WITHDRAWN))
    elif later.why == Why.RETRACTION and is_other_figure:
        found.append(("why", KEPT_IN_RETRACTION))
    elif later.why == Why.RESOURCED and is_other_figure:
        found.append(("why", RESOURCED))
    elif not changed and later.why != Why.RETRACTION and not earlier.is_withdrawn:
        found.append(("", UNCHANGED))
    is_checked = later.check_status != Sourced.CheckStatus.UNCHECKED
    if is_other_figure and is_checked and not changed & {"checked_on", "check_status"}:
        found.append(("check_status", OUTDATED_CHECK))
    if later.why == Why.UPDATE and later.as_of and earlier.as_of and last_day(later.as_of) < first_day(earlier.as_of):
        found.append(("as_of", EARLIER.format(earlier.as_of_text)))
    return found
