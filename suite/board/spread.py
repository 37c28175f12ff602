"""What replicates cannot tell of spread: pairs and entries of an unknown one, units that are all alike, and
how many clusters an overall number rests on.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from suite.board.columns import Column, Floats
from suite.board.definition import Board
from suite.board.overall import scales
from suite.board.resampling import clusters_of, seed_for

PRECISION = 1e-6  # of float32 replicates


def either(unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(K, K) of (K,): pairs with such an entry."""
    return np.asarray(unknown[:, None] | unknown[None, :], np.bool_)


def doubtful(standings: Iterable[tuple[Sequence[int], Floats]], k: int) -> NDArray[np.bool_]:
    """(K, K) of (members, standard errors among them) by column: pairs whose difference in some column has a
    spread that is not known, so nobody knows it of the overall number either.
    """
    found = np.zeros((k, k), np.bool_)
    for members, errors in standings:
        found[np.ix_(members, members)] |= np.isinf(errors)
    return found


def alike(columns: Sequence[Column], drawn: dict[str, Floats]) -> NDArray[np.intp]:
    """(K,): in how many paired columns all of an entry's units are alike, so that its replicates are, too."""
    found = np.zeros(len(columns[0].value), np.intp)
    for column in columns:
        if column.units is not None:
            same = np.ptp(drawn[column.key], axis=0) <= PRECISION * np.maximum(np.abs(column.value), 1e-9)
            found += column.present & same
    return found


def effective_clusters(
    board: Board, columns: Sequence[Column], drawn: dict[str, Floats], keep: NDArray[np.intp]
) -> float | None:
    """How many clusters the overall number rests on: Satterthwaite's degrees of freedom + 1, over columns
    whose variances add up with their weights squared; columns drawn together are one; an unpaired one is
    as good as infinitely many. Without any variance the smallest number counts.
    """
    together: dict[int, tuple[Floats, int | None]] = {}
    for column in columns:
        scale = scales(board)[column.key]
        share = scale.weight / (scale.high - scale.low) * (1 if column.higher else -1)
        part = np.nan_to_num(drawn[column.key][:, keep]) * share
        seed, count = seed_for(board, column), clusters_of(column)
        together[seed] = (together[seed][0] + part if seed in together else part, count)
    whole, divided = 0.0, 0.0
    for summed, count in together.values():
        variance = float(summed.var(axis=0).mean())
        whole += variance
        divided += 0.0 if count is None else variance**2 / max(count - 1, 1e-9)
    if whole <= PRECISION**2:
        return min((count for _, count in together.values() if count is not None), default=None)
    return None if divided == 0 else 1 + whole**2 / divided
