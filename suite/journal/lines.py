"""The lines of a journal's file: streamed, checksummed, tolerant of a torn last line and of nothing else.

Files may be followed while a run is going.
"""

import os
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import msgspec

from suite.errors import DamagedError, RunError
from suite.files import open_regular
from suite.journal.records import PARTIAL, BroughtSample, checked, whole

RecordT = TypeVar("RecordT")


def damaged(path: Path, line: int, why: str) -> DamagedError:
    """The error for a line that is not what was written."""
    return DamagedError.of("journal.damaged", path=path, line=line, why=why)


class Lines(Generic[RecordT]):
    """The records of one file. A missing file has none."""

    def __init__(self, path: Path, kind: type[RecordT]) -> None:
        self.path = path
        self._fd = -1  # of `at`; a number, since nothing says in which order garbage goes
        self._decode = msgspec.json.Decoder(kind).decode
        self._partial = kind in PARTIAL
        self._checked = kind is not BroughtSample

    def decode(self, raw: bytes, number: int) -> RecordT:
        """One record from its line, checksum first. Raises RunError naming file and line."""
        line = raw.removesuffix(b"\n")
        if self._checked and not checked(line):
            raise damaged(self.path, number, "its checksum does not match")
        try:
            record = self._decode(line)
            return whole(record) if self._partial else record
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise damaged(self.path, number, str(error)) from error

    def opened(self) -> BinaryIO:
        """The file to read. Raises RunError where something else stands in its place."""
        try:
            return open_regular(self.path)
        except OSError as error:
            raise RunError(f"{self.path.name} cannot be read: {error.strerror}", str(self.path)) from error

    def _whole(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(number from 1, line) of every line with its newline; what is torn never was a record."""
        if self.path.exists():
            with self.opened() as file:
                file.seek(start)
                yield from enumerate(takewhile(lambda raw: raw[-1] == 10, file), 1)

    def placed(self, offset: int = 0) -> Iterator[tuple[int, int, RecordT]]:
        """(offset of the line, its bytes, record) for every whole line, in file order, from a line on."""
        for number, raw in self._whole(offset):
            yield offset, len(raw), self.decode(raw, number)
            offset += len(raw)

    def raw(self) -> Iterator[bytes]:
        """Every whole line without its newline, its checksum held; not decoded."""
        for number, raw in self._whole():
            if not checked(raw[:-1]):
                raise damaged(self.path, number, "its checksum does not match")
            yield raw[:-1]

    def __iter__(self) -> "Reading[RecordT]":
        return Reading(self)

    def at(self, offset: int) -> RecordT:
        """The record that starts at an offset. The file stays open for the next one."""
        if self._fd < 0:
            with self.opened() as file:
                self._fd = os.dup(file.fileno())
        raw = b""
        while not (end := raw.find(b"\n") + 1):
            more = os.pread(self._fd, max(4096, len(raw)), offset + len(raw))
            if not more:
                break
            raw += more
        return self.decode(raw[: end or None], 0)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class Reading(Iterator[RecordT]):
    """The records of one file in order. offset, size: where the last one stands, and its bytes."""

    def __init__(self, lines: Lines[RecordT]) -> None:
        self.lines = lines
        self.offset = self.size = 0
        self._placed = lines.placed()

    def __next__(self) -> RecordT:
        self.offset, self.size, record = next(self._placed)
        return record
