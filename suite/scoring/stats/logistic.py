"""Logistic regression with fractional labels by maximum likelihood, with sandwich standard errors.

The one fit behind length control, style-controlled ratings and recalibration. No penalty: where the data
separate, or a column is redundant, there is no fit rather than a large number.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.scoring.stats.units import Clusters, Floats

STEPS = 100
TOLERANCE = 1e-10
SEPARATED = 30.0  # on the scale of the linear predictor, or of log strengths: p below 1e-13


@dataclass(frozen=True)
class Logistic:
    """coefficients: shape (k,). bread: inverse Hessian of the negative log likelihood, shape (k, k).

    scores: per row, the gradient of the log likelihood, shape (n, k). rows: n, in weight.
    """

    coefficients: Floats
    bread: NDArray[np.float64]
    scores: NDArray[np.float64]

    def covariance(self, clusters: Clusters | None = None) -> NDArray[np.float64]:
        """Sandwich H^-1 (sum over clusters of u u') H^-1, shape (k, k).

        Times G/(G-1) (n-1)/(n-k) with clusters; without them HC0. Both as statsmodels, whose GLM gives HC0
        when asked for HC1.
        """
        n, k = self.scores.shape
        if clusters is None:
            sums, factor = self.scores, 1.0
        else:
            g = clusters.count
            sums = np.stack([clusters.sums(column) for column in self.scores.T], axis=1)
            factor = g / (g - 1) * (n - 1) / (n - k) if g > 1 and n > k else 1.0
        return factor * (self.bread @ (sums.T @ sums) @ self.bread)


def fit_logistic(x: NDArray[np.float64], y: Floats, weights: Floats | None = None) -> Logistic | None:
    """Fit P = logistic(x b). x: shape (n, k), without missing values. y: in [0, 1]. weights: n, >= 0.

    None where the maximum does not exist or is not unique.
    """
    n, k = x.shape
    if n < k or k == 0:
        return None
    w = np.ones(n) if weights is None else weights

    def likelihood(b: Floats) -> float:
        linear = x @ b
        return float((w * (y * linear - np.logaddexp(0, linear))).sum())

    def hessian(p: Floats) -> NDArray[np.float64]:
        return np.asarray((x * (w * p * (1 - p))[:, None]).T @ x, np.float64)

    def step(b: Floats) -> Floats | None:
        p = expit(x @ b)
        return _solve(hessian(p), x.T @ (w * (y - p)))

    b = climb(np.zeros(k), likelihood, step, lambda b: float(np.abs(x @ b).max()), STEPS)
    if b is None:
        return None
    p = expit(x @ b)
    return Logistic(b, np.asarray(np.linalg.inv(hessian(p)), np.float64), x * (w * (y - p))[:, None])


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
