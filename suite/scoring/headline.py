"""The headline so far, for a progress view: one step per scored sample, no numpy, a few sums in memory.

Approximate on purpose: samples count as independent (no clusters), each trial
as a sample of its own, intervals are Wilson's for rates and the normal one for means. The numbers of record
come from `computation`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from operator import add

from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of
from suite.scoring.stats.estimate import Estimate, clip, wilson_at
from suite.task import Unscored, Value

Z = 1.959964  # 95 %, two-sided


@dataclass(slots=True)
class _Sums:
    """Of n pairs (x, w), whose value is sum x / sum w: sums of x, w, xx, xw, ww."""

    n: int = 0
    sums: tuple[float, ...] = (0.0,) * 5

    def add(self, x: float, w: float) -> None:
        self.n += 1
        self.sums = tuple(map(add, self.sums, (x, w, x * x, x * w, w * w)))

    def value(self) -> float | None:
        return self.sums[0] / self.sums[1] if self.sums[1] else None

    def variance(self) -> float | None:
        """Of the value, by linearisation; None with fewer than two units."""
        value = self.value()
        if value is None or self.n < 2:
            return None
        _, w, xx, xw, ww = self.sums
        return max(0.0, xx - 2 * value * xw + value * value * ww) * self.n / (self.n - 1) / w**2


class RunningHeadline:
    """What the headline is so far in one cell.

    metrics: the task's declarations. headline: name of the row that is the task's first number. A headline
    without a running form (agreement, formulas, pass@k for k > 1, metrics over cells) has no value.
    """

    def __init__(self, metrics: Iterable[object], headline: str) -> None:
        measure = next((one for one in measures_of(metrics) if one.name == headline), None)
        runs = measure is not None and measure.top is not None and (measure.trials or (False, 1))[1] == 1
        self._measure: Measure | None = measure if runs else None
        self._sums: dict[str, _Sums] = {}

    def add(self, score: ScoreRecord, output: OutputRecord) -> None:
        """Count one scored output, in time that does not depend on how many there were."""
        measure = self._measure
        if measure is None or measure.top is None:
            return
        parts = ((part.values, {**output.tags, **part.tags}) for part in score.parts)
        for values, tags in parts if measure.over == "parts" else ((score.values, output.tags),):
            columns = {name: _number(values.get(name)) for name in measure.needs}
            if None in columns.values() or not measure.takes(tags):
                continue
            weight = 1.0 if measure.bottom is None else measure.bottom(columns)
            if weight or not measure.binary:
                group = tags.get(measure.macro, "") if measure.macro else ""
                self._sums.setdefault(group, _Sums()).add(measure.top(columns), weight)

    def value(self) -> Estimate | None:
        """The number so far; None while there is none, and for a headline without a running form."""
        known = [(one, value) for one in self._sums.values() if (value := one.value()) is not None]
        measure = self._measure
        if measure is None or not known:
            return None
        n = sum(one.n for one, _ in known)
        value = math.fsum(value for _, value in known) / len(known)
        if measure.trials is not None or (measure.binary and not measure.macro):
            return Estimate(value, *wilson_at(value, n, Z), n=n)
        variances = [one.variance() for one, _ in known]
        if None in variances:
            return Estimate(value, n=n)
        half = Z * math.sqrt(math.fsum(one for one in variances if one is not None)) / len(known)
        return Estimate(value, *clip((value - half, value + half), measure.range), n=n)


def _number(value: Value) -> float | None:
    return None if value is None or isinstance(value, str | Unscored) else float(value)
