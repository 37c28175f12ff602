"""The big table of a board: heads of its tasks, and the cells of entries, for the page and its script alike.
Which other columns there are, and their heads: `templates/board.html.j2`.

A cell is (text, key to sort by, smaller text below, marks), for the script a list of these. A key of
None sorts last in both directions: what is unknown is never 0.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from suite.board.bundle.submission import SubmittedModel
from suite.board.define.board import Item, file_name
from suite.board.define.parts import TRUST
from suite.board.entry import ColumnResult
from suite.board.rank.state import Listed, RankTable, State, luck
from suite.board.site.page_words import name
from suite.report.numbers import DASH, counted, number, percent


class TableCell(msgspec.Struct, frozen=True, array_like=True):
    """What stands in a cell."""

    text: str = DASH
    key: float | str | None = None
    sub: str = ""
    marks: Sequence[str] = ()


class Row(msgspec.Struct, frozen=True, array_like=True):
    """An entry's row. short: its id on the site. facets: values that filters use."""

    short: str
    href: str
    facets: Mapping[str, str]
    cells: Sequence[TableCell]


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


def task_heads(state: State, table: RankTable) -> Iterator[dict[str, str]]:
    """The heads of the tasks' columns, as board.html.j2 has those of others. Counts that are the same for all
    stand in the head, else with each value.
    """
    for item in state.board.tasks:
        counts = _counts(table, item)
        results = (one.entry.column(item.name) for one in table.rows)
        lower = any(one is not None and one.direction == "lower" for one in results)
        sub = [asked(table, item, counts.pop())] if len(counts) == 1 else []
        sub += ["lower is better"] if lower else []
        head = {"key": item.name, "title": item.shown, "kind": "number", "more": "", "sub": ", ".join(sub)}
        head["first"] = "ascending" if lower else "descending"
        yield {**head, "href": f"tasks/{file_name(item.name)}.html"}


def _counts(table: RankTable, item: Item) -> set[int]:
    """How many answers the values of ranked entries rest on."""
    results = (one.entry.column(item.name) for one in table.ranked)
    return {one.n + one.unscored for one in results if one is not None}


def asked(table: RankTable, item: Item, count: int) -> str:
    """How many answers a value rests on, and over how many questions and cells, where that is known."""
    column = table.columns[item.name]
    cells = 0 if column.units is None else int(column.units.cell.max()) + 1
    if not cells:
        return f"n\u00a0=\u00a0{count:,}"
    asked = f"{counted(column.questions, 'question')} in {counted(cells, 'cell')}"
    return f"{asked}, n\u00a0=\u00a0{count:,}"


def rows(state: State, table: RankTable) -> list[Row]:
    """All rows, in order."""
    shared = {item.name for item in state.board.tasks if len(_counts(table, item)) == 1}
    found = []
    for listed in table.rows:
        entry, cells = listed.entry, _cells(state, table, listed, shared)
        facets = {
            "availability": entry.submission.model.availability,
            "organisation": name(entry.submission.model.organization),
            "zero": "" if listed.zero_shot is None else str(listed.zero_shot),
            "ranked": "" if cells[0].key is None else "1",
        }
        found.append(Row(entry.short, f"entries/{entry.short}.html", facets, cells))
    return found


def _cells(state: State, table: RankTable, listed: Listed, shared: Collection[str]) -> list[TableCell]:
    """In the order of the heads. shared: tasks that tell in their head how many answers there are."""
    tasks, entry, at = state.board.tasks, listed.entry, table.first.at(table.place.get(listed.entry.id))
    model, submitter = entry.submission.model, entry.submission.submitter
    rank = TableCell(DASH if at.rank is None else str(at.rank), at.rank, ranks(at.lowest, at.highest))
    title, maker, marks = model.display_name, name(model.organization, 80), marks_of(state, listed)
    narrow = ["interval too narrow"] if at.lacking else []
    narrow += ["no interval"] if at.value is not None and at.low is None else []
    overall = TableCell(number(at.value), at.value, span(at.low, at.high), narrow)
    trust, runs = entry.verification.trust, entry.submission.disclosure.selection.complete_runs
    gain = luck(state.table_of(entry), listed)
    return [
        rank,
        TableCell(name(title, 80), name(title).casefold(), maker, marks),
        *([overall] if len(tasks) > 1 else []),
        *(_result(entry.column(item.name), item.name in shared) for item in tasks),
        _parameters(model),
        _words(model.availability.removesuffix("_weights")),
        _number(listed.zero_shot, percent),
        TableCell(trust, trust, TRUST_NAMES[trust]),
        TableCell(
            name(submitter.name, 60),
            name(submitter.name).casefold(),
            submitter.relationship.replace("_", " "),
        ),
        _words(model.licence),
        _words(model.release_date),
        _words(listed.run_date.isoformat() if listed.run_date else None),
        _words(entry.record.accepted.date().isoformat()),
        _number(listed.cost_per_sample),
        _number(listed.cost),
        _tokens(listed),
        _number(listed.latency),
        TableCell(f"{runs:,}", float(runs), f"luck {number(gain)}" if gain else ""),
    ]


def _result(result: ColumnResult | None, shared: bool) -> TableCell:
    if result is None:
        return TableCell()
    unscored = [f"{result.unscored:,} unscored"] if result.unscored else []
    if result.value is None:
        return TableCell(marks=unscored)
    marks = [*([] if shared else [f"n {result.n:,}"]), *unscored]
    marks += ["no interval"] if result.low is None else []
    return TableCell(number(result.value), result.value, span(result.low, result.high), marks)


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


UNKNOWN = TableCell("unknown", None)


def _words(text: str | None) -> TableCell:
    if not text or text == "unknown":
        return UNKNOWN
    return TableCell(name(text.replace("_", " "), 60), name(text).casefold())


def _number(value: float | None, shown: Callable[[float], str] = number) -> TableCell:
    return UNKNOWN if value is None else TableCell(shown(value), value)


def _parameters(model: SubmittedModel) -> TableCell:
    total, active = model.parameters_total, model.parameters_active
    if total is None:
        return UNKNOWN
    more = f"{_large(active)} active" if active is not None and active != total else ""
    return TableCell(_large(total), float(total), more)


def _large(value: int) -> str:
    for size, unit in ((1e12, " T"), (1e9, " B"), (1e6, " M")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:,}"


_TRUST = ("reported", "consistent", "signed", "spot-checked", "run by the board")
TRUST_NAMES = dict(zip(TRUST, _TRUST, strict=True))


def _tokens(listed: Listed) -> TableCell:
    prompt, completion = listed.tokens
    each = listed.tokens_per_sample
    if each is None or prompt is None or completion is None:
        return UNKNOWN
    parts = f"{number(prompt / listed.samples)}, {number(completion / listed.samples)}"
    return TableCell(number(each), each, parts)


def script_rows(found: Sequence[Row]) -> str:
    """The same rows as a script that hands them to the page: a file: page may load scripts, but not data."""
    text = msgspec.json.encode(found).decode()
    # these two end a line in older readers of scripts; "<" so that no markup can be seen in it by anyone
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("<", "\\u003c")
    return f"suiteBoard.rows({text});\n"
