"""What runs there are, how far each got and what went wrong: read from manifests, results, journals."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, TypedDict

import msgspec
from msgspec.structs import asdict

from suite.errors import SuiteError
from suite.journal.documents import Roles
from suite.journal.pairs import Key
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.report.hostile_text import one_line
from suite.report.matrix import Grid
from suite.report.numbers import ago, interval, number, plain
from suite.report.remarks import lacking

MOST_KINDS = 50  # of attempts
_PLANNED = ("roles", "data", "seed", "trials", "limit", "mini", "plan_sha256")  # as the manifest tells it
State = Literal["finished", "partial", "running", "damaged", "solved, not scored"]
QUIET_S = 60  # a run whose journals got nothing for so long is not being written


class Headline(TypedDict, total=False):
    """A cell's first number. Only task and cell where the cell has none."""

    task: str
    cell: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int


class RunState(msgspec.Struct, kw_only=True):
    """How far a run got. pending: work items without a result yet. options: what is set of the candidate.
    note: on the state, why or how far."""

    run: str
    state: State
    pending: int
    imported: bool
    tasks: list[str]
    cells: int
    candidate: str
    options: str = ""
    created: str
    note: str = ""


class ListedRun(RunState, kw_only=True):
    """A run in the list; scorings by name."""

    scorings: list[str]
    headlines: list[Headline]


class UnreadableRun(msgspec.Struct):
    """A folder that looks like a run and is none."""

    run: str
    state: Literal["unreadable"]
    error: str


class ListedScoring(msgspec.Struct):
    """A scoring of a run. pending: None before it has results."""

    scoring: str
    started: str
    roles: Roles
    complete: bool
    pending: int | None


class ShownRun(RunState, kw_only=True):
    """All that is told of one run. pending_reasons: reason -> work items. data: dataset -> identity."""

    scorings: list[ListedScoring]
    headlines: list[Headline]
    shown_scoring: str
    roles: Roles
    pending_reasons: dict[str, int]
    data: Mapping[str, Values]
    seed: int
    trials: int
    limit: int | None
    mini: bool
    plan_sha256: str


def list_runs(folder: Path) -> Iterator[ListedRun | UnreadableRun]:
    """The runs below a folder, by name. One that looks like a run and cannot be read has its error."""
    if not folder.is_dir():
        return
    for manifest in sorted(folder.glob("*/manifest.json")):
        try:
            run = Run(manifest.parent)
            yield ListedRun(**asdict(_state(run)), scorings=run.scorings(), headlines=_headlines(run))
        except Exception as error:  # anybody may have changed it
            what = error.what if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            yield UnreadableRun(manifest.parent.name, "unreadable", what)


def being_written(run: Run) -> bool:
    """Whether journals grew just now, and after the results."""

    def latest(*names: str) -> float:
        return max((one.stat().st_mtime for name in names for one in run.folder.glob(name)), default=0.0)

    if run.has_results and run.results.complete:
        return False
    solved = ("outputs.jsonl", "shards/*/*/outputs.jsonl", "shards/*/*/scorings/*/scores.jsonl")
    grew = latest(*solved, "scorings/*/scores.jsonl", "scorings/*/shards/*/*/scores.jsonl")
    return latest("scorings/*/results.json") < grew > time.time() - QUIET_S


def progress(run: Run) -> tuple[int, str]:
    """How many work items are solved, and in words how far a run is, by the lines of its newest journals."""
    scores = Run(run.folder, (run.scorings() or [""])[-1]).judged.scores
    solved, scored = (sum(1 for _ in lines.raw()) for lines in (run.journal.outputs, scores))
    return solved, f"{solved:,} solved, {scored:,} scored of {run.manifest.all_works:,}"


def options(run: Run) -> str:
    """What is set of the candidate's sampling, on one line."""
    told = run.candidate.sampling if run.candidate else {}
    return " ".join(f"{name}={plain(value)}" for name, value in told.items())


