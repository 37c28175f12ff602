"""R4: exactly the samples and trials of the pinned data, each once, with its payload, cluster and tags.

The samples are made again from the pinned data and held against outputs and scores as multisets. In memory
stands 32 bytes a record and no text.
"""

import hashlib
from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import msgspec

from suite.board.verify.subject import VerifiedRun
from suite.journal.index import digest64
from suite.journal.records import grouping
from suite.run.plan import Plan
from suite.run.records import payload_sha256
from suite.task import AnySample

_canonical = msgspec.json.Encoder(order="sorted")
_MOST_TIMES = 4  # as many works as records, before they are not enumerated one by one
_MOST_EXPLAINED = 1000  # changed samples whose fields are named


class _Keys(msgspec.Struct):
    cell: str
    sample: str
    trial: int = 0


class _Facts(_Keys, kw_only=True):
    """What R4 needs of an output."""

    group: str = ""
    cluster: str = ""
    tags: dict[str, str] = {}
    payload_sha256: str
    imported: bool = False


def complete(subject: VerifiedRun) -> None:
    """Climb R4. Needs `subject.plan`."""
    plan = subject.plan
    assert plan is not None
    subject.findings.ran("R4")
    _whole(subject, plan)
    outputs = _outputs(subject)
    scores = _scores(subject)
    works = plan.all_works
    if works > _MOST_TIMES * (len(outputs) + len(scores)) + 10_000:
        subject.add("R4.missing-output", "far fewer outputs than samples", expected=works, found=len(outputs))
        return
    subject.there = works
    changed: dict[int, tuple[str, AnySample]] = {}
    for cell, sample in _expected(plan):
        key = digest64(cell, sample.id, sample.trial)
        if not sample.trial:
            subject.order.setdefault(cell, array("Q")).append(digest64(sample.id))
        place = subject.place("", f"cell {cell}, trial {sample.trial}")
        found = outputs.pop(key, None)
        if found is None:
            subject.there -= 1
            subject.add("R4.missing-output", "a sample has no output", place, sample=sample.id)
        elif found != _digest(payload_sha256(sample.payload), sample.group, sample.cluster, sample.tags):
            if len(changed) < _MOST_EXPLAINED:
                changed[key] = (cell, sample)
            else:
                subject.add("R4.sample", "an output is not of the pinned sample", place, sample=sample.id)
        if key in scores:
            scores.discard(key)
        elif found is not None:
            subject.add("R4.missing-score", "an output has no score", place, sample=sample.id)
    if changed:
        _explain(subject, changed)
    for file, left in (("outputs", outputs), ("scores", scores)):
        if left:
            _unknown(subject, file, left)


def _whole(subject: VerifiedRun, plan: Plan) -> None:
    manifest = subject.manifest
    where = subject.place("manifest.json")
    if manifest.imported:
        subject.add("R4.imported", "the run was imported, not made by the suite", where)
    if manifest.shard:
        subject.add("R4.partial", "the run is one shard of a larger one", where, found=list(manifest.shard))
    counts, told = (msgspec.json.decode(msgspec.json.encode(one)) for one in (plan.counts, manifest.counts))
    for name, value in counts.items():
        if told[name] != value:
            what = f"counts.{name} is not what the pinned data gives"
            subject.add("R4.counts", what, where, expected=value, found=told[name])


def _digest(payload: str, group: str, cluster: str, tags: Mapping[str, str]) -> bytes:
    body = _canonical.encode([payload, group, cluster, dict(tags)])
    return hashlib.blake2b(body, digest_size=8).digest()


def _expected(plan: Plan) -> Iterator[tuple[str, AnySample]]:
    for group in plan.groups():
        for item in group.items:
            for trial in range(plan.request.trials):
                sample = item.sample if not trial else replace(item.sample, trial=trial)
                yield plan.cells[item.cell].id, sample


def _outputs(subject: VerifiedRun) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    decoder = msgspec.json.Decoder(_Facts)
    for number, line in enumerate(subject.run.journal.outputs.raw(), 1):
        one = decoder.decode(line)
        key = digest64(one.cell, one.sample, one.trial)
        if key in found:
            _twice(subject, "outputs.jsonl", number, one)
        if one.imported:
            subject.add("R4.imported", "an output was imported", sample=one.sample)
        group, cluster = grouping(one.sample, one.group, one.cluster)
        found[key] = _digest(one.payload_sha256, group, cluster, one.tags)
    return found


def _scores(subject: VerifiedRun) -> set[int]:
    found: set[int] = set()
    decoder = msgspec.json.Decoder(_Keys)
    for number, line in enumerate(subject.run.judged.scores.raw(), 1):
        one = decoder.decode(line)
        key = digest64(one.cell, one.sample, one.trial)
        if key in found:
            _twice(subject, "scoring/scores.jsonl", number, one)
        found.add(key)
    return found


def _twice(subject: VerifiedRun, file: str, number: int, one: _Keys) -> None:
    what = "outputs" if file == "outputs.jsonl" else "scores"
    where = subject.place(file, f"line {number}, cell {one.cell}, trial {one.trial}")
    subject.add(f"R4.repeated-{what.removesuffix('s')}", f"a sample has two {what}", where, sample=one.sample)


def _explain(subject: VerifiedRun, changed: dict[int, tuple[str, AnySample]]) -> None:
    """Name the fields in which recorded outputs are not of their samples."""
    for number, record in enumerate(subject.run.journal.outputs, 1):
        found = changed.get(digest64(record.cell, record.sample, record.trial))
        if found is None:
            continue
        cell, sample = found
        for name, value in (
            ("payload_sha256", payload_sha256(sample.payload)),
            ("group", sample.group),
            ("cluster", sample.cluster),
            ("tags", dict(sample.tags)),
        ):
            if getattr(record, name) != value:
                code, what = f"R4.{name.removesuffix('_sha256')}", f"{name} is not that of the pinned sample"
                where = subject.place("outputs.jsonl", f"line {number}, cell {cell}, trial {sample.trial}")
                there = getattr(record, name)
                subject.add(code, what, where, sample=sample.id, expected=value, found=there)


def _unknown(subject: VerifiedRun, file: str, left: Collection[int]) -> None:
    lines = (subject.run.journal.outputs if file == "outputs" else subject.run.judged.scores).raw()
    for number, one in enumerate(map(msgspec.json.Decoder(_Keys).decode, lines), 1):
        if digest64(one.cell, one.sample, one.trial) in left:
            code, what = f"R4.unknown-{file.removesuffix('s')}", "no such sample or trial in the pinned data"
            name = f"{'scoring/' if file == 'scores' else ''}{file}.jsonl"
            where = subject.place(name, f"line {number}, cell {one.cell}, trial {one.trial}")
            subject.add(code, what, where, sample=one.sample)
