"""Length-controlled win rate: what the win rate were if both answers had the same length.

logit P(win) = theta + phi tanh(dl/sd(dl)), ties as half; the controlled rate is logistic(theta). Descriptive:
length may be a real quality. Idea: Dubois et al. 2024, arXiv 2404.04475.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from suite.errors import ConfigError
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import normal_quantile
from suite.scoring.stats.logistic import Logistic, fit_logistic
from suite.scoring.stats.mean import mean_estimate
from suite.scoring.stats.units import Clusters, Floats, Labels, Scores, clusters_of, floats, subset

LARGEST = 10.0
FLAG = 0.1


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """raw, controlled: win rates (ties half). length: phi, above 0 where longer answers win.

    sd: of the length differences (ddof 1), the unit of phi. warning: raw and controlled differ a lot.
    """

    raw: Estimate
    controlled: Estimate
    length: Estimate
    sd: float | None
    warning: str


def length_controlled(
    scores: Scores, length_differences: Scores, clusters: Labels | None = None, *, level: float = 0.95
) -> LengthControlled:
    """scores: 1, 1/2, 0 (or means of two orders) for the model; length_differences: its minus the opponent's.

    Units that miss either are unscored. Covariance: cluster-robust, HC0 without clusters. Where the lengths
    never differ the controlled rate is the raw one; where the data separate there is none.
    """
    y, dl = floats(scores), floats(length_differences)
    if len(y) != len(dl):
        raise ConfigError(f"{len(y)} scores, {len(dl)} lengths", "length_controlled")
    keep = ~(np.isnan(y) | np.isnan(dl))
    y = np.where(keep, y, np.nan)
    raw = mean_estimate(y, clusters, value_range=(0.0, 1.0), level=level)
    y, dl, labels = y[keep], dl[keep], subset(clusters, keep)
    sd = float(dl.std(ddof=1)) if len(dl) > 1 else None
    if not sd:
        nothing = Estimate(None, level=level, n=raw.n, note="lengths do not differ")
        return LengthControlled(raw, raw, nothing, sd, "")
    plain = replace(raw, value=None, low=None, high=None, n_effective=None, note="")
    fit = _fit(y, dl, sd)
    if fit is None:
        nothing = replace(plain, note="length and verdict cannot be told apart")
        return LengthControlled(raw, nothing, nothing, sd, "")
    controlled, length = _estimates(fit, plain, clusters_of(labels, len(y)))
    gap = abs((controlled.value or 0.0) - (raw.value or 0.0))
    warning = f"length control moves the win rate by {gap:.2f}" if gap > FLAG else ""
    return LengthControlled(raw, controlled, length, sd, warning)


def _fit(y: Floats, dl: Floats, sd: float) -> Logistic | None:
    fit = fit_logistic(np.column_stack([np.ones(len(y)), np.tanh(dl / sd)]), y)
    return None if fit is None or np.abs(fit.coefficients).max() > LARGEST else fit


def fit_lengths(scores: Floats, length_differences: Floats) -> tuple[float | None, float | None]:
    """(theta, phi) alone, without missing values; None where there is no fit."""
    sd = float(length_differences.std(ddof=1)) if len(length_differences) > 1 else 0.0
    fit = _fit(scores, length_differences, sd) if sd else None
    return (None, None) if fit is None else (float(fit.coefficients[0]), float(fit.coefficients[1]))


def _estimates(fit: Logistic, plain: Estimate, groups: Clusters) -> tuple[Estimate, Estimate]:
    theta, phi = (float(one) for one in fit.coefficients)
    controlled = replace(plain, value=float(expit(theta)))
    length = replace(plain, value=phi)
    if groups.count < 2:
        return replace(controlled, note="one cluster"), replace(length, note="one cluster")
    variances = np.diag(fit.covariance(None if groups.singletons else groups))
    z = normal_quantile(plain.level)
    halves = [z * math.sqrt(max(0.0, float(one))) for one in variances]
    if min(halves) < 1e-12:
        return replace(controlled, note="no variation"), replace(length, note="no variation")
    method = "logit-hc0-z" if groups.singletons else "logit-cluster-z"
    low, high = float(expit(theta - halves[0])), float(expit(theta + halves[0]))
    return (
        replace(controlled, low=low, high=high, method=method),
        replace(length, low=phi - halves[1], high=phi + halves[1], method=method),
    )
