"""Several answers per sample: mean per sample first, then as if there were n samples.

Treating n*k answers as independent is wrong: answers to one question resemble each other. What more repeats
could gain follows from the split of the variance. Source: Miller 2024, arXiv 2411.00640, section 3.1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.scoring.stats.units import Floats, Scores, floats


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Variance of a score between samples (omega2) and within one sample (sigma2), None if unknown.

    se: of the headline as run. se_once: with one answer a sample; se_always: with infinitely many.
    n: samples with an answer; k: mean answers a sample.
    """

    n: int
    k: float | None
    omega2: float | None
    sigma2: float | None
    variance: float | None
    se: float | None
    se_once: float | None
    se_always: float | None


def trial_means(trials: Sequence[Scores]) -> Floats:
    """Mean over the scored answers of every sample, NaN where a sample has none; shape (n,)."""
    rows = [floats(row) for row in trials]
    return np.array([np.mean(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in rows])


def decompose(trials: Sequence[Scores]) -> Decomposition:
    """Split the variance of the headline. trials: one row of answers per sample, None is unscored.

    sigma2: mean within-sample variance over samples with two answers or more; omega2 = max(0, Var(x_i) -
    mean(sigma2/k_i)); without any second answer both are None.
    """
    rows = [row[~np.isnan(row)] for row in map(floats, trials)]
    rows = [row for row in rows if len(row)]
    n = len(rows)
    if not n:
        return Decomposition(0, None, None, None, None, None, None, None)
    sizes = np.array([len(row) for row in rows])
    variance = float(np.var([row.mean() for row in rows], ddof=1)) if n > 1 else None
    within = [float(row.var(ddof=1)) for row in rows if len(row) > 1]
    sigma2 = math.fsum(within) / len(within) if within else None
    omega2 = None
    if variance is not None and sigma2 is not None:
        omega2 = max(0.0, variance - float(np.mean(sigma2 / sizes)))
    known = omega2 is not None and sigma2 is not None
    return Decomposition(
        n=n,
        k=float(sizes.mean()),
        omega2=omega2,
        sigma2=sigma2,
        variance=variance,
        se=None if variance is None else math.sqrt(variance / n),
        se_once=math.sqrt(((omega2 or 0.0) + (sigma2 or 0.0)) / n) if known else None,
        se_always=math.sqrt((omega2 or 0.0) / n) if known else None,
    )
