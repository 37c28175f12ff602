"""Logistic regression with fractional labels by maximum likelihood: length control, style-controlled ratings.

No penalty: where the data separate, or a column is redundant, there is no fit rather than a large number.
Length control: logit P(win) = theta + phi tanh(dl/sd(dl)), ties as half; the controlled rate is
logistic(theta). Descriptive: length may be a real quality. Idea: Dubois et al. 2024, arXiv 2404.04475.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.scoring.stats.clusters import Floats

STEPS = 100
TOLERANCE = 1e-10
LARGEST = 10.0  # coefficient of length control
SEPARATED = 30.0  # on the scale of the linear predictor, or of log strengths: p below 1e-13


def fit_lengths(scores: Floats, length_differences: Floats) -> tuple[float, float] | None:
    """(theta, phi) of length control. scores: win rates in [0, 1]. length_differences: first minus second.

    None where the lengths do not differ, or cannot be told from the verdicts.
    """
    sd = float(length_differences.std(ddof=1)) if len(length_differences) > 1 else 0.0
    if not sd:
        return None
    found = fit_logistic(np.column_stack([np.ones(len(scores)), np.tanh(length_differences / sd)]), scores)
    if found is None or np.abs(found).max() > LARGEST:
        return None
    return float(found[0]), float(found[1])


def fit_logistic(x: NDArray[np.float64], y: Floats) -> Floats | None:
    """The coefficients of P = logistic(x b), shape (k,). x: shape (n, k). y: in [0, 1]; none missing.

    None where the maximum does not exist or is not unique.
    """
    n, k = x.shape
    if n < k or k == 0:
        return None

    def likelihood(b: Floats) -> float:
        linear = x @ b
        return float((y * linear - np.logaddexp(0, linear)).sum())

    def step(b: Floats) -> Floats | None:
        p = expit(x @ b)
        hessian = (x * (p * (1 - p))[:, None]).T @ x
        return _solve(np.asarray(hessian, np.float64), x.T @ (y - p))

    return climb(np.zeros(k), likelihood, step, lambda b: float(np.abs(x @ b).max()), STEPS)


def climb(
    b: Floats,
    likelihood: Callable[[Floats], float],
    step: Callable[[Floats], Floats | None],
    size_of: Callable[[Floats], float],
    steps: int,
) -> Floats | None:
    """Where the log likelihood is highest, by Newton's steps from b, halved while they lead down.

    None where a step does not exist, the size passes `SEPARATED`, or the climb does not end.
    """
    here = likelihood(b)
    for _ in range(steps):
        move = step(b)
        if move is None:
            return None
        share = 1.0
        while share > 1e-6 and (there := likelihood(b + share * move)) < here - 1e-12:
            share /= 2
        b, here = b + share * move, there
        if size_of(b) > SEPARATED:
            return None
        if float(np.abs(move).max()) < TOLERANCE:
            return b
    return None


def _solve(hessian: NDArray[np.float64], gradient: Floats) -> Floats | None:
    scale = np.sqrt(np.diag(hessian))
    if (scale <= 0).any() or np.linalg.cond(hessian / np.outer(scale, scale)) > 1e12:
        return None
    return np.asarray(np.linalg.solve(hessian, gradient), np.float64)
