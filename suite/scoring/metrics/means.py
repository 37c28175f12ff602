"""Means and rates: whole, by slice, and averaged over slices.

Which interval and why: `stats.means` and docs/statistics.md. A mean of trials is graded, whatever its trials
were.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure, Over, Range
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice


@dataclass(frozen=True)
class Mean(OfOneCell):
    """The mean of a value over samples, or over the parts of all scores.

    range: the ends of the value's scale, for clipping and for bounds; None if it has none.
    average: with one tag in `by`, which of the two totals has the plain name: "micro" (over all units) or
    "macro" (the mean of the slices); the other is beside it as NAME_macro or NAME_micro.
    """

    value: str
    range: Range | None = field(default=None, kw_only=True)
    over: Over = field(default="samples", kw_only=True)
    average: Literal["micro", "macro"] = field(default="micro", kw_only=True)

    kind: ClassVar[str] = "mean"
    binary: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._named(self.value)
        if self.average == "macro" and len(self.slices) != 1:
            raise ConfigError(f"metric {self.name!r}: a macro average needs exactly one tag in `by`")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ConfigError(f"metric {self.name!r}: the range {self.range} is empty")

    @property
    def other(self) -> str:
        """Name of the total that is not the plain one, "" if there is none."""
        if len(self.slices) != 1:
            return ""
        return f"{self.name}_{'micro' if self.average == 'macro' else 'macro'}"

    def measures(self) -> tuple[Measure, ...]:
        """The metric, and the other average where it is sliced by one tag."""
        return tuple(
            replace(
                self._measure(row, self.value),
                value=self.value if self.over == "samples" else "",
                top=lambda columns: columns[self.value],
                macro=self._macro(row),
                binary=self.binary,
            )
            for row in filter(None, (self.name, self.other))
        )

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """The total of the plain name; of the whole, also the other total."""
        measures = self.measures()
        plain = next(one for one in measures if not one.macro)
        units = part.units(plain)
        for one in [replace(plain, name=self.name)] if part.tags else measures:
            yield part.macro_row(one, units) if one.macro else part.mean_row(one, units)

    def _macro(self, row: str) -> str:
        """The tag that a row is a macro average over, "" for none."""
        return self.slices[0] if self.other and (self.average == "macro") == (row == self.name) else ""


@dataclass(frozen=True)
class Rate(Mean):
    """The share of samples (or parts) whose 0/1 value is true."""

    range: Range | None = field(default=(0.0, 1.0), kw_only=True)

    kind: ClassVar[str] = "rate"
    binary: ClassVar[bool] = True
