"""Does the judge prefer a slot? Consistency over both orders, flips, share of the first slot, effect.

Sources: MT-Bench (arXiv 2306.05685), Wang et al. 2023 (conflict rate), Shi et al. 2024 (arXiv 2406.07791:
repetition stability, position consistency, preference fairness). Why: docs/statistics.md, "Judges".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.discordant import mcnemar_exact
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.mean import mean_estimate
from suite.scoring.stats.units import Labels, Scores, floats, subset

LOWEST_CONSISTENCY = 0.6
SUSPICIOUS = 0.01


@dataclass(frozen=True, slots=True)
class PositionBias:
    """n: pairs judged in both orders. consistency: share with the same verdict in both.

    to_first, to_second: pairs whose winner flipped with the order, to the slot that won both times; p: exact
    binomial between them. first_share: decisive verdicts that chose the first slot. effect: win rate of A
    shown first minus shown second. warnings: what a reader must be told.
    """

    n: int
    consistency: Estimate
    to_first: int
    to_second: int
    p: float
    first_share: Estimate
    effect: Estimate
    warnings: tuple[str, ...]


def position_bias(
    first: Scores, second: Scores, clusters: Labels | None = None, *, level: float = 0.95
) -> PositionBias:
    """first: A's score (1, 1/2, 0) where A is shown first; second: where A is shown second; None unscored.

    Pairs that miss an order are left out and counted as unscored. clusters: of the pairs.
    """
    a, b = floats(first), floats(second)
    if len(a) != len(b):
        raise ConfigError(f"{len(a)} verdicts in one order, {len(b)} in the other", "position_bias")
    keep = ~(np.isnan(a) | np.isnan(b))
    same = np.where(keep, (a == b).astype(np.float64), np.nan)
    consistency = mean_estimate(same, clusters, binary=True, level=level)
    labels = subset(clusters, keep)
    x, y = a[keep], b[keep]
    to_first = int(((x > 0.5) & (y < 0.5)).sum())
    to_second = int(((x < 0.5) & (y > 0.5)).sum())
    p = mcnemar_exact(to_first, to_second)
    owner: Labels = np.arange(len(x)) if labels is None else labels
    chosen = np.concatenate([_first_won(x), 1 - _first_won(y)])
    both: Labels = np.concatenate([owner, owner]) if isinstance(owner, np.ndarray) else [*owner, *owner]
    return PositionBias(
        n=len(x),
        consistency=consistency,
        to_first=to_first,
        to_second=to_second,
        p=p,
        first_share=mean_estimate(chosen, both, binary=True, level=level),
        effect=mean_estimate(x - y, labels, value_range=(-1, 1), level=level),
        warnings=_warnings(consistency.value, p),
    )


def _first_won(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0.5, np.nan, (x > 0.5).astype(np.float64))


def _warnings(consistency: float | None, p: float) -> tuple[str, ...]:
    found = []
    if consistency is not None and consistency < LOWEST_CONSISTENCY:
        found.append(f"only {consistency:.0%} of the pairs have the same verdict in both orders")
    if p < SUSPICIOUS:
        found.append(f"the judge prefers one slot (p = {p:.2g})")
    return tuple(found)


def repetition_stability(
    verdicts: Sequence[Scores], clusters: Labels | None = None, *, level: float = 0.95
) -> Estimate:
    """Chance that two answers to the same question in the same order agree: what position is blamed for else.

    verdicts: one row per pair, its repeated verdicts; pairs with fewer than two are unscored.
    """
    shares: list[float | None] = []
    for row in verdicts:
        x = floats(row)
        x = x[~np.isnan(x)]
        n = len(x)
        counts = np.unique(x, return_counts=True)[1]
        shares.append(float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else None)
    return mean_estimate(shares, clusters, value_range=(0.0, 1.0), level=level)
