"""Pages about entries: one entry (results, what was declared, what was checked, its history, downloads), and
the history of all: what was accepted, superseded, withdrawn, and entries of other versions.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from suite.board.define.board import file_name
from suite.board.bundle.signatures import Signature
from suite.board.bundle.submission import Selection
from suite.board.entry.accepted_entry import GONE, AcceptedEntry
from suite.board.entry.verification import ColumnResult, Latency
from suite.board.rank.state import Listed, State, RankTable, luck
from suite.board.rank.sample_tables import ColumnFlips, flips
from suite.board.site.markup import DASH, name
from suite.board.site.ranking_table import TRUST_NAMES, marks_of, missing, ranks, span
from suite.board.site.task_pages import members, open_roles
from suite.board.define.thresholds import Thresholds
from suite.report.hostile_text import cut
from suite.report.numbers import counted, number, percent

MOST_FINDINGS = 50
Event = tuple[str, str, AcceptedEntry]


def entry_page(
    state: State, listed: Listed, others: Mapping[str, AcceptedEntry], downloads: list[tuple[str, str]]
) -> dict[str, object]:
    """What the template needs. others: all entries of the board by bundle id."""
    entry = listed.entry
    table = state.custom if entry.verification.kind == "custom" else state.standard
    checked = entry.verification
    before = others.get(entry.submission.supersedes or "")
    return {
        "entry": entry,
        "model": entry.submission.model,
        "marks": [*marks_of(state, listed), *(["custom"] if checked.kind == "custom" else [])],
        "tombstone": _tombstone(entry),
        "headline": _headline(state, table, listed),
        "level": percent(state.board.uncertainty.level),
        "results": _results(state, table, listed),
        "notes": _notes(table, listed),
        "declared": _declared(listed),
        "changes": entry.submission.disclosure.changes,
        "checked": _checked(listed),
        "differences": [cut(one, 500)[0] for one in checked.differences],
        "rungs": checked.rungs,
        "findings": checked.findings[:MOST_FINDINGS],
        "findings_left": max(0, len(checked.findings) - MOST_FINDINGS),
        "limits": checked.limits_of_this_check,
        "events": _events(entry, others),
        "flips": [_flip(state, one) for one in flips(before, entry)] if before is not None else [],
        "downloads": downloads,
        "readme": entry.readme,
    }


def _tombstone(entry: AcceptedEntry) -> tuple[str, str, str] | None:
    record = entry.record
    if record.status == "active":
        return None
    return record.status.capitalize(), record.reason, (record.by or "")[:12]


def _headline(state: State, table: RankTable, listed: Listed) -> tuple[str, str] | None:
    place = table.place.get(listed.entry.id)
    if table.ranking is None or place is None:
        return None
    overall = table.ranking.overall
    if overall.value[place] is None:
        return "", f"No overall number: it has no value for {', '.join(missing(state, listed)) or 'a task'}."
    interval = span(overall.low[place], overall.high[place])
    count = len(overall.members)
    if count == 1:
        return number(overall.value[place]), f"overall{f' ({interval})' if interval else ''}; the only entry"
    among = f"of {count} {'custom ' if table.kind == 'custom' else ''}{'entry' if count == 1 else 'entries'}"
    rank = f"rank {overall.rank[place]} {among}"
    if overall.lowest[place] is not None:
        rank += f", could be {ranks(overall.lowest[place], overall.highest[place])}"
    return number(overall.value[place]), f"overall{f' ({interval})' if interval else ''}; {rank}"


def _results(state: State, table: RankTable, listed: Listed) -> list[dict[str, str]]:
    found = []
    place = table.place.get(listed.entry.id)
    for item in state.board.tasks:
        result = listed.entry.column(item.name)
        standing = None if table.ranking is None or place is None else table.ranking.columns[item.name]
        rank = DASH
        if standing is not None and place is not None and standing.rank[place] is not None:
            rank = f"{standing.rank[place]} ({ranks(standing.lowest[place], standing.highest[place])})"
        told = listed.exposed.get(item.name, "").replace("_", " ")
        marks = [f"declared: {told}"] if told else []
        marks += ["not in the submission"] if result is None else []
        marks += ["judge of its own family"] if item.name in listed.judges else []
        marks += ["released after data"] if item.name in listed.late else []
        marks += [f"{role}: {text}" for role in open_roles(item, [result]) if (text := members(result, role))]
        found.append(
            {
                "href": f"tasks/{file_name(item.name)}.html",
                "title": item.shown,
                "metric": DASH if result is None else result.headline,
                "value": number(None if result is None else result.value),
                "interval": DASH if result is None else span(result.low, result.high) or DASH,
                "rank": rank,
                "n": DASH if result is None else f"{result.n:,}",
                "unscored": DASH if result is None else f"{result.unscored:,}",
                "coverage": percent(None if result is None else result.coverage),
                "tokens": _tokens(result),
                "latency": DASH if result is None else _seconds(result.latency),
                "marks": ", ".join(marks),
            }
        )
    return found


def _tokens(result: ColumnResult | None) -> str:
    """Prompt and reply of a sample."""
    if result is None or result.tokens is None or not result.n + result.unscored:
        return DASH
    prompt, completion = result.tokens.prompt, result.tokens.completion
    if prompt is None or completion is None or not prompt + completion:
        return DASH
    return number((prompt + completion) / (result.n + result.unscored))


def _seconds(latency: Latency | None) -> str:
    return DASH if latency is None else f"{number(latency.median_s)} s"


def _notes(table: RankTable, listed: Listed) -> list[str]:
    notes = []
    place = table.place.get(listed.entry.id)
    if table.ranking is not None and place is not None and (out := table.ranking.leave_one_out[place]):
        notes.append(f"Leaving any one task out, its rank is {ranks(*out)}.")
    if table.ranking is not None and place is not None and (n := table.ranking.overall.lacking.get(place)):
        notes.append(
            f"The overall interval is too narrow: in {n} of {len(table.ranking.columns)} tasks all units of "
            "the entry are alike and add nothing to it."
        )
    runs = listed.entry.submission.disclosure.selection.complete_runs
    if runs > 1 and (gain := luck(table, listed)):
        notes.append(
            f"{runs:,} whole runs were declared: the best of so many equal runs gains {number(gain)} "
            "by luck alone."
        )
    return notes


def _declared(listed: Listed) -> list[tuple[str, str]]:
    submission = listed.entry.submission
    model, who, told = submission.model, submission.submitter, submission.disclosure
    unknown = "unknown"
    return [
        ("Model", f"{name(model.identity.name)} ({model.identity.kind})"),
        ("Revision", name(model.identity.revision) if model.identity.revision else unknown),
        ("Weights", model.availability.replace("_", " ")),
        ("Deployment", model.deployment.replace("_", " ")),
        ("Released", name(model.release_date) if model.release_date else unknown),
        ("Parameters", f"{model.parameters_total:,}" if model.parameters_total else unknown),
        ("Active parameters", f"{model.parameters_active:,}" if model.parameters_active else unknown),
        ("Licence", name(model.licence) if model.licence else unknown),
        ("Page", name(model.url) if model.url else "none"),
        (
            "Submitter",
            f"{name(who.name)}, {name(who.organization) if who.organization else 'no organisation'}",
        ),
        ("Relationship", who.relationship.replace("_", " ")),
        ("Contact", name(who.contact) if who.contact else "none"),
        ("Made", when(submission.created)),
        ("Median latency", _latency(listed.entry.verification.latency)),
        ("Selection", _selection(told.selection)),
        (
            "Contamination",
            ", ".join(f"{name(k)}: {v.replace('_', ' ')}" for k, v in told.contamination.items()) or unknown,
        ),
        ("Zero-shot", unknown if listed.zero_shot is None else f"{percent(listed.zero_shot)} of the tasks"),
        ("Saw references", told.references_access),
        ("Licence of the records", name(submission.terms.traces_licence)),
    ]


def when(text: str) -> str:
    """A time of day in UTC as people write it; as it stands, where it is none, or none that UTC has."""
    try:
        given = datetime.fromisoformat(text)
        return f"{given.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if given.tzinfo else name(text)
    except (ValueError, OverflowError):
        return name(text)


def _latency(latency: Latency | None) -> str:
    """By the submitter's clock: declared, whatever was recorded."""
    return "unknown" if latency is None else f"{_seconds(latency)} a call, over {latency.calls:,} calls"


