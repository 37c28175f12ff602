"""Records of one journal that wait for their partners in another one.

Two journals of one run are in about the same order, so few wait, and those are kept. Whoever wrote them can
have put them in any order: beyond `MOST` bytes only the places of the others are kept, and read again.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from suite.journal.reading import Reading, digest64
from suite.journal.records import OutputRecord, ScoreRecord

RecordT = TypeVar("RecordT", OutputRecord, ScoreRecord)
Key = tuple[str, str, int]
MOST = 16 * 2**20  # bytes of lines that are kept as records


def key_of(record: OutputRecord | ScoreRecord) -> Key:
    """Cell, sample and trial."""
    return record.cell, record.sample, record.trial


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
            self._far[digest64(*key)] = self._reading.offset

    def pop(self, key: Key) -> RecordT | None:
        """The record of a key, which waits no more."""
        near = self._near.pop(key, None)
        if near is not None:
            self._left += near[0]
            return near[1]
        offset = self._far.pop(digest64(*key), None) if self._far else None
        return None if offset is None else self._again(offset)

    def __contains__(self, key: Key) -> bool:
        return key in self._near or (bool(self._far) and digest64(*key) in self._far)

    def __len__(self) -> int:
        return len(self._near) + len(self._far)

    def __iter__(self) -> Iterator[RecordT]:
        """All that still wait."""
        for _, record in self._near.values():
            yield record
        for offset in self._far.values():
            yield self._again(offset)

    def _again(self, offset: int) -> RecordT:
        assert self._reading is not None
        found: RecordT = self._reading.lines.at(offset)
        return found
