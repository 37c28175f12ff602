"""Logs of inspect-ai as records: `.eval` archives and `.json` files of version 2.

Inspect-ai need not be installed. One sample at a time is held. A scorer is a cell, one that gives several
named values a cell for each. What counts as right or wrong is told by the scorer's name and declared metrics,
never by the values that occur.
Format: inspect_ai/log/_log.py, inspect_ai/log/_recorders/eval.py of 0.3.285.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

import suite
from suite_imports.archives import opened
from suite_imports.inspect_cells import InspectCells
from suite_imports.json_parts import parts
from suite_imports.values import TEXT, ImportedCell, Record, listed, mapping, tags

VERSION = 2  # of the log's format
FINISHES = {"max_tokens": "length", "model_length": "overflow", "content_filter": "refused"}
ATTACHED = "attachment://"
MEMBERS = ("samples/", ".json")
MOST_EPOCHS = 10_000


class LoggedSample(msgspec.Struct):
    """What is read of a sample; the rest (events, messages, store) is skipped unread."""

    id: int | str
    epoch: int
    input: str | list[Record]
    target: str | list[str] = ""
    choices: list[str] | None = None
    metadata: Record = {}
    output: Record = {}
    scores: dict[str, Record] | None = None
    error: Record | None = None
    limit: Record | None = None
    invalidation: Record | None = None
    attachments: dict[str, str] = {}


@dataclass(frozen=True)
class InspectLog:
    """A log: its header, and its samples when they are wanted."""

    path: Path
    header: Record
    samples: Callable[[], Iterator[tuple[str, LoggedSample]]]

    @property
    def spec(self) -> Record:
        """What was evaluated."""
        return mapping(self.header.get("eval"))

    @property
    def created(self) -> str:
        """When, as text that sorts."""
        return str(self.spec.get("created", ""))


def read(path: Path) -> Iterator[Record]:
    """One record for each value of each sample, of one log or all below a folder.

    Of logs of one task id (a retry repeats what was finished) the newest is read. Raises DataError for a
    file that is no log, is damaged, or is of another version of the format, naming it.
    """
    files = [path] if path.is_file() else sorted([*path.rglob("*.eval"), *path.rglob("*.json")])
    logs = [log for file in files if (log := _opened(file, strict=path.is_file())) is not None]
    if not logs:
        raise suite.DataError(
            "no logs of inspect found", str(path), "give a .eval or .json log, or their folder"
        )
    newest: dict[str, InspectLog] = {}
    for log in sorted(logs, key=lambda one: (one.created, one.path.name)):
        newest[str(log.spec.get("task_id") or log.path)] = log
    for log in logs:
        if log not in newest.values():
            yield {"note": f"left out {log.path.name}: a later log repeats its task"}
    for log in newest.values():
        yield from _records(log)


def _opened(path: Path, *, strict: bool) -> InspectLog | None:
    """The log of a file, None for another JSON file of a folder."""
    if path.suffix == ".eval":
        with opened(path) as archive:
            told = next((one for one in ("header.json", "_journal/start.json") if one in archive.names), None)
            if told is None:
                raise suite.DataError(f"{path.name} holds no log of inspect", str(path))
            header = mapping(_document(archive.read(told), path, told))
        samples = _archived
    else:
        header, samples = _head(path), _written
    if not ("eval" in header and "version" in header):
        if strict:
            raise suite.DataError(f"{path.name} is no log of inspect", str(path), "give a .eval or .json log")
        return None
    if header["version"] != VERSION:
        raise suite.DataError(
            f"{path.name} is of version {header['version']!r} of inspect's format; {VERSION} is read",
            str(path),
            "write it anew by inspect-ai 0.3.285: inspect log convert FILE --to eval --output-dir FOLDER",
        )
    return InspectLog(path, header, lambda: samples(path))


def _head(path: Path) -> Record:
    """All but the samples; what inspect writes behind them is of no use here."""
    found: Record = {}
    for name, raw in parts(path, "samples"):
        if name == "samples" and "eval" in found:
            break
        if name not in ("samples", "reductions"):
            found[name] = _document(raw, path, name)
    return found


def _archived(path: Path) -> Iterator[tuple[str, LoggedSample]]:
    with opened(path) as archive:
        for name in archive.names:
            if name.startswith(MEMBERS[0]) and name.endswith(MEMBERS[1]):
                yield name, _sample(archive.read(name), path, name)


def _written(path: Path) -> Iterator[tuple[str, LoggedSample]]:
    each = (raw for name, raw in parts(path, "samples") if name == "samples")
    for place, raw in enumerate(each):
        yield f"samples[{place}]", _sample(raw, path, f"sample {place}")


def _document(raw: bytes, path: Path, name: str) -> suite.Json:
    try:
        found: suite.Json = json.loads(raw)  # NaN and infinity stand for themselves in these logs
    except (ValueError, RecursionError) as error:
        raise suite.DataError(f"{name} is no JSON: {error}", str(path)) from error
    return found


def _sample(raw: bytes, path: Path, name: str) -> LoggedSample:
    try:
        try:
            return msgspec.json.decode(raw, type=LoggedSample)
        except (msgspec.DecodeError, UnicodeDecodeError):  # NaN is unscored, the rest is told by name
            return msgspec.convert(_document(raw, path, name), LoggedSample)
    except (msgspec.ValidationError, RecursionError) as error:
        raise suite.DataError(f"{name} is no sample of inspect: {error}", str(path)) from error


def _records(log: InspectLog) -> Iterator[Record]:
    results = mapping(log.header.get("results"))
    cells, model = InspectCells(log.spec, results), str(log.spec.get("model", ""))
    yield from _remarks(log, results)
    yield {"sampling": {cells.task: _settings(log)}, "model": model}
    met: dict[str, str] = {}  # id -> as the run has it
    for place, one in log.samples():
        try:
            each = list(_of_sample(cells, one))
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            raise suite.DataError(f"{place} is no sample of inspect: {error}", str(log.path)) from error
        for cell, record in each:
            met[str(one.id)] = str(record["sample"])
            cell.met.add((str(one.id), one.epoch))
            yield {**cell.named, **record, "model": model, "source": log.path.name, "row": place}
    planned = {
        str(one): f"{cells.task}/{one}" for one in listed(mapping(log.spec.get("dataset")).get("sample_ids"))
    }
    if results.get("early_stopping"):
        planned = {}
    for cell, sample, trial in _missing(log, cells, {**planned, **met}):
        yield {
            **cell.named, "model": model, "source": log.path.name, "sample": sample, "trial": trial,
            "output": None, "values": {}, "missing": "not in the log",
        }  # fmt: skip
    for cell in cells.known.values():
        yield from cell.notes()


def _remarks(log: InspectLog, results: Record) -> Iterator[Record]:
    """What a reader must know of the whole log."""
    status = log.header.get("status", "started")
    if status != "success":
        yield {"note": f"{log.path.name}: its run did not finish ({status}); what is missing is pending"}
    if results.get("early_stopping"):
        yield {"note": f"{log.path.name}: inspect stopped early; what it left out is no part of the run"}
    told = {str(mapping(one).get("reducer") or "mean") for one in listed(results.get("scores"))} - {"mean"}
    if told:
        names = ", ".join(sorted(told))
        yield {"note": f"{log.path.name}: inspect reduced epochs by {names}; here they are trials, averaged"}


def _missing(
    log: InspectLog, cells: InspectCells, samples: Record
) -> Iterator[tuple[ImportedCell, str, int]]:
    """(cell, sample, trial) of what was planned, or stands in another cell, and has no value."""
    config = mapping(log.spec.get("config"))
    told = config.get("epochs")
    early = mapping(log.header.get("results")).get("early_stopping")
    epochs = told if isinstance(told, int) and 0 < told <= MOST_EPOCHS and not early else 1
    known = list(cells.known.values())
    for cell in known or [cell for scorer in cells.scorers or ("none",) for cell in cells.all_of(scorer)]:
        for name, sample in samples.items():
            for epoch in range(1, epochs + 1):
                if (name, epoch) not in cell.met:
                    yield cell, str(sample), epoch - 1


def _settings(log: InspectLog) -> Record:
    """What shaped the answers beside the model: settings of generation, solvers, limits."""
    spec, plan = log.spec, mapping(log.header.get("plan"))
    config = mapping(spec.get("config"))
    generation = {**mapping(plan.get("config")), **mapping(spec.get("model_generate_config"))}
    steps = [[one.get("solver"), one.get("params")] for one in map(mapping, listed(plan.get("steps")))]
    limits = {name: one for name, one in config.items() if name.endswith("_limit") and one is not None}
    return {**generation, "solver": steps, **limits}


def _of_sample(cells: InspectCells, one: LoggedSample) -> Iterator[tuple[ImportedCell, Record]]:
    """(cell, record) of each value of a sample."""
    told, scores = one.attachments, one.scores or {}
    asked = _text(one.input, told)
    mark = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:8]
    part = one.metadata.get(cells.part) if cells.part else None
    record: Record = {
        # ids are often numbers, and other questions must not be paired
        "sample": f"{cells.task}/{one.id}-{mark}",
        "trial": one.epoch - 1,
        "cluster": f"{cells.cluster}={one.metadata[cells.cluster]}" if cells.cluster in one.metadata else "",
        "tags": {**tags(one.metadata), **({} if part is None else {"part": str(part)})},
        "payload": {
            "question": asked,
            "choices": [_text(text, told) for text in one.choices or ()],
            "target": [_text(text, told) for text in listed(one.target)],
        },
        "output": _output(one),
        "values": {},
    }
    if one.invalidation or (one.error and not scores):
        record |= {"output": None, "missing": "invalidated" if one.invalidation else "error"}
    for scorer in scores or cells.scorers or ("none",):
        score = mapping(scores.get(scorer))
        for name, value in cells.values(scorer, score.get("value")).items():
            cell = cells.of(scorer, name)
            found = dict(record)
            if record["output"] is not None and (scores or one.limit):
                why = (
                    str(score.get("reason") or "") if scores else f"limit of {mapping(one.limit).get('type')}"
                )
                found |= {
                    "values": cell.score(value, str(one.id), why, str(part)),
                    "judge": {scorer: _said(score, told)},
                }
            yield cell, found


def _said(score: Record, attachments: dict[str, str]) -> Record:
    """What a scorer said about its value."""
    told = {name: score.get(name) for name in ("answer", "explanation", "reason")}
    said: Record = {name: _text(text, attachments)[:TEXT] for name, text in told.items() if text is not None}
    if isinstance(value := score.get("value"), str):
        said["value"] = value[:TEXT]
    return said


def _output(one: LoggedSample) -> Record:
    choice = mapping(next(iter(listed(one.output.get("choices"))), None))
    content = mapping(choice.get("message")).get("content")
    text = _text(content if content is not None else one.output.get("completion"), one.attachments)
    finish = FINISHES.get(str(choice.get("stop_reason")), "stop" if text.strip() else "empty")
    if one.limit:
        finish = "limit"
    return {"text": text, "finish": "invalid" if one.error else finish}


def _text(value: suite.Json, attachments: dict[str, str]) -> str:
    """Text of an input or answer: plain, or of messages and their parts; what is no text is named."""
    if isinstance(value, str):
        if value.startswith(ATTACHED):
            return attachments.get(value.removeprefix(ATTACHED), value)
        return value
    if isinstance(value, list):
        return "\n\n".join(filter(None, (_text(one, attachments) for one in value)))
    found = mapping(value)
    if "role" in found:
        told = _text(found.get("content"), attachments)
        return told if found["role"] == "user" else f"[{found['role']}] {told}"
    if found.get("type", "text") in ("text", "reasoning"):
        return _text(found.get("text"), attachments) if "text" in found else ""
    return f"[{found['type']}]" if found else ""
