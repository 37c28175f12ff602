"""Words of a board's table: intervals, ranks, marks. Its heads: `templates/board.html.j2`, its rows:
`templates/rows.json.j2`.
"""

from suite.board.define.board import Item
from suite.board.define.parts import TRUST
from suite.board.rank.state import Listed, RankTable, State
from suite.board.site.page_words import name
from suite.report.numbers import number

_TRUST = ("reported", "consistent", "signed", "spot-checked", "run by the board")
TRUST_NAMES = dict(zip(TRUST, _TRUST, strict=True))


def span(low: float | None, high: float | None) -> str:
    """An interval in few characters; "" if there is none."""
    if low is None or high is None:
        return ""
    between = " to " if low < 0 or high < 0 else "–"
    return f"{number(low)}{between}{number(high)}"


def ranks(low: int | None, high: int | None) -> str:
    """A rank interval, "2–5" or "3"."""
    if low is None or high is None:
        return ""
    return str(low) if low == high else f"{low}–{high}"


def answer_counts(table: RankTable, item: Item) -> set[int]:
    """How many answers the values of ranked entries rest on."""
    results = (one.entry.column(item.name) for one in table.ranked)
    return {one.n + one.unscored for one in results if one is not None}


def missing(state: State, listed: Listed) -> list[str]:
    """Titles of the tasks that an entry has no value for."""
    results = ((item, listed.entry.column(item.name)) for item in state.board.tasks)
    return [name(item.shown) for item, result in results if result is None or result.value is None]


def marks_of(state: State, listed: Listed) -> list[str]:
    """What a reader must see beside the name, in words."""
    lacks = missing(state, listed)
    marks = (
        (listed.reasons, f"not ranked: {'; '.join(listed.reasons)}"),
        (lacks, f"without {lacks[0] if len(lacks) == 1 else f'{len(lacks)} tasks'}"),
        (listed.exposed, f"declared exposure: {len(listed.exposed)} of {len(state.board.tasks)}"),
        (listed.judges, "judge of its own family"),
        (listed.late, "released after data"),
        (listed.entry.verification.verdict == "verified_with_warnings", "verified with warnings"),
    )
    return [words for there, words in marks if there]


def large(value: int) -> str:
    """A large number in few characters: "7 B"."""
    for size, unit in ((1e12, " T"), (1e9, " B"), (1e6, " M")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:,}"
