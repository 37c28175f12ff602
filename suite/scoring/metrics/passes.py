"""pass@k and pass^k from repeated trials: means over samples, never a proportion's interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice


@dataclass(frozen=True)
class PassAt(OfOneCell):
    """Solved in at least one of k trials (pass@k), and with `power` in all of k (pass^k): unbiased.

    Rows: NAME@k and NAME^k. A k above the trials run is refused for the whole metric, with a note.
    Source: Chen et al. 2021 (arXiv 2107.03374) eq. 1; tau-bench (arXiv 2406.12045).
    """

    value: str
    k: Sequence[int] = field(default=(1,), kw_only=True)
    power: bool = field(default=False, kw_only=True)

    kind: ClassVar[str] = "pass_rate"

    def __post_init__(self) -> None:
        self._named(self.value)
        if not self.k or any(one < 1 for one in self.k):
            raise ConfigError(f"metric {self.name!r}: k must be whole numbers from 1")

    def measures(self) -> tuple[Measure, ...]:
        """One row for each k, pass@k first."""
        return tuple(
            replace(
                self._measure(f"{self.name}{'^' if every else '@'}{k}", self.value),
                top=lambda columns: columns[self.value],
                range=(0.0, 1.0),
                trials=(every, k),
            )
            for every in ((False, True) if self.power else (False,))
            for k in self.k
        )

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """All rows; a k that was not run leaves none."""
        from suite.scoring.stats.estimate import Estimate
        from suite.scoring.units import trials_of

        counted = trials_of(part.scope, self.value)
        for measure in self.measures():
            every, k = measure.trials or (False, 1)
            if refusal := counted.refusal(k):
                found = Estimate(None, note=refusal)
                yield part.row(measure, found, counted.units(1, every=every))
            else:
                yield part.mean_row(measure, counted.units(k, every=every))
