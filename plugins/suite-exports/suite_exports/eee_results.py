"""The numbers of a run as Every Eval Ever's `evaluation_results`, and which rows stand behind each."""

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

import suite
from suite_exports.eee_parts import data_of, judges_of
from suite_exports.eee_schema import Fields, check_score, fields
from suite_exports.texts import sha256_hex, text_of

# temperature, top_p and max_tokens that the answers of a cell were asked with
AskedWith = Set[tuple[float | None, float | None, int | None]]
_GLOBAL = ("accuracy", "f1_macro", "auroc", "rmse", "mae")  # metric ids that mean the same everywhere


@dataclass
class Target:
    """One metric of one cell that samples have rows of. unscored, not_applicable: samples without one."""

    result_id: str
    evaluation: str
    metric: str
    facts: suite.Measure
    direction: str
    rows: int = 0
    unscored: list[str] = field(default_factory=list)
    not_applicable: int = 0

    def correct(self, score: float) -> tuple[bool, str]:
        """(whether it counts as correct, by which rule): only the best end of a scale does."""
        low, high = self.facts.ends
        best = low if self.direction == "lower" else high
        if not math.isfinite(best):
            return False, "the scale has no best end and no threshold is declared"
        return score == best, f"score is {best:g}, the best end of its scale"


def _generation(run: suite.ExportedRun, asked: AskedWith) -> Fields:
    """The common options as arguments; where they differ, all of them in the details."""
    details = {"seed": str(run.manifest.seed), "trials": str(run.manifest.trials)}
    args = fields()
    if len(asked) == 1:
        ((temperature, top_p, most),) = asked
        args = fields(temperature=temperature, top_p=top_p, max_tokens=most or None)
    elif asked:
        told = (f"temperature={t} top_p={p} max_tokens={m}" for t, p, m in asked)
        details["options"] = "; ".join(sorted(told))
    return fields(generation_args=args, additional_details=details)


def result_id(task: suite.TaskSummary, cell: suite.CellSummary, one: suite.MetricResult) -> str:
    """task[@cell]:metric[:tag=value], unique in a run."""
    place = task.name if len(task.cells) == 1 else f"{task.name}@{cell.id}"
    slices = [f"{tag}={value}" for tag, value in one.slice.items()]
    return ":".join([place, one.name, *slices])


def targets_of(run: suite.ExportedRun, task: suite.TaskSummary, cell: suite.CellSummary) -> list[Target]:
    """The whole-cell metrics whose samples have a number each."""
    facts, name = run.measures(cell.id), task.name.replace("/", ".")  # their names have no slash
    return [
        Target(result_id(task, cell, one), name, one.name, facts[one.name], one.direction)
        for one in cell.metrics
        if not one.slice and one.value is not None and one.name in facts and facts[one.name].value
    ]


def cell_results(
    run: suite.ExportedRun,
    task: suite.TaskSummary,
    cell: suite.CellSummary,
    plan: suite.CellRecord,
    asked: AskedWith,
    targets: Mapping[str, Target],
) -> list[Fields]:
    """The numbers of a cell; those without a value are left out."""
    common = {
        "cell": cell.id,
        "task": task.name,
        "task_version": str(task.version),
        "parameters": text_of(dict(cell.parameters)),
        "plugin": plan.plugin,
        "plan_sha256": run.manifest.plan_sha256,
        "scoring": run.scoring,
        "prompts_sha256": plan.prompts_sha256,
        **{f"fact_{name}": value for name, value in cell.deviations.items()},
    }
    rows = [(result_id(task, cell, one), one) for one in cell.metrics if one.value is not None]
    judges = judges_of(run, run.tasks.get(cell.id), plan)
    told = _ResultParts(run, task, cell.id, common, _generation(run, asked), cell, judges)
    return [told.result(name, one, targets.get(name)) for name, one in rows]


