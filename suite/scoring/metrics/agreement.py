"""Agreement of raters, computed before any vote is taken. About judges, not models: never compared."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure, Over
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.computation import CellSlice

COEFFICIENTS: tuple[str, ...] = ("percent", "alpha", "ac1", "cohen", "fleiss", "randolph")


@dataclass(frozen=True)
class Agreement(OfOneCell):
    """How far raters agree on a value; the parts of a sample are its raters, by part id.

    raters: "parts", or a sequence of sample-level value names (a judge's beside a human's).
    scale: nominal for labels and yes/no, ordinal for steps, interval for scores.
    categories: declared by the verdict type, in order; left out, those that occur (a note says so).
    coefficients: rows NAME_percent, NAME_alpha (Krippendorff), NAME_ac1 (Gwet), NAME_cohen (two raters),
    NAME_fleiss (as many raters on every item), NAME_randolph. Sources: `stats.agreement`.
    """

    value: str
    raters: Literal["parts"] | Sequence[str] = field(default="parts", kw_only=True)
    scale: Literal["nominal", "ordinal", "interval"] = field(default="nominal", kw_only=True)
    categories: Sequence[str | float | bool] = field(default=(), kw_only=True)
    coefficients: Sequence[str] = field(default=("percent", "alpha", "ac1"), kw_only=True)

    kind: ClassVar[str] = "agreement"

    def __post_init__(self) -> None:
        self._named(self.value)
        for one in self.coefficients:
            if one not in COEFFICIENTS:
                raise ConfigError(f"metric {self.name!r}: no coefficient {one!r}; known: {COEFFICIENTS}")

    def measures(self) -> tuple[Measure, ...]:
        """One row a coefficient: at most 1; below 0 for less than chance."""
        over: Over = "parts" if self.raters == "parts" else "samples"
        needs = [self.value] if over == "parts" else self.raters
        return tuple(
            replace(
                self._measure(f"{self.name}_{one}", *needs),
                over=over,
                range=(0.0 if one == "percent" else -math.inf, 1.0),
            )
            for one in self.coefficients
        )

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """One row a coefficient."""
        from suite.scoring.stats.agreement import agreement
        from suite.scoring.stats.clusters import grouped
        from suite.scoring.units import ratings_of

        ratings, clusters, units = ratings_of(part.scope, self.value, self.raters, self.categories)
        for measure, coefficient in zip(self.measures(), self.coefficients, strict=True):
            found = agreement(coefficient, self.scale, ratings, grouped(clusters), part.context.level)
            yield part.row(measure, found, units)
