"""One row of results as its metric declares it: what one unit adds to it, its range, and what it means.

Results, comparison, boards, the headline so far and the exporters all read rows through these, so that none
of them has to know the kinds of metrics. Light: no numpy. Not here: computing (`rows`, `units`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from suite.journal.documents import Direction

Range = tuple[float, float]
Where = Mapping[str, str | Sequence[str]]
Over = Literal["samples", "parts"]
# Columns as formulas see them: name -> numpy array, one entry per unit, trials averaged, all scored.
# Labels and tags ("tag:NAME") are object arrays of str; "cluster" is an integer array that tells the
# clusters of one (re)sample apart.
Columns = Mapping[str, Any]
Formula = Callable[[Columns], float | None]
Adds = Callable[[Columns], Any]  # an array of one entry per unit, or one number of one unit


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A row of results. A number of one model is the mean of `top` over units, the sum of `top` over that of
    `bottom`, or a formula; other rows (agreement, over cells) have none of these.

    kind: rate, mean, ratio, pass_rate, agreement, win_rate or statistic. needs: values read. value: the value
    of a sample whose mean (over samples, each the mean of its trials) it is, "" if it is something else.
    top, bottom: from columns (or the numbers of one unit) to what each unit adds above and below the line;
    bottom None is 1. macro: the tag over whose categories it is a mean of means. binary: every unit is 0 or 1
    where there is one trial. range: of a unit, None if it has no ends. numbers: labels count as unscored.
    trials: (all, k) of a row whose units are made from k trials: that all are right, or one. pairs: whether
    boards pair its units.
    """

    name: str
    kind: str
    direction: Direction
    unit: str
    over: Over = "samples"
    where: Where
    slices: tuple[str, ...]
    needs: tuple[str, ...]
    value: str = ""
    top: Adds | None = None
    bottom: Adds | None = None
    formula: Formula | None = None
    macro: str = ""
    binary: bool = False
    range: Range | None = None
    numbers: bool = True
    trials: tuple[bool, int] | None = None
    pairs: bool = True

    @property
    def of_one_model(self) -> bool:
        """Whether it is a number of one model, to be compared, ranked and shown while a run goes on."""
        return self.top is not None or self.formula is not None

    @property
    def ends(self) -> Range:
        """Of its scale, infinite where it has none."""
        return self.range or ((0.0, 1.0) if self.binary else (-math.inf, math.inf))

    @property
    def mean(self) -> bool:
        """Whether it is a mean of units, and no ratio or formula."""
        return self.top is not None and self.bottom is None

    def takes(self, tags: Mapping[str, str]) -> bool:
        """Whether a sample with these tags is one of those that it is taken over."""
        wanted = {tag: (one,) if isinstance(one, str) else one for tag, one in self.where.items()}
        return all(tags.get(tag, "") in names for tag, names in wanted.items())

    def statistic(self, columns: Columns) -> float | None:
        """Its value for these units; for a mean of means, that of the units."""
        if self.formula is not None or self.top is None:
            return None if self.formula is None else self.formula(columns)
        above = self.top(columns)
        below = float(len(above) if self.bottom is None else self.bottom(columns).sum())
        return float(above.sum()) / below if below else None
