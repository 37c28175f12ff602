"""What a planned sample size can show: smallest detectable differences, sample sizes, power.

MDE: the difference that a two-sided test at `alpha` finds with probability `power`. None where there are
fewer than two samples. Never for post-hoc power at the observed difference. Sources: Miller
2024, arXiv 2411.00640, section 5; Connor 1987 (discordant pairs). Why: docs/statistics.md, "Two models".
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import nctdtr, ndtr, ndtri, stdtrit

ALPHA = 0.05
POWER = 0.8
UNKNOWN_SD = 0.5  # of a 0/1 score at its most uncertain
UNKNOWN_ICC = 0.2


def _sum_of_quantiles(alpha: float, power: float) -> float:
    return float(ndtri(1 - alpha / 2) + ndtri(power))


def design_effect(sizes: Sequence[int], icc: float = UNKNOWN_ICC) -> float:
    """Variance of a clustered mean over that of independent units: 1 + (size-weighted mean size - 1) * ICC.

    sizes: units of each cluster.
    """
    s = np.asarray(sizes, dtype=np.float64)
    if not s.sum():
        return 1.0
    return 1 + (float((s * s).sum() / s.sum()) - 1) * icc


def mde(
    n: int, sd: float = UNKNOWN_SD, *, deff: float = 1.0, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """One mean of n units against a fixed value."""
    if n < 2:
        return None
    return _sum_of_quantiles(alpha, power) * sd * math.sqrt(deff / n)


def mde_paired(
    n: int,
    sd_difference: float | None = None,
    *,
    sd: float = UNKNOWN_SD,
    correlation: float = 0.5,
    deff: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float | None:
    """Two models on the same n samples; without sd_difference it is sd * sqrt(2 (1 - correlation))."""
    spread = sd * math.sqrt(2 * (1 - correlation)) if sd_difference is None else sd_difference
    return mde(n, spread, deff=deff, alpha=alpha, power=power)


def mde_paired_t(n: int, sd_difference: float, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """`mde_paired` by the noncentral t distribution: about 1 % larger at n = 100."""
    if n < 2:
        return None
    if sd_difference == 0:
        return 0.0
    critical = float(stdtrit(n - 1, 1 - alpha / 2))

    def lacking(shift: float) -> float:
        # The other tail is below 1e-6 here, and nan for few degrees of freedom.
        near = float(nctdtr(n - 1, shift, -critical))
        return power - (1 - float(nctdtr(n - 1, shift, critical)) + (near if math.isfinite(near) else 0.0))

    return _root(lacking, 0.0, 2 * critical + 10) * sd_difference / math.sqrt(n)


def mde_two_proportions(p: float, n: int, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """Smallest rise above p that two independent groups of n each can show; None if 1 - p is not enough."""
    if n < 2:
        return None
    za, zb = float(ndtri(1 - alpha / 2)), float(ndtri(power))

    def excess(d: float) -> float:
        q = p + d / 2
        needed = za * math.sqrt(2 * q * (1 - q)) + zb * math.sqrt(p * (1 - p) + (p + d) * (1 - p - d))
        return needed - d * math.sqrt(n)

    most = 1 - p - 1e-9
    if most <= 0 or excess(most) > 0:
        return None
    return _root(excess, 1e-9, most)


def mde_discordant(n: int, discordant: float, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """Paired 0/1 scores of which a share is discordant; None if even all of these one way are not enough."""
    if n < 2 or discordant <= 0:
        return None
    za, zb = float(ndtri(1 - alpha / 2)), float(ndtri(power))

    def excess(d: float) -> float:
        return za * math.sqrt(discordant) + zb * math.sqrt(max(0.0, discordant - d * d)) - d * math.sqrt(n)

    most = min(discordant, math.sqrt(discordant))
    return None if excess(most) > 0 else _root(excess, 0.0, most)


def samples_for_discordant(
    discordant: float, difference: float, *, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """Samples needed to show a difference between paired 0/1 scores; round up. None if impossible."""
    if not 0 < abs(difference) <= discordant:
        return None
    za, zb = float(ndtri(1 - alpha / 2)), float(ndtri(power))
    top = za * math.sqrt(discordant) + zb * math.sqrt(discordant - difference**2)
    return (top / difference) ** 2


def samples_for_repeats(
    difference: float,
    between: float,
    *,
    within: tuple[float, float] = (0.0, 0.0),
    repeats: tuple[int, int] = (1, 1),
    alpha: float = ALPHA,
    power: float = POWER,
) -> float | None:
    """Samples needed for a paired difference when every sample is answered several times; round up.

    between: variance over samples of the difference of conditional means. within: variance of one answer to
    one sample, of either model. repeats: answers of either model to a sample.
    """
    if difference == 0:
        return None
    variance = between + within[0] / repeats[0] + within[1] / repeats[1]
    return _sum_of_quantiles(alpha, power) ** 2 * variance / difference**2


def power_of(difference: float, se: float, *, alpha: float = ALPHA) -> float | None:
    """Chance that a planned contrast with this true difference and standard error is significant."""
    if se <= 0:
        return None
    za = float(ndtri(1 - alpha / 2))
    return float(ndtr(difference / se - za) + ndtr(-difference / se - za))


def _root(f: Callable[[float], float], low: float, high: float) -> float:
    """Zero of a function that falls from positive to negative, by bisection."""
    for _ in range(200):
        middle = (low + high) / 2
        if f(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
