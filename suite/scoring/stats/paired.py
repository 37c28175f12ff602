"""A against B on the same samples: the mean difference, its interval, one p value, and what it can show.

Pairing removes the difficulty that samples share, clusters are kept whole. Source: Miller 2024,
arXiv 2411.00640, section 4. Why: docs/statistics.md, "Two models". Different samples: `unpaired`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.correlation import pearson
from suite.scoring.stats.discordant import mcnemar_exact
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.mean import mean_estimate, spread
from suite.scoring.stats.newcombe import newcombe
from suite.scoring.stats.power import mde
from suite.scoring.stats.signflip import sign_flip
from suite.scoring.stats.units import Floats, Labels, Scores, clusters_of, floats, subset

FLAG_LOST = 0.02
Limits = tuple[float, float] | None


class Joined(NamedTuple):
    """Scores of both models by sample, None where a model has no score. ids: in order of A."""

    ids: tuple[str, ...]
    a: list[float | None]
    b: list[float | None]


def join(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> Joined:
    """Pair scores by sample id. Raises ConfigError if no sample is in both."""
    ids = tuple(one for one in a if one in b)
    if not ids:
        raise ConfigError("the two runs have no sample in common", "compare", "compare runs of the same data")
    return Joined(ids, [a[one] for one in ids], [b[one] for one in ids])


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
    binary: bool = False,
    value_range: Limits = None,
    level: float = 0.95,
    seed: int = 0,
    tested: bool = True,
) -> Comparison:
    """Compare paired scores. a, b: shape (n,), None is unscored. value_range: of the scores.

    tested: whether to compute p.

    Interval: Newcombe for 0/1 scores without clusters, else t or cluster-robust t of the differences.
    p: exact McNemar for 0/1 scores without clusters, else sign flips over clusters.
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
    groups = clusters_of(labels, n)
    difference = _difference(x, y, labels, binary and groups.singletons, value_range, level, total)
    found = spread(d, groups) if n else None
    p, method, smallest = None, "none", None
    if tested:
        p, method, smallest = _p_value(d, labels, binary and groups.singletons, seed)
    return Comparison(
        difference=difference,
        p=p,
        p_method=method,
        p_smallest=smallest,
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


def _difference(
    x: Floats, y: Floats, labels: Labels | None, counted: bool, limits: Limits, level: float, total: int
) -> Estimate:
    if not counted or not len(x):
        span = None if limits is None else (limits[0] - limits[1], limits[1] - limits[0])
        found = mean_estimate(x - y, labels, value_range=span, level=level)
    else:
        if not bool((((x == 0) | (x == 1)) & ((y == 0) | (y == 1))).all()):
            raise ConfigError("a score declared 0/1 is neither 0 nor 1", "paired_estimate")
        both, a, b = int((x * y).sum()), int((x > y).sum()), int((x < y).sum())
        found = newcombe(both, a, b, len(x) - both - a - b, level=level)
    return replace(found, n_unscored=total - found.n)


def _p_value(
    d: Floats, labels: Labels | None, counted: bool, seed: int
) -> tuple[float | None, str, float | None]:
    if not len(d):
        return None, "none", None
    if counted:
        a, b = int((d > 0).sum()), int((d < 0).sum())
        return mcnemar_exact(a, b), "mcnemar-exact", min(1.0, 2.0 ** (1 - a - b))
    found = sign_flip(d, labels, seed=seed)
    return found.p, found.method, found.smallest


def verdict(comparison: Comparison, corrected_p: float | None, alpha: float = 0.05) -> str:
    """ "A better" or "B better" if the corrected p and the interval both say so; never "equal"."""
    found = comparison.difference
    if corrected_p is None or corrected_p >= alpha or found.low is None or found.high is None:
        return "no difference shown"
    if found.low > 0:
        return "A better"
    return "B better" if found.high < 0 else "no difference shown"


def equivalent(
    a: Scores,
    b: Scores,
    margin: float,
    clusters: Labels | None = None,
    *,
    binary: bool = False,
    alpha: float = 0.05,
) -> bool | None:
    """Whether the 1 - 2 alpha interval of A minus B lies inside (-margin, margin); None without interval.

    Two one-sided tests, Schuirmann 1987.
    """
    if margin <= 0:
        raise ConfigError(f"the margin is {margin}", "equivalence", "a margin is above 0")
    found = paired_estimate(a, b, clusters, binary=binary, level=1 - 2 * alpha).difference
    if found.low is None or found.high is None:
        return None
    return -margin < found.low and found.high < margin
