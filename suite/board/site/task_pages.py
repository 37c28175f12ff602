"""Pages about one column, or about the overall number: values, intervals, ranks, pairs; their list."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from suite.board.define.board import Item, file_name
from suite.board.entry.verification import ColumnResult
from suite.board.rank.state import Listed, State, RankTable
from suite.board.rank.overall import NAMES
from suite.board.rank.ranking import Standing
from suite.board.site.figures import forest, leading, matrix
from suite.board.site.markup import DASH, name
from suite.board.site.ranking_table import ranks, span
from suite.board.site.words import item_facts
from suite.report.numbers import counted, number, percent

NUMBER, TEXT = "n", "t"


def item_page(state: State, item: Item) -> dict[str, object]:
    """What the template of a column's page needs."""
    return {
        "title": item.shown,
        "facts": item_facts(state.board, item),
        "notes": [],
        "tables": [_part(state, table, item) for table in _tables(state)],
        "file": f"tasks/{file_name(item.name)}.html",
    }


def overall_page(state: State) -> dict[str, object]:
    """What the page of the overall number needs."""
    board = state.board
    others = [NAMES[one] for one in board.overall.alternatives if one != board.overall.method]
    facts = [
        ("Method", NAMES[board.overall.method]),
        ("Weights", ", ".join(f"{name(i.shown)} {percent(board.weights[i.name])}" for i in board.tasks)),
        ("Missing tasks", "no overall number" if board.overall.missing == "exclude" else "the worst value"),
        ("Other methods", ", ".join(others) or "none"),
    ]
    notes = [
        "“Leaving one task out” shows the ranks that an entry would have if any single task were dropped: "
        "the intervals cover the choice of samples, not the choice of tasks."
    ]
    return {
        "title": "Overall",
        "facts": facts,
        "notes": notes,
        "tables": [_overall_part(state, table) for table in _tables(state)],
        "file": "tasks/overall.html",
    }


def _tables(state: State) -> list[RankTable]:
    return [one for one in (state.standard, state.custom) if one.ranking is not None]


def _part(state: State, table: RankTable, item: Item) -> dict[str, object]:
    assert table.ranking is not None
    standing = table.ranking.columns[item.name]
    heads = [("Rank", NUMBER), ("Model", TEXT), ("Value", NUMBER), ("Interval", TEXT), ("n", NUMBER),
             ("Unscored", NUMBER), ("Coverage", NUMBER), ("Ranks", TEXT)]  # fmt: skip
    free = open_roles(item, [one.entry.column(item.name) for one in table.ranked])
    heads += [(escape(f"{role[:1].upper()}{role[1:]}"), TEXT) for role in free]
    rows = []
    for i in _order(standing):
        result = table.ranked[i].entry.column(item.name)
        cells = [
            _value(standing.rank[i]),
            _link(table.ranked[i]),
            _value(standing.value[i]),
            _ends(span(standing.low[i], standing.high[i]), standing.low[i], standing.high[i]),
            _value(None if result is None else result.n),
            _value(None if result is None else result.unscored),
            _cell(
                DASH if result is None else percent(result.coverage),
                None if result is None else result.coverage,
            ),
            _ranks(standing.lowest[i], standing.highest[i]),
            *(_text(members(result, role)) for role in free),
        ]
        rows.append(_row(cells))
    return _whole(state, table, standing, name(item.shown), heads, rows, _apart(table, item, free))


def _overall_part(state: State, table: RankTable) -> dict[str, object]:
    ranking = table.ranking
    assert ranking is not None
    standing = ranking.overall
    heads = [("Rank", NUMBER), ("Model", TEXT), ("Overall", NUMBER), ("Interval", TEXT), ("Ranks", TEXT)]
    heads += [("Leaving one task out", TEXT), *((NAMES[one.method], NUMBER) for one in ranking.others)]
    rows = []
    for i in _order(standing):
        out = ranking.leave_one_out[i]
        cells = [
            _value(standing.rank[i]),
            _link(table.ranked[i]),
            _value(standing.value[i]),
            _ends(span(standing.low[i], standing.high[i]), standing.low[i], standing.high[i]),
            _ranks(standing.lowest[i], standing.highest[i]),
            _ranks(*(out or (None, None))),
        ]
        for other in ranking.others:
            place = f" (rank {other.rank[i]})" if other.rank[i] is not None else ""
            cells.append(_cell(number(other.value[i]) + place, other.value[i]))
        rows.append(_row(cells))
    return _whole(state, table, standing, "Overall", heads, rows)


