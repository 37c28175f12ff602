"""What the pages about entries tell in words: times, tokens, marks, events. The pages: `templates/`."""

from datetime import UTC, datetime

from suite.board.define.board import Item
from suite.board.entry.accepted_entry import GONE, AcceptedEntry
from suite.board.entry.verification import ColumnResult, Latency
from suite.board.rank.sample_tables import flips
from suite.board.rank.state import Listed, State, luck
from suite.board.site.markup import name
from suite.board.site.ranking_table import marks_of, missing
from suite.board.site.task_pages import members, open_roles
from suite.report.numbers import DASH, number, percent

Event = tuple[str, str, AcceptedEntry]


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
    prompt, completion = result.tokens.prompt, result.tokens.completion
    if prompt is None or completion is None or not prompt + completion:
        return DASH
    return number((prompt + completion) / (result.n + result.unscored))


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
