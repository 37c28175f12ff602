"""The sign-flip permutation test of a mean difference.

Under no difference every one is as likely to have the other sign; no distribution is assumed. Exact with up
to 16 differences that are not zero, else 9,999 random flips. Why: docs/statistics.md, "Two models".
"""

from typing import NamedTuple

import numpy as np

from suite.scoring.stats.clusters import Floats

MOST_FOR_EXACT = 16
FLIPS = 9999
BLOCK = 8  # differences whose flips share one random byte
NEAR = 1e-12


class SignFlip(NamedTuple):
    """p: two-sided. method: "sign-flip-exact" or "sign-flip-random". smallest: the smallest p that so many
    differences other than zero can give.
    """

    p: float
    method: str
    smallest: float


def sign_flip(d: Floats, *, seed: int = 0, flips: int = FLIPS) -> SignFlip:
    """Test that differences (none missing) have mean zero; all zero gives p = 1.

    The order of the samples and the direction of the difference do not matter.
    """
    scale = float(np.abs(d).max(initial=0.0))
    observed = abs(float(d.sum()))
    sums = np.sort(np.abs(d[np.abs(d) > NEAR * scale]))
    count = len(sums)
    if count == 0:
        return SignFlip(1.0, "sign-flip-exact", 1.0)
    reached = observed - NEAR * max(1.0, float(sums.sum()))
    if count <= MOST_FOR_EXACT:
        p = float((np.abs(_all_flips(sums)) >= reached).mean())
        return SignFlip(p, "sign-flip-exact", 2.0 ** (1 - count))
    found = _random_flips(sums, flips, np.random.default_rng(seed))
    p = (1 + int((np.abs(found) >= reached).sum())) / (1 + flips)
    return SignFlip(p, "sign-flip-random", 1 / (1 + flips))


def _all_flips(sums: Floats) -> Floats:
    found = np.zeros(1)
    for one in sums:
        found = np.concatenate([found + one, found - one])
    return found


def _random_flips(sums: Floats, flips: int, chance: np.random.Generator) -> Floats:
    """Sums under random signs: a byte picks one of the 256 sign patterns of eight."""
    total = np.zeros(flips)
    for start in range(0, len(sums), BLOCK):
        table = _all_flips(sums[start : start + BLOCK])
        total += table[chance.integers(0, len(table), flips, dtype=np.uint16)]
    return total
