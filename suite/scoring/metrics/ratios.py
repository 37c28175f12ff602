"""Ratios of sums."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure, Over, Range
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice


@dataclass(frozen=True)
class Ratio(OfOneCell):
    """Sum of one value over the sum of another ("valid searches per search"), micro.

    A sample counts only if both are there. Interval: by leaving out one cluster at a time, so that the
    denominator is random too. A sum of zero below yields no number.
    """

    top: str
    bottom: str
    range: Range | None = field(default=None, kw_only=True)
    over: Over = field(default="samples", kw_only=True)

    kind: ClassVar[str] = "ratio"

    def __post_init__(self) -> None:
        self._named(f"{self.top}_per_{self.bottom}")

    def measures(self) -> tuple[Measure, ...]:
        """The one row."""
        plain = self._measure(self.name, self.top, self.bottom)
        return (replace(plain, top=lambda c: c[self.top], bottom=lambda c: c[self.bottom]),)

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """The one row."""
        yield part.ratio_row(*self.measures())
