"""Ratios of sums."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure, Over, Range, RowFacts, scaled
from suite.scoring.metrics.declared import OfOneCell, values_of

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

    def __post_init__(self) -> None:
        self._named(f"{self.top}_per_{self.bottom}")

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """Both values."""
        return values_of([self.top, self.bottom], self.over)

    def facts(self) -> Mapping[str, RowFacts]:
        """A ratio."""
        return {self.name: scaled("ratio", self.range)}

    def measures(self) -> tuple[Measure, ...]:
        """The one row."""
        plain = self._measure(self.name, self.top, self.bottom)
        return (replace(plain, top=lambda c: c[self.top], bottom=lambda c: c[self.bottom]),)

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """The one row."""
        from suite.scoring.stats.clusters import grouped
        from suite.scoring.stats.estimate import Estimate
        from suite.scoring.stats.means import covering_ratio
        from suite.scoring.units import units_of

        (measure,) = self.measures()
        units = units_of(measure, part.scope)
        top, bottom = units.columns[self.top], units.columns[self.bottom]
        if float(bottom.sum()):
            found = covering_ratio(top, bottom, grouped(units.clusters), self.range, part.context.level)
        else:
            found = Estimate(None, note=f"the sum of {self.bottom} is zero" if units.n else "")
        yield part.row(measure, found, units)
