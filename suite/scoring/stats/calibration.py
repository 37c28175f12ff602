"""Probabilities against what happened: Brier score and log loss, calibration error as a description.

Proper scores cannot be gamed; the expected calibration error depends on its bins and is biased up for few
samples, so its value under perfect calibration stands beside it. Sources: Brier 1950; Murphy 1973; Guo et
al. 2017, eq. 3 (arXiv 1706.04599).
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.errors import ConfigError
from suite.scoring.stats.bootstrap import bootstrap
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.logistic import fit_logistic
from suite.scoring.stats.mean import mean_estimate
from suite.scoring.stats.units import Floats, Labels, Scores, floats, subset

BINS = 15
REDRAWS = 1000
SMALLEST = 1e-6
Binning = Literal["equal-mass", "equal-width"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """brier, log_loss: lower is better. skill: 1 - Brier over that of the base rate; None if all y are equal.
    ece: expected calibration error; ece_if_calibrated: its mean for a perfectly calibrated model; largest:
    over bins. reliability, resolution, uncertainty: Murphy's parts, exact only for one p per bin. slope,
    intercept: of logistic recalibration (1 and 0 are calibrated; a slope below 1 is overconfident).
    in_the_large: mean y minus mean p. bins: as used.
    """

    brier: Estimate
    log_loss: Estimate
    skill: float | None
    ece: Estimate
    ece_if_calibrated: float | None
    largest: float | None
    reliability: float | None
    resolution: float | None
    uncertainty: float | None
    slope: float | None
    intercept: float | None
    in_the_large: float | None
    bins: int


def calibration(
    p: Scores,
    y: Scores,
    clusters: Labels | None = None,
    *,
    bins: int | None = None,
    binning: Binning = "equal-mass",
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> Calibration:
    """p: forecasts; those missing or outside [0, 1] are unscored. y: 0/1 outcomes, None is unscored.

    bins: 15, or a tenth of the samples if that is fewer. Raises ConfigError for an outcome that is not 0/1.
    """
    x, z = floats(p), floats(y)
    if len(x) != len(z):
        raise ConfigError(f"{len(x)} forecasts, {len(z)} outcomes", "calibration")
    keep = ~np.isnan(x) & ~np.isnan(z) & (x >= 0) & (x <= 1)
    labels, total = subset(clusters, keep), len(x)
    x, z = x[keep], z[keep]
    if not bool(((z == 0) | (z == 1)).all()):
        raise ConfigError("an outcome is neither 0 nor 1", "calibration")
    n = len(x)
    used = max(1, min(BINS, n // 10)) if bins is None else bins
    cut = np.clip(x, SMALLEST, 1 - SMALLEST)
    losses = -(z * np.log(cut) + (1 - z) * np.log1p(-cut))
    brier = _with_lost(mean_estimate((x - z) ** 2, labels, value_range=(0.0, 1.0), level=level), total)
    log_loss = _with_lost(mean_estimate(losses, labels, level=level), total)
    if not n:
        nothing = (None,) * 9
        return Calibration(brier, log_loss, None, brier, *nothing[:8], bins=used)
    ece = bootstrap(
        lambda index: expected_error(x[index], z[index], used, binning),
        np.arange(n) if labels is None else labels,
        seed=seed,
        draws=draws,
        level=level,
        kind="percentile",
    )
    codes = bins_of(x, used, binning)
    sizes, gaps, shares = _by_bin(codes, used, x, z)
    base = float(z.mean())
    uncertainty = base * (1 - base)
    slope, intercept = _recalibration(cut, z)
    return Calibration(
        brier=brier,
        log_loss=log_loss,
        skill=1 - (brier.value or 0.0) / uncertainty if uncertainty else None,
        ece=_with_lost(ece, total),
        ece_if_calibrated=_if_calibrated(x, used, binning, seed),
        largest=float(np.abs(gaps).max()),
        reliability=float((sizes * gaps**2).sum()) / n,
        resolution=float((sizes * (shares - base) ** 2).sum()) / n,
        uncertainty=uncertainty,
        slope=slope,
        intercept=intercept,
        in_the_large=base - float(x.mean()),
        bins=used,
    )


def _with_lost(found: Estimate, total: int) -> Estimate:
    return replace(found, n_unscored=total - found.n)


def bins_of(p: Floats, bins: int, binning: Binning) -> NDArray[np.intp]:
    """The bin of each forecast. Equal width: [b/B, (b+1)/B), 1 in the last. Equal mass: by rank; equal
    forecasts may be split, in the order given.
    """
    if binning == "equal-width":
        return np.minimum((p * bins).astype(np.intp), bins - 1)
    found = np.empty(len(p), dtype=np.intp)
    for code, members in enumerate(np.array_split(np.argsort(p, kind="stable"), bins)):
        found[members] = code
    return found


def expected_error(p: Floats, y: Floats, bins: int, binning: Binning = "equal-mass") -> float:
    """ECE = sum over bins of n_b/n |mean y - mean p|."""
    gaps = np.bincount(bins_of(p, bins, binning), weights=y - p, minlength=bins)
    return float(np.abs(gaps).sum()) / len(p)


def _by_bin(codes: NDArray[np.intp], bins: int, p: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """(size, mean y - mean p, mean y) of the bins that are not empty."""
    sizes = np.bincount(codes, minlength=bins).astype(np.float64)
    used = sizes > 0
    gaps = np.bincount(codes, weights=y - p, minlength=bins)[used] / sizes[used]
    shares = np.bincount(codes, weights=y, minlength=bins)[used] / sizes[used]
    return sizes[used], gaps, shares


def _if_calibrated(p: Floats, bins: int, binning: Binning, seed: int) -> float:
    chance = np.random.default_rng(seed)
    found = [
        expected_error(p, (chance.random(len(p)) < p).astype(np.float64), bins, binning)
        for _ in range(REDRAWS)
    ]
    return float(np.mean(found))


def _recalibration(p: Floats, y: Floats) -> tuple[float | None, float | None]:
    """(slope, intercept) of logit P(y) = intercept + slope logit p; None where there is no fit."""
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        return None, None
    fit = fit_logistic(np.column_stack([np.ones(len(p)), np.log(p / (1 - p))]), y)
    if fit is None:
        return None, None
    intercept, slope = fit.coefficients
    return float(slope), float(intercept)
