"""What pages about columns tell in words: who is first, who filled which role. The pages: `templates/`."""

from collections.abc import Iterable, Sequence

from suite.board.define.board import Item
from suite.board.entry.verification import ColumnResult
from suite.board.rank.overall import NAMES
from suite.board.rank.ranking import Standing
from suite.board.rank.state import RankTable, State
from suite.board.site.markup import model, name
from suite.report.numbers import DASH, percent


def task_page(state: State, item: Item | None) -> dict[str, object]:
    """What the template of a column's page needs, None for the page of the overall number."""
    board = state.board

    def free(item: Item, table: RankTable) -> list[str]:
        return open_roles(item, [one.entry.column(item.name) for one in table.ranked])

    return {
        "item": item,
        "tables": [one for one in state.tables if one.ranked],
        "open_roles": free,
        "weights": ", ".join(f"{name(i.shown)} {percent(board.weights[i.name])}" for i in board.tasks),
        "others": [NAMES[one] for one in board.overall.alternatives if one != board.overall.method],
        "level": percent(board.uncertainty.level),
    }


def apart(table: RankTable, item: Item, free: Sequence[str]) -> str:
    """What to say where entries were not scored or answered by the same models."""
    results = [one.entry.column(item.name) for one in table.ranked]
    unlike = [role for role in free if len({members(one, role) for one in results if one is not None}) > 1]
    if not unlike:
        return ""
    return f"Not every entry has the same {' and '.join(unlike)}: such values do not compare."


def warning(standing: Standing) -> str:
    """What must be known of a standing's intervals, as a sentence; "" if there is nothing."""
    text = standing.note
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def first_of(table: RankTable, standing: Standing, most: int = 4) -> str:
    """Who is first or statistically tied for it, in words."""
    first = standing.tied_for_first or standing.leading[:1]
    more = f" and {len(first) - most} more" if len(first) > most else ""
    return ", ".join(model(table.ranked[i], 40) for i in first[:most]) + more or DASH


def headlines(state: State, item: Item) -> list[str]:
    """The names of the metrics that entries were measured by in a column."""
    results = (one.entry.column(item.name) for table in state.tables for one in table.rows)
    return sorted({name(one.headline) for one in results if one is not None})


def open_roles(item: Item, results: Iterable[ColumnResult | None]) -> list[str]:
    """Roles that the item does not fix and somebody filled, sorted."""
    filled = {role for one in results if one is not None for role in one.roles}
    return sorted(filled - set(item.roles))


def members(result: ColumnResult | None, role: str) -> str:
    """Who filled a role of an entry, "" if that is not known."""
    told = result.roles.get(role, ()) if result is not None else ()
    return ", ".join(name(one, 80) for one in told)
