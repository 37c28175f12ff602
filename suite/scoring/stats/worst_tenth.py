"""How the tenth of many groups (users, topics) is served that is served worst.

The lowest of observed means are mostly bad luck. So half of each group's answers say which groups are the
worst, and the other half how these are served, and the other way round: luck that chose them is not counted.
It assumes nothing of how groups differ. Whoever is taken for one of the worst by mistake is served better, so
that the true worst are served no better than this.
"""

import numpy as np

from suite.scoring.stats.clusters import Clusters, Codes, Floats, clusters_of
from suite.scoring.stats.estimate import Estimate, Limits
from suite.scoring.stats.means import covering_mean

FEWEST_GROUPS = 20
FEWEST_EACH = 5  # answers a group, on average: fewer tell little about who is served worst


def worst_tenth(
    x: Floats, groups: Codes, *, lower: bool, binary: bool, limits: Limits, level: float = 0.95
) -> Estimate:
    """The mean of answers of the k/10 (rounded up) groups that the other half of their answers puts last.

    x: shape (n,), in an order that means nothing: every second answer of a group is of one half. groups:
    codes 0 to k - 1, of two answers or more each. lower: low values are good. Interval over groups.
    """
    sizes = np.bincount(groups)
    order, counted = np.argsort(groups, kind="stable"), np.zeros(len(x), dtype=bool)
    place = np.empty(len(x), dtype=np.int64)
    place[order] = np.arange(len(x)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    for half in (place % 2 == 0, place % 2 == 1):
        means = np.bincount(groups[half], x[half]) / np.bincount(groups[half])
        last = np.argsort(-means if lower else means, kind="stable")[: -(-len(sizes) // 10)]
        counted |= ~half & np.isin(groups, last)
    own: Clusters = clusters_of(groups[counted].tolist(), int(counted.sum()))
    return covering_mean(x[counted], own, binary=binary, limits=limits, level=level)