def _state(run: Run) -> RunState:
    manifest = run.manifest
    pending = run.results.pending
    state: State = "finished" if run.stopped or (not pending and run.results.complete) else "partial"
    note = run.stopped.when if run.stopped else f"{number(pending)} pending" if pending else ""
    if missing := lacking(run):
        state, note = "damaged", f"{' and '.join(missing)} missing"
    elif (growing := being_written(run)) or not run.has_results:
        solved, so_far = progress(run)
        if solved >= manifest.all_works and not (run.has_results or (growing and run.scoring)):
            state = "solved, not scored"
        elif growing:
            state, note = "running", so_far
    note = run.unmerged or note
    return RunState(
        run=run.folder.name, state=state, pending=pending, imported=manifest.imported,
        tasks=list(dict.fromkeys(cell.task for cell in manifest.cells)), cells=len(manifest.cells),
        candidate=run.specs("candidate"), options=options(run), note=note, created=manifest.created,
    )  # fmt: skip


def _headlines(run: Run) -> list[Headline]:
    found = []
    for cell in run.results.cells:
        one = Headline(task=cell.task, cell=cell.cell)
        if (row := cell.headline_row) is not None:
            row = run.stopped.shown(cell.cell, row) if run.stopped else row
            one.update({"name": row.name, "value": row.value, "low": row.low, "high": row.high, "n": row.n})
        found.append(one)
    return found


def show_run(run: Run) -> ShownRun:
    """Everything `suite runs show` tells: the list's record, roles, scorings, why work is pending."""
    return ShownRun(
        **asdict(_state(run)),
        **{name: getattr(run.manifest, name) for name in _PLANNED},
        scorings=[_scoring(Run(run.folder, name)) for name in run.scorings()],
        headlines=_headlines(run),
        shown_scoring=run.scoring,
        pending_reasons=pending_reasons(run),
    )


def _scoring(run: Run) -> ListedScoring:
    manifest, results = run.scoring_manifest, run.results if run.has_results else None
    told = (False, None) if results is None else (results.complete, results.pending)
    return ListedScoring(manifest.scoring, manifest.started, manifest.roles, *told)


def run_lines(runs: Sequence[ListedRun | UnreadableRun], now: datetime) -> list[str]:
    """The list as aligned lines to copy from, the newest last: one line a run, its name first and whole."""
    rows = [["run", "when", "state", "tasks", "model", "headline"]]
    listed = sorted((one for one in runs if isinstance(one, ListedRun)), key=lambda one: one.created)
    for one in listed:
        state = one.state + (f" ({one.note})" if one.note else "")
        state += ", imported" if one.imported else ""
        heads = [head for head in one.headlines if head.get("value") is not None]
        model = f"{one.candidate} {one.options}".strip()
        rows.append([one.run, ago(one.created, now), state, ", ".join(one.tasks), model, _heads(heads)])
    rows += [[one.run, "", f"unreadable: {one.error}"] for one in runs if isinstance(one, UnreadableRun)]
    rows = [[one_line(text, 300) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*(row for row in rows if len(row) == 6), strict=True)]
    widths[0] = max(len(row[0]) for row in rows)
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _heads(heads: Sequence[Headline]) -> str:
    """The headline of a run, of several cells from the lowest to the highest."""
    if len(heads) == 1:
        return f"{heads[0]['name']} {number(heads[0]['value'])} {interval(heads[0]['low'], heads[0]['high'])}"
    if len({head["name"] for head in heads}) == 1:
        ends = map(number, sorted(head["value"] or 0.0 for head in heads)[:: len(heads) - 1])
        return f"{heads[0]['name']} {' to '.join(dict.fromkeys(ends))} in {len(heads)} cells"
    return f"{len(heads)} cells" if heads else ""


def attempts_grid(run: Run) -> Grid:
    """Retries, errors, interruptions: how often, of what kind, by which role."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for record in run.attempts():
        counts[record.event, record.kind, record.role, record.stage] += 1
    rows = [[*what, number(n)] for what, n in counts.most_common(MOST_KINDS)]
    return Grid("Attempts", ["event", "kind", "role", "stage", "times"], rows, left=4)


def pending_reasons(run: Run) -> dict[str, int]:
    """Why what is still pending is pending: reason -> work items, most frequent first.

    Only items that were tried; what was never begun has no reason. Memory grows with failures, not with n.
    """
    open_: dict[tuple[str, Key], str] = {}
    for record in run.attempts():
        if record.event == "pending":
            stage = record.stage or "solve"
            why = f"{stage}: {record.kind or record.detail or 'unknown'}"
            open_[stage, Key(record.cell, record.sample, record.trial)] = why
    counts: Counter[str] = Counter()
    for (stage, key), reason in open_.items():
        if (run.score(key) if stage == "score" else run.output(key)) is None:
            counts[reason] += 1
    return dict(counts.most_common())
