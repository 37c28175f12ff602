"""The big table of a board: its columns, and each entry's cells, for the page and for its script alike.

A cell is (text, key to sort by, smaller text below, marks), for the script a list of these. A key of
None sorts last in both directions: what is unknown is never 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from suite.board.define.board import Item, file_name
from suite.board.entry import ColumnResult
from suite.board.rank.ranking import Position
from suite.board.rank.state import Listed, RankTable, State, luck
from suite.board.site.page_words import name
from suite.report.numbers import DASH, counted, number, percent

Kind = Literal["rank", "model", "number", "text"]
First = Literal["ascending", "descending"]


@dataclass(frozen=True)
class ColumnHead:
    """A column's head. first: the direction of a first click. more: hidden by the script until asked for.
    sub: smaller text. href: a page about it.
    """

    key: str
    title: str
    kind: Kind
    first: First = "descending"
    more: bool = False
    sub: str = ""
    href: str = ""


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


Column = tuple[ColumnHead, Callable[[Listed], TableCell]]


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


def columns(state: State, table: RankTable) -> list[Column]:
    """The columns, each with how it makes an entry's cell."""
    tasks, standing = state.board.tasks, table.first

    def at(listed: Listed) -> Position:
        return standing.at(table.place.get(listed.entry.id))

    def rank(listed: Listed) -> TableCell:
        one = at(listed)
        shown = DASH if one.rank is None else str(one.rank)
        return TableCell(shown, one.rank, ranks(one.lowest, one.highest))

    def model(listed: Listed) -> TableCell:
        one = listed.entry.submission.model
        title, marks = one.display_name, marks_of(state, listed)
        return TableCell(name(title, 80), name(title).casefold(), name(one.organization, 80), marks)

    def overall(listed: Listed) -> TableCell:
        one = at(listed)
        marks = ["interval too narrow"] if one.lacking else []
        marks += ["no interval"] if one.value is not None and one.low is None else []
        return TableCell(number(one.value), one.value, span(one.low, one.high), marks)

    whole = ColumnHead("overall", "Overall", "number", sub="interval", href="tasks/overall.html")
    return [
        (ColumnHead("rank", "Rank", "rank", "ascending", sub="interval"), rank),
        (ColumnHead("model", "Model", "model", "ascending", sub="organisation"), model),
        *([(whole, overall)] if len(tasks) > 1 else []),
        *(_task(table, item) for item in tasks),
        *_about(state),
    ]


def _task(table: RankTable, item: Item) -> Column:
    """Counts that are the same for all stand in the head, else with each value."""
    found = [one for row in table.ranked if (one := row.entry.column(item.name)) is not None]
    counts = {one.n + one.unscored for one in found}
    others = [one for row in table.unranked if (one := row.entry.column(item.name)) is not None]
    lower = any(one.direction == "lower" for one in [*found, *others])
    shared = len(counts) == 1
    sub = [asked(table, item, counts.pop())] if shared else []
    sub += ["lower is better"] if lower else []
    first: First = "ascending" if lower else "descending"
    href = f"tasks/{file_name(item.name)}.html"
    head = ColumnHead(item.name, item.shown, "number", first, sub=", ".join(sub), href=href)
    return head, lambda listed: _result(listed.entry.column(item.name), shared)


def asked(table: RankTable, item: Item, count: int) -> str:
    """How many answers a value rests on, and over how many questions and cells, where that is known."""
    column = table.columns[item.name]
    cells = 0 if column.units is None else int(column.units.cell.max()) + 1
    if not cells:
        return f"n\u00a0=\u00a0{count:,}"
    asked = f"{counted(column.questions, 'question')} in {counted(cells, 'cell')}"
    return f"{asked}, n\u00a0=\u00a0{count:,}"


def rows(table: RankTable, columns: Sequence[Column]) -> list[Row]:
    """All rows, in order."""
    found = []
    for listed in table.rows:
        entry, cells = listed.entry, [make(listed) for _, make in columns]
        facets = {
            "availability": entry.submission.model.availability,
            "organisation": name(entry.submission.model.organization),
            "zero": "" if listed.zero_shot is None else str(listed.zero_shot),
            "ranked": "" if cells[0].key is None else "1",
        }
        found.append(Row(entry.short, f"entries/{entry.short}.html", facets, cells))
    return found


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


