"""Tests that only count which side won: exact McNemar, the sign test, and the binomial they rest on.

Valid at any n, not with clusters (see `signflip`). Sources: McNemar 1947; Fagerland, Lydersen and Laake 2013
for the mid-p variant.
"""

import numpy as np
from scipy.special import bdtr, gammaln

from suite.scoring.stats.units import Scores, floats


def mcnemar_exact(only_a: int, only_b: int, *, mid: bool = False) -> float:
    """Two-sided p value of the discordant counts; 1 where there are none.

    mid: the less conservative mid-p, which takes half of the probability of the count itself off each side.
    """
    n, k = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    p = min(1.0, 2 * float(bdtr(k, n, 0.5)))
    if not mid:
        return p
    at = float(np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) - n * np.log(2)))
    return p - at


def sign_test(differences: Scores, *, mid: bool = False) -> float:
    """The same on the signs of differences; zeros and missing ones are dropped."""
    d = floats(differences)
    return mcnemar_exact(int((d > 0).sum()), int((d < 0).sum()), mid=mid)
