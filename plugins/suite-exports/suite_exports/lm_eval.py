"""lm-evaluation-harness's files: MODEL/results_TIME.json and MODEL/samples_TASK_TIME.jsonl.

A cell is one of its tasks; the trials of a sample are its repeats, in one line, their values averaged. Only
the layout is theirs: the file says that suite wrote it. What we do not have stays empty (the target is not
recorded; standard errors are "N/A" since our intervals are not made of them) and our intervals stand under
a key of their own.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec

import suite
from suite_exports.texts import moment, sha256_hex, text_of

_TAKEN = frozenset(("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"))
Fields = dict[str, suite.Json]
_UNSAFE = re.compile(r"[\"<>:/|\\?*\[\]\s]+")


def write_lm_eval(run: suite.ExportedRun, folder: Path) -> list[Path]:
    """Write both kinds of file below a folder; their paths, results first. Raises RunError."""
    model = run.specs("candidate") or "unknown"
    base = folder / (_UNSAFE.sub("__", model).strip(".") or "unknown")
    time = moment(run.manifest.created)
    names = task_names(run.summary)
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S.%f")
    hashes: dict[str, str] = {}
    paths = []
    for cell, rows in groupby(run.rows(), key=lambda row: row.cell):
        whole = hashlib.sha256()
        path = base / f"samples_{names[cell]}_{stamp}.jsonl"
        paths.append(suite.write_file(path, _lines(run, rows, whole)))
        hashes[names[cell]] = whole.hexdigest()
    results = results_of(run, names, model, time.timestamp())
    results["task_hashes"] = hashes
    body = msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n"
    return [suite.write_file(base / f"results_{stamp}.json", [body]), *paths]


def _lines(
    run: suite.ExportedRun, rows: Iterable[suite.SampleRow], whole: "hashlib._Hash"
) -> Iterator[bytes]:
    """One line a sample; `whole` takes in what lm-eval hashes a task's samples by."""
    for number, (_, trials) in enumerate(groupby(rows, key=lambda row: row.sample)):
        line = _line(run, list(trials), number, whole)
        yield msgspec.json.encode(line) + b"\n"


def task_names(summary: suite.Summary) -> dict[str, str]:
    """Cell -> its name as one of lm-eval's tasks; readers split file names at underscores and slashes."""
    names = {}
    for task in summary.tasks:
        plain = re.sub(r"[^A-Za-z0-9-]+", "_", task.name)
        for cell in task.cells:
            names[cell.id] = plain if len(task.cells) == 1 else f"{plain}_{cell.id}"
    return names


def results_of(run: suite.ExportedRun, names: dict[str, str], model: str, date: float) -> Fields:
    """The content of results_TIME.json."""
    cells = [(task, cell) for task in run.summary.tasks for cell in task.cells]
    trials = max(1, run.manifest.trials)
    return {
        "results": {names[cell.id]: _result(task, cell) for task, cell in cells},
        "group_subtasks": {names[cell.id]: [] for _, cell in cells},
        "configs": {names[cell.id]: _config(task, cell, trials) for task, cell in cells},
        "versions": {names[cell.id]: task.version for task, cell in cells},
        "n-shot": {names[cell.id]: 0 for _, cell in cells},
        "higher_is_better": {
            names[cell.id]: {one.name: one.direction == "higher" for one in cell.metrics if not one.slice}
            for _, cell in cells
        },
        "n-samples": {
            names[cell.id]: {
                "original": cell.samples // trials,
                "effective": cell.headline.n if cell.headline else 0,
            }
            for _, cell in cells
        },
        "config": {
            "model": model.partition("/")[0],
            "model_args": {"model": model.partition("/")[2]},
            **({"model_revision": revision} if (revision := run.revision) else {}),
            "limit": run.manifest.limit,
            "random_seed": run.manifest.seed,
        },
        "date": date,
        "model_name": model,
        "model_name_sanitized": _UNSAFE.sub("__", model),
        "suite_version": run.manifest.suite,
        "suite_command": run.command,
    }


def _result(task: suite.TaskSummary, cell: suite.CellSummary) -> Fields:
    found: Fields = {"alias": f"{task.name} {cell.label}".strip()}
    for one in cell.metrics:
        if not one.slice and one.value is not None:
            found[f"{one.name},none"] = one.value
            found[f"{one.name}_stderr,none"] = "N/A"
    found["suite"] = [msgspec.to_builtins(one) for one in cell.metrics]
    return found


def _config(task: suite.TaskSummary, cell: suite.CellSummary, trials: int) -> Fields:
    heads: list[suite.Json] = [
        {"metric": one.name, "higher_is_better": one.direction == "higher"} for one in cell.whole
    ]
    if cell.headline:
        heads.insert(0, {"metric": task.headline, "higher_is_better": task.direction == "higher"})
    return {
        "task": task.name,
        "metric_list": heads,
        "repeats": trials,
        "metadata": {"version": task.version, "parameters": dict(cell.parameters)},
    }


def _line(
    run: suite.ExportedRun, trials: list[suite.SampleRow], number: int, whole: "hashlib._Hash"
) -> Fields:
    row = trials[0]
    doc: Fields = {
        "id": row.sample,
        "group": row.group,
        "tags": row.tags,
        "question": row.question,
    }
    prompt, options = _asked(run, row)
    shown = row.question_id if row.question is None else prompt
    answers = [one.answer for one in trials]
    values = _means(trials)
    hashes = {
        "doc_hash": sha256_hex(msgspec.json.format(msgspec.json.encode(doc), indent=2)),
        "prompt_hash": sha256_hex(prompt.encode()),
        "target_hash": sha256_hex(b""),
    }
    whole.update("".join(hashes.values()).encode())
    return {
        "doc_id": number,
        "doc": doc,
        "target": "",
        "arguments": {"gen_args_0": {"arg_0": shown, "arg_1": options}},
        "resps": [answers],
        "filtered_resps": answers,
        "filter": "none",
        "metrics": sorted(values),
        **hashes,
        **{name: values[name] for name in sorted(values)},
    }


def _means(trials: list[suite.SampleRow]) -> dict[str, float]:
    """Each value that is a number, over the trials that have it; not those named like a key of a line."""
    found: dict[str, list[float]] = {}
    for row in trials:
        for name, value in (row.values or {}).items():
            if isinstance(value, bool | int | float) and name not in _TAKEN:
                found.setdefault(name, []).append(float(value))
    return {name: sum(all_) / len(all_) for name, all_ in found.items()}


def _asked(run: suite.ExportedRun, row: suite.SampleRow) -> tuple[str, Fields]:
    """The last request of a sample as JSON text, and its options; "" where it made none."""
    output = run.output(row.key)
    found = run.call(output.calls[-1]) if output is not None and output.calls else None
    if found is None:
        return "", {}
    request = msgspec.to_builtins(found.blocks.request(found.call))
    options = request.pop("options", {})
    messages = request.get("messages") or request.get("prompt") or ""
    return text_of(messages), options
