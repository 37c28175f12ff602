"""A run as two tidy tables of fixed columns: one row a value (`values`), one row a number (`results`).

They stack: the tables of many runs can be put below each other. Not here: the wide table with a row a
sample and all that was answered (`rows`), writing files (`exporting`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from suite.report.loading import LoadedRun
from suite.report.remarks import roles_of
from suite.report.rows import Row, in_order, is_unscored, records
from suite.report.summary import summarise
from suite.scoring.results import MetricResult

VALUES: Mapping[str, str] = {
    "run_id": "text",
    "task": "text",
    "task_version": "whole",
    "cell": "text",
    "model": "text",
    "model_revision": "text",
    "sample": "text",
    "trial": "whole",
    "cluster": "text",
    "metric": "text",
    "value": "number",
    "label": "text",
    "unscored_reason": "text",
    "output_sha256": "text",
    "prompt_tokens": "whole",
    "completion_tokens": "whole",
    "latency_ms": "number",
    "judge": "text",
}
RESULTS: Mapping[str, str] = {
    "run_id": "text",
    "task": "text",
    "task_version": "whole",
    "cell": "text",
    "parameters": "text",
    "model": "text",
    "metric": "text",
    "headline": "flag",
    "slice": "text",
    "value": "number",
    "lo": "number",
    "hi": "number",
    "level": "number",
    "method": "text",
    "n": "whole",
    "unscored": "whole",
    "not_applicable": "whole",
    "coverage": "number",
    "direction": "text",
    "unit": "text",
    "note": "text",
    "suite_version": "text",
    "date": "text",
}


def value_rows(run: LoadedRun) -> Iterator[Row]:
    """One row a named value of a sample and trial, by task, cell, sample, trial, name.

    value: 1.0 and 0.0 for true and false; None where the value is unscored, not applicable or a label.
    label: a value that is text. A sample that was not scored has no row.
    """

    def made() -> Iterator[tuple[tuple[Any, ...], Row]]:
        for one in records(run):
            for name, value in (one["values"] or {}).items():
                key = (one["task"], one["cell"], one["sample"], one["trial"], name)
                yield key, _value_row(one, name, value)

    for row in in_order(made()):
        yield {name: row[name] for name in VALUES}


def _value_row(one: Row, name: str, value: Any) -> Row:
    unscored = is_unscored(value)
    number = None if unscored or value is None or isinstance(value, str) else float(value)
    usage = one["usage"]
    return {
        "run_id": one["run"],
        "task": one["task"],
        "task_version": one["version"],
        "cell": one["cell"],
        "model": one["model"],
        "model_revision": one["model_revision"],
        "sample": one["sample"],
        "trial": one["trial"],
        "cluster": one["cluster"],
        "metric": name,
        "value": number,
        "label": value if isinstance(value, str) else None,
        "unscored_reason": value["unscored"] if unscored else None,
        "output_sha256": one["output_sha256"],
        "prompt_tokens": usage["prompt_tokens"],
        "completion_tokens": usage["completion_tokens"],
        "latency_ms": usage["latency_ms"],
        "judge": one["judge"],
    }


def result_rows(run: LoadedRun) -> Iterator[Row]:
    """One row a row of results.json, by task; metrics over several cells last, with the names of these."""
    summary = summarise(run)
    common = {
        "run_id": run.name,
        "model": ", ".join(str(one.get("spec", "")) for one in roles_of(run).get("candidate", ())),
        "suite_version": str(run.manifest.get("suite", "")),
        "date": str(run.manifest.get("created", "")),
    }
    for task in sorted(summary.tasks, key=lambda one: one.name):
        place = {**common, "task": task.name, "task_version": task.version}
        for cell in task.cells:
            for one in cell.metrics:
                yield _result_row({**place, "cell": cell.id, "parameters": cell.label}, one)
        for over in task.across:
            cells = " ".join(f"{name}={cell}" for name, cell in over.cells.items())
            yield _result_row({**place, "cell": cells, "parameters": ""}, over.result)


def _result_row(place: Row, one: MetricResult) -> Row:
    found = {
        **place,
        "metric": one.name,
        "headline": one.headline,
        "slice": ", ".join(f"{tag}={value}" for tag, value in one.slice.items()),
        "value": one.value,
        "lo": one.low,
        "hi": one.high,
        "level": one.level,
        "method": one.method,
        "n": one.n,
        "unscored": one.unscored,
        "not_applicable": one.not_applicable,
        "coverage": one.coverage,
        "direction": one.direction,
        "unit": one.unit,
        "note": one.note,
    }
    return {name: found[name] for name in RESULTS}
