"""Win rates: every reading of a tie stands beside the others. Why: docs/statistics.md, "Judges"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure, RowFacts
from suite.scoring.metrics.declared import OfOneCell, values_of

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice


@dataclass(frozen=True)
class WinRate(OfOneCell):
    """How often the candidate beats its opponent: 1 a win, 0 a loss, between them shared.

    Rows: NAME (ties count half), NAME_excluded (wins among decided), NAME_strict (ties are failures),
    NAME_net (wins minus losses). A value above 0.5 is a win, below a loss.
    """

    value: str

    def __post_init__(self) -> None:
        self._named(self.value)

    def rows(self) -> tuple[str, ...]:
        """All readings of a tie."""
        return (self.name, f"{self.name}_excluded", f"{self.name}_strict", f"{self.name}_net")

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The value."""
        return values_of([self.value], "samples")

    def facts(self) -> Mapping[str, RowFacts]:
        """From 0 to 1, but for the difference of wins and losses."""
        rate = RowFacts("win_rate", 0.0, 1.0, where=self.where)
        half, excluded, strict, net = self.rows()
        rates = {half: replace(rate, value=self.value), excluded: rate, strict: rate}
        return {**rates, net: replace(rate, low=-1.0)}

    def measures(self) -> tuple[Measure, ...]:
        """All readings; boards do not pair that among the decided."""
        value = self.value
        half, excluded, strict, net = (self._measure(row, value) for row in self.rows())
        return (
            replace(half, top=lambda c: c[value], range=(0.0, 1.0)),
            replace(
                excluded,
                top=lambda c: (c[value] > 0.5) * 1.0,
                bottom=lambda c: (c[value] != 0.5) * 1.0,
                binary=True,
                pairs=False,
            ),
            replace(strict, top=lambda c: (c[value] > 0.5) * 1.0, range=(0.0, 1.0), binary=True),
            replace(net, top=lambda c: (c[value] > 0.5) * 1.0 - (c[value] < 0.5), range=(-1.0, 1.0)),
        )

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """All readings, with the counts."""
        from suite.scoring.units import units_of

        half, excluded, strict, net = self.measures()
        units = units_of(half, part.scope)
        x = units.columns[self.value]
        wins, losses = int((x > 0.5).sum()), int((x < 0.5).sum())
        note = f"{wins} wins, {len(x) - wins - losses} ties, {losses} losses" if units.n else ""
        yield part.mean_row(half, units, note)
        yield part.mean_row(excluded, units.take(x != 0.5), note)
        yield part.mean_row(strict, units, note)
        yield part.mean_row(net, units, note)