def _whole(
    state: State,
    table: RankTable,
    standing: Standing,
    title: str,
    heads: Sequence[tuple[str, str]],
    rows: Sequence[str],
    warning: str = "",
) -> dict[str, object]:
    kind = "Ranking" if table.kind == "standard" else "Custom entries"
    level = percent(state.board.uncertainty.level)
    many = counted(len(rows), "entry", "entries")
    return {
        "title": kind,
        "note": " ".join(filter(None, (sentence(standing.note), warning))),
        "figure": forest(standing, table.ranked, f"{title}: values with intervals", level),
        "caption": f"{title}: {many}, intervals at {level}.",
        "heads": heads,
        "rows": Markup("\n".join(rows)),
        "matrix": matrix(standing, table.ranked, "../entries/"),
    }


def _apart(table: RankTable, item: Item, free: Sequence[str]) -> str:
    """What to say where entries were not scored or answered by the same models."""
    results = [one.entry.column(item.name) for one in table.ranked]
    unlike = [role for role in free if len({members(one, role) for one in results if one is not None}) > 1]
    if not unlike:
        return ""
    return f"Not every entry has the same {' and '.join(unlike)}: such values do not compare."


def sentence(text: str) -> str:
    """A note as a sentence, "" if there is none."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _text(text: str) -> str:
    return f'<td class="t" dir="auto">{escape(text) if text else DASH}</td>'


def _order(standing: Standing) -> list[int]:
    first = leading(standing)
    return [*first, *(i for i in range(len(standing.rank)) if standing.rank[i] is None)]


def _row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _cell(text: str, value: float | None) -> str:
    """text: of digits and our own words: nothing in it to escape."""
    return f'<td class="n" data-v="{"" if value is None else f"{value:.9g}"}">{text}</td>'


def _value(value: float | int | None) -> str:
    return _cell(number(value), value)


def _ends(text: str, low: float | None, high: float | None) -> str:
    """Two numbers as one text, sorted by the first of them, then by the second."""
    keys = "" if low is None or high is None else f"{low:.9g} {high:.9g}"
    return f'<td class="r" data-v="{keys}">{text or DASH}</td>'


def _ranks(lowest: int | None, highest: int | None) -> str:
    return _ends(ranks(lowest, highest), lowest, highest)


def _link(listed: Listed) -> str:
    shown = escape(name(listed.entry.submission.model.display_name, 80))
    return f'<th scope="row"><a href="../entries/{listed.entry.short}.html">{shown}</a></th>'


def first_of(table: RankTable, standing: Standing | None, most: int = 4) -> str:
    """Who is first or statistically tied for it, in words."""
    if standing is None or not leading(standing):
        return DASH
    first = [i for i in leading(standing) if standing.lowest[i] == 1] or leading(standing)[:1]
    names = [name(table.ranked[i].entry.submission.model.display_name, 40) for i in first[:most]]
    more = f" and {len(first) - most} more" if len(first) > most else ""
    return ", ".join(names) + more


def tasks_list(state: State) -> list[dict[str, str]]:
    """Rows of the list of tasks."""
    ranking = state.standard.ranking
    found = []
    for item in state.board.tasks:
        results = [one.entry.column(item.name) for one in [*state.standard.rows, *state.custom.rows]]
        headlines = sorted({name(one.headline) for one in results if one is not None})
        found.append(
            {
                "href": f"{file_name(item.name)}.html",
                "title": item.shown,
                "task": f"{item.task}, version {item.version}",
                "weight": percent(state.board.weights[item.name]),
                "headline": ", ".join(headlines) or item.headline or DASH,
                "first": first_of(state.standard, None if ranking is None else ranking.columns[item.name]),
            }
        )
    return found


def open_roles(item: Item, results: Iterable[ColumnResult | None]) -> list[str]:
    """Roles that the item does not fix and somebody filled, sorted."""
    filled = {role for one in results if one is not None for role in one.roles}
    return sorted(filled - set(item.roles))


def members(result: ColumnResult | None, role: str) -> str:
    """Who filled a role of an entry, "" if that is not known."""
    told = result.roles.get(role, ()) if result is not None else ()
    return ", ".join(name(one, 80) for one in told)
