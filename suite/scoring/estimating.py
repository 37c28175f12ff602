"""From units of the table to the statistics library and back: digests as clusters, `Estimated` as result."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.scoring.metrics import Range
from suite.scoring.resampling import how_many
from suite.scoring.row import Estimated, estimated
from suite.scoring.stats.intervals import clip, normal_quantile, t_quantile
from suite.scoring.stats.mean import mean_estimate, spread
from suite.scoring.stats.units import clusters_of

Floats = NDArray[np.float64]
Digests = NDArray[np.uint64]
MANY_CLUSTERS = 30


def shared(clusters: Digests) -> Digests | None:
    """Cluster labels, or None where every unit is its own: then nothing needs to be sorted out."""
    return clusters if how_many(clusters) < len(clusters) else None


def estimate_mean(
    x: Floats, clusters: Digests, binary: bool, limits: Range | None, level: float
) -> Estimated:
    """Mean of scored units with its interval. clusters: equal where units share an origin.

    binary: 0/1 scores. See `suite.scoring.stats.mean`.
    """
    found = mean_estimate(x, shared(clusters), binary=binary, value_range=limits, level=level)
    return estimated(found)


def estimate_macro(
    groups: Sequence[Floats], clusters: Sequence[Digests], limits: Range | None, level: float
) -> Estimated:
    """Unweighted mean of group means; the groups are the population, clusters lie within groups.

    SE = sqrt(sum SE_k^2)/K; normal quantile, or t with the fewest clusters minus one where any group has
    fewer than 30. Why: docs/numbers.md, "Macro and micro".
    """
    found = [spread(x, clusters_of(shared(c), len(x))) for x, c in zip(groups, clusters, strict=True)]
    value = math.fsum(one.mean for one in found) / len(found)
    count = sum(one.clusters for one in found)
    errors = [one.se for one in found if one.se is not None]
    if len(errors) < len(found):
        return Estimated(value, clusters=count, note="a slice has one cluster: no interval")
    se = math.sqrt(math.fsum(one * one for one in errors)) / len(errors)
    if se == 0:
        return Estimated(value, clusters=count, note="no variation")
    fewest = min(one.clusters for one in found)
    many = fewest >= MANY_CLUSTERS
    quantile = normal_quantile(level) if many else t_quantile(fewest - 1, level)
    low, high = clip((value - quantile * se, value + quantile * se), limits)
    return Estimated(value, low, high, "macro-z" if many else "macro-t", count)
