"""Means followed while their data come: bounds that hold at all looks together, so that one may stop at any.

Somebody bets against "the mean is m or less", at odds that are fair where it is m. By Ville's inequality
(1939) his capital ever reaches 1/alpha with a chance of alpha at most, however often one looks. Each m he has
beaten lies below the mean: a confidence sequence. Bets of sixteen sizes share the capital, so no effect has
to be guessed: grid Kelly of Waudby-Smith and Ramdas 2024 (JRSS-B 86:1, section 4, appendix B). A bet is a
share of the largest that cannot ruin; so capital falls as m grows, and bounds form an interval.

Increments are sums over independent blocks (clusters) in a random order, over the size of the largest.
"""

from collections.abc import Sequence

import numpy as np

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.estimate import Pair

BETS, LARGEST_BET, HALVINGS = 16, 0.95, 40


class Wager:
    """The capital of bets against "the mean is `mean` or less". mean: above the lowest value, in (0, span].
    planned: blocks in all, by which the smallest bet is chosen. runs: shape of runs followed side by side.
    """

    def __init__(self, mean: float, planned: int, runs: tuple[int, ...] = ()) -> None:
        self.mean = mean
        smallest = min(2.0 / max(planned, 1) ** 0.5, LARGEST_BET / 2)
        self._bets = np.geomspace(smallest, LARGEST_BET, BETS).reshape(BETS, *(1 for _ in runs), 1)
        self._parts = np.full((BETS, *runs), 1 / BETS)

    def after(self, above: Floats, sizes: Floats) -> Floats:
        """The capital after each of the next blocks, shape (..., n); it was 1 at first.

        above: sums of values above the lowest possible; sizes: units; both over the largest block's units.
        """
        with np.errstate(over="ignore"):  # a capital without end has won
            grown = np.cumprod(1 + self._bets * (above / self.mean - sizes), axis=-1)
            grown *= self._parts[..., None]
        self._parts = grown[..., -1] if grown.shape[-1] else self._parts
        return np.asarray(grown.sum(axis=0))


def confidence_sequence(
    above: Floats, sizes: Floats, limits: Pair, alphas: Sequence[float], planned: int
) -> Pair:
    """The interval of the mean after these blocks: the intersection of those of all looks.

    above, sizes, planned: as of a `Wager`, shape (n,). limits: of values. alphas: the chance that the lower,
    and the upper, bound is ever wrong.
    """
    span = limits[1] - limits[0]
    low = _lower_bound(above, sizes, span, alphas[0], planned)
    high = span - _lower_bound(span * sizes - above, sizes, span, alphas[1], planned)
    return limits[0] + low, limits[0] + max(low, high)


def _lower_bound(above: Floats, sizes: Floats, span: float, alpha: float, planned: int) -> float:
    low, high = 0.0, span
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        beaten = Wager(middle, planned).after(above, sizes).max(initial=0.0) >= 1 / alpha
        low, high = (middle, high) if beaten else (low, middle)
    return low
