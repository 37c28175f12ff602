"""What pages about columns and entries tell in words: who is first, who filled which role, times, tokens,
marks, events. The pages: `templates/`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from suite.board.define.board import Item
from suite.board.entry.accepted_entry import GONE, AcceptedEntry
from suite.board.entry.verification import ColumnResult, Latency
from suite.board.rank.overall import NAMES
from suite.board.rank.ranking import Standing
from suite.board.rank.sample_tables import flips
from suite.board.rank.state import Listed, RankTable, State, luck
from suite.board.site.markup import model, name
from suite.board.site.ranking_table import marks_of, missing
from suite.report.numbers import DASH, number, percent

Event = tuple[str, str, AcceptedEntry]


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


def entry_page(state: State, listed: Listed) -> dict[str, object]:
    """What the template needs."""
    entry, table = listed.entry, state.table_of(listed.entry)
    before = state.entries.get(entry.submission.supersedes or "")

    def marks_in(item: Item, result: ColumnResult | None) -> list[str]:
        told = listed.exposed.get(item.name, "").replace("_", " ")
        marks = [f"declared: {told}"] if told else []
        marks += ["not in the submission"] if result is None else []
        marks += ["judge of its own family"] if item.name in listed.judges else []
        marks += ["released after data"] if item.name in listed.late else []
        roles = open_roles(item, [result])
        return marks + [f"{role}: {text}" for role in roles if (text := members(result, role))]

    return {
        "entry": entry,
        "listed": listed,
        "table": table,
        "marks": [*marks_of(state, listed), *(["custom"] if table.kind == "custom" else [])],
        "marks_in": marks_in,
        "lacks": missing(state, listed),
        "gain": luck(table, listed),
        "level": percent(state.board.uncertainty.level),
        "most_findings": 50,
        "gone": GONE,
        "flips": [] if before is None else flips(before.entry, entry),
        "fewest": state.board.thresholds["accretion"],
        "titles": {item.name: item.shown for item in state.board.tasks},
    }


def tokens(result: ColumnResult | None) -> str:
    """Prompt and reply of a sample."""
    if result is None or result.tokens is None or not result.n + result.unscored:
        return DASH
    both = result.tokens.prompt + result.tokens.completion
    return number(both / (result.n + result.unscored)) if both else DASH


def latency(told: Latency | None) -> str:
    """Median seconds of a call, by the submitter's clock: declared, whatever was recorded."""
    return DASH if told is None else f"{number(told.median_s)} s"


def when(text: str) -> str:
    """A time of day in UTC as people write it; as it stands, where it is none, or none that UTC has."""
    try:
        given = datetime.fromisoformat(text)
        return f"{given.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if given.tzinfo else name(text)
    except (ValueError, OverflowError):
        return name(text)


def events_of(state: State) -> list[Event]:
    """(time, what, entry), newest first."""
    events: list[Event] = []
    for entry in (one.entry for one in state.entries.values()):
        record = entry.record
        accepted = record.accepted.isoformat()
        events.append((accepted, "accepted", entry))
        if record.status != "active":
            when = accepted if record.status_date is None else f"{record.status_date}T00:00:00+00:00"
            events.append((when, record.status, entry))
    return sorted(events, key=lambda one: (one[0], one[2].id, one[1]), reverse=True)
