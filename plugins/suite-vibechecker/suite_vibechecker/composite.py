"""How well a mix of following and working agrees with what people prefer.

composite(alpha) = alpha * following + (1 - alpha) * functional, correlated over models with a rating.
Following is single-turn task-level at k = 1, functional is pass@1 on the original prompts (paper,
section 5). Caution: the best alpha is fitted and read on the same models, and on the Live set mixing
gains only 0.014 over pass@1 alone; a fixed alpha of 0.4 is our convention for single numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import suite

Kind = Literal["pearson", "spearman", "kendall"]
ALPHAS = tuple(step / 10 for step in range(11))
CONVENTION = 0.4


class Standing(NamedTuple):
    """One model: both scores in the same unit, and its rating by people."""

    functional: float
    following: float
    rating: float


class Peak(NamedTuple):
    """The alpha with the highest correlation (the smallest such alpha), and that correlation."""

    alpha: float
    correlation: float


def composite(functional: float, following: float, alpha: float = CONVENTION) -> float:
    """The weighted mean. alpha in [0, 1] is the weight of following.

    Raises ConfigError for an alpha outside.
    """
    if not 0 <= alpha <= 1:
        raise suite.ConfigError(f"alpha is {alpha}, outside 0 to 1")
    return alpha * following + (1 - alpha) * functional


def correlation(standings: Sequence[Standing], alpha: float, kind: Kind) -> float | None:
    """Correlation over models of the composite with the rating; ties are corrected for (Kendall: tau-b).

    None for fewer than three models, or where either side does not vary.
    """
    from scipy import stats

    mixed = [composite(one.functional, one.following, alpha) for one in standings]
    ratings = [one.rating for one in standings]
    if len(standings) < 3 or len(set(mixed)) == 1 or len(set(ratings)) == 1:
        return None
    measures: dict[str, Callable[..., Any]] = {
        "pearson": stats.pearsonr,
        "spearman": stats.spearmanr,
        "kendall": stats.kendalltau,
    }
    return float(measures[kind](mixed, ratings).statistic)


def curve(standings: Sequence[Standing], kind: Kind) -> list[tuple[float, float | None]]:
    """(alpha, correlation) for alpha = 0, 0.1, …, 1."""
    return [(alpha, correlation(standings, alpha, kind)) for alpha in ALPHAS]


def peak(standings: Sequence[Standing], kind: Kind) -> Peak | None:
    """Where the curve is highest, None if it has no values."""
    known = [Peak(alpha, value) for alpha, value in curve(standings, kind) if value is not None]
    return max(known, key=lambda one: one.correlation, default=None)
