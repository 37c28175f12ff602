"""R4: exactly the samples and trials of the pinned data, each once, with its payload, cluster and tags.

The samples are made again from the pinned data and held against outputs and scores as multisets. In memory
stands 32 bytes a record and no text.
"""

import hashlib
from array import array
from collections.abc import Iterator
from operator import attrgetter

import msgspec

from suite.board.verify.subject import VerifiedRun
from suite.journal.index import digest64
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.run.plan import Plan
from suite.run.records import payload_sha256
from suite.task import AnySample

_canonical = msgspec.json.Encoder(order="sorted")
_MOST_TIMES = 4  # as many works as records, before they are not enumerated one by one
_FACTS = ("payload_sha256", "group", "cluster", "tags")  # of an output, that its sample gives
_recorded = attrgetter(*_FACTS)


def complete(subject: VerifiedRun) -> None:
    """Climb R4. Needs `subject.plan`."""
    plan = subject.planned
    subject.findings.ran("R4")
    _whole(subject, plan)
    outputs, scores = _read(subject, "output"), _read(subject, "score")
    works = plan.all_works
    if works > _MOST_TIMES * (len(outputs) + len(scores)) + 10_000:
        subject.add("R4.missing-output/far", expected=works, found=len(outputs))
        return
    subject.there = works
    for cell, sample in _expected(plan):
        key = digest64(cell, sample.id, sample.trial)
        if not sample.trial:
            subject.order.setdefault(cell, array("Q")).append(digest64(sample.id))
        place = subject.place("", f"cell {cell}, trial {sample.trial}")
        found, score = outputs.pop(key, None), scores.pop(key, None)
        if found is None:
            subject.there -= 1
            subject.add("R4.missing-output", place, sample=sample.id)
            continue
        if found != _digest(_facts(sample)):
            _changed(subject, Key(cell, sample.id, sample.trial), sample)
        if score is None:
            subject.add("R4.missing-score", place, sample=sample.id)
    for kind, left in (("output", outputs), ("score", scores)):
        for place, key, record in _placed(subject, kind) if left else ():
            if key in left:
                subject.add(f"R4.unknown-{kind}", place, sample=record.sample)


def _placed(subject: VerifiedRun, kind: str) -> Iterator[tuple[str, int, OutputRecord | ScoreRecord]]:
    """(where it stands, key, record) of each output or score."""
    outputs = kind == "output"
    records: Iterator[OutputRecord | ScoreRecord] = subject.run.outputs() if outputs else subject.run.scores()
    file = "outputs.jsonl" if outputs else "scoring/scores.jsonl"
    for number, one in enumerate(records, 1):
        where = subject.place(file, f"line {number}, cell {one.cell}, trial {one.trial}")
        yield where, digest64(*Key.of(one)), one


def _whole(subject: VerifiedRun, plan: Plan) -> None:
    manifest = subject.run.manifest
    where = subject.place("manifest.json")
    if manifest.imported:
        subject.add("R4.imported/run", where)
    if manifest.shard:
        subject.add("R4.partial", where, found=list(manifest.shard))
    counts, told = (msgspec.json.decode(msgspec.json.encode(one)) for one in (plan.counts, manifest.counts))
    for name, value in counts.items():
        if told[name] != value:
            subject.add("R4.counts", where, name, expected=value, found=told[name])


def _facts(sample: AnySample) -> tuple[object, ...]:
    return payload_sha256(sample.payload), sample.group, sample.cluster, dict(sample.tags)


def _digest(facts: object) -> bytes:
    return hashlib.blake2b(_canonical.encode(facts), digest_size=8).digest()


def _expected(plan: Plan) -> Iterator[tuple[str, AnySample]]:
    for group in plan.groups():
        for item in group.items:
            for trial in range(plan.request.trials):
                sample = item.sample if not trial else msgspec.structs.replace(item.sample, trial=trial)
                yield plan.cells[item.cell].id, sample


def _read(subject: VerifiedRun, kind: str) -> dict[int, bytes]:
    """Key -> digest of an output's facts; of a score nothing but that it is there."""
    found: dict[int, bytes] = {}
    for place, key, record in _placed(subject, kind):
        if key in found:
            subject.add(f"R4.repeated-{kind}", place, sample=record.sample)
        if isinstance(record, OutputRecord) and record.imported:
            subject.add("R4.imported", sample=record.sample)
        found[key] = _digest(_recorded(record)) if isinstance(record, OutputRecord) else b""
    return found


def _changed(subject: VerifiedRun, key: Key, sample: AnySample) -> None:
    """Name the fields in which a recorded output is not of its sample."""
    record = subject.run.output(key)
    place = subject.place("outputs.jsonl", f"cell {key.cell}, trial {key.trial}")
    for name, value, there in zip(_FACTS, _facts(sample), _recorded(record), strict=True):
        if there != value:
            code = f"R4.{name.removesuffix('_sha256')}"
            subject.add(code, place, sample=sample.id, expected=value, found=there)
