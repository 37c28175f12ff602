"""results.json: every number of one scoring, computed from the journals and nothing else.

Outputs and scores are read side by side as streams; what is kept is the table of values that the metrics
want. The same journals give the same results, in whatever order their records stand.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

from suite.errors import RunError
from suite.journal.documents import (
    RESULTS_FORMAT,
    AcrossResult,
    CallTotals,
    CellRecord,
    CellResult,
    Coverage,
    ResultFinding,
    Results,
    Share,
)
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.run.code import other_code
from suite.run.findings import CallTally, changed, counted_calls, finding, of_cell
from suite.scoring.computation import compute, compute_across, wanted
from suite.scoring.metrics.declared import metrics_of
from suite.scoring.table import ScoreTable, TableBuilder
from suite.task import Metric, Unscored, Value

INTERVALS = 2  # edition of the methods behind low and high; results of the first do not name it


class _CellCount:
    def __init__(self) -> None:
        self.solved = self.scored = 0
        self.finishes: Counter[str] = Counter()
        self.unscored: dict[str, Counter[str]] = {}
        self.same = True
        self._first: dict[str, Value] | None = None

    def add(self, output: OutputRecord, score: ScoreRecord | None) -> None:
        self.solved += 1
        self.finishes[output.output.finish] += 1
        if score is None:
            return
        self.scored += 1
        if self.same:
            self._first = self._first if self._first is not None else score.values
            self.same = score.values == self._first
        for name, value in score.values.items():
            if isinstance(value, Unscored):
                self.unscored.setdefault(name, Counter())[value.reason] += 1


def make_results(run: Run, metrics: Mapping[str, Sequence[Metric]], *, level: float = 0.95) -> Results:
    """The results of a run's scoring. metrics: task name -> its declarations.

    Raises RunError for a run without a scoring or with a damaged journal, PluginError for a metric that
    cannot be computed.
    """
    run.need_scoring()
    manifest = run.manifest
    cells = manifest.cells
    task_of = {cell.cell: cell.task for cell in cells}
    builders = {task: TableBuilder(wanted(metrics[task])) for task in dict.fromkeys(task_of.values())}
    counts = {cell.cell: _CellCount() for cell in cells}
    for output, score in run.pairs():
        if output.cell not in counts:
            raise RunError(f"outputs.jsonl names a cell {output.cell!r} that the manifest does not have")
        counts[output.cell].add(output, score)
        if score is not None:
            builders[task_of[output.cell]].add(output, score)
    tables = {task: builder.build() for task, builder in builders.items()}
    shown = [
        _cell(run, cell, counts[cell.cell], metrics[cell.task], tables[cell.task], level) for cell in cells
    ]
    across: list[AcrossResult] = []
    for task, table in tables.items():
        plans = [cell for cell in cells if cell.task == task]
        across += compute_across(
            metrics[task], plans[0].headline, table, plans, seed=manifest.seed, level=level
        )
    pending = sum(cell.pending for cell in shown)
    calls, seconds, told = effort(run)
    for task, table in tables.items():
        known = {*table.tags, *table.parts.tags}
        present = [one for one in metrics_of(metrics[task]) if one.over == "samples" or len(table.parts)]
        unknown = {tag for one in present for tag in one.slices} - known
        if unknown and len(table):
            told.append(finding("tags", task, dict.fromkeys(unknown, len(table)), len(table)))
    for task, change in other_code(manifest.code, run.scoring_manifest.code):
        told.append(finding("code", task, {change: 1}, 1))
    for name, count in counts.items():
        told += of_cell(name, count.finishes, count.unscored, count.scored, count.same)
    groups = Share(taken=manifest.counts.groups_taken, all=manifest.counts.groups)
    tags = {
        tag: {value: Share(taken=taken, all=every) for value, (taken, every) in values.items()}
        for tag, values in manifest.counts.tags.items()
    }
    return Results(
        format=RESULTS_FORMAT, run=manifest.name, scoring=run.scoring, level=level, intervals=INTERVALS,
        complete=pending == 0, pending=pending, imported=manifest.imported, cells=shown, across=across,
        coverage=Coverage(groups=groups, tags=tags), calls=calls, seconds=round(seconds, 3), findings=told,
    )  # fmt: skip


def _cell(
    run: Run, cell: CellRecord, count: _CellCount, metrics: Sequence[Metric], table: ScoreTable, level: float
) -> CellResult:
    expected = run.manifest.works_of(cell.cell)
    if count.solved > expected:
        path = run.folder / "outputs.jsonl"
        raise RunError.of("run.results.twice", cell=cell, count=count, expected=expected, path=path)
    scored = run.scored_cells.get(cell.cell)
    return CellResult(
        cell=cell.cell, task=cell.task, version=cell.version, parameters=cell.parameters,
        score_parameters=(scored or cell).score_parameters, headline=cell.headline,
        prompts=(scored or cell).prompts, samples=expected, solved=count.solved, scored=count.scored,
        pending=expected - count.scored, finishes=dict(sorted(count.finishes.items())),
        unscored={name: dict(sorted(one.items())) for name, one in sorted(count.unscored.items())},
        metrics=compute(metrics, cell.headline, table, cell=cell.cell, seed=run.manifest.seed, level=level),
    )  # fmt: skip


def effort(run: Run) -> tuple[dict[str, CallTotals], float, list[ResultFinding]]:
    """Calls and tokens by member, wall seconds during which any process was at work on the run, and what the
    calls tell."""
    starts = sorted(one.at for one in run.journal.attempts if one.event == "start")
    ends, retries = list(starts), Counter[str]()
    for attempt in run.journal.attempts:
        at = bisect_right(starts, attempt.at) - 1
        if at >= 0:
            ends[at] = max(ends[at], attempt.at)
        retries[attempt.role] += attempt.event == "retry"
    found: dict[str, CallTotals] = {}
    told = CallTally(run.roles)
    for each in run.journals():
        for call in counted_calls(each):
            told.add(call)
            if (one := found.get(call.role)) is None:
                one = found[call.role] = CallTotals(0, 0, 0, 0, 0, 0)
            usage, (began, ended) = call.reply.usage, call.times
            one.calls += 1
            one.cached += call.cached
            one.prompt_tokens += usage.prompt
            one.completion_tokens += usage.completion
            one.cached_tokens += usage.cached
            one.reasoning_tokens += usage.reasoning
            one.reasoning_characters += len(call.reply.reasoning)
            if call.cached:
                one.kept_prompt_tokens += usage.prompt
                one.kept_completion_tokens += usage.completion
                one.kept_cached_tokens += usage.cached
            at = bisect_right(starts, ended) - 1
            if at >= 0 and ended > ends[at]:
                ends[at] = ended
            while at > 0 and began < starts[at]:  # another process started meanwhile
                ends[at - 1] = starts[at]
                at -= 1
        told.journal(each)
    for member, one in found.items():
        one.retries = retries[member]
    seconds = sum(end - start for start, end in zip(starts, ends, strict=True))
    findings = [*told.findings(), *changed(run.journal.attempts, run.scoring)]
    return dict(sorted(found.items())), seconds, findings
