"""Replicates of a column: clusters drawn with replacement once for all entries, so that they are paired.

Weights depend on board, version, task and clusters only (a fixed seed), so everybody gets the same numbers,
and one more entry changes nothing for the others. Columns of one task over the same clusters are drawn
together, since a hard sample is hard in both. A column that cannot be paired gets replicates from each
entry's own interval, a normal law with a spread of its own on either side of the value.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from suite.board.columns import Column, Floats, ratios
from suite.board.definition import Board
from suite.board.max_t import widening

MOST_WEIGHTS = 20_000_000  # held at a time


def seed_of(*names: str) -> int:
    """A seed from names."""
    return int.from_bytes(hashlib.sha256("\x1f".join(names).encode()).digest()[:8], "big")


def seed_for(board: Board, column: Column) -> int:
    """A column's seed."""
    task = next((item.task for item in board.tasks if item.name == column.key), column.key)
    return seed_of(board.id, board.version, task, column.key if column.units is None else column.units.digest)


def replicates(column: Column, resamples: int, seed: int, level: float) -> Floats:
    """(B, K): the column's values over resamples; NaN for entries without a value."""
    if column.units is None:
        return _from_intervals(column, resamples, seed, level)
    blocks = [ratios(column, weights) for weights in weights_of(column.units.groups(), resamples, seed)]
    return np.concatenate(blocks)


def weights_of(groups: NDArray[np.intp], resamples: int, seed: int) -> Iterator[Floats]:
    """How often each cluster is drawn, (b, C) at a time; clusters are drawn within their groups.

    Of several groups one cluster less than they have, and each weighs more for it: drawing all n of a small
    group makes it n / (n - 1) times too steady (Rao and Wu 1988). Of one group all: see `max_t.widening`.
    """
    chance = np.random.default_rng(seed)
    count = len(groups)
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    size = max(1, min(resamples, MOST_WEIGHTS // count))
    for start in range(0, resamples, size):
        b = min(size, resamples - start)
        weights = np.zeros((b, count))
        for inside in members:
            n = len(inside)
            many = n if len(members) == 1 else n - 1
            picks = chance.integers(0, n, (b, many)) + np.arange(b)[:, None] * n
            weights[:, inside] = np.bincount(picks.ravel(), minlength=b * n).reshape(b, n) * (n / many)
        yield weights


def _from_intervals(column: Column, resamples: int, seed: int, level: float) -> Floats:
    """Value + z times the half of the interval on z's side, over the normal quantile of the interval. An
    entry's z depend on its own numbers, not on who else is there.
    """
    from scipy.special import ndtri

    z = np.empty((resamples, len(column.value)))
    for i, own in enumerate(zip(column.value, column.low, column.high, strict=True)):
        mine = seed_of(str(seed), *(float(one).hex() for one in own))
        z[:, i] = np.random.default_rng(mine).standard_normal(resamples)
    quantile = float(ndtri(1 - (1 - level) / 2))
    down = np.nan_to_num(column.value - column.low) / quantile
    up = np.nan_to_num(column.high - column.value) / quantile
    return np.asarray(column.value + np.where(z < 0, z * down, z * up), np.float64)


def spread_unknown(column: Column) -> NDArray[np.bool_]:
    """(K,): entries with a value, but of an unknown spread: without an interval in an unpaired column, or
    all in a column of a single cluster.
    """
    if column.units is not None:
        return column.present & (column.units.clusters < 2)
    return column.present & (np.isnan(column.low) | np.isnan(column.high))


def clusters_of(column: Column) -> int | None:
    """How many clusters a paired column has; None where replicates come from intervals."""
    return None if column.units is None else column.units.clusters


def interval(values: Floats, drawn: Floats, level: float, clusters: float | None) -> tuple[Floats, Floats]:
    """Ends of the interval of each entry, (K,) each: quantiles of the replicates around the value, widened as
    pairwise tests are where clusters are few.
    """
    tail = (1 - level) / 2
    wide = widening(clusters, level) if clusters is None or clusters >= 2 else np.nan
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return values - (values - low) * wide, values + (high - values) * wide
