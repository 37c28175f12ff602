"""From units of the table to the statistics library and back: digests as clusters, `Estimated` as result."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.scoring.metrics import Range
from suite.scoring.resampling import how_many
from suite.scoring.row import Estimated, estimated
from suite.scoring.stats.covering import covering_macro, covering_mean
from suite.scoring.stats.units import Clusters, clusters_of

Floats = NDArray[np.float64]
Digests = NDArray[np.uint64]


def grouped(clusters: Digests) -> Clusters:
    """The clusters of units; where every unit is its own, nothing is sorted out."""
    return clusters_of(clusters if how_many(clusters) < len(clusters) else None, len(clusters))


def estimate_mean(
    x: Floats, clusters: Digests, binary: bool, limits: Range | None, level: float
) -> Estimated:
    """Mean of scored units with its interval. clusters: equal where units share an origin.

    binary: 0/1 scores. See `suite.scoring.stats.covering`.
    """
    return estimated(covering_mean(x, grouped(clusters), binary=binary, limits=limits, level=level))


def estimate_macro(
    groups: Sequence[Floats], clusters: Sequence[Digests], binary: bool, limits: Range | None, level: float
) -> Estimated:
    """Unweighted mean of group means; the groups are fixed. Why: docs/numbers.md, "Macro and micro"."""
    codes = clusters_of(np.concatenate(clusters), sum(map(len, clusters)))
    parts = np.split(codes.codes, np.cumsum([len(one) for one in clusters])[:-1])
    own = [Clusters(part, codes.count, 0) for part in parts]
    return estimated(covering_macro(groups, own, binary=binary, limits=limits, level=level))