def _about(state: State) -> list[Column]:
    """The columns about the model and its run."""
    money = f"{state.currency}, from tokens"

    def head(key: str, title: str, sub: str = "", kind: Kind = "text", more: bool = True) -> ColumnHead:
        return ColumnHead(key, title, kind, "ascending", more, sub)

    def availability(one: Listed) -> TableCell:
        return _words(one.entry.submission.model.availability.removesuffix("_weights"))

    declared = "seconds a call, declared"
    return [
        (head("parameters", "Parameters", "total, active", "number", more=False), _parameters),
        (head("availability", "Weights", more=False), availability),
        (
            head("zero_shot", "Zero-shot", "share of tasks, declared", "number", more=False),
            lambda one: _number(one.zero_shot, percent),
        ),
        (head("trust", "Trust", more=False), _trust),
        (head("submitter", "Submitter", "relationship"), _submitter),
        (head("licence", "Licence"), lambda one: _words(one.entry.submission.model.licence)),
        (
            head("released", "Released", "declared"),
            lambda one: _words(one.entry.submission.model.release_date),
        ),
        (
            head("run", "Run", "declared", more=False),
            lambda one: _words(one.run_date and one.run_date.isoformat()),
        ),
        (head("accepted", "Accepted"), lambda one: _words(one.entry.record.accepted.date().isoformat())),
        (head("cost_sample", "Cost a sample", money, "number"), lambda one: _number(one.cost_per_sample)),
        (head("cost", "Cost", money, "number"), lambda one: _number(one.cost)),
        (head("tokens", "Tokens a sample", "prompt, reply", "number"), _tokens),
        (head("latency", "Median latency", declared, "number"), lambda one: _number(one.latency)),
        (head("runs", "Whole runs", "declared; luck of the best", "number"), lambda one: _runs(state, one)),
    ]


UNKNOWN = TableCell("unknown", None)


def _words(text: str | None) -> TableCell:
    if not text or text == "unknown":
        return UNKNOWN
    return TableCell(name(text.replace("_", " "), 60), name(text).casefold())


def _number(value: float | None, shown: Callable[[float], str] = number) -> TableCell:
    return UNKNOWN if value is None else TableCell(shown(value), value)


def _parameters(listed: Listed) -> TableCell:
    model = listed.entry.submission.model
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


def _trust(listed: Listed) -> TableCell:
    trust = listed.entry.verification.trust
    return TableCell(trust, trust, TRUST_NAMES.get(trust, ""))


TRUST_NAMES = {
    "L0": "reported",
    "L1": "consistent",
    "L2": "signed",
    "L3": "spot-checked",
    "L4": "run by the board",
}


def _submitter(listed: Listed) -> TableCell:
    one = listed.entry.submission.submitter
    return TableCell(name(one.name, 60), name(one.name).casefold(), one.relationship.replace("_", " "))


def _tokens(listed: Listed) -> TableCell:
    prompt, completion = listed.tokens
    each = listed.tokens_per_sample
    if each is None or prompt is None or completion is None:
        return UNKNOWN
    parts = f"{number(prompt / listed.samples)}, {number(completion / listed.samples)}"
    return TableCell(number(each), each, parts)


def _runs(state: State, listed: Listed) -> TableCell:
    runs = listed.entry.submission.disclosure.selection.complete_runs
    gain = luck(state.table_of(listed.entry), listed)
    return TableCell(f"{runs:,}", float(runs), f"luck {number(gain)}" if gain else "")


def script_rows(found: Sequence[Row]) -> str:
    """The same rows as a script that hands them to the page: a file: page may load scripts, but not data."""
    text = msgspec.json.encode(found).decode()
    # these two end a line in older readers of scripts; "<" so that no markup can be seen in it by anyone
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("<", "\\u003c")
    return f"suiteBoard.rows({text});\n"
