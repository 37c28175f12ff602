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
    spec = log.spec
    cells = InspectCells(spec, mapping(log.header.get("results")))
    task, model = str(spec.get("task", "")), str(spec.get("model", ""))
    status = log.header.get("status", "started")
    if status != "success":
        yield {"note": f"{log.path.name}: its run did not finish ({status}); what is missing is pending"}
    reducers = {str(mapping(one).get("reducer") or "mean") for one in _printed(log)} - {"mean"}
    if reducers:
        told = ", ".join(sorted(reducers))
        yield {"note": f"{log.path.name}: inspect reduced epochs by {told}; here they are trials, averaged"}
    yield {"sampling": {task: _settings(log)}, "model": model}
    met: set[str] = set()
    for place, one in log.samples():
        met.add(str(one.id))
        base: Record = {"model": model, "source": log.path.name, "row": place, "trial": one.epoch - 1}
        try:
            each = list(_of_sample(cells, task, one))
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            raise suite.DataError(f"{place} is no sample of inspect: {error}", str(log.path)) from error
        for cell, record in each:
            yield {**base, **cell.named, **record}
    for scorer in () if cells.known else cells.scorers or ("none",):
        for name in cells.names(scorer):
            cells.of(scorer, name)
    planned = [str(one) for one in listed(mapping(spec.get("dataset")).get("sample_ids"))]
    for identity in (one for one in planned if one not in met):
        for cell in list(cells.known.values()):
            yield {
                "model": model, "source": log.path.name, **cell.named, "sample": f"{task}/{identity}",
                "output": None, "values": {}, "missing": "not in the log",
            }  # fmt: skip
    for cell in cells.known.values():
        yield from cell.notes()


def _printed(log: InspectLog) -> list[suite.Json]:
    return listed(mapping(log.header.get("results")).get("scores"))


def _settings(log: InspectLog) -> Record:
    """What shaped the answers beside the model: settings of generation, solvers, limits."""
    spec, plan = log.spec, mapping(log.header.get("plan"))
    config = mapping(spec.get("config"))
    generation = {**mapping(plan.get("config")), **mapping(spec.get("model_generate_config"))}
    steps = [[one.get("solver"), one.get("params")] for one in map(mapping, listed(plan.get("steps")))]
    limits = {name: one for name, one in config.items() if name.endswith("_limit") and one is not None}
    return {**generation, "solver": steps, **limits}


def _of_sample(cells: InspectCells, task: str, one: LoggedSample) -> Iterator[tuple[ImportedCell, Record]]:
    """(cell, record) of each value of a sample."""
    told = one.attachments
    asked = _text(one.input, told)
    mark = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:8]
    facts = mapping(one.metadata)
    part = facts.get(cells.part) if cells.part else None
    record: Record = {
        "sample": f"{task}/{one.id}-{mark}",  # ids are often numbers: other questions must not be paired
        "cluster": f"{cells.cluster}={facts[cells.cluster]}" if cells.cluster in facts else "",
        "tags": {**tags(facts), **({} if part is None else {"part": str(part)})},
        "payload": {
            "question": asked,
            "choices": [_text(text, told) for text in one.choices or ()],
            "target": [_text(str(text), told) for text in listed(one.target)],
        },
    }
    scores = one.scores or {}
    why = "invalidated" if one.invalidation else "error" if one.error and not scores else ""
    if not why:
        record["output"] = _output(one)
    for scorer in scores or cells.scorers or ("none",):
        score = mapping(scores.get(scorer))
        value, own = (
            score.get("value"),
            {name: score.get(name) for name in ("answer", "explanation", "reason")},
        )
        said = {name: _text(str(text), told)[:TEXT] for name, text in own.items() if text is not None}
        if isinstance(value, str) and len(value) < TEXT:
            said["value"] = value
        named: Record = (
            {str(place): each for place, each in enumerate(value)} if isinstance(value, list) else {}
        )
        named = named or mapping(value) or dict.fromkeys(cells.names(scorer), value)
        for name, each in named.items():
            cell = cells.of(scorer, name)
            if why:
                yield cell, {**record, "output": None, "values": {}, "missing": why}
            elif scores:
                reason = str(score.get("reason") or "") if value != value or each is None else ""  # noqa: PLR0124
                values = cell.score(each, str(one.id), reason)
                yield cell, {**record, "values": values, "judge": {scorer: said} if said else None}
            elif one.limit:
                reason = f"not scored: limit of {one.limit.get('type')}"
                yield cell, {**record, "values": cell.score(None, str(one.id), reason)}
            else:
                yield cell, {**record, "values": {}}


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
