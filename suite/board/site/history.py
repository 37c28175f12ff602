"""The history of a board: what was accepted, superseded, withdrawn, and entries of other versions."""

from collections.abc import Sequence
from typing import Any

from suite.board.entry import Entry
from suite.board.listing import State
from suite.board.site.markup import DASH
from suite.report.formatting import number

Event = tuple[str, str, Entry]


def events_of(state: State) -> list[Event]:
    """(time, what, entry), newest first."""
    events: list[Event] = []
    for entry in state.entries:
        record = entry.record
        events.append((record.accepted.isoformat(), "accepted", entry))
        if record.status != "active":
            when = (
                record.accepted.isoformat()
                if record.status_date is None
                else f"{record.status_date}T00:00:00+00:00"
            )
            events.append((when, record.status, entry))
    return sorted(events, key=lambda one: (one[0], one[2].id, one[1]), reverse=True)


def history_page(state: State, versions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the template needs."""
    overall: dict[str, float | None] = {}
    for table in (state.standard, state.custom):
        if table.ranking is not None:
            overall |= {
                one.entry.id: table.ranking.overall.value[table.place[one.entry.id]] for one in table.ranked
            }
    pages = dict(versions)
    names = {entry.id: entry.submission.model.display_name for entry in state.entries}
    return {
        "events": [
            {
                "date": when[:10],
                "what": what,
                "short": entry.short,
                "model": entry.submission.model.display_name,
                "organisation": entry.submission.model.organization,
                "kind": entry.verification.kind,
                "value": number(overall.get(entry.id)) if what == "accepted" else DASH,
                "reason": entry.record.reason if what != "accepted" else "",
                "by": (entry.record.by or "")[:12] if what == "superseded" else "",
                "by_name": names.get(entry.record.by or "", ""),
            }
            for when, what, entry in events_of(state)
        ],
        "others": [
            (
                entry.submission.model.display_name,
                _version(entry),
                pages.get(_version(entry).rpartition(" ")[2], ""),
            )
            for entry in state.others
        ],
    }


def _version(entry: Entry) -> str:
    board = entry.verification.board
    return "no board" if board is None else f"{board.id} {board.version}"
