"""Results of lm-evaluation-harness as records: `results_*.json` and its `samples_*.jsonl`.

Without lm-eval installed, one line at a time. A metric with a filter is a cell. Tasks of a group with a
printed mean are one cell, each task a part of it. A metric that is computed over all answers at once (BLEU,
F1 of classes, perplexity) has no value of a sample and is left out with a note. What counts as right or wrong
is told by the metric and the task's configuration, never by the values that occur.
Format: lm_eval/result_schema.py, lm_eval/loggers/evaluation_tracker.py of 0.4.13.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

import suite
from suite_imports.values import ImportedCell, Record, Scale, listed, mapping

RIGHT_OR_WRONG = {"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"}
PER_SAMPLE = {"mean", "nanmean", ""}
NOT_SCORED = "bypass"  # what --predict_only gives
DATE = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)\.json$")
NAMES = ("pretrained", "model", "path", "engine", "peft", "delta", "base_url")  # whose, not how
SECRET = re.compile(r"key|token|secret|password|auth", re.IGNORECASE)
LINE = 256 * 2**20  # bytes


class LoggedDoc(msgspec.Struct):
    """What is read of a line; its metrics are read beside it."""

    doc_id: int | str
    target: suite.Json = None
    arguments: suite.Json = None
    resps: suite.Json = None
    filtered_resps: suite.Json = None
    filter: str = "none"
    metrics: list[str] = []
    doc_hash: str = ""


@dataclass
class LmEvalResults:
    """One results file. groups: task -> the group whose printed mean it belongs to, by metric and filter."""

    path: Path
    told: Record
    date: str
    cells: dict[tuple[str, str, str], ImportedCell] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def part(self, name: str, key: str) -> Record:
        """What the file tells of a task under a heading."""
        return mapping(mapping(self.told.get(key)).get(name))

    @property
    def model(self) -> str:
        """Whose answers."""
        return str(self.told.get("model_name") or mapping(self.told.get("config")).get("model") or "")

    def leaves(self, group: str, seen: frozenset[str] = frozenset()) -> list[str]:
        """The tasks of a group and of groups in it; of a task itself."""
        children = listed(mapping(self.told.get("group_subtasks")).get(group))
        if not children or group in seen:
            return [group]
        return [leaf for one in children for leaf in self.leaves(str(one), seen | {group})]

    def scale(self, task: str, metric: str) -> Scale:
        """What kind of value the configuration declares."""
        config, better = self.part(task, "configs"), self.part(task, "higher_is_better").get(metric)
        if metric in RIGHT_OR_WRONG and better is not False:
            plain = config.get("process_results") is None and config.get("repeats", 1) in (None, 1)
            return "rate" if plain else "grade"
        return "number" if better is None or metric == NOT_SCORED else "gain" if better else "loss"

    def group_of(self, task: str, metric: str, name: str) -> str:
        """The outermost group with a printed mean of this metric whose tasks all have one kind of it."""
        found = task
        for group in mapping(self.told.get("groups")):
            leaves = self.leaves(group)
            if task in leaves and f"{metric},{name}" in self.part(group, "groups"):
                alike = len({self.scale(one, metric) for one in leaves}) == 1
                if alike and (found == task or len(leaves) > len(self.leaves(found))):
                    found = group
        return found

    def cell(self, task: str, metric: str, name: str) -> ImportedCell:
        """The cell of a metric of a task."""
        whole = self.group_of(task, metric, name)
        if (whole, metric, name) not in self.cells:
            leaves = self.leaves(whole)
            versions = mapping(self.told.get("versions"))
            shots = {str(mapping(self.told.get("n-shot")).get(one)) for one in leaves}
            told = [whole, *leaves] if leaves != [whole] else [whole]
            each = {one: str(versions.get(one)) for one in told}
            parts = ", ".join(sorted({each[one] for one in leaves}))
            shot = shots.pop() if len(shots) == 1 else ""
            parameters: Record = {
                "tool": "lm-eval", "task": whole, "scorer": metric, "filter": "" if name == "none" else name,
                "options": "", "shots": int(shot) if shot.isdigit() else None, "grader": "",
                "version": parts if leaves == [whole] else f"{each[whole]}; of tasks: {parts}",
            }  # fmt: skip
            printed = self.part(whole, "results").get(f"{metric},{name}")
            mean = float(printed) if isinstance(printed, int | float) else None
            if leaves != [whole] and not self._weighted(whole, metric):
                mean = None  # a mean of tasks, which the run has beside the mean of samples
            made = ImportedCell(self.scale(task, metric), parameters, mean, parts=leaves != [whole])
            self.cells[whole, metric, name] = made
        return self.cells[whole, metric, name]

    def _weighted(self, group: str, metric: str) -> bool:
        """Whether a group's mean is one over samples: only the file's own numbers tell."""
        leaves = [self.part(one, "results") for one in self.leaves(group)]
        for key, printed in self.part(group, "results").items():
            if key.startswith(f"{metric},") and isinstance(printed, int | float):
                each = [(one.get(key), one.get("sample_len")) for one in leaves]
                known = [(v, n) for v, n in each if isinstance(v, int | float) and isinstance(n, int)]
                total = sum(n for _, n in known)
                return bool(total) and abs(sum(v * n for v, n in known) / total - printed) < 1e-6
        return False


def read(path: Path) -> Iterator[Record]:
    """One record for each metric, filter and sample of one results file, or of all below a folder.

    Raises DataError for a file that is not what lm-eval writes, naming it, and where samples are missing.
    """
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*.json") if DATE.search(one.name))
    each = [found for file in files if (found := _results(file)) is not None]
    if not each:
        fix = "give a results_*.json file, or the folder of --output_path"
        raise suite.DataError("no results of lm-eval found", str(path), fix)
    for one in each:
        yield from _records(one)


def _results(path: Path) -> LmEvalResults | None:
    date, told = DATE.search(path.name), suite.json_document(path, nan=True)
    if date is None or not isinstance(told, dict) or not isinstance(told.get("results"), dict):
        return None
    if "configs" not in told or "versions" not in told:
        fix = "run it again by lm-eval 0.4.13, or another of 0.4"
        raise suite.DataError(f"{path.name} is of an older format of lm-eval", str(path), fix)
    return LmEvalResults(path, told, date[1])


def _records(found: LmEvalResults) -> Iterator[Record]:
    tasks = [name for name in mapping(found.told["configs"]) if name in mapping(found.told["results"])]
    files = {name: found.path.with_name(f"samples_{name}_{found.date}.jsonl") for name in tasks}
    if missing := [file.name for file in files.values() if not file.is_file()]:
        fix = "run lm-eval with --log_samples, and keep the files beside the results"
        raise suite.DataError(
            f"{missing[0]} is not there: {found.path.name} has no samples", str(found.path), fix
        )
    for task, file in files.items():
        yield {"sampling": {task: _settings(found, task)}, "model": found.model}
        for line, row in _lines(file):
            base: Record = {"model": found.model, "source": file.name, "row": line}
            try:
                doc = msgspec.convert(row, LoggedDoc)
                each = list(_of_doc(found, task, doc, row))
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
                raise suite.DataError(
                    f"{file.name} line {line}: no sample of lm-eval: {error}", str(file)
                ) from error
            for record in each:
                yield {**base, **record}
    for name in sorted(found.left):
        yield {"note": f"{name} is computed over all answers at once and has no value of a sample: left out"}
    for cell in found.cells.values():
        yield from cell.notes()


def _lines(path: Path) -> Iterator[tuple[int, Record]]:
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(LINE + 1):
            number += 1
            if len(raw) > LINE:
                raise suite.DataError(
                    f"{path.name} line {number} has more than {LINE // 2**20} MiB", str(path)
                )
            if raw.strip():
                try:
                    row = json.loads(raw)  # with NaN, as Python writes it
                except (ValueError, RecursionError) as error:
                    fix = "copy the file again from where it was made"
                    raise suite.DataError(f"{path.name} line {number}: {error}", str(path), fix) from error
                if not isinstance(row, dict):
                    raise suite.DataError(f"{path.name} line {number} is no JSON object", str(path))
                yield number, row


def _settings(found: LmEvalResults, task: str) -> Record:
    """What shaped the answers beside the model."""
    config, told = mapping(found.told.get("config")), found.part(task, "configs")
    arguments = config.get("model_args")
    if isinstance(arguments, str):
        pairs = (one.partition("=") for one in arguments.split(","))
        arguments = {name.strip(): value for name, _, value in pairs}
    kept = {k: v for k, v in mapping(arguments).items() if k not in NAMES and not SECRET.search(k)}
    own = {
        "gen_kwargs": config.get("gen_kwargs"),
        "generation": told.get("generation_kwargs"),
        "limit": config.get("limit"),
    }
    hashes = {name: found.told.get(name) for name in ("system_instruction_sha", "chat_template_sha")}
    return {name: one for name, one in {**kept, **own, **hashes}.items() if one is not None}


def _of_doc(found: LmEvalResults, task: str, doc: LoggedDoc, row: Record) -> Iterator[Record]:
    """A record for each metric that has a value of the sample."""
    asked, choices = _asked(doc)
    for metric in doc.metrics or [name for name in RIGHT_OR_WRONG if name in row]:
        value = row.get(metric)
        if metric != NOT_SCORED and (isinstance(value, list | dict) or _corpus(found, task, metric)):
            found.left.add(f"{metric} of {task}")
            continue
        cell = found.cell(task, metric, doc.filter)
        part = {"part": task} if cell.parameters["task"] != task else {}
        sample = f"{task}/{doc.doc_id}" + (f"-{doc.doc_hash[:8]}" if doc.doc_hash else "")
        yield {
            **cell.named,
            "sample": sample,
            "tags": part,
            "output": _output(doc, choices, metric),
            "values": {} if metric == NOT_SCORED else cell.score(value, sample),
            "payload": {
                "question": asked,
                "choices": choices,
                "target": [str(one) for one in listed(doc.target)],
            },
        }


def _corpus(found: LmEvalResults, task: str, metric: str) -> bool:
    """Whether the configuration declares another aggregation than a mean."""
    each = (mapping(one) for one in listed(found.part(task, "configs").get("metric_list")))
    told = {str(one.get("aggregation") or "") for one in each if one.get("metric") == metric}
    return bool(told - PER_SAMPLE)


def _asked(doc: LoggedDoc) -> tuple[str, list[str]]:
    """The prompt, and the choices where each was a request of its own."""
    requests = [mapping(one) for one in mapping(doc.arguments).values()]
    first = requests[0].get("arg_0", "") if requests else ""
    asked = first if isinstance(first, str) else json.dumps(first, ensure_ascii=False)
    ends = [one.get("arg_1") for one in requests]
    return asked, [one.strip() for one in ends if isinstance(one, str)] if len(ends) > 1 else []


def _output(doc: LoggedDoc, choices: list[str], metric: str) -> Record:
    """The text that was generated, or the likeliest choice, as its metric weighs them."""
    replies = [each for one in listed(doc.resps) for each in listed(one)]
    if choices and len(replies) == len(choices):
        chances = [float(str(listed(one)[0])) for one in replies]
        sizes = [_size(text, metric) for text in choices]
        weighed = [one / size for one, size in zip(chances, sizes, strict=True)]
        text = choices[max(range(len(choices)), key=weighed.__getitem__)]
        return {"text": text, "finish": "stop", "data": {"loglikelihoods": chances}}
    text = str(replies[0]) if replies else ""
    data = {"filtered": doc.filtered_resps, **({"replies": replies} if len(replies) > 1 else {})}
    return {"text": text, "finish": "stop" if text.strip() else "empty", "data": data}


def _size(choice: str, metric: str) -> int:
    """By what a metric divides the likelihood of a choice."""
    return max(
        len(choice) if metric == "acc_norm" else len(choice.encode()) if metric == "acc_bytes" else 1, 1
    )
