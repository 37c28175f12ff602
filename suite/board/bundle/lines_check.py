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

from suite.board.bundle.rungs import Findings
from suite.board.bundle.schemas import schema_errors
from suite.board.bundle.size_limits import SizeLimits
from suite.data import strict_syntax
from suite.journal.records import (
    AttemptRecord,
    BlockRecord,
    CallRecord,
    OutputRecord,
    ScoreRecord,
    checked,
    whole,
)

RecordT = TypeVar("RecordT", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_MOST_BROKEN = 1000  # lines of one file: then it is read no further
_MOST_ODD = 1000  # lines in another notation than ours, which cost much more to hold against the format
_LONG_INTEGER = re.compile(rb"[:,\[]-?[0-9]{16}")  # perhaps a float: the strict parse tells
_TAIL = len(b',"crc":"00000000"')
_SCHEMA = "record.v1.json"
KINDS: dict[type[msgspec.Struct], str] = {
    OutputRecord: "output",
    CallRecord: "call",
    BlockRecord: "block",
    AttemptRecord: "attempt",
    ScoreRecord: "score",
}
_TEXT = rb'"(?:[^"\\]|\\.)*+"'
_DEFAULTS: dict[type, re.Pattern[bytes]] = {  # which lines of before hold; then the rest begins
    OutputRecord: re.compile(
        rb'(\{"cell":%b,"sample":%b,)(?:"trial":0,)?("group":%b,"cluster":%b,)?(?:"tags":\{\},)?'
        % ((_TEXT,) * 4)
    ),
    CallRecord: re.compile(rb'(\{"id":%b,(?:"role":%b,)?"group":%b,)(?:"trial":0,)?()' % ((_TEXT,) * 3)),
    ScoreRecord: re.compile(rb'(\{"cell":%b,"sample":%b,)(?:"trial":0,)?()' % ((_TEXT,) * 2)),
}


class LinesCheck(Generic[RecordT]):
    """The records of one file; what is wrong with a line goes into `findings`, and the line is left out.

    where: the file's name in the bundle.
    """

    def __init__(
        self, path: Path, where: str, kind: type[RecordT], findings: Findings, limits: SizeLimits
    ) -> None:
        self.path, self.where = path, where
        self._kind = kind
        self._findings, self._limits = findings, limits
        self._decoder = msgspec.json.Decoder(kind)
        self.count = self._odd = 0

    def at(self, number: int) -> str:
        """A line's place, for findings."""
        return f"{self.where} line {number}"

    def records(self) -> Iterator[tuple[int, int, int, RecordT]]:
        """(line number, offset, length without newline, record) of every good line."""
        offset = broken = 0
        most = self._limits.line
        with self.path.open("rb") as file:
            while raw := file.readline(most + 1):
                self.count += 1
                line = raw[:-1]
                if raw[-1] != 10:
                    self._torn(len(raw) > most)
                    return
                record = self._record(line)
                if record is not None:
                    yield self.count, offset, len(line), record
                else:
                    broken += 1
                    if broken == _MOST_BROKEN:
                        what = "a journal is not read to its end"
                        self._findings.add("R1.too-many-broken", what, self.where)
                        return
                offset += len(raw)

    def _torn(self, too_long: bool) -> None:
        if too_long:
            what = f"a line is over {self._limits.line} bytes"
            self._findings.add("R1.long-line", what, self.at(self.count))
        else:
            self._findings.add("R1.torn-line", "the last line has no line break", self.at(self.count))

    def _record(self, line: bytes) -> RecordT | None:
        try:
            record = self._decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self._undecodable(line, error)
            return None
        if _short(self._kind, line[: -_TAIL - 1]) != _encoder.encode(record)[:-1]:
            if not self._strictly(line, odd=True):
                return None
        elif self._unusual(record, line) and not self._strictly(line, odd=False):
            return None
        if not checked(line):
            self._findings.add("R2.line-checksum", "a line has not its checksum", self.at(self.count))
            return None
        return whole(record)

    def _undecodable(self, line: bytes, error: Exception) -> None:
        where = self.at(self.count)
        if not line.strip():
            self._findings.add("R1.blank-line", "a line is blank", where)
            return
        try:
            strict_syntax.read_exact(line, self._limits.depth)
        except strict_syntax.NotStrict as why:
            self._findings.add("R1.not-strict-json", f"a line {why.unquoted}", where)
            return
        text = str(error) if isinstance(error, msgspec.MsgspecError) else ""
        self._findings.add("R1.record", "a line is no record of its file", where, found=text)

    def _strictly(self, line: bytes, *, odd: bool) -> bool:
        """Whether a line is strict JSON, and one in another notation than ours (odd) a closed record."""
        if odd:
            self._odd += 1
            if self._odd > _MOST_ODD:
                self._findings.add(
                    "R1.notation", "too many lines are not written as the suite writes", self.where
                )
                return False
        try:
            value = strict_syntax.read_exact(line, self._limits.depth)
        except strict_syntax.NotStrict as why:
            self._findings.add("R1.not-strict-json", f"a line {why.unquoted}", self.at(self.count))
            return False
        if not odd:
            return True
        good = True
        for field, what, found in schema_errors(_SCHEMA, value, 5, KINDS[self._kind]):
            self._findings.add(
                "R1.record", f"a record {what}", f"{self.at(self.count)}: {field}", found=found
            )
            good = False
        return good

    def _unusual(self, record: msgspec.Struct, line: bytes) -> bool:
        """Whether a line in our own notation may hold what only a strict parse can tell: an integer that
        doubles cannot hold, or deep nesting where any JSON may stand."""
        counts: list[int] = []
        free = False
        if isinstance(record, ScoreRecord):
            counts = [record.trial, *(one for one in record.values.values() if type(one) is int)]
            free = bool(record.parts)
        elif isinstance(record, AttemptRecord):
            counts = [record.trial]
        elif isinstance(record, OutputRecord):
            counts, free = [record.trial], record.output.data is not None
        elif isinstance(record, BlockRecord):
            free = record.extra is not None
        elif isinstance(record, CallRecord):
            reply, options, usage = record.reply, record.options, record.reply.usage
            free = (
                reply.details is not None
                or options.json_schema is not None
                or options.template is not None
                or bool(reply.ranking)
            )
            counts = [
                record.trial,
                record.attempt,
                usage.prompt,
                usage.completion,
                usage.cached,
                usage.reasoning,
            ]
            counts += [options.max_tokens or 0, options.logprobs or 0, options.top or 0]
        if any(abs(one) > strict_syntax.BIGGEST for one in counts):
            return True
        return free and (
            line.count(b"{") + line.count(b"[") > self._limits.depth or _LONG_INTEGER.search(line) is not None
        )


def _short(kind: type, line: bytes) -> bytes:
    """A line without the zeros and empty objects that lines of before hold, and later ones leave out."""
    pattern = _DEFAULTS.get(kind)
    return line if pattern is None else pattern.sub(rb"\1\2", line, count=1)
