"""Who is better than whom among K entries, all pairs at once: the pairwise max-T bootstrap.

Given point values x (K) and replicates x* (B, K) drawn with the same weights for all entries, the critical
value c is the (1 - alpha) quantile of max over pairs |d*_ij - d_ij| / se_ij; i is better than j iff
d_ij - c se_ij exceeds the smallest difference that counts. A rank interval is 1 + how many are better, to
K - how many are worse; all intervals hold together with probability `level`. Sources: Romano and
Wolf 2005; Mogstad et al. 2024 on ranks. Why not percentiles of bootstrapped ranks: docs/statistics.md.
Not here: where replicates come from (`resampling`).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from suite.scoring.stats.bradley_terry import rank_spans

Floats = NDArray[np.float64]
CHUNK = 64  # rows of one block: 64 x 2,000 float32 stay in a second-level cache


@dataclass(frozen=True)
class Pairwise:
    """All pairs of K entries.

    better: (K, K), [i, j] whether i is better than j. se: (K, K) of the differences; inf where it is not
    known, which makes a tie; 0 for none. critical: c, with all corrections, None where nothing could be
    tested. largest: (B,), the sorted deviations that c is a quantile of. The rest: as it was given.
    """

    better: NDArray[np.bool_]
    se: Floats
    critical: float | None
    values: Floats
    largest: NDArray[np.float32]
    epsilon: float = 0.0
    clusters: float | None = None

    def p(self, i: int, j: int) -> float | None:
        """Of a difference no larger than what counts, corrected for all pairs; None where not known."""
        gap, se = max(abs(self.values[i] - self.values[j]) - self.epsilon, 0.0), self.se[i, j]
        if self.critical is None or np.isinf(se):
            return None
        if se == 0:
            return _sign_flips(self.clusters, len(self.values)) if gap > 1e-12 else 1.0
        at = np.searchsorted(self.largest, _narrowed(gap / se, self.clusters))
        return float((1 + len(self.largest) - at) / (1 + len(self.largest)))

    @property
    def intervals(self) -> list[tuple[int, int]]:
        """Each entry's lowest and highest possible rank."""
        worse_than = self.better.sum(axis=0)
        better_than = self.better.sum(axis=1)
        k = len(self.better)
        return [(int(1 + a), int(k - b)) for a, b in zip(worse_than, better_than, strict=True)]


def pairwise(
    values: Floats,
    replicates: Floats,
    *,
    level: float,
    epsilon: float = 0.0,
    clusters: float | None = None,
    unknown: NDArray[np.bool_] | None = None,
    precision: float = 1e-9,
) -> Pairwise:
    """Test all pairs. values: (K,), higher is better. replicates: (B, K).

    epsilon: the smallest difference that counts, in units of values. clusters: how many independent units
    the replicates were drawn from; c becomes the quantile of Student's t at the level where the normal law
    has c (the pairs' own level, far out in the tail), times sqrt(n / (n - 1)), so that few of them do not
    look like many. None: the replicates are as spread as they should be. unknown: (K, K), pairs whose spread
    is not known: tied. precision: of the replicates, as a share of the largest value; less spread is none.
    """
    k = len(values)
    se = _spread(replicates)
    blind = np.zeros((k, k), np.bool_) if unknown is None else unknown & ~np.eye(k, dtype=np.bool_)
    if k < 2 or (clusters is not None and clusters < 2):
        unknown_se = np.where(np.eye(k, dtype=np.bool_), 0.0, np.inf)
        return Pairwise(np.zeros((k, k), np.bool_), unknown_se, None, values, np.empty(0, np.float32))
    difference = values[:, None] - values[None, :]
    scale = max(float(np.abs(values).max()), float(se.max()), 1e-300)
    tiny = se <= precision * scale
    blind |= tiny & (np.abs(difference) > 1e-12) & (_sign_flips(clusters, k) > 1 - level)
    usable = ~tiny & ~blind
    inverse = np.divide(1.0, se, out=np.zeros_like(se), where=usable)
    largest = np.sort(_largest(replicates, values, inverse))
    widened = _widened(float(np.quantile(largest, level, method="higher")), clusters)
    better = np.where(tiny, np.abs(difference) > 1e-12, difference - widened * se > epsilon)
    better &= (difference > epsilon) & ~blind
    se = np.where(blind, np.inf, np.where(tiny, 0.0, se))
    return Pairwise(better, se, widened, values, largest, epsilon, clusters)


