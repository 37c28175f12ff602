"""results.json: every number of one scoring, computed from the journals and nothing else.

Outputs and scores are read side by side as streams; what is kept is the table of values that the metrics
want. The same journals give the same results, in whatever order their records stand.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from suite.errors import RunError
from suite.journal.pairs import pairs
from suite.journal.reading import RunReader, read_json
from suite.journal.records import CellPlan, OutputRecord, ScoreRecord
from suite.journal.run import Journal
from suite.run.code import other_code
from suite.run.findings import Call, CallTally, changed, finding, of_cell
from suite.scoring.computation import compute, compute_across, wanted
from suite.scoring.table import TableBuilder
from suite.task import Unscored

FORMAT = "suite-results/1"
INTERVALS = 2  # edition of the methods behind low and high; results of the first do not name it
COUNTED = ("calls", "cached", "retries", "prompt_tokens", "completion_tokens", "cached_tokens")  # of `calls`
REASONING = ("reasoning_tokens", "reasoning_characters")  # where there is any; not in old results


class _CellCount:
    def __init__(self) -> None:
        self.solved = self.scored = 0
        self.finishes: Counter[str] = Counter()
        self.unscored: dict[str, Counter[str]] = {}
        self.same = True
        self._first: dict[str, Any] | None = None

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


def make_results(
    run: RunReader, scoring: str, metrics: Mapping[str, Sequence[Any]], *, level: float = 0.95
) -> dict[str, Any]:
    """The content of results.json. metrics: task name -> its declarations.

    Raises RunError for a damaged journal, PluginError for a metric that cannot be computed.
    """
    manifest = run.manifest
    journal = run.scoring(scoring)
    scoring_cells = {one["cell"]: one for one in run.scoring_manifest(scoring).get("cells", ())}
    cells: list[dict[str, Any]] = manifest["cells"]
    task_of = {cell["cell"]: cell["task"] for cell in cells}
    builders = {task: TableBuilder(wanted(metrics[task])) for task in dict.fromkeys(task_of.values())}
    counts = {cell["cell"]: _CellCount() for cell in cells}
    for output, score in pairs(iter(run.outputs), iter(journal.scores)):
        if output.cell not in counts:
            raise RunError(f"outputs.jsonl names a cell {output.cell!r} that the manifest does not have")
        counts[output.cell].add(output, score)
        if score is not None:
            builders[task_of[output.cell]].add(output, score)
    tables = {task: builder.build() for task, builder in builders.items()}
    seed, trials = manifest["seed"], manifest["trials"]
    shown: list[dict[str, Any]] = []
    for cell in cells:
        task, count = cell["task"], counts[cell["cell"]]
        expected = manifest["counts"]["samples"].get(cell["cell"], 0) * trials
        if count.solved > expected:
            raise RunError(
                f"cell {cell['cell']} has {count.solved} outputs for {expected} samples: records stand twice",
                where=str(run.folder / "outputs.jsonl"),
            )
        rows = compute(
            metrics[task], cell["headline"], tables[task], cell=cell["cell"], seed=seed, level=level
        )
        scored = scoring_cells.get(cell["cell"], {})
        shown.append(
            {
                "cell": cell["cell"],
                "task": task,
                "version": cell["version"],
                "parameters": cell["parameters"],
                "score_parameters": scored.get("score_parameters", cell["score_parameters"]),
                "headline": cell["headline"],
                "prompts": scored.get("prompts", cell["prompts"]),
                "samples": expected,
                "solved": count.solved,
                "scored": count.scored,
                "pending": expected - count.scored,
                "finishes": dict(sorted(count.finishes.items())),
                "unscored": {n: dict(sorted(c.items())) for n, c in sorted(count.unscored.items())},
                "metrics": msgspec.to_builtins(rows),
            }
        )
    across = []
    for task, table in tables.items():
        plans = [msgspec.convert(cell, CellPlan) for cell in cells if cell["task"] == task]
        headline = next(cell["headline"] for cell in cells if cell["task"] == task)
        found = compute_across(metrics[task], headline, table, plans, seed=seed, level=level)
        across.extend(msgspec.to_builtins(found))
    pending = sum(cell["pending"] for cell in shown)
    calls, seconds, told = effort(run, journal)
    for task, change in other_code(manifest.get("code"), run.scoring_manifest(scoring).get("code") or {}):
        told.append(finding("code", task, {change: 1}, 1))
    for name, count in counts.items():
        told += of_cell(name, count.finishes, count.unscored, count.scored, count.same)
    tags = manifest["counts"].get("tags", {})
    return {
        "format": FORMAT,
        "run": manifest["name"],
        "scoring": scoring,
        "level": level,
        "intervals": INTERVALS,
        "complete": pending == 0,
        "pending": pending,
        "imported": manifest.get("imported", False),
        "cells": shown,
        "across": across,
        "coverage": {
            "groups": {"taken": manifest["counts"]["groups_taken"], "all": manifest["counts"]["groups"]},
            "tags": {
                tag: {value: {"taken": both[0], "all": both[1]} for value, both in values.items()}
                for tag, values in tags.items()
            },
        },
        "calls": calls,
        "seconds": round(seconds, 3),
        "findings": told,
    }


def effort(run: RunReader, journal: Journal) -> tuple[dict[str, dict[str, int]], float, list[dict[str, Any]]]:
    """Calls and tokens by member, wall seconds over all starts of the run, and what the calls tell."""
    starts: list[float] = []
    retries: Counter[str] = Counter()
    ends: list[float] = []
    for attempt in run.attempts:
        if attempt.event == "start":
            starts.append(attempt.at)
            ends.append(attempt.at)
        elif ends:
            ends[-1] = max(ends[-1], attempt.at)
        retries[attempt.role] += attempt.event == "retry"
    found: dict[str, dict[str, int]] = {}
    decoder = msgspec.json.Decoder(Call)
    told = CallTally({**run.manifest.get("roles", {}), **_roles(journal)})
    for each in (run, journal):
        for line in each.calls.raw():
            call = decoder.decode(line)
            told.add(call)
            one = found.setdefault(call.role, dict.fromkeys(COUNTED, 0))
            usage = call.reply.usage
            one["calls"] += 1
            one["cached"] += call.cached
            one["prompt_tokens"] += usage.prompt
            one["completion_tokens"] += usage.completion
            one["cached_tokens"] += usage.cached
            for name, count in zip(REASONING, (usage.reasoning, len(call.reply.reasoning)), strict=True):
                if count:
                    one[name] = one.get(name, 0) + count
            at = bisect_right(starts, call.times[1]) - 1
            if at >= 0 and call.times[1] > ends[at]:
                ends[at] = call.times[1]
        told.journal(each)
    for member, one in found.items():
        one["retries"] = retries[member]
    seconds = sum(end - start for start, end in zip(starts, ends, strict=True))
    return (
        dict(sorted(found.items())),
        seconds,
        [*told.findings(), *changed(run.attempts, journal.folder.name)],
    )


def _roles(journal: Journal) -> dict[str, Any]:
    path = journal.folder / "manifest.json"
    roles: dict[str, Any] = read_json(path).get("roles", {}) if path.exists() else {}
    return roles
