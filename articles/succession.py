"""What may follow a published figure. The form in the admin and the import ask here; the database guards the rest."""

from django.utils import timezone

from .models import Sourced
from .partial_dates import first_day

RESOURCED = "“Re-sourced” keeps the figure and changes its evidence. For another figure choose update or correction."
UNSOURCED = "A confirmed figure has a source and the day of the check."
OUTDATED_CHECK = "This check was of the earlier figure. Set the day of the new check, or “unchecked”."
UNCHANGED = (
    "Nothing but the reason was changed, so there is no new figure to publish. Change the figure or its evidence."
)
NO_CHECK = "An unchecked figure has no day of a check: leave it empty, or say what the check found."
OLD_NOTE = "This note is about the earlier figure. Write what holds for the new one, or leave it empty."
NO_WORDS = "Say what was wrong: readers see the reason of a correction or a retraction."
REINSTATED = "The same figure comes back as a correction, with the reason: readers see that withdrawing it was wrong."
NO_REASON = "Choose why the figure changes."
NOT_NEW = "There is a figure already, so this one is an update, a correction or re-sourced."
KEPT_IN_RETRACTION = (
    "A retraction takes the figure back as it was and changes nothing of it but the check. To give another one choose "
    "correction."
)
WITHDRAWN = "This figure was withdrawn. What follows it is an update, or a correction if withdrawing it was wrong."
NOT_LATER = (
    "An update is a later figure, and the one before it holds as of {}. Give a later date, or choose correction if "
    "that one was wrong."
)
NOT_YET = "This day is still to come: a figure holds as of a day that has passed."
CHECKED_LATER = "This day is still to come."

# What a check says, which a retraction may say anew.
CHECK_FIELDS = {"check_status", "check_note", "checked_on", "review_by"}

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
    if figure.check_status == Status.UNCHECKED and figure.checked_on:
        found.append(("checked_on", NO_CHECK))
    if figure.why in Sourced.CORRECTING and not figure.why_note:
        found.append(("why_note", NO_WORDS))
    if figure.as_of and first_day(figure.as_of) > timezone.localdate():
        found.append(("as_of", NOT_YET))
    if figure.checked_on and figure.checked_on > timezone.localdate():
        found.append(("checked_on", CHECKED_LATER))
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
    elif later.why == Why.RETRACTION and changed - CHECK_FIELDS:
        found.append(("why", KEPT_IN_RETRACTION))
    elif later.why == Why.RESOURCED and is_other_figure:
        found.append(("why", RESOURCED))
    elif earlier.is_withdrawn and later.why == Why.UPDATE and not is_other_figure:
        found.append(("why", REINSTATED))
    elif not changed and later.why != Why.RETRACTION and not earlier.is_withdrawn:
        found.append(("", UNCHANGED))
    is_checked = later.check_status != Sourced.CheckStatus.UNCHECKED
    is_check_new = "checked_on" in changed or later.checked_on == timezone.localdate()
    if is_other_figure and is_checked and not is_check_new:
        found.append(("check_status", OUTDATED_CHECK))
    # What a check found of a figure that was wrong can still hold; of a later figure, or unchecked again, it cannot.
    is_unchecked_again = not is_checked and earlier.check_status != Sourced.CheckStatus.UNCHECKED
    is_note_old = later.check_note and "check_note" not in changed
    if is_other_figure and is_note_old and (later.why == Why.UPDATE or is_unchecked_again):
        found.append(("check_note", OLD_NOTE))
    is_later = not (later.as_of and earlier.as_of) or first_day(later.as_of) > first_day(earlier.as_of)
    if later.why == Why.UPDATE and not is_later:
        found.append(("as_of", NOT_LATER.format(earlier.as_of_text)))
    return found
