"""Typed blocks: what a plugin may show in a report. The suite escapes and draws them; no HTML here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from suite.scores import Unscored

Shown = str | float | int | bool | None  # a value as a report shows it


def shown(value: object) -> Shown:
    """A value as a report shows it: an unscored one with its reason, what is no plain value as its text."""
    if isinstance(value, Unscored):
        return f"unscored: {value.reason}"
    return value if isinstance(value, str | float | int | bool) or value is None else str(value)


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of plain text, shown as it is."""

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, in the order given."""

    facts: Mapping[str, Shown]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: column names and rows of as many cells. Numbers are right-aligned; None is shown as a dash."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a plot: points (x, y), optionally with an interval (low, high) for each."""

    name: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[tuple[float, float] | None] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of lines, points, bars or a histogram; `x_labels` names the ticks 0..k-1 of a category axis."""

    lines: Sequence[Line]
    x: str = ""
    y: str = ""
    kind: Literal["line", "points", "bars", "histogram"] = "line"
    title: str = ""
    y_range: tuple[float, float] | None = None
    x_labels: Sequence[str] = ()
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark at a line (1-based) of a Code block."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Source code with findings at its lines."""

    code: str
    language: str = "python"
    findings: Sequence[Finding] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a dialogue: who said it, what, and notes shown beside it (events, rewards …)."""

    speaker: str
    text: str
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Turns in order, as a timeline."""

    turns: Sequence[Turn]
    title: str = ""


Block = Text | Facts | Table | Plot | Code | Dialogue


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
