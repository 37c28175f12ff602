"""Bradley-Terry strengths over resamples: wins and ties counted by cluster once, then drawn with weights."""

from collections.abc import Sequence

import numpy as np

from suite.board.columns import Column, Floats
from suite.board.definition import Board
from suite.board.overall import outcomes, reweighted, scales
from suite.board.resampling import seed_of, weights_of
from suite.scoring.stats.bradley_terry import fit_board
from suite.scoring.stats.votes import Policy, Tally


def drawn_strengths(board: Board, columns: Sequence[Column], resamples: int) -> Floats:
    """(B, K) log strengths. columns: of entries that are all to be rated. Raises ConfigError (no fit)."""
    shares, k = reweighted(scales(board)), len(columns[0].value)
    scale = float(np.mean([1 if one.top is None else len(one.top) for one in columns])) * len(columns)
    wins, ties = np.zeros((resamples, k * k)), np.zeros((resamples, k * k))
    for column in columns:
        share = shares[column.key] * scale
        won, tied = _by_cluster(column)
        if column.units is None:
            wins += share * won[0]
            ties += share * tied[0]
            continue
        seed = seed_of(board.id, board.version, column.key)
        start, units = 0, len(column.units.cluster)
        for weights in weights_of(column.units.groups(), resamples, seed):
            inside = slice(start, start + len(weights))
            wins[inside] += share / units * (weights @ won)
            ties[inside] += share / units * (weights @ tied)
            start += len(weights)
    policy: Policy = "davidson" if board.overall.ties == "davidson" else "half"
    return np.stack(
        [
            fit_board(Tally(won.reshape(k, k), tied.reshape(k, k)), policy).log_scores
            for won, tied in zip(wins, ties, strict=True)
        ]
    )


def _by_cluster(column: Column) -> tuple[Floats, Floats]:
    """(wins, ties), (C, K * K) each: summed over the units of a cluster; one row where there are no units."""
    found = outcomes(column)
    if found is None or column.units is None:
        values = column.value if column.higher else -column.value
        won, tied = values[:, None] > values[None, :], values[:, None] == values[None, :]
        np.fill_diagonal(tied, False)
        return won.reshape(1, -1).astype(np.float64), tied.reshape(1, -1).astype(np.float64)
    k = found.shape[1]
    wins, ties = np.zeros((column.units.clusters, k * k)), np.zeros((column.units.clusters, k * k))
    for i in range(k):
        for j in range(k):
            if i != j:
                a, b = found[:, i], found[:, j]
                for into, which in ((wins, a > b), (ties, a == b)):
                    into[:, i * k + j] = np.bincount(
                        column.units.cluster, weights=which, minlength=column.units.clusters
                    )
    return wins, ties
