"""Numbers of one cell: means and rates, ratios, win rates, pass@k, agreement of raters.

Which interval and why: `stats.means` and docs/statistics.md. A mean of trials is graded, whatever its trials
were. pass@k and pass^k are means over samples, never a proportion's interval. Of a win rate, every reading of
a tie stands beside the others; why: docs/statistics.md, "Judges". Agreement is computed before any vote is
taken; it is about judges, not models: never compared.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.scoring.measures import Columns, Measure, Over, Range
from suite.scoring.metrics.declared import OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice

COEFFICIENTS: tuple[str, ...] = ("percent", "alpha", "ac1", "cohen", "fleiss", "randolph")


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
        plain = self._measure(self.name, self.top, self.bottom)
        return (replace(plain, top=lambda c: c[self.top], bottom=lambda c: c[self.bottom]),)

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        yield part.ratio_row(*self.measures())


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

        def won(columns: Columns) -> Any:
            return (columns[value] > 0.5) * 1.0

        return (
            replace(half, value=value, top=lambda c: c[value], range=(0.0, 1.0)),
            replace(excluded, top=won, bottom=lambda c: (c[value] != 0.5) * 1.0, binary=True, pairs=False),
            replace(strict, top=won, range=(0.0, 1.0), binary=True),
            replace(net, top=lambda c: won(c) - (c[value] < 0.5), range=(-1.0, 1.0)),
        )

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        measures = self.measures()
        half, excluded, *_ = measures
        units = part.units(half)
        x = units.columns[self.value]
        wins, losses = int((x > 0.5).sum()), int((x < 0.5).sum())
        note = f"{wins} wins, {len(x) - wins - losses} ties, {losses} losses" if units.n else ""
        for one in measures:
            yield part.mean_row(one, units.take(x != 0.5) if one is excluded else units, note)


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
        from suite.scoring.stats.agreement import agreement
        from suite.scoring.stats.clusters import grouped
        from suite.scoring.units import ratings_of

        ratings, clusters, units = ratings_of(part.scope, self.value, self.raters, self.categories)
        for measure, coefficient in zip(self.measures(), self.coefficients, strict=True):
            found = agreement(coefficient, self.scale, ratings, grouped(clusters), part.context.level)
            yield part.row(measure, found, units)
