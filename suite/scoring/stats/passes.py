"""pass@k and pass^k: that one of k answers is right, that all k are.

Unbiased combinatorial estimators per sample, then averaged with a t interval: the values are graded, never
0/1. Sources: Chen et al. 2021, arXiv 2107.03374, eq. 1 (pass@k); tau-bench, arXiv 2406.12045 (pass^k).
"""

from collections.abc import Callable, Sequence
from math import comb

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.mean import mean_estimate
from suite.scoring.stats.units import Labels

UNIT = (0.0, 1.0)


def pass_at(n: int, c: int, k: int) -> float:
    """Chance that at least one of k answers drawn from n, c of them right, is right. Needs k <= n."""
    return 1 - comb(n - c, k) / comb(n, k)


def pass_hat(n: int, c: int, k: int) -> float:
    """Chance that all k answers drawn from n, c of them right, are right. Needs k <= n."""
    return comb(c, k) / comb(n, k)


def pass_at_k(
    correct: Sequence[int],
    answers: Sequence[int],
    k: int,
    *,
    unscored: Sequence[int] | None = None,
    clusters: Labels | None = None,
    level: float = 0.95,
) -> Estimate:
    """Chance that at least one of k answers is right: mean of 1 - C(n-c, k)/C(n, k).

    correct, answers: per sample, right answers c and answers n that were planned. unscored: how many of
    these have no score; a sample left with fewer than k is unscored.
    Raises ConfigError if a sample was planned with fewer than k answers, or counts contradict each other.
    """
    return _averaged(pass_at, correct, answers, k, unscored, clusters, level)


def pass_hat_k(
    correct: Sequence[int],
    answers: Sequence[int],
    k: int,
    *,
    unscored: Sequence[int] | None = None,
    clusters: Labels | None = None,
    level: float = 0.95,
) -> Estimate:
    """Chance that all of k answers are right: mean of C(c, k)/C(n, k). Arguments as of `pass_at_k`."""
    return _averaged(pass_hat, correct, answers, k, unscored, clusters, level)


def _averaged(
    one: Callable[[int, int, int], float],
    correct: Sequence[int],
    answers: Sequence[int],
    k: int,
    unscored: Sequence[int] | None,
    clusters: Labels | None,
    level: float,
) -> Estimate:
    if k < 1:
        raise ConfigError(f"k is {k}", "pass@k, pass^k", "k is at least 1")
    short = [n for n in answers if n < k]
    if short:
        raise ConfigError(
            f"k is {k}, but {len(short)} samples have fewer answers (fewest {min(short)})",
            "pass@k, pass^k",
            f"lower k, or run at least {k} trials of every sample",
        )
    lost = np.zeros(len(answers), dtype=int) if unscored is None else unscored
    values: list[float | None] = []
    for c, planned, gone in zip(correct, answers, lost, strict=True):
        n = int(planned) - int(gone)
        if not 0 <= c <= n:
            raise ConfigError(f"{c} correct of {n} scored answers", "pass@k, pass^k")
        values.append(one(n, int(c), k) if n >= k else None)
    return mean_estimate(values, clusters, value_range=UNIT, level=level)
