"""What verifying a bundle finds: rungs of a ladder, and findings with stable codes.

All text that comes from a bundle is shown escaped and cut (`shown`): it may hold control characters,
markup or a megabyte.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypedDict, Unpack

import msgspec

from suite.data import strict_syntax
from suite.journal.shapes import matching
from suite.report.hostile_text import one_line

Severity = Literal["error", "warning", "note"]
RungStatus = Literal["passed", "warned", "failed", "not_run"]


class _Table(msgspec.Struct):
    rungs: dict[str, str]
    refused: dict[str, str]
    findings: dict[str, str]


_TABLE = strict_syntax.read_table(__package__, "findings.yaml", _Table)
WORDS = _TABLE.refused | _TABLE.findings
LONGEST = 200


class Refused(ValueError):
    """Why something of a bundle is refused. word: of the finding's code, as in the table; about: what its {}
    stand for. found: what stands there.
    """

    def __init__(self, word: str, *about: object, where: str = "", found: object = "") -> None:
        super().__init__(WORDS[word].format(*about))
        self.word, self.where, self.found = word.partition("/")[0], where, found


def refuse(wrong: object, word: str, *about: object, where: str = "", found: object = "") -> None:
    """Raises Refused where something is wrong."""
    if wrong:
        raise Refused(word, *about, where=where, found=found)


def shown(value: object, most: int = LONGEST) -> str:
    """A value for people: one line, nothing unsafe in it, at most `most` characters."""
    return one_line(value if isinstance(value, str) else repr(value), most)


class Sides(TypedDict, total=False):
    """Of which sample a finding is, what should stand there and what does; how bad that is, an error if
    nothing is said; and its words, where these are not those of its code.
    """

    sample: str
    expected: object
    found: object
    severity: Severity
    what: str


class RungFinding(msgspec.Struct, frozen=True):
    """One mismatch. code: "R4.missing-output": the rung and a stable word. where: file, line, run or
    field. sample: its id, "" if it is about no one sample. expected, found: both sides, escaped and cut.
    """

    code: Annotated[str, matching("R([0-9]|10|11)\\.[a-z][a-z0-9-]*")]
    severity: Severity
    what: str
    where: str
    sample: str
    expected: str
    found: str

    @property
    def rung(self) -> str:
        """The rung it belongs to, as "R4"."""
        return self.code.partition(".")[0]


@dataclass
class Rung:
    """One step of the ladder. reason: why it could not run. remark: for people. seconds: wall time."""

    id: str
    ran: bool = False
    reason: str = ""
    remark: str = ""
    seconds: float = 0.0
    errors: int = 0
    warnings: int = 0
    notes: int = 0
    by_code: Counter[str] = field(default_factory=Counter)

    @property
    def title(self) -> str:
        return _TABLE.rungs[self.id]

    @property
    def status(self) -> RungStatus:
        """failed: an error. not_run: could not run, or only in part. warned: warnings only."""
        if self.errors:
            return "failed"
        if not self.ran or self.reason:
            return "not_run"
        return "warned" if self.warnings else "passed"


class Findings:
    """Collects findings by rung. Counts all, keeps `most` of each code: memory stays flat.

    at: the rung that is being climbed, or was last. tick: called when one begins.
    """

    def __init__(self, most: int = 200, tick: Callable[[], None] | None = None) -> None:
        self.rungs = {name: Rung(name) for name in _TABLE.rungs}
        self.kept: list[RungFinding] = []
        self.at = "R0"
        self._most = most
        self._tick = tick

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_tick": None}

    def __iter__(self) -> Iterator[RungFinding]:
        return iter(self.kept)

    def add(self, code: str, where: str = "", *about: object, **told: Unpack[Sides]) -> None:
        """Note one. Its words are those of its code in the table, with {} replaced by `about`.

        Sides are escaped and cut here; `what`, `where` and `about` must hold no text of the bundle.
        """
        what, severity = told.get("what") or WORDS[code].format(*about), told.get("severity", "error")
        code = code.partition("/")[0]
        rung = self.rungs[code.partition(".")[0]]
        rung.ran = True
        rung.errors += severity == "error"
        rung.warnings += severity == "warning"
        rung.notes += severity == "note"
        rung.by_code[code] += 1
        if rung.by_code[code] <= self._most:
            sides = (told.get("sample", ""), told.get("expected", ""), told.get("found", ""))
            self.kept.append(RungFinding(code, severity, what, *map(shown, (where, *sides))))

    def refused(self, rung: str, wrong: Refused, where: str = "") -> None:
        """Note what was refused, at a place that its raiser may not know."""
        self.add(f"{rung}.{wrong.word}", wrong.where or where, what=str(wrong), found=wrong.found)

    @contextmanager
    def timing(self, rung: str) -> Iterator[None]:
        """Count the time of this for a rung."""
        self.at = rung
        if self._tick is not None:
            self._tick()
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = self.rungs[rung].seconds + time.perf_counter() - started
            self.rungs[rung].seconds = round(seconds, 3)

    @contextmanager
    def climbing(self, rung: str) -> Iterator[None]:
        """The same, for a rung that is climbed by this."""
        self.ran(rung)
        with self.timing(rung):
            yield

    def ran(self, rung: str) -> None:
        """The rung was climbed, whatever it found."""
        self.rungs[rung].ran = True

    def not_run(self, reason: str, *rungs: str) -> None:
        """These rungs could not be climbed, or not wholly; the first reason of each is shown."""
        for rung in rungs:
            self.rungs[rung].reason = self.rungs[rung].reason or shown(reason, 500)

    @property
    def errors(self) -> int:
        return sum(rung.errors for rung in self.rungs.values())

    @property
    def warnings(self) -> int:
        return sum(rung.warnings for rung in self.rungs.values())
