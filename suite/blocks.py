"""Typed blocks: what a plugin may show in a report. The suite escapes and draws them; no HTML here."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Literal, Protocol

import msgspec

from suite.scores import Unscored

Shown = str | float | int | bool | None  # a value as a report shows it


def shown(value: object) -> Shown:
    """A value as a report shows it: an unscored one with its reason, what is no plain value as its text."""
    if isinstance(value, Unscored):
        return f"unscored: {value.reason}"
    return value if isinstance(value, str | float | int | bool) or value is None else str(value)


class Text(msgspec.Struct, frozen=True):
    """A paragraph of plain text, shown as it is."""

    text: str
    title: str = ""


class Facts(msgspec.Struct, frozen=True):
    """Names and values, in the order given."""

    facts: Mapping[str, Shown]
    title: str = ""


class Table(msgspec.Struct, frozen=True):
    """A table: column names and rows of as many cells. Numbers are right-aligned; None is shown as a dash."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    title: str = ""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Shown]], title: str = "") -> "Table":
        """A table of rows, at least one, that all have the same columns by name."""
        return cls(tuple(rows[0]), [tuple(row.values()) for row in rows], title)


class WithInterval(Protocol):
    """A number with the ends of its interval; None where there is none."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


class Line(msgspec.Struct, frozen=True):
    """One series of a plot: points (x, y), optionally with an interval (low, high) for each."""

    name: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[tuple[float, float] | None] = ()

    @classmethod
    def of(cls, name: str, numbers: Sequence[WithInterval], x: Sequence[float] = ()) -> "Line":
        """Numbers with their intervals, at x or one after the other."""
        points = [(float(at), one.value or 0.0) for at, one in zip(x or count(), numbers, strict=False)]
        ends = [None if one.low is None or one.high is None else (one.low, one.high) for one in numbers]
        return cls(name, points, ends)


class Plot(msgspec.Struct, frozen=True):
    """A plot of lines, points, bars or a histogram; `x_labels` names the ticks 0..k-1 of a category axis."""

    lines: Sequence[Line]
    x: str = ""
    y: str = ""
    kind: Literal["line", "points", "bars", "histogram"] = "line"
    title: str = ""
    y_range: tuple[float, float] | None = None
    x_labels: Sequence[str] = ()
    diagonal: bool = False


class Finding(msgspec.Struct, frozen=True):
    """A remark at a line (1-based) of a Code block."""

    line: int
    text: str


class Code(msgspec.Struct, frozen=True):
    """Source code with findings at its lines."""

    code: str
    language: str = "python"
    findings: Sequence[Finding] = ()
    title: str = ""


class Turn(msgspec.Struct, frozen=True):
    """One turn of a dialogue: who said it, what, and notes shown beside it (events, rewards …)."""

    speaker: str
    text: str
    notes: Sequence[str] = ()


class Dialogue(msgspec.Struct, frozen=True):
    """Turns in order, as a timeline."""

    turns: Sequence[Turn]
    title: str = ""


Block = Text | Facts | Table | Plot | Code | Dialogue


class Section(msgspec.Struct, frozen=True):
    """A titled part of a report."""

    title: str
    blocks: Sequence[Block] = ()
