"""Logistic regression with fractional labels by maximum likelihood, with sandwich standard errors.

The one fit behind length control, style-controlled ratings and recalibration. No penalty: where the data
separate, or a column is redundant, there is no fit rather than a large number.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.scoring.stats.units import Clusters, Floats

STEPS = 100
TOLERANCE = 1e-10
SEPARATED = 30.0  # on the scale of the linear predictor: p below 1e-13


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
    b = np.zeros(k)
    likelihood = _log_likelihood(x @ b, y, w)
    for _ in range(STEPS):
        p = expit(x @ b)
        gradient = x.T @ (w * (y - p))
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x
        step = _solve(hessian, gradient)
        if step is None:
            return None
        size = 1.0
        while size > 1e-6 and (found := _log_likelihood(x @ (b + size * step), y, w)) < likelihood - 1e-12:
            size /= 2
        b, likelihood = b + size * step, found
        if np.abs(x @ b).max() > SEPARATED:
            return None
        if float(np.abs(step).max()) < TOLERANCE:
            break
    else:
        return None
    p = expit(x @ b)
    hessian = (x * (w * p * (1 - p))[:, None]).T @ x
    return Logistic(b, np.asarray(np.linalg.inv(hessian), np.float64), x * (w * (y - p))[:, None])


def _log_likelihood(linear: Floats, y: Floats, w: Floats) -> float:
    return float((w * (y * linear - np.logaddexp(0, linear))).sum())


def _solve(hessian: NDArray[np.float64], gradient: Floats) -> Floats | None:
    scale = np.sqrt(np.diag(hessian))
    if (scale <= 0).any() or np.linalg.cond(hessian / np.outer(scale, scale)) > 1e12:
        return None
    return np.asarray(np.linalg.solve(hessian, gradient), np.float64)