def across_results(run: suite.ExportedRun, task: suite.TaskSummary) -> list[Fields]:
    """The numbers over several cells."""
    known = next((cell.id for cell in task.cells if cell.id in run.tasks), "")
    found = []
    for over in task.across:
        common = {
            "task": task.name,
            "task_version": str(task.version),
            "cells": text_of(dict(over.cells)),
            "parameters": text_of(dict(over.parameters)),
            "plan_sha256": run.manifest.plan_sha256,
            "scoring": run.scoring,
        }
        if over.result.value is not None:
            digest = sha256_hex(text_of(sorted(over.cells.items())).encode())
            name = f"{task.name}@{digest[:12]}:{over.result.name}"
            told = _ResultParts(run, task, known, common, _generation(run, set()))
            found.append(told.result(name, over.result, None))
    return found


@dataclass
class _ResultParts:
    """What the results of a cell, or of several, share. known: a cell of them whose task is installed, "" if
    none is. common: details. generation: options of answers."""

    run: suite.ExportedRun
    task: suite.TaskSummary
    known: str
    common: Mapping[str, str]
    generation: Fields
    cell: suite.CellSummary | None = None
    judges: Fields | None = None

    @cached_property
    def data(self) -> Fields:
        """What it was measured on."""
        return data_of(self.run, self.run.tasks.get(self.known))

    def result(self, identity: str, one: suite.MetricResult, target: Target | None) -> Fields:
        """One number that has a value."""
        facts = self.run.measures(self.known).get(one.name)
        return fields(
            evaluation_result_id=identity,
            evaluation_name=self.task.name.replace("/", "."),
            evaluation_timestamp=self.run.manifest.created,
            source_data=self.data,
            metric_config=self._metric(one, facts),
            score_details=_score(one, facts.ends if facts else (-math.inf, math.inf), target, identity),
            generation_config=self.generation,
        )

    def _metric(self, one: suite.MetricResult, facts: suite.Measure | None) -> Fields:
        family = self.task.name.partition("/")[0]
        proportion = facts is not None and facts.ends == (0.0, 1.0)
        details = {**self.common, "direction": one.direction, "headline": "true" if one.headline else "false"}
        if one.slice:
            details["slice"] = suite.plain(one.slice)
        if facts is None:
            details["bounds"] = "unknown: the task that declares them is not installed here"
        elif facts.value and facts.macro:
            details["aggregation"] = f"mean over the categories of {facts.macro!r} of the means over samples"
        elif facts.value:
            details["aggregation"] = "mean over samples of the mean over their trials"
        label = f" ({self.cell.label})" if self.cell and self.cell.label else ""
        return fields(
            evaluation_description=f"{self.task.title}: {one.name}{label}",
            metric_id=one.name if one.name in _GLOBAL else f"suite.{family}.{one.name}",
            metric_name=one.name,
            metric_kind=facts.kind if facts else None,
            metric_unit=one.unit or ("proportion" if proportion else None),
            lower_is_better=one.direction == "lower",
            score_type="continuous" if facts else None,
            min_score=_bound(facts.ends[0]) if facts else None,
            max_score=_bound(facts.ends[1]) if facts else None,
            llm_scoring=self.judges,
            additional_details=details,
        )


def _bound(end: float) -> float | str:
    if math.isfinite(end):
        return float(end)
    return "Infinity" if end > 0 else "-Infinity"


def _score(one: suite.MetricResult, ends: tuple[float, float], target: Target | None, name: str) -> Fields:
    assert one.value is not None
    details = {
        "n": str(one.n),
        "unscored": str(one.unscored),
        "not_applicable": str(one.not_applicable),
        "note": one.note,
    }
    for key, value in (("coverage", one.coverage), ("clusters", one.clusters), ("bounds", one.bounds)):
        if value is not None:
            details[key] = text_of(value)
    if target is not None:
        names = "\n".join(sorted(target.unscored)).encode()
        details["rows"] = str(target.rows)
        details["rows_left_out_unscored"] = str(len(target.unscored))
        details["rows_left_out_not_applicable"] = str(target.not_applicable)
        details["unscored_ids_sha256"] = sha256_hex(names)
    interval = None
    if one.low is not None and one.high is not None:
        interval = fields(
            lower=float(one.low), upper=float(one.high), confidence_level=one.level, method=one.method
        )
    return fields(
        score=check_score(float(one.value), ends, name),
        details={key: value for key, value in details.items() if value},
        uncertainty=fields(confidence_interval=interval, num_samples=one.n),
    )
