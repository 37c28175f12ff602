"""A share judged yes by a model, corrected by labels of people: Rogan and Gladen's share.

It also takes a calibration set of another mix of right and wrong, if the judge errs alike on both; for labels
of a random part of the same samples `stratified` is tighter. Sources: Rogan and Gladen 1978; Lang and
Reiczigel 2014 (the interval), as in Lee et al. 2025 (arXiv 2511.21140).
"""

import math
from dataclasses import dataclass

from suite.scoring.stats.estimate import Estimate, clip
from suite.scoring.stats.intervals import normal_quantile, wilson

USELESS = "judge no better than chance"


@dataclass(frozen=True, slots=True)
class RoganGladen:
    """estimate: the corrected share with Lang and Reiczigel's interval. delta: with the delta method's. raw:
    before it is cut to [0, 1]. apparent: share judged yes. sensitivity, specificity: with Wilson's.
    """

    estimate: Estimate
    delta: Estimate
    raw: float | None
    apparent: Estimate
    sensitivity: Estimate
    specificity: Estimate


def rogan_gladen(
    yes: int, n: int, hits: int, positives: int, rejections: int, negatives: int, *, level: float = 0.95
) -> RoganGladen:
    """yes of n judged so; hits of the labelled `positives` judged yes; rejections of `negatives` judged no.

    No estimate where one of the sets is empty or the judge is no better than chance.
    """
    apparent, sensitivity, specificity = (
        _share(k, of, level) for k, of in ((yes, n), (hits, positives), (rejections, negatives))
    )
    size = n + positives + negatives
    p, q1, q0 = apparent.value, sensitivity.value, specificity.value
    if p is None or q1 is None or q0 is None or q0 + q1 - 1 <= 1e-12:
        note = "a set is empty" if None in (p, q1, q0) else USELESS
        nothing = Estimate(None, level=level, n=size, note=note)
        return RoganGladen(nothing, nothing, None, apparent, sensitivity, specificity)
    z = normal_quantile(level)
    theta = (p + q0 - 1) / (q0 + q1 - 1)
    half = z * _error(theta, (p, n), (q1, positives), (q0, negatives))
    cut = min(1.0, max(0.0, theta))
    delta = Estimate(cut, theta - half, theta + half, level, "rogan-gladen-delta", size)
    low, high = _lang_reiczigel((yes, n), (hits, positives), (rejections, negatives), z)
    note = "below 0 before it was cut" if theta < 0 else "above 1 before it was cut" if theta > 1 else ""
    estimate = Estimate(cut, low, high, level, "lang-reiczigel", size, note=note)
    return RoganGladen(estimate, delta, theta, apparent, sensitivity, specificity)


def _share(k: int, n: int, level: float) -> Estimate:
    if not n:
        return Estimate(None, level=level, note="no scores")
    return Estimate(k / n, *wilson(k / n, n, level), level, "wilson", n, clusters=n, n_effective=n)


def _error(
    theta: float, apparent: tuple[float, float], hit: tuple[float, float], rejected: tuple[float, float]
) -> float:
    """Delta-method standard error; each pair is a share and its number."""
    (p, n), (q1, m1), (q0, m0) = apparent, hit, rejected
    variance = (p * (1 - p) / n + theta**2 * q1 * (1 - q1) / m1 + (1 - theta) ** 2 * q0 * (1 - q0) / m0) / (
        q0 + q1 - 1
    ) ** 2
    return math.sqrt(variance)


def _lang_reiczigel(
    yes: tuple[int, int], hits: tuple[int, int], rejections: tuple[int, int], z: float
) -> tuple[float, float]:
    n = yes[1] + z * z
    m1, m0 = hits[1] + 2, rejections[1] + 2
    p, q1, q0 = (yes[0] + z * z / 2) / n, (hits[0] + 1) / m1, (rejections[0] + 1) / m0
    if q0 + q1 - 1 <= 1e-12:
        return 0.0, 1.0
    theta = (p + q0 - 1) / (q0 + q1 - 1)
    shift = 2 * z * z * (theta * q1 * (1 - q1) / m1 - (1 - theta) * q0 * (1 - q0) / m0)
    half = z * _error(theta, (p, n), (q1, m1), (q0, m0))
    return clip((theta + shift - half, theta + shift + half), (0.0, 1.0))
