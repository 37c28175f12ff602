"""Outputs with their scores, and the records of one journal that wait for their partners in the other.

Two journals of one run are in about the same order, so few wait, and those are kept. Whoever wrote them can
have put them in any order: beyond `MOST` bytes only the places of the others are kept, and read again.
"""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from suite.errors import RunError
from suite.journal.index import key64
from suite.journal.lines import Reading
from suite.journal.records import OutputRecord, ScoreRecord

RecordT = TypeVar("RecordT", bound=OutputRecord | ScoreRecord)
OtherT = TypeVar("OtherT", bound=OutputRecord | ScoreRecord)
MOST = 16 * 2**20  # bytes of lines that are kept as records


class Key(NamedTuple):
    """Which record: cell, sample, trial."""

    cell: str
    sample: str
    trial: int

    @classmethod
    def of(cls, record: OutputRecord | ScoreRecord) -> "Key":
        return cls(record.cell, record.sample, record.trial)


class Waiting(Generic[RecordT]):
    """The waiting records of a journal that is read by `source`, found by their keys."""

    def __init__(self, source: Iterator[RecordT], most: int | None = None) -> None:
        self._reading: Reading[RecordT] | None = source if isinstance(source, Reading) else None
        self._left = MOST if most is None else most
        self._near: dict[Key, tuple[int, RecordT]] = {}
        self._far: dict[int, int] = {}  # digest -> offset

    def put(self, key: Key, record: RecordT) -> None:
        """Keep the record that was read last."""
        size = self._reading.size if self._reading is not None else 0
        if self._reading is None or size <= self._left:
            self._near[key] = size, record
            self._left -= size
        else:
            self._far[key64(key)] = self._reading.offset

    def pop(self, key: Key) -> RecordT | None:
        """The record of a key, which waits no more."""
        near = self._near.pop(key, None)
        if near is not None:
            self._left += near[0]
            return near[1]
        offset = self._far.pop(key64(key), None) if self._far else None
        return None if offset is None else self._again(offset)

    def __contains__(self, key: Key) -> bool:
        return key in self._near or (bool(self._far) and key64(key) in self._far)

    def __len__(self) -> int:
        return len(self._near) + len(self._far)

    def __iter__(self) -> Iterator[RecordT]:
        for _, record in self._near.values():
            yield record
        for offset in self._far.values():
            yield self._again(offset)

    def _again(self, offset: int) -> RecordT:
        assert self._reading is not None
        found: RecordT = self._reading.lines.at(offset)
        return found


def _partner(record: RecordT, waiting: Waiting[RecordT], others: Waiting[OtherT], once: str) -> OtherT | None:
    """The partner of the record of a journal that was read last, if that waits; else the record waits."""
    key = Key.of(record)
    partner = others.pop(key)
    if partner is None:
        if once and key in waiting:
            raise RunError(f"sample {key[1]!r} of cell {key[0]}, trial {key[2]}, stands twice in {once}")
        waiting.put(key, record)
    return partner


def side_by_side(
    left: Iterator[RecordT], right: Iterator[OtherT], once: tuple[str, str] = ("", "")
) -> Iterator[tuple[RecordT | None, OtherT | None]]:
    """The records of two journals by their keys, with None for what the other journal lacks.

    Both are in about the same order, so few records wait for their partner. once: names of the files where a
    key stands once; raises RunError for a record that waits there twice.
    """
    waiting, others = Waiting(left), Waiting(right)
    going = True
    while going:
        record, other = next(left, None), next(right, None)
        both = record is not None and other is not None and Key.of(record) == Key.of(other)
        if both and not (waiting or others):  # as nearly always
            yield record, other
            continue
        if record is not None and (partner := _partner(record, waiting, others, once[0])) is not None:
            yield record, partner
        if other is not None and (match := _partner(other, others, waiting, once[1])) is not None:
            yield match, other
        going = record is not None or other is not None
    for record in waiting:
        yield record, None
    for other in others:
        yield None, other


def pairs(
    outputs: Iterator[OutputRecord], scores: Iterator[ScoreRecord], where: str = ""
) -> Iterator[tuple[OutputRecord, ScoreRecord | None]]:
    """Each output with its score; None for those not scored yet. where: the run, for errors.

    Raises RunError for a record that stands twice or a score without an output.
    """
    for output, score in side_by_side(outputs, scores, ("outputs.jsonl", "scores.jsonl")):
        if output is not None:
            yield output, score
        elif score is not None:
            cell, sample, trial = Key.of(score)
            raise RunError(f"a score of sample {sample!r} (cell {cell}, trial {trial}) has no output", where)
