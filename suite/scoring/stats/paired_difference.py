"""A against B on the same samples: the mean difference, its interval, one p value, and what it can show.

Pairing removes the difficulty that samples share, clusters are kept whole. Source: Miller 2024,
arXiv 2411.00640, section 4. Why: docs/statistics.md, "Two models".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.clusters import Floats, Labels, Scores, clusters_of, floats, subset
from suite.scoring.stats.estimate import Estimate, Limits, Pair, finite
from suite.scoring.stats.intervals import normal_quantile
from suite.scoring.stats.power import mde
from suite.scoring.stats.signflip import sign_flip
from suite.scoring.stats.textbook import mean_estimate, spread

FLAG_LOST = 0.02


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is shown about one pair of models on one metric.

    difference: A minus B. p: two-sided; p_method how; p_smallest what so few clusters can reach at best.
    n_common: samples scored for both; lost_a, lost_b: samples without a score of A, of B. wins, ties,
    losses: of A, by sample. correlation: of the two scores. se, se_unpaired: with and without pairing.
    smallest_difference: what this comparison finds with power 0.8. note: flags.
    """

    difference: Estimate
    p: float | None
    p_method: str
    p_smallest: float | None
    n_common: int
    lost_a: int
    lost_b: int
    wins: int
    ties: int
    losses: int
    correlation: float | None
    se: float | None
    se_unpaired: float | None
    smallest_difference: float | None
    note: str


def paired_estimate(
    a: Scores,
    b: Scores,
    clusters: Labels | None = None,
    *,
    value_range: Limits = None,
    level: float = 0.95,
    seed: int = 0,
    tested: bool = True,
) -> Comparison:
    """Compare paired scores. a, b: shape (n,), None is unscored. value_range: of the scores.

    tested: whether to compute p. Interval: t or cluster-robust t of the differences. p: sign flips over
    clusters.
    """
    x, y = floats(a), floats(b)
    if len(x) != len(y):
        raise ConfigError(f"{len(x)} scores of A, {len(y)} of B", "paired_estimate", "join by sample id")
    keep = ~(np.isnan(x) | np.isnan(y))
    lost_a, lost_b = int(np.isnan(x).sum()), int(np.isnan(y).sum())
    note = ""
    if len(x) and abs(lost_a - lost_b) > FLAG_LOST * len(x):
        note = f"A lost {lost_a} samples, B {lost_b}: the comparison may be selective"
    total = len(x)
    x, y, labels = x[keep], y[keep], subset(clusters, keep)
    d, n = x - y, len(x)
    span = None if value_range is None else (value_range[0] - value_range[1], value_range[1] - value_range[0])
    difference = mean_estimate(d, labels, value_range=span, level=level)
    found = spread(d, clusters_of(labels, n)) if n else None
    flipped = sign_flip(d, labels, seed=seed) if tested and n else None
    return Comparison(
        difference=replace(difference, n_unscored=total - difference.n),
        p=None if flipped is None else flipped.p,
        p_method="none" if flipped is None else flipped.method,
        p_smallest=None if flipped is None else flipped.smallest,
        n_common=n,
        lost_a=lost_a,
        lost_b=lost_b,
        wins=int((d > 0).sum()),
        ties=int((d == 0).sum()),
        losses=int((d < 0).sum()),
        correlation=pearson(x, y),
        se=None if found is None else found.se,
        se_unpaired=math.sqrt((x.var(ddof=1) + y.var(ddof=1)) / n) if n > 1 else None,
        smallest_difference=None if found is None else _smallest(found.se, found.clusters),
        note=note,
    )


def _smallest(se: float | None, clusters: int) -> float | None:
    return None if not se else mde(clusters, se * math.sqrt(clusters))


def pearson(x: Floats, y: Floats) -> float | None:
    """Pearson's r; None for fewer than three pairs or a constant side."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    dx, dy = x - x.mean(), y - y.mean()
    below = math.sqrt(float(dx @ dx)) * math.sqrt(float(dy @ dy))
    return finite(max(-1.0, min(1.0, float(dx @ dy) / below))) if below else None


def bonett_price(d: Floats) -> Callable[[float], Pair]:
    """The interval of the mean of paired 0/1 differences in {-1, 0, 1} at any level.

    Wald's, with one pair more on either side of the discordant. Source: Bonett and Price 2012.
    """
    n = len(d) + 2
    a, b = (int((d > 0).sum()) + 1) / n, (int((d < 0).sum()) + 1) / n
    se = math.sqrt((a + b - (a - b) ** 2) / n)

    def at(level: float) -> Pair:
        half = normal_quantile(level) * se
        return max(-1.0, a - b - half), min(1.0, a - b + half)

    return at


def verdict(comparison: Comparison, corrected_p: float | None, alpha: float = 0.05) -> str:
    """ "A better" or "B better" if the corrected p and the interval both say so; never "equal"."""
    found = comparison.difference
    if corrected_p is None or corrected_p >= alpha or found.low is None or found.high is None:
        return "no difference shown"
    if found.low > 0:
        return "A better"
    return "B better" if found.high < 0 else "no difference shown"
