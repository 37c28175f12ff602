"""What went wrong on the way, and what is still pending and why: read from the attempts journals."""

from collections import Counter
from collections.abc import Iterator

from suite.journal.records import AttemptRecord
from suite.report.formatting import number
from suite.report.loading import Key, LoadedRun
from suite.report.matrix import Grid

MOST_KINDS = 50


def attempts_grid(run: LoadedRun) -> Grid:
    """Retries, errors, interruptions: how often, of what kind, by which role."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for record in _attempts(run):
        counts[record.event, record.kind, record.role, record.stage] += 1
    rows = [
        [event, kind, role, stage, number(n)]
        for (event, kind, role, stage), n in counts.most_common(MOST_KINDS)
    ]
    return Grid("Attempts", ["event", "kind", "role", "stage", "times"], rows, left=4)


def _attempts(run: LoadedRun) -> Iterator[AttemptRecord]:
    for journal in run.journals():
        yield from journal.attempts


def pending_reasons(run: LoadedRun) -> dict[str, int]:
    """Why what is still pending is pending: reason -> work items, most frequent first.

    Only items that were tried; what was never begun has no reason. Memory grows with failures, not with n.
    """
    open_: dict[tuple[str, int], str] = {}
    for record in _attempts(run):
        if record.event == "pending":
            key = Key(record.cell, record.sample, record.trial)
            stage = record.stage or "solve"
            open_[stage, key.digest] = f"{stage}: {record.kind or record.detail or 'unknown'}"
    counts: Counter[str] = Counter()
    for (stage, digest), reason in open_.items():
        index = run.score_index if stage == "score" else run.output_index
        if digest not in index:
            counts[reason] += 1
    return dict(counts.most_common())
