"""Results of lm-evaluation-harness as records: `results_*.json` and its `samples_*.jsonl`.

Lm-eval need not be installed. One line at a time is held. A metric with a filter is a cell. A metric that is
computed over all answers at once (BLEU, F1 of classes, perplexity) has no value of a sample and is left out
with a note. What counts as right or wrong is told by the metric and the task's configuration, never by the
values that occur.
Format: lm_eval/result_schema.py, lm_eval/loggers/evaluation_tracker.py of 0.4.13.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

import suite
from suite_imports.lm_eval_cells import NOT_SCORED, RIGHT_OR_WRONG, LmEvalResults
from suite_imports.values import Record, listed, mapping

DATE = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)\.json$")
NAMES = ("pretrained", "model", "path", "engine", "peft", "delta", "base_url")  # whose, not how
SECRET = re.compile(r"(^|_)(key|token|secret|password|auth)(_|$)", re.IGNORECASE)
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
        met: dict[str, dict[str, str]] = {}  # filter -> document -> sample
        for line, row in _lines(file):
            base: Record = {"model": found.model, "source": file.name, "row": line}
            try:
                doc = msgspec.convert(row, LoggedDoc)
                each = list(_of_doc(found, task, doc, row))
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
                raise suite.DataError(
                    f"{file.name} line {line}: no sample of lm-eval: {error}", str(file)
                ) from error
            met.setdefault(doc.filter, {})[str(doc.doc_id)] = _sample(task, doc)
            for record in each:
                yield {**base, **record}
        for record in _missing(found, task, met, file.name):
            yield {"model": found.model, "source": file.name, **record}
    for name in sorted(found.left):
        yield {"note": f"{name} is computed over all answers at once and has no value of a sample: left out"}
    for cell in found.cells.values():
        yield from cell.notes()


def _missing(found: LmEvalResults, task: str, met: dict[str, dict[str, str]], file: str) -> Iterator[Record]:
    """A pending record for each value that the results count and the samples lack, and a line that says so.

    met: filter -> document -> sample. A document that has a line and no value there had none for lm-eval.
    """
    samples = {doc: sample for each in met.values() for doc, sample in each.items()}
    count = found.length(task)
    if len(samples) < count:  # lines number their documents from 0, unless --samples chose them
        numbers = [str(doc) for doc in range(count)]
        whole = samples.keys() <= set(numbers)
        spare = [doc if whole else f"missing-{doc}" for doc in numbers if not whole or doc not in samples]
        samples |= {doc: f"{task}/{doc}" for doc in spare[: count - len(samples)]}
    for metric, name in found.values(task):
        gone = [sample for doc, sample in samples.items() if doc not in met.get(name, ())]
        left = f"{metric} of {task}" in found.left or found.corpus(task, metric)
        if left and metric != NOT_SCORED:
            found.left.add(f"{metric} of {task}")
        elif gone:
            told = f"{metric},{name} of {task}: {len(gone):,} of {len(samples):,} samples"
            yield {"note": f"{told} are not in {file}; they are pending"}
            cell = found.cell(task, metric, name)
            for one in gone:
                yield {**cell.named, "sample": one, "output": None, "values": {}, "missing": "not in the log"}
        elif not found.met(task, metric, name):
            yield {"note": f"{metric},{name} of {task} is printed, and no line of {file} has it: left out"}


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
        if metric != NOT_SCORED and (isinstance(value, list | dict) or found.corpus(task, metric)):
            found.left.add(f"{metric} of {task}")
            continue
        cell = found.cell(task, metric, doc.filter)
        part = {"part": task} if cell.parameters["task"] != task else {}
        sample = _sample(task, doc)
        yield {
            **cell.named,
            "sample": sample,
            "tags": part,
            "output": _output(doc, choices, metric),
            "values": {} if metric == NOT_SCORED else cell.score(value, sample),
            "payload": {
                "question": asked,
                "choices": choices,
                "target": _target(doc, choices),
            },
        }


def _sample(task: str, doc: LoggedDoc) -> str:
    """The id of a document's sample."""
    return f"{task}/{doc.doc_id}" + (f"-{doc.doc_hash[:8]}" if doc.doc_hash else "")


def _asked(doc: LoggedDoc) -> tuple[str, list[str]]:
    """The prompt, and the choices where each was a request of its own."""
    requests = [mapping(one) for one in mapping(doc.arguments).values()]
    firsts, ends = ([_plain(one.get(name)) for one in requests] for name in ("arg_0", "arg_1"))
    if len(requests) < 2:
        return "".join(firsts), []
    if len(set(ends)) == 1:  # one ending for several contexts
        return ends[0], firsts
    half = len(ends) // 2  # acc_mutual_info asks for each choice again, without the question
    return firsts[0], ends[:half] if half > 1 and ends[:half] == ends[half:] else ends


def _plain(value: suite.Json) -> str:
    """A text without the space that led it, or JSON."""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _target(doc: LoggedDoc, choices: list[str]) -> list[str]:
    """What would be right; the text of a choice that is told by its number."""
    each = [str(one) for one in listed(doc.target)]
    numbers = {str(place): text for place, text in enumerate(choices)}
    return each if set(each) & set(choices) else [numbers.get(one, one) for one in each]


def _output(doc: LoggedDoc, choices: list[str], metric: str) -> Record:
    """The text that was generated, or the likeliest choice, as its metric weighs them."""
    replies = [each for one in listed(doc.resps) for each in listed(one)]
    if choices and len(replies) >= len(choices):
        chances = [float(str(listed(one)[0])) for one in replies[: len(choices)]]
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
