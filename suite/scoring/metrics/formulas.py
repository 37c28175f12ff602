"""Any statistic of the values of one cell, by resampling whole clusters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.scoring.measures import Formula, Measure, Over, Range
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice

HowDrawn = Literal["cluster-bootstrap", "none"]


@dataclass(frozen=True)
class Custom(OfOneCell):
    """Any statistic of some values: a pure function of their columns, None where it does not exist.

    needs: value names and "tag:NAME". Only samples with all needed values are passed.
    interval: "cluster-bootstrap" (2,000 draws of whole clusters) or "none".
    """

    name: str = field(kw_only=False)
    formula: Formula
    needs: Sequence[str] = field(default=(), kw_only=True)
    interval: HowDrawn = field(default="cluster-bootstrap", kw_only=True)
    range: Range | None = field(default=None, kw_only=True)
    over: Over = field(default="samples", kw_only=True)
    draws: int = field(default=2000, kw_only=True)

    kind: ClassVar[str] = "statistic"

    def __post_init__(self) -> None:
        check_needs(self.name, self.needs)

    def measures(self) -> tuple[Measure, ...]:
        """The one row."""
        return (replace(self._measure(self.name, *self.needs), formula=self.formula, numbers=False),)

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """The one row."""
        (measure,) = self.measures()
        yield part.formula_row(measure, 0 if self.interval == "none" else self.draws)


def check_needs(metric: str, needs: Sequence[str]) -> None:
    """Raises ConfigError for a formula that needs no value."""
    if not any(not name.startswith("tag:") for name in needs):
        raise ConfigError(f"metric {metric!r}: `needs` must name at least one value")