def _sign_flips(clusters: float | None, k: int) -> float:
    """Differences that are equal in every cluster have no bootstrap spread. This is the p of the exact
    sign-flip test of them, corrected for all pairs: 2^(1 - n) for each, at most 1.
    """
    return 0.0 if clusters is None else min(1.0, k * (k - 1) / 2 * 2 ** (1 - clusters))


def _widened(critical: float, clusters: float | None) -> float:
    if clusters is None:
        return critical
    return -float(stdtrit(clusters - 1, ndtr(-critical))) * math.sqrt(clusters / (clusters - 1))


def _narrowed(studentised: float, clusters: float | None) -> float:
    """The other way round: which critical value is widened to this."""
    if clusters is None:
        return studentised
    return -float(ndtri(stdtr(clusters - 1, -studentised * math.sqrt((clusters - 1) / clusters))))


def widening(clusters: float | None, level: float) -> float:
    """t / z times sqrt(n / (n - 1)): what the interval of a bootstrap of n clusters lacks."""
    if clusters is None:
        return 1.0
    tail = 1 - (1 - level) / 2
    return float(stdtrit(clusters - 1, tail) / ndtri(tail)) * math.sqrt(clusters / (clusters - 1))


def _spread(replicates: Floats) -> Floats:
    """Standard errors of all differences, (K, K), from the replicates' covariance."""
    centred = replicates - replicates.mean(axis=0)
    covariance = centred.T @ centred / max(len(replicates) - 1, 1)
    variance = np.diag(covariance)
    squared = variance[:, None] + variance[None, :] - 2 * covariance
    # what is left of two equal columns is rounding: a few units in the last place of the variances
    squared[squared <= 1e-13 * (variance[:, None] + variance[None, :])] = 0.0
    return np.asarray(np.sqrt(squared), np.float64)


def _largest(replicates: Floats, values: Floats, inverse: Floats) -> NDArray[np.float32]:
    """(B,): the largest studentised deviation over all pairs, block by block."""
    deviations = np.ascontiguousarray((replicates - values).T, dtype=np.float32)  # (K, B)
    weights = inverse.astype(np.float32)
    k, b = deviations.shape
    largest = np.zeros(b, np.float32)
    block = np.empty((CHUNK, b), np.float32)
    for i in range(k - 1):
        for start in range(i + 1, k, CHUNK):
            end = min(start + CHUNK, k)
            part = block[: end - start]
            np.subtract(deviations[start:end], deviations[i], out=part)
            np.multiply(part, weights[i, start:end, None], out=part)
            np.abs(part, out=part)
            np.maximum(largest, part.max(axis=0), out=largest)
    return largest


def competition_ranks(values: Floats) -> list[int | None]:
    """Ranks from 1, higher is better; equal values share the better rank (1-2-2-4); NaN has none."""
    known = np.flatnonzero(~np.isnan(values))
    best, _ = rank_spans(values[known], 1e-9 * np.maximum(1.0, np.abs(values[known])))
    ranks = dict(zip(known.tolist(), best.tolist(), strict=True))
    return [ranks.get(i) for i in range(len(values))]


def mid_ranks(values: Floats) -> Floats:
    """Ranks from 1 along the last axis, higher is better, ties sharing their mean; NaN stays NaN.

    Of replicates (B, K), an entry must be NaN in all or in none.
    """
    from scipy.stats import rankdata

    found: Floats = np.full(values.shape, np.nan)
    keep = ~np.isnan(np.atleast_2d(values)[0])
    if keep.any():
        found[..., keep] = rankdata(-values[..., keep], axis=-1)
    return found
