"""Win rates against one opponent: three ways to count ties, all shown, since they can change the verdict.

A unit is one sample with both orders already combined; the two orders of a pair are never two samples.
The `agree` rule is MT-Bench's, arXiv 2306.05685. Why three: docs/statistics.md, "Judges".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from suite.errors import ConfigError, unknown
from suite.scoring.stats.discordant import mcnemar_exact
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.mean import mean_estimate
from suite.scoring.stats.signflip import sign_flip
from suite.scoring.stats.units import Labels, Scores, clusters_of, floats, subset

Rule = Literal["mean", "agree"]
RULES: tuple[Rule, ...] = ("mean", "agree")
UNIT = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class WinRates:
    """wins, ties, losses: units. half: ties count half (the headline). excluded: wins/(wins + losses).

    strict: ties are failures. net: (wins - losses)/n. p: two-sided, of wins against losses; p_method how.
    """

    wins: int
    ties: int
    losses: int
    half: Estimate
    excluded: Estimate
    strict: Estimate
    net: Estimate
    p: float | None
    p_method: str


def win_rates(
    scores: Scores, clusters: Labels | None = None, *, level: float = 0.95, seed: int = 0
) -> WinRates:
    """scores: shape (n,), 1 for a win, 1/2 for a tie, 0 for a loss, or the mean of two orders; None unscored.

    A unit above 1/2 is a win. p: exact sign test, or sign flips over clusters where there are any.
    Raises ConfigError for a score outside [0, 1].
    """
    x = floats(scores)
    keep = ~np.isnan(x)
    if ((x[keep] < 0) | (x[keep] > 1)).any():
        raise ConfigError("a pairwise score lies outside 0 to 1", "win_rates")
    sign = np.where(keep, np.sign(x - 0.5), np.nan)
    wins, losses, ties = (int((sign == one).sum()) for one in (1, -1, 0))
    won = np.where(keep, (sign > 0).astype(np.float64), np.nan)
    decided = np.where(sign == 0, np.nan, won)
    excluded = mean_estimate(decided[keep], subset(clusters, keep), binary=True, level=level)
    if not keep.any():
        p, method = None, "none"
    elif clusters is None or clusters_of(clusters, len(x)).singletons:
        p, method = mcnemar_exact(wins, losses), "sign-exact"
    else:
        flipped = sign_flip(sign, clusters, seed=seed)
        p, method = flipped.p, flipped.method
    return WinRates(
        wins=wins,
        ties=ties,
        losses=losses,
        half=mean_estimate(x, clusters, value_range=UNIT, level=level),
        excluded=excluded,
        strict=mean_estimate(won, clusters, binary=True, level=level),
        net=mean_estimate(sign, clusters, value_range=(-1, 1), level=level),
        p=p,
        p_method=method,
    )


def combine_orders(first: Scores, second: Scores, rule: Rule = "mean") -> list[float | None]:
    """One score of A per pair from both orders. first: A's score where A is shown first; second: where last.

    mean: the mean of the two. agree: a winner only if both orders name it, all else a tie. A pair that
    misses an order is unscored.
    """
    if rule not in RULES:
        raise unknown("rule for two orders", rule, RULES)
    a, b = floats(first), floats(second)
    if len(a) != len(b):
        raise ConfigError(f"{len(a)} verdicts in one order, {len(b)} in the other", "combine_orders")
    middle = (a + b) / 2
    if rule == "agree":
        agreed = (np.sign(a - 0.5) == np.sign(b - 0.5)) & (np.sign(a - 0.5) != 0)
        middle = np.where(np.isnan(middle), np.nan, np.where(agreed, a > 0.5, 0.5).astype(np.float64))
    return [None if np.isnan(one) else float(one) for one in middle]


def counts_of(scores: Sequence[float | None]) -> tuple[int, int, int]:
    """(wins, ties, losses) of combined scores."""
    x = floats(scores)
    return int((x > 0.5).sum()), int((x == 0.5).sum()), int((x < 0.5).sum())
