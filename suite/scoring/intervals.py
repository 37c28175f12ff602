"""The intervals that metrics use, with the table's own types: digests for clusters, `Estimated` back."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from suite.scoring.metrics import Range
from suite.scoring.resampling import cluster_sums, coded
from suite.scoring.row import Estimated

Floats = NDArray[np.float64]
Clusters = NDArray[np.uint64]
FEW_CLUSTERS = 10
MANY_CLUSTERS = 30


def estimate_mean(
    x: Floats, clusters: Clusters, binary: bool, limits: Range | None, level: float
) -> Estimated:
    """Mean of scored units with its interval. clusters: equal where units share an origin.

    binary: 0/1 scores. Source: specs/statistics.md sections 3.1 to 3.4.
    """
    n = len(x)
    if n == 0:
        return Estimated(None)
    mean = math.fsum(x) / n
    se, count = standard_error(x, clusters, mean)
    if binary:
        return _binary(mean, n, se, count, level)
    if count < 2 or se is None:
        return Estimated(mean, clusters=count, note="one cluster" if n > 1 else "one sample")
    if np.ptp(x) == 0:
        return Estimated(mean, clusters=count, note="no variation")
    half = float(stdtrit(count - 1, (1 + level) / 2)) * se
    low, high = clip(mean - half, mean + half, limits)
    method = "t" if count == n else "cr1-t"
    return Estimated(mean, low, high, method, count, None, _few(count, n))


def _binary(p: float, n: int, se: float | None, count: int, level: float) -> Estimated:
    if count == n:
        return Estimated(p, *wilson(p, n, level), "wilson", count, float(n))
    if count < 2 or se is None:
        return Estimated(p, clusters=count, note="one cluster")
    z, t = _z(level), float(stdtrit(count - 1, (1 + level) / 2))
    effective = float(count) if se < 1e-12 else min(float(n), p * (1 - p) / se**2 * (z / t) ** 2)
    low, high = wilson(p, effective, level)
    return Estimated(p, low, high, "wilson-neff", count, effective, _few(count, n))


def estimate_macro(
    groups: Sequence[Floats], clusters: Sequence[Clusters], limits: Range | None, level: float
) -> Estimated:
    """Unweighted mean of group means; the groups are the population, clusters lie within groups.

    SE = sqrt(sum SE_k^2)/K; normal quantile, or t with the fewest clusters minus one where any group has
    fewer than 30. Source: specs/statistics.md section 8.
    """
    means = [math.fsum(one) / len(one) for one in groups]
    value = math.fsum(means) / len(means)
    found = [standard_error(x, c, m) for x, c, m in zip(groups, clusters, means, strict=True)]
    count = sum(g for _, g in found)
    errors = [se for se, _ in found if se is not None]
    if len(errors) < len(found):
        return Estimated(value, clusters=count, note="a slice has one cluster: no interval")
    se = math.sqrt(math.fsum(one * one for one in errors)) / len(errors)
    if se == 0:
        return Estimated(value, clusters=count, note="no variation")
    fewest = min(g for _, g in found)
    quantile = _z(level) if fewest >= MANY_CLUSTERS else float(stdtrit(fewest - 1, (1 + level) / 2))
    low, high = clip(value - quantile * se, value + quantile * se, limits)
    method = "macro-z" if fewest >= MANY_CLUSTERS else "macro-t"
    return Estimated(value, low, high, method, count)


def standard_error(x: Floats, clusters: Clusters, mean: float) -> tuple[float | None, int]:
    """(CR1 standard error of the mean, clusters); None for one cluster. With singletons it is s/sqrt(n)."""
    count, codes = coded(clusters)
    if count < 2:
        return None, count
    sums = cluster_sums(x - mean, count, codes)
    return math.sqrt(float(np.dot(sums, sums)) * count / (count - 1)) / len(x), count


def wilson(p: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's interval of a share p of n (n may be fractional)."""
    z = _z(level)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p == 0 else middle - half), (1.0 if p == 1 else middle + half)


def clip(low: float, high: float, limits: Range | None) -> tuple[float, float]:
    """An interval within the range."""
    return (low, high) if limits is None else (max(low, limits[0]), min(high, limits[1]))


def _z(level: float) -> float:
    return float(ndtri((1 + level) / 2))


def _few(count: int, n: int) -> str:
    return f"only {count} clusters" if count < FEW_CLUSTERS and count < n else ""
