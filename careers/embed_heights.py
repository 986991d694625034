"""How high embeds are, in CSS pixels: what their style sheet makes of their texts.

Guessed a little high, since a frame that is too low hides something and one that is too high hides nothing. Whatever
unfolds counts as folded. A browser test holds the guesses against the real heights.
"""

from math import ceil

from django.utils import timezone

from articles.review import badges_of, words_of

from .comparison import Comparison, PayCell

PADDING = 16
# Of a line of text of each size, and of a letter of it.
TEXT, UI, SMALL = 28, 21, 20
TEXT_LETTER, UI_LETTER, SMALL_LETTER = 8.6, 7.8, 6.9
# As long as what a role’s embed says where there is no figure.
NO_FIGURE = "No figure is on record for 30 September 2026."


def of_pay(title: str, pay: list[PayCell], width: int) -> int:
    """The embed of a role, at this width."""
    inner = width - 2 * PADDING
    # As many columns as fit, at least 15 rem wide and 2.25 rem apart.
    columns = max(1, min(len(pay), (inner + 36) // 276))
    column = (inner + 36) // columns - 36
    heights = [_of_cell(cell, column) for cell in pay] or [_lines(NO_FIGURE, inner, TEXT_LETTER) * TEXT]
    rows = [max(heights[start : start + columns]) + 24 for start in range(0, len(heights), columns)]
    return _safe(_around(title, inner) + sum(rows))


def of_table(title: str, comparison: Comparison, width: int) -> int:
    """The embed of a table, at this width."""
    inner = width - 2 * PADDING
    notes = sum(
        _lines(f"{note.words}. {note.reasons}", min(inner, 704) - 24, SMALL_LETTER) * SMALL + 8
        for note in comparison.notes
    )
    return _safe(_around(title, inner) + _of_rows(comparison, inner) + notes + 16)


def _lines(text: str, width: float, letter: float) -> int:
    return max(1, ceil(len(text) * letter / max(width, letter)))


def _around(title: str, inner: int) -> int:
    """The title above, the credit line beneath, and the space around them."""
    return 2 * PADDING + _lines(title, inner, 10) * 25 + 16 + (56 if inner >= 560 else 98)


def _of_cell(cell: PayCell, column: int) -> int:
    figure = cell.salary or cell.withdrawn
    badges = words_of(badges_of(figure, timezone.localdate())) if figure else ""
    status = max(44, _lines(f"{badges} Why?", column, 7.6) * SMALL + 16) if badges else 0
    if cell.salary is None:
        return 13 + UI + 12 + 52 + 12 + status
    source = cell.salary.source.citation if cell.salary.source else ""
    about = f"{cell.salary.text_long}; {cell.salary.get_kind_display()}; as of {cell.salary.as_of_text}. {source}"
    return 13 + UI + 12 + 56 + 12 + 34 + 12 + _lines(about, column, SMALL_LETTER) * SMALL + status


def _of_rows(comparison: Comparison, inner: int) -> int:
    """Caption, rows and axis of the table: below 46 rem a block for each role, else a line."""
    is_narrow = inner < 736
    columns = max(1, (inner + 24) // 264)
    height = 44 + (44 if is_narrow else 84)
    for row in comparison.rows:
        skills = ", ".join(line.label for line in row.core)
        if is_narrow:
            # Where they are very narrow, market, figure and bar stand one under the other.
            pay = ceil(len(row.pay) / columns) * (UI + 8 if inner >= 256 else 3 * UI + 8)
            height += 33 + UI + 4 + pay + 8 + _lines(skills, inner, SMALL_LETTER) * 19
        else:
            name = _lines(row.role.name, inner * 0.2 - 36, 9) * 23
            height += 33 + max(name, UI + 16, _lines(skills, inner * 0.38, UI_LETTER) * UI)
    return height


def _safe(height: float) -> int:
    return ceil(height * 1.04)
