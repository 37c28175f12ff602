"""The headline so far, for a progress view: one step per scored sample, no numpy, a few sums in memory.

Approximate on purpose, and to be shown with `LABEL`: samples count as independent (no clusters), each trial
as a sample of its own, intervals are Wilson's for rates and the normal one for means. The numbers of record
come from `computing`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.metrics import Mean, PassAt, Range, Ratio, Where, WinRate
from suite.task import Unscored, Value

LABEL = "so far, approximate"
Z = 1.959964  # 95 %, two-sided
Pair = tuple[float, float]
Step = Callable[[float], Pair | None]  # of one value -> (its share of the sum above, of the sum below)


class Running(NamedTuple):
    """The value so far of n scored units; low and high are None where there is no interval yet."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(slots=True)
class _Sums:
    """Sums of pairs (x, w): the value is sum x / sum w."""

    n: int = 0
    x: float = 0.0
    w: float = 0.0
    xx: float = 0.0
    xw: float = 0.0
    ww: float = 0.0

    def add(self, x: float, w: float) -> None:
        self.n += 1
        self.x += x
        self.w += w
        self.xx += x * x
        self.xw += x * w
        self.ww += w * w

    def value(self) -> float | None:
        return self.x / self.w if self.w else None

    def variance(self) -> float | None:
        """Of the value, by linearisation; None with fewer than two units."""
        value = self.value()
        if value is None or self.n < 2:
            return None
        residuals = max(0.0, self.xx - 2 * value * self.xw + value * value * self.ww)
        return residuals * self.n / (self.n - 1) / self.w**2


class RunningHeadline:
    """What the headline is so far in one cell.

    metrics: the task's declarations. headline: name of the row that is the task's first number. A headline
    without a running form (agreement, formulas, pass@k for k > 1, metrics over cells) has no value.
    """

    def __init__(self, metrics: Sequence[Any], headline: str) -> None:
        metric = next((one for one in metrics if headline in one.rows()), None)
        self._read = _reader(metric, headline)
        self._where: Where = getattr(metric, "where", {})
        self._parts = getattr(metric, "over", "samples") == "parts"
        self._tag = metric.slices[0] if isinstance(metric, Mean) and _is_macro(metric, headline) else ""
        self._binary = isinstance(metric, Mean) and metric.binary and not self._tag
        self._range: Range | None = getattr(metric, "range", None)
        if isinstance(metric, WinRate):
            self._binary = headline in metric.rows()[1:3]
            self._range = (-1.0, 1.0) if headline == metric.rows()[3] else (0.0, 1.0)
        if isinstance(metric, PassAt):
            self._binary, self._range = True, (0.0, 1.0)
        self._sums: dict[str, _Sums] = {}

    def add(self, score: ScoreRecord, output: OutputRecord) -> None:
        """Count one scored output, in time that does not depend on how many there were."""
        if self._read is None:
            return
        for values, tags in self._units(score, output):
            pair = self._read(values)
            if pair is not None and _fits(tags, self._where):
                self._sums.setdefault(tags.get(self._tag, ""), _Sums()).add(*pair)

    def _units(
        self, score: ScoreRecord, output: OutputRecord
    ) -> Iterator[tuple[Mapping[str, Value], Mapping[str, str]]]:
        if not self._parts:
            yield score.values, output.tags
            return
        for part in score.parts:
            yield part.values, {**output.tags, **part.tags}

    def value(self) -> Running | None:
        """The number so far; None while there is none, and for a headline without a running form."""
        known = [(one, value) for one in self._sums.values() if (value := one.value()) is not None]
        if not known:
            return None
        n = sum(one.n for one, _ in known)
        value = math.fsum(value for _, value in known) / len(known)
        if self._binary:
            return Running(value, *_wilson(value, n), n)
        variances = [one.variance() for one, _ in known]
        if None in variances:
            return Running(value, None, None, n)
        half = Z * math.sqrt(math.fsum(one for one in variances if one is not None)) / len(known)
        low, high = value - half, value + half
        if self._range is not None:
            low, high = max(low, self._range[0]), min(high, self._range[1])
        return Running(value, low, high, n)


def _is_macro(metric: Mean, headline: str) -> bool:
    return bool(metric.other) and (metric.average == "macro") == (headline == metric.name)


def _fits(tags: Mapping[str, str], where: Where) -> bool:
    for tag, wanted in where.items():
        names = {wanted} if isinstance(wanted, str) else set(wanted)
        if tags.get(tag, "") not in names:
            return False
    return True


def _number(value: Value) -> float | None:
    if value is None or isinstance(value, str | Unscored):
        return None
    return float(value)


def _reader(metric: Any, headline: str) -> Callable[[Mapping[str, Value]], Pair | None] | None:
    """A function of a unit's values: what it adds above and below the line, None for nothing."""
    if isinstance(metric, Ratio):
        top, bottom = metric.top, metric.bottom

        def ratio(values: Mapping[str, Value]) -> Pair | None:
            above, below = _number(values.get(top)), _number(values.get(bottom))
            return None if above is None or below is None else (above, below)

        return ratio
    step = _step(metric, headline)
    if step is None:
        return None
    name = metric.value

    def single(values: Mapping[str, Value]) -> Pair | None:
        x = _number(values.get(name))
        return None if x is None else step(x)

    return single


def _step(metric: Any, headline: str) -> Step | None:
    if isinstance(metric, Mean) or (isinstance(metric, PassAt) and headline[len(metric.name) + 1 :] == "1"):
        return lambda x: (x, 1.0)
    if not isinstance(metric, WinRate):
        return None
    steps: tuple[Step, ...] = (
        lambda x: (x, 1.0),
        lambda x: None if x == 0.5 else (float(x > 0.5), 1.0),
        lambda x: (float(x > 0.5), 1.0),
        lambda x: (float((x > 0.5) - (x < 0.5)), 1.0),
    )
    return steps[metric.rows().index(headline)]


def _wilson(p: float, n: int) -> Pair:
    """As `stats.intervals.wilson`, without scipy."""
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
