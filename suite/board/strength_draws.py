"""Bradley-Terry strengths over resamples: wins and ties counted by cluster once, then drawn with weights.

A column that cannot be paired is one comparison a resample, of values drawn from the entries' intervals.
Missing columns, where an entry without one is rated, are losses to whoever has it (`overall.strengths`).
"""

from collections.abc import Sequence

import numpy as np

from suite.board.columns import Column, Floats
from suite.board.definition import Board
from suite.board.overall import outcomes, reweighted, scales
from suite.board.resampling import replicates, seed_for, weights_of
from suite.scoring.stats.bradley_terry import fit_board
from suite.scoring.stats.votes import Policy, Tally


def drawn_strengths(board: Board, columns: Sequence[Column], resamples: int) -> Floats:
    """(B, K) log strengths. columns: of entries that are all to be rated. Raises ConfigError (no fit)."""
    shares, k = reweighted(scales(board)), len(columns[0].value)
    scale = float(np.mean([1 if one.top is None else len(one.top) for one in columns])) * len(columns)
    wins, ties = np.zeros((resamples, k * k)), np.zeros((resamples, k * k))
    for column in columns:
        share = shares[column.key] * scale
        wins += share * _losses_of_missing(column)
        if column.units is None:
            drawn = replicates(column, resamples, seed_for(board, column), board.uncertainty.level)
            won, tied = _compared(drawn if column.higher else -drawn)
            wins += share * won
            ties += share * tied
            continue
        won, tied = _by_cluster(column)
        start, units = 0, len(column.units.cluster)
        for weights in weights_of(column.units.groups(), resamples, seed_for(board, column)):
            inside = slice(start, start + len(weights))
            wins[inside] += share / units * (weights @ won)
            ties[inside] += share / units * (weights @ tied)
            start += len(weights)
    policy: Policy = "davidson" if board.overall.ties == "davidson" else "half"
    fits = [
        fit_board(Tally(won.reshape(k, k), tied.reshape(k, k)), policy).log_scores
        for won, tied in zip(wins, ties, strict=True)
    ]
    return np.stack([one - one.mean() for one in fits])


def _losses_of_missing(column: Column) -> Floats:
    """(K * K,): 1 where the first has a value and the second has none."""
    return np.outer(column.present, ~column.present).astype(np.float64).ravel()


def _compared(values: Floats) -> tuple[Floats, Floats]:
    """(wins, ties), (B, K * K) each, of values (B, K), higher better; NaN neither wins nor ties."""
    b, k = values.shape
    won = values[:, :, None] > values[:, None, :]
    tied = (values[:, :, None] == values[:, None, :]) & ~np.eye(k, dtype=np.bool_)
    return won.reshape(b, -1).astype(np.float64), tied.reshape(b, -1).astype(np.float64)


def _by_cluster(column: Column) -> tuple[Floats, Floats]:
    """(wins, ties), (C, K * K) each: summed over the units of a cluster, of a column that has units."""
    found = outcomes(column)
    assert found is not None
    assert column.units is not None
    k = found.shape[1]
    found = np.where(column.present, found, np.nan)
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
