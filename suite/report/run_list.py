"""What runs there are, how far each got and what went wrong: read from manifests, results, journals."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from suite.chat import Json
from suite.errors import SuiteError
from suite.journal.pairs import Key
from suite.journal.records import AttemptRecord
from suite.journal.run import Run
from suite.report.hostile_text import one_line
from suite.report.matrix import Grid
from suite.report.numbers import interval, number
from suite.report.remarks import role_lines

MOST_KINDS = 50  # of attempts
Record = dict[str, Json]  # of a run, as --json prints it
State = str  # "finished", "partial", "solved, not scored", "not scored", "unreadable"


def list_runs(folder: Path) -> Iterator[Record]:
    """One record a run below a folder, by name: {run, state, tasks, candidate, created, cells, …}.

    A folder that looks like a run and cannot be read is listed with its error.
    """
    if not folder.is_dir():
        return
    for manifest in sorted(folder.glob("*/manifest.json")):
        try:
            yield describe(Run(manifest.parent))
        except Exception as error:  # anybody may have changed it
            what = error.what if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            yield {"run": manifest.parent.name, "state": "unreadable", "error": what}


def describe(run: Run) -> Record:
    """The record of one run in a list."""
    manifest = run.manifest
    state, pending = state_of(run)
    return {
        "run": run.folder.name,
        "state": state,
        "pending": pending,
        "imported": manifest.imported,
        "tasks": list(dict.fromkeys(cell.task for cell in manifest.cells)),
        "cells": len(manifest.cells),
        "candidate": ", ".join(spec for member, spec in role_lines(run) if member.startswith("candidate")),
        "created": manifest.created,
        "scorings": run.scorings(),
        "headlines": [
            {
                "task": cell.task,
                "cell": cell.cell,
                **{
                    key: getattr(row, key)
                    for row in cell.metrics
                    if row.headline
                    for key in ("name", "value", "low", "high", "n")
                },
            }
            for cell in run.results.cells
        ],
    }


def state_of(run: Run) -> tuple[State, int]:
    """How far a run got, and how many work items have no result yet."""
    if run.has_results:
        pending = run.results.pending
        return ("finished" if not pending and run.results.complete else "partial"), pending
    planned = run.manifest.counts.all_samples * run.manifest.trials
    solved = sum(1 for _ in run.outputs())
    return ("solved, not scored" if solved >= planned else "partial"), planned


def show_run(run: Run) -> Record:
    """Everything `suite runs show` tells: the list's record, roles, scorings, why work is pending."""
    scorings = []
    for name in run.scorings():
        found = Run(run.folder, name)
        scorings.append(
            {
                "scoring": name,
                "started": found.scoring_manifest.started,
                "roles": msgspec.to_builtins(found.scoring_manifest.roles),
                "complete": found.has_results and found.results.complete,
                "pending": found.results.pending if found.has_results else None,
            }
        )
    return {
        **describe(run),
        "scorings": scorings,
        "shown_scoring": run.scoring,
        "roles": msgspec.to_builtins(run.manifest.roles),
        "pending_reasons": pending_reasons(run),
        "data": run.manifest.data,
        **{name: getattr(run.manifest, name) for name in ("seed", "trials", "limit", "mini", "plan_sha256")},
    }


def runs_grid(records: list[Record]) -> Grid:
    """The list as a table; a run of one cell with its headline."""
    rows = []
    for one in records:
        if one["state"] == "unreadable":
            rows.append([one["run"], f"unreadable: {one['error']}", "", "", "", ""])
            continue
        state = one["state"] + (f" ({number(one['pending'])} pending)" if one["pending"] else "")
        heads = [head for head in one["headlines"] if "value" in head]
        head = f"{len(heads)} cells"
        if len(heads) == 1:
            only = heads[0]
            head = f"{only['name']} {number(only['value'])} {interval(only['low'], only['high'])}"
        rows.append(
            [
                one["run"],
                state + (", imported" if one["imported"] else ""),
                ", ".join(one["tasks"]),
                one["candidate"],
                head if heads else "",
                str(one["created"])[:10],
            ]
        )
    return Grid("", ["run", "state", "tasks", "candidate", "headline", "created"], rows, left=6)


def told(record: Record) -> Iterator[str]:
    """A run's record in lines, cleaned."""
    for line in _told(record):
        yield "  " * line.startswith(" ") + one_line(line, 500)


def _told(record: Record) -> Iterator[str]:
    state = record["state"] + (f", {number(record['pending'])} pending" if record["pending"] else "")
    yield f"{record['run']}: {state}" + (", imported" if record["imported"] else "")
    yield f"  tasks: {', '.join(record['tasks'])} ({record['cells']} cells)"
    for role, members in record["roles"].items():
        yield f"  {role}: {', '.join(one['spec'] for one in members)}"
    for reason, count in record["pending_reasons"].items():
        yield f"  pending {count:,}: {reason}"
    for one in record["scorings"]:
        judges = ", ".join(m["spec"] for members in one["roles"].values() for m in members)
        done = "complete" if one["complete"] else f"{number(one['pending'])} pending"
        yield f"  scoring {one['scoring']}: {done}, begun {one['started']}" + (
            f", {judges}" if judges else ""
        )
    for head in record["headlines"]:
        if "value" in head:
            ends = interval(head["low"], head["high"])
            value = f"{head['name']} {number(head['value'])} {ends} n={head['n']:,}"
            yield f"  {head['task']} {head['cell']}: {value}"


def attempts_grid(run: Run) -> Grid:
    """Retries, errors, interruptions: how often, of what kind, by which role."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for record in _attempts(run):
        counts[record.event, record.kind, record.role, record.stage] += 1
    rows = [
        [event, kind, role, stage, number(n)]
        for (event, kind, role, stage), n in counts.most_common(MOST_KINDS)
    ]
    return Grid("Attempts", ["event", "kind", "role", "stage", "times"], rows, left=4)


def _attempts(run: Run) -> Iterator[AttemptRecord]:
    for journal in run.journals():
        yield from journal.attempts


def pending_reasons(run: Run) -> dict[str, int]:
    """Why what is still pending is pending: reason -> work items, most frequent first.

    Only items that were tried; what was never begun has no reason. Memory grows with failures, not with n.
    """
    open_: dict[tuple[str, Key], str] = {}
    for record in _attempts(run):
        if record.event == "pending":
            stage = record.stage or "solve"
            open_[stage, Key(record.cell, record.sample, record.trial)] = (
                f"{stage}: {record.kind or record.detail or 'unknown'}"
            )
    counts: Counter[str] = Counter()
    for (stage, key), reason in open_.items():
        if (run.score(key) if stage == "score" else run.output(key)) is None:
            counts[reason] += 1
    return dict(counts.most_common())
