"""A share judged yes by a model, corrected by labels of people: PPI++, and Rogan and Gladen's share.

`ppi_mean` is unbiased whatever the judge does, and hardly worse than the labels alone: a useless judge gets
weight 0. The labelled samples must be a random subset of all. `rogan_gladen` also takes a calibration set of
another mix of right and wrong, if the judge errs alike on both; on the same population the former is tighter.
Sources: Angelopoulos et al. 2023 (arXiv 2301.09633); PPI++ (arXiv 2311.01453); Rogan and Gladen 1978; Lang
and Reiczigel 2014 (the interval), as in Lee et al. 2025 (arXiv 2511.21140).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.clusters import (
    Clusters,
    Floats,
    Labels,
    Scores,
    cluster_flags,
    clusters_of,
    floats,
    subset,
)
from suite.scoring.stats.estimate import Estimate, clip, joined
from suite.scoring.stats.intervals import NOTHING, normal_quantile, t_interval, t_quantile, wilson
from suite.scoring.stats.means import ONE_CLUSTER, spread

FEWEST_LABELS = 30
USELESS = "judge no better than chance"


@dataclass(frozen=True, slots=True)
class PpiMean:
    """estimate: by PPI++. human: of the labels alone. judge: of the judge alone on all samples, uncorrected.
    weight: how much the judge counts (lambda), from 0 (not at all) to 1. shown: which of the three to put
    first: "estimate" with 30 labels or more, else "human", without labels "judge".
    """

    estimate: Estimate
    human: Estimate
    judge: Estimate
    weight: float | None
    shown: str
    note: str


def ppi_mean(human: Scores, judge: Scores, clusters: Labels | None = None, *, level: float = 0.95) -> PpiMean:
    """Mean of what humans would say of all samples, yes (1) or no (0).

    human: shape (n + N,), None where nobody was asked; judge: what it says of the same samples, None where it
    says nothing (those samples are left out). clusters: labels; a cluster may hold samples with labels or
    without, not both. The judge's weight is lambda = clip(cov(Y, F)/((1 + n/N) var F), 0, 1).
    SE^2 = lambda^2 var(F_unl)/N + var(Y - lambda F)/n, cluster-robust, t with labelled clusters - 1.
    Raises ConfigError for clusters that straddle.
    """
    y, f = floats(human), floats(judge)
    keep = ~np.isnan(f)
    labels = subset(clusters, keep)
    y, f, lost = y[keep], f[keep], int((~keep).sum())
    labelled = ~np.isnan(y)
    n, total = int(labelled.sum()), len(f)
    alone = share_estimate(y[labelled], clusters_of(subset(labels, labelled), n), level)
    raw = share_estimate(f, clusters_of(labels, total), level)
    raw = replace(raw, n_unscored=lost, note=joined(raw.note, "judge, uncorrected"))
    nothing = Estimate(None, level=level, n=n, n_unscored=lost)
    if not n:
        return PpiMean(replace(nothing, note="no human labels"), alone, raw, None, "judge", "")
    if n == total:
        same = replace(alone, note=joined(alone.note, "every sample has a human label"))
        return PpiMean(same, alone, raw, 0.0, "human", "")
    found, used = _estimate(y[labelled], f[labelled], f[~labelled], labels, labelled, level)
    found = replace(found, n_unscored=lost)
    few = n < FEWEST_LABELS
    note = f"fewer than {FEWEST_LABELS} human labels: they alone come first" if few else ""
    return PpiMean(found, alone, raw, used, "human" if few else "estimate", note)


def share_estimate(x: Floats, clusters: Clusters, level: float = 0.95) -> Estimate:
    """A share with Wilson's interval. x: 0/1 scores without missing ones."""
    n = len(x)
    if not n:
        return Estimate(None, level=level, clusters=0, note="no scores")
    found = spread(x, clusters)
    plain = Estimate(found.mean, level=level, n=n, clusters=found.clusters, note=cluster_flags(clusters))
    if clusters.singletons:
        low, high = wilson(found.mean, n, level)
        return replace(plain, low=low, high=high, method="wilson", n_effective=n)
    if found.se is None:
        return replace(plain, note=joined(plain.note, ONE_CLUSTER))
    effective = float(found.clusters)
    if found.se >= NOTHING:  # at a t quantile with G - 1; where the scores vary and do not cancel
        factor = (normal_quantile(level) / t_quantile(found.clusters - 1, level)) ** 2
        effective = min(float(n), found.mean * (1 - found.mean) / found.se**2 * factor)
    low, high = wilson(found.mean, effective, level)
    return replace(plain, low=low, high=high, method="wilson-neff", n_effective=effective)


def _estimate(
    y: Floats,
    f: Floats,
    unlabelled: Floats,
    labels: Labels | None,
    labelled: np.ndarray,
    level: float,
) -> tuple[Estimate, float]:
    n, big = len(y), len(unlabelled)
    inner = clusters_of(subset(labels, labelled), n)
    outer = clusters_of(subset(labels, ~labelled), big)
    if labels is not None:
        whole = clusters_of(labels, len(labelled))
        if inner.count + outer.count > whole.count:
            raise ConfigError.of("scoring.cluster-labels")
    used = tuned_weight(y, f, unlabelled)
    parts = spread(y - used * f, inner), spread(used * unlabelled, outer)
    value = parts[0].mean + parts[1].mean
    plain = Estimate(value, level=level, n=n + big, clusters=inner.count + outer.count)
    if parts[0].se is None or (parts[1].se is None and used):
        return replace(plain, note="one cluster"), used
    se = math.hypot(parts[0].se, parts[1].se or 0.0)
    if se < 1e-12:
        return replace(plain, note="no variation"), used
    low, high = clip(t_interval(value, se, inner.count - 1, level), (0.0, 1.0))
    method = "ppi++-t" if inner.singletons and outer.singletons else "ppi++-cr1-t"
    return replace(plain, low=low, high=high, method=method), used


def tuned_weight(human: Floats, judge: Floats, unlabelled: Floats) -> float:
    """The lambda with the least variance, within [0, 1]; 0 for a judge that does not vary."""
    n, big = len(human), len(unlabelled)
    everything = np.concatenate([judge, unlabelled])
    variance = float(everything.var(ddof=1)) if len(everything) > 1 else 0.0
    if not variance or not big:
        return 0.0
    covariance = float(((human - human.mean()) * (judge - judge.mean())).mean())
    return min(1.0, max(0.0, covariance / ((1 + n / big) * variance)))


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
        share_estimate(floats(np.arange(of) < k), clusters_of(None, of), level)
        for k, of in ((yes, n), (hits, positives), (rejections, negatives))
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
