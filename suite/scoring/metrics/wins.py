"""Win rates: every reading of a tie stands beside the others. Why: docs/statistics.md, "Judges"."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice


@dataclass(frozen=True)
class WinRate(OfOneCell):
    """How often the candidate beats its opponent: 1 a win, 0 a loss, between them shared.

    Rows: NAME (ties count half), NAME_excluded (wins among decided), NAME_strict (ties are failures),
    NAME_net (wins minus losses). A value above 0.5 is a win, below a loss.
    """

    value: str

    kind: ClassVar[str] = "win_rate"

    def __post_init__(self) -> None:
        self._named(self.value)

    def measures(self) -> tuple[Measure, ...]:
        """All readings of a tie; boards do not pair that among the decided."""
        value, name = self.value, self.name
        names = (name, f"{name}_excluded", f"{name}_strict", f"{name}_net")
        half, excluded, strict, net = (self._measure(row, value) for row in names)
        return (
            replace(half, value=value, top=lambda c: c[value], range=(0.0, 1.0)),
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
        half, excluded, strict, net = self.measures()
        units = part.units(half)
        x = units.columns[self.value]
        wins, losses = int((x > 0.5).sum()), int((x < 0.5).sum())
        note = f"{wins} wins, {len(x) - wins - losses} ties, {losses} losses" if units.n else ""
        yield part.mean_row(half, units, note)
        yield part.mean_row(excluded, units.take(x != 0.5), note)
        yield part.mean_row(strict, units, note)
        yield part.mean_row(net, units, note)
