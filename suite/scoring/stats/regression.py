"""Logistic regression with fractional labels by maximum likelihood: length control, style-controlled ratings.

No penalty: where the data separate, or a column is redundant, there is no fit rather than a large number.
Length control: logit P(win) = theta + phi tanh(dl/sd(dl)), ties as half; the controlled rate is
logistic(theta). Descriptive: length may be a real quality. Idea: Dubois et al. 2024, arXiv 2404.04475.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.strengths import Slope, climb

LARGEST = 10.0  # coefficient of length control
SINGULAR = 1e12  # condition number of the curvature where columns are redundant
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

    def slope(b: Floats) -> Slope:
        linear = x @ b
        p = expit(linear)
        value = float((y * linear - np.logaddexp(0, linear)).sum())
        return Slope(value, x.T @ (y - p), np.asarray((x * (p * (1 - p))[:, None]).T @ x, np.float64))

    found = climb(slope, np.zeros(k), held=0, singular=SINGULAR)
    return None if found is None or np.abs(x @ found).max() > SEPARATED else found
