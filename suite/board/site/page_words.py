"""What pages tell in words: times, events, marks; and what submitters wrote, made safe to show: every text of
theirs passes `name` or the cleaning of a template. The pages, and the rows of their tables: `templates/`.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from markupsafe import Markup, escape

from suite.board.define.board import Item
from suite.board.entry import AcceptedEntry
from suite.board.rank.state import Listed, State
from suite.report.hostile_text import one_line
from suite.report.numbers import DASH

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")  # fmt: skip  # noqa: E501
_HTTPS = re.compile(r"https://[^\s\"<>\\^`{|}\x00-\x20\x7f]{1,490}", re.ASCII)
Event = tuple[str, str, AcceptedEntry]


def name(text: str | None, most: int = 200) -> str:
    """A name as one line without invisible characters; direction overrides are shown as their code points."""
    return one_line(_INVISIBLE.sub("", text or ""), most) or DASH


def model(listed: Listed, most: int) -> str:
    """The name of an entry's model, cut."""
    return name(listed.entry.submission.model.display_name, most)


def external(url: str | None) -> Markup:
    """A link that leaves the site, https only; anything else is shown as text."""
    if url is None:
        return Markup(DASH)
    if not _HTTPS.fullmatch(url):
        return escape(name(url))
    return Markup('<a href="{}" rel="nofollow noopener noreferrer ugc">{}</a>').format(url, name(url))


def open_roles(item: Item, entries: Iterable[AcceptedEntry]) -> list[str]:
    """Roles that the item does not fix and somebody filled, sorted."""
    results = (one.column(item.name) for one in entries)
    filled = {role for one in results if one is not None for role in one.roles}
    return sorted(filled - set(item.roles))


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
