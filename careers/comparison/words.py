from .query import Query
from .table import Comparison


def summary(comparison: Comparison, query: Query) -> str:
    """Say in words what is shown: “8 roles, sorted by UK upper figure, highest first”."""
    count = comparison.page.paginator.count if comparison.page else len(comparison.rows)
    words = [f"{count:,} role{'' if count == 1 else 's'}"]
    if len(query.markets) < len(query.all_markets):
        words.append(f"{' and '.join(market.name for market in query.markets)} pay only")
    if query.skill:
        words.append(f"requiring {query.skill}")
    if query.path:
        words.append(f"on the path {query.path}")
    if query.minimum is not None:
        words.append(f"with a figure of {query.minimum:,} or more")
    if query.sort:
        words.append(f"sorted by {_sort_words(query)}")
    if query.as_of:
        words.append(f"as of {query.as_of_text}")
    if comparison.page and comparison.page.paginator.num_pages > 1:
        words.append(f"page {comparison.page.number} of {comparison.page.paginator.num_pages}")
    return ", ".join(words)


def order_note(query: Query) -> str:
    """Where figures stand that cannot simply be sorted, for tables that are sorted by pay."""
    if query.sort.removeprefix("-") in {"", "role", "skills"}:
        return ""
    return (
        "A range with a plus sign counts as higher than the same figure without one. Roles without a figure come last."
    )


def _sort_words(query: Query) -> str:
    key, is_falling = query.sort.removeprefix("-"), query.sort.startswith("-")
    if key == "role":
        return "role, Z to A" if is_falling else "role, A to Z"
    if key == "skills":
        return f"number of core skills, {'most' if is_falling else 'fewest'} first"
    market, _, end = key.partition("_")
    name = next(m.name for m in query.all_markets if m.slug == market)
    return f"{name} {'lower' if end == 'low' else 'upper'} figure, {'highest' if is_falling else 'lowest'} first"
