"""A share judged yes by a model, corrected by labels of people: PPI++, and Rogan and Gladen's share.

`ppi_mean` is unbiased whatever the judge does, and hardly worse than the labels alone: a useless judge gets
weight 0. The labelled samples must be a random subset of all. `rogan_gladen` also takes a calibration set of
another mix of right and wrong, if the judge errs alike on both; on the same population the former is tighter.
Sources: Angelopoulos et al. 2023 (arXiv 2301.09633); PPI++ (arXiv 2311.01453); Rogan and Gladen 1978; Lang
and Reiczigel 2014 (the interval), as in Lee et al. 2025 (arXiv 2511.21140).
"""

import math
from dataclasses import replace

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
from suite.scoring.stats.estimate import Estimate, Pair, clip, joined
from suite.scoring.stats.intervals import NOTHING, normal_quantile, t_interval, t_quantile, wilson
from suite.scoring.stats.means import ONE_CLUSTER, spread

USELESS = "judge no better than chance"
_Share = tuple[int, int]  # how many, of how many


def ppi_mean(
    human: Scores, judge: Scores, clusters: Labels | None = None, *, level: float = 0.95
) -> Estimate:
    """Mean of what humans would say of all samples, yes (1) or no (0).

    human: shape (n + N,), None where nobody was asked, n > 0; judge: what it says of the same samples, None
    where it says nothing (those samples are left out). clusters: labels; a cluster may hold samples with
    labels or without, not both. The judge's weight is lambda = clip(cov(Y, F)/((1 + n/N) var F), 0, 1).
    SE^2 = lambda^2 var(F_unl)/N + var(Y - lambda F)/n, cluster-robust, t with labelled clusters - 1.
    Raises ConfigError for clusters that straddle.
    """
    f = floats(judge)
    judged = ~np.isnan(f)
    y, f, labels = floats(human)[judged], f[judged], subset(clusters, judged)
    known = ~np.isnan(y)
    inner, outer = (clusters_of(subset(labels, some), int(some.sum())) for some in (known, ~known))
    if known.all():
        found = share_estimate(y, inner, level)
        return replace(found, note=joined(found.note, "every sample has a human label"))
    if labels is not None and inner.count + outer.count > clusters_of(labels, len(y)).count:
        raise ConfigError.of("scoring.cluster-labels")
    weight = tuned_weight(y[known], f[known], f[~known])
    mine, judges = spread(y[known] - weight * f[known], inner), spread(weight * f[~known], outer)
    value, lost = mine.mean + judges.mean, int((~judged).sum())
    groups = inner.count + outer.count
    plain = Estimate(value, level=level, n=len(y), n_unscored=lost, clusters=groups)
    if mine.se is None or (judges.se is None and weight):
        return replace(plain, note=ONE_CLUSTER)
    se = math.hypot(mine.se, judges.se or 0.0)
    if se < NOTHING:
        return replace(plain, note="no variation")
    low, high = clip(t_interval(value, se, inner.count - 1, level), (0.0, 1.0))
    method = "ppi++-t" if inner.singletons and outer.singletons else "ppi++-cr1-t"
    return replace(plain, low=low, high=high, method=method)


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


def tuned_weight(human: Floats, judge: Floats, unlabelled: Floats) -> float:
    """The lambda with the least variance, within [0, 1]; 0 for a judge that does not vary."""
    n, big = len(human), len(unlabelled)
    everything = np.concatenate([judge, unlabelled])
    variance = float(everything.var(ddof=1)) if len(everything) > 1 else 0.0
    if not variance or not big:
        return 0.0
    covariance = float(((human - human.mean()) * (judge - judge.mean())).mean())
    return min(1.0, max(0.0, covariance / ((1 + n / big) * variance)))


def rogan_gladen(
    yes: int, n: int, hits: int, positives: int, rejections: int, negatives: int, *, level: float = 0.95
) -> Estimate:
    """yes of n judged so; hits of the labelled `positives` judged yes; rejections of `negatives` judged no.

    Lang and Reiczigel's interval. No estimate where one of the sets is empty or the judge is no better than
    chance.
    """
    plain = Estimate(None, level=level, n=n + positives + negatives, note="a set is empty")
    if not (n and positives and negatives):
        return plain
    p, q1, q0 = yes / n, hits / positives, rejections / negatives
    if q0 + q1 - 1 <= NOTHING:
        return replace(plain, note=USELESS)
    theta = (p + q0 - 1) / (q0 + q1 - 1)
    low, high = _lang_reiczigel((yes, n), (hits, positives), (rejections, negatives), normal_quantile(level))
    note = "below 0 before it was cut" if theta < 0 else "above 1 before it was cut" if theta > 1 else ""
    value = min(1.0, max(0.0, theta))
    return replace(plain, value=value, low=low, high=high, method="lang-reiczigel", note=note)


def _lang_reiczigel(yes: _Share, hits: _Share, rejections: _Share, z: float) -> Pair:
    n = yes[1] + z * z
    m1, m0 = hits[1] + 2, rejections[1] + 2
    p, q1, q0 = (yes[0] + z * z / 2) / n, (hits[0] + 1) / m1, (rejections[0] + 1) / m0
    if q0 + q1 - 1 <= NOTHING:
        return 0.0, 1.0
    theta = (p + q0 - 1) / (q0 + q1 - 1)
    shift = 2 * z * z * (theta * q1 * (1 - q1) / m1 - (1 - theta) * q0 * (1 - q0) / m0)
    variance = p * (1 - p) / n + theta**2 * q1 * (1 - q1) / m1 + (1 - theta) ** 2 * q0 * (1 - q0) / m0
    half = z * math.sqrt(variance / (q0 + q1 - 1) ** 2)
    return clip((theta + shift - half, theta + shift + half), (0.0, 1.0))
