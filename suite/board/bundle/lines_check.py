"""Lines of a journal held against the format: strict JSON, closed records, checksums.

A line is decoded as its record and encoded again: the same bytes mean that nothing stood in it twice, in
another notation or beyond the record's fields. Only a line that differs is parsed a second time, slowly
and strictly, and held against `registry/schemas/record.v1.json`. Not here: what records say of each other.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.rungs import Findings
from suite.board.bundle.schemas import schema_errors
from suite.data import strict_syntax
from suite.journal.records import checked, whole

RecordT_co = TypeVar("RecordT_co", bound=msgspec.Struct, covariant=True)

_encoder = msgspec.json.Encoder()
_MOST_BROKEN = 1000  # lines of one file: then it is read no further
_MOST_ODD = 1000  # lines in another notation than ours, which cost much more to hold against the format
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_INTEGER = re.compile(rb"[:,\[]-?[0-9]{16}")  # perhaps a float, or in a text: the strict parse tells
_TAIL = len(b',"crc":"00000000"')
_SCHEMA = "record.v1.json"
_NAMES = rb'(?:"(?:cell|sample|id|role|group|cluster)":"(?:[^"\\]|\\.)*+",)'
# which defaults lines of before hold, after names; later lines leave them out
_DEFAULTS = re.compile(rb'\A(\{%b++)(?:"trial":0,)?(%b*+)(?:"tags":\{\},)?' % (_NAMES, _NAMES))


class LinesCheck(Generic[RecordT_co]):
    """The records of one file; what is wrong with a line goes into `findings`, and the line is left out.

    where: the file's name in the bundle.
    """

    def __init__(
        self, path: Path, where: str, kind: type[RecordT_co], findings: Findings, limits: SizeLimits
    ) -> None:
        self.path, self.where = path, where
        self._kind = kind
        self.findings, self.limits = findings, limits
        self._decoder = msgspec.json.Decoder(kind)
        self.count = self._odd = 0

    def at(self, number: int) -> str:
        """A line's place, for findings."""
        return f"{self.where} line {number}"

    def records(self) -> Iterator[tuple[int, int, int, RecordT_co]]:
        """(line number, offset, length without newline, record) of every good line."""
        offset = broken = 0
        most = self.limits.line
        with self.path.open("rb") as file:
            while raw := file.readline(most + 1):
                self.count += 1
                line = raw[:-1]
                if raw[-1] != 10:
                    self._bad("R1.long-line" if len(raw) > most else "R1.torn-line", most)
                    return
                record = None
                try:
                    record = self._record(line)
                except strict_syntax.NotStrict as why:
                    self._bad("R1.not-strict-json/line", why.unquoted)
                if record is not None:
                    yield self.count, offset, len(line), record
                else:
                    broken += 1
                    if broken == _MOST_BROKEN:
                        self.findings.add("R1.too-many-broken", self.where)
                        return
                offset += len(raw)

    def _bad(self, code: str, *about: object, found: str = "") -> None:
        self.findings.add(code, self.at(self.count), *about, found=found)

    def _record(self, line: bytes) -> RecordT_co | None:
        """The record of a line, None for a line that is none. Raises NotStrict."""
        try:
            record = self._decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if not line.strip():
                self._bad("R1.blank-line")
                return None
            strict_syntax.read_exact(line, self.limits.depth)
            told = str(error) if isinstance(error, msgspec.MsgspecError) else ""
            self._bad("R1.record", found=told)
            return None
        if _DEFAULTS.sub(rb"\1\2", line[: -_TAIL - 1]) != _encoder.encode(record)[:-1]:
            if not self._closed(line):
                return None
        elif self._unusual(line):
            strict_syntax.read_exact(line, self.limits.depth)
        if not checked(line):
            self._bad("R2.line-checksum")
            return None
        try:
            return whole(record)
        except ValueError as error:
            self._bad("R1.record", found=str(error))
            return None

    def _closed(self, line: bytes) -> bool:
        """Whether a line in another notation than ours is a closed record. Raises NotStrict."""
        self._odd += 1
        if self._odd > _MOST_ODD:
            self.findings.add("R1.notation", self.where)
            return False
        value = strict_syntax.read_exact(line, self.limits.depth)
        part = self._kind.__name__.removesuffix("Record").lower()
        errors = list(schema_errors(_SCHEMA, value, 5, part))
        for field, what, found in errors:
            where = f"{self.at(self.count)}: {field}"
            self.findings.add("R1.record", where, what=f"a record {what}", found=found)
        return not errors

    def _unusual(self, line: bytes) -> bool:
        """Whether a line in our own notation may hold what only a strict parse can tell: an integer that
        doubles cannot hold, or deep nesting."""
        if line.count(b"{") + line.count(b"[") > self.limits.depth:
            return True
        digits = b"0" * 16 in line.translate(_DIGITS)  # much faster than a pattern, and rarely so
        return digits and _LONG_INTEGER.search(line) is not None