def _selection(told: Selection) -> str:
    runs = f"{counted(told.complete_runs, 'whole run')}; sent: {told.rule.replace('_', ' ')}"
    return f"{runs}. {name(told.note)}" if told.note else runs


def _checked(listed: Listed) -> list[tuple[str, str]]:
    checked = listed.entry.verification
    trust = checked.trust
    facts = [
        ("Verdict", checked.verdict.replace("_", " ")),
        ("Class", checked.kind),
        ("Trust", f"{trust}, {TRUST_NAMES.get(trust, '')}"),
        ("Signed by", _signed(checked.signature)),
        ("Checked", when(checked.started) if checked.started else DASH),
        ("With", name(f"suite {checked.verifier.suite}")),
    ]
    if listed.reasons:
        facts.insert(0, ("Not ranked", "; ".join(listed.reasons)))
    return facts


def _signed(signature: Signature | None) -> str:
    if signature is None:
        return "nobody"
    return (
        name(", ".join(signature.identities))
        if signature.identities
        else "a key that the board does not list"
    )


def _events(entry: AcceptedEntry, others: Mapping[str, AcceptedEntry]) -> list[tuple[str, str, str, str, str]]:
    record = entry.record
    events = [(record.accepted.date().isoformat(), "accepted", "", "", "")]
    before = entry.submission.supersedes
    if before:
        known = before[:12] if before in others else ""
        events.append((events[0][0], "supersedes", known, before[:12], "" if known else before[:12]))
    if record.status != "active":
        when = record.status_date.isoformat() if record.status_date else DASH
        by = (record.by or "")[:12]
        events.append((when, record.status, by, by, record.reason if record.status in GONE else ""))
    return events


def _flip(state: State, one: ColumnFlips) -> tuple[str, str, str, str, str]:
    fewest = Thresholds(state.board.plausibility)["accretion"]
    title = next((item.shown for item in state.board.tasks if item.name == one.key), one.key)
    note = "only ever better: were only failures run again?" if one.only_up(fewest) else ""
    return title, f"{one.better:,}", f"{one.worse:,}", f"{one.same:,}", note


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


def history_page(state: State, versions: Sequence[tuple[str, str]]) -> dict[str, object]:
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


def _version(entry: AcceptedEntry) -> str:
    board = entry.verification.board
    return "no board" if board is None else f"{board.id} {board.version}"
