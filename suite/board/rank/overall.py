"""One number of all columns, by each of the board's methods. Higher is better in all of them.

mean_of_normalised: sum of weight x (value - low) / (high - low), turned around where lower is better; nothing
is clipped, and low and high are the board's, so that no entrant moves another. mean_rank: minus the weighted
mean of mid-ranks. borda: weighted sum of (entries - mid-rank); a missing column gives nothing. bradley_terry:
strengths from wins, losses and ties by sample. The last three depend on who else is listed.
Missing columns: "exclude" leaves the entry without a number, and out of the ranks and votes that others'
numbers are made of; "worst" takes the worse end of the scale, the last place, or a loss at every sample.
Why these: docs/statistics.md, "Averages over tasks".
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from suite.board.define.board import Board
from suite.board.rank.columns import Floats, RankedColumn, replicates, seed_for, weights_of
from suite.board.rank.max_t import mid_ranks
from suite.scoring.stats.bradley_terry import fit_board
from suite.scoring.stats.votes import Policy, Tally


@dataclass(frozen=True)
class Scale:
    """What the board fixes of a column: its share of the overall number, and the ends of its scale."""

    weight: float
    low: float
    high: float


def scales(board: Board) -> dict[str, Scale]:
    """Column -> its scale."""
    weights = board.weights
    return {
        item.name: Scale(weights[item.name], item.normalise.low, item.normalise.high) for item in board.tasks
    }


def reweighted(parts: Mapping[str, Scale]) -> dict[str, float]:
    """The weights of some columns, made to sum to 1."""
    total = sum(one.weight for one in parts.values())
    return {key: one.weight / total for key, one in parts.items()}


def combine(
    method: str,
    values: Mapping[str, Floats],
    higher: Mapping[str, bool],
    parts: Mapping[str, Scale],
    missing: str,
) -> Floats:
    """The overall number over the last axis, of points (K,) or replicates (B, K) by column; NaN: none.

    method: any but bradley_terry, which needs samples (`strengths`).
    """
    shares = reweighted(parts)
    absent = np.logical_or.reduce([np.isnan(values[key]) for key in parts])
    total: Floats = np.zeros(next(iter(values.values())).shape)
    k = total.shape[-1]
    if missing == "exclude":
        k -= int(np.atleast_2d(absent)[0].sum())
    for key, scale in parts.items():
        column = np.where(absent, np.nan, values[key]) if missing == "exclude" else values[key]
        gone = np.isnan(column)
        if method == "mean_of_normalised":
            share = (column - scale.low) / (scale.high - scale.low)  # 0 the worse end, 1 the better one
            here = np.where(gone, 0.0, share if higher[key] else 1 - share)
        else:
            ranks = mid_ranks(column if higher[key] else -column)
            last = np.where(gone, k, ranks)
            here = np.where(gone, 0.0, k - ranks) if method == "borda" else -last
        total = total + shares[key] * here
    return np.where(absent, np.nan, total) if missing == "exclude" else total


def outcomes(column: RankedColumn) -> Floats:
    """(U, K): each unit's value, higher better, NaN where there is none; an unpaired column is one unit."""
    found = column.value[None, :]
    if column.top is not None and column.bottom is not None:
        scored = (column.bottom > 0) & column.present
        found = np.divide(column.top, column.bottom, out=np.full(column.top.shape, np.nan), where=scored)
    return np.asarray(found if column.higher else -found, np.float64)


def tally_of(column: RankedColumn) -> tuple[Floats, Floats]:
    """(wins, ties), (K, K) each, as shares of the units."""
    found = outcomes(column)
    k = found.shape[1]
    wins, ties = np.zeros((k, k)), np.zeros((k, k))
    values = found[~np.isnan(found)]
    if len(np.unique(values[:100_000])) <= 24 and found.size < 20_000_000:
        for value in np.unique(values):
            at = (found == value).astype(np.float64)
            wins += at.T @ (found < value)
            ties += at.T @ at
    else:
        for i in range(k):
            wins[i] = (found[:, i : i + 1] > found).sum(axis=0)
            ties[i] = (found[:, i : i + 1] == found).sum(axis=0)
    np.fill_diagonal(ties, 0.0)
    return wins / len(found), ties / len(found)


def strengths(
    columns: Sequence[RankedColumn], parts: Mapping[str, Scale], missing: str, policy: str
) -> Floats:
    """(K,): log strengths by Bradley and Terry, each column's comparisons scaled to its weight.

    As many comparisons a pair as the columns have units on average. NaN: excluded, as `combine` does.
    """
    k = len(columns[0].value)
    chosen = [column for column in columns if column.key in parts]
    comparisons = _comparisons(chosen, parts)
    wins, ties = np.zeros((k, k)), np.zeros((k, k))
    for column in chosen:
        won, tied = tally_of(column)
        wins += comparisons[column.key] * (won + _losses_of_missing(column))
        ties += comparisons[column.key] * tied
    whole = np.logical_and.reduce([column.present for column in chosen])
    keep = np.flatnonzero(whole) if missing == "exclude" else np.arange(k)
    found = np.full(k, np.nan)
    found[keep] = 0.0  # of one alone
    if len(keep) > 1:
        inside = np.ix_(keep, keep)
        counted = Tally(wins[inside], ties[inside])
        fit = fit_board(counted, "davidson" if policy == "davidson" else "half")
        centred = fit.log_scores - fit.log_scores.mean()
        found[keep] = np.round(centred, 7)  # what the iteration leaves open, so that equals are equal
    return found


def _comparisons(columns: Sequence[RankedColumn], parts: Mapping[str, Scale]) -> dict[str, float]:
    """Column -> how many comparisons a pair it counts for."""
    total = float(np.mean([1 if one.top is None else len(one.top) for one in columns])) * len(columns)
    return {key: share * total for key, share in reweighted(parts).items()}


def drawn_strengths(board: Board, columns: Sequence[RankedColumn], resamples: int) -> Floats:
    """(B, K) log strengths. columns: of entries that are all to be rated. Raises ConfigError (no fit)."""
    comparisons, k = _comparisons(columns, scales(board)), len(columns[0].value)
    wins, ties = np.zeros((resamples, k * k)), np.zeros((resamples, k * k))
    for column in columns:
        share = comparisons[column.key]
        wins += share * _losses_of_missing(column).ravel()
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


def _losses_of_missing(column: RankedColumn) -> Floats:
    """(K, K): 1 where the first has a value and the second has none."""
    return np.outer(column.present, ~column.present).astype(np.float64)


def _compared(values: Floats) -> tuple[Floats, Floats]:
    """(wins, ties), (B, K * K) each, of values (B, K), higher better; NaN neither wins nor ties."""
    b, k = values.shape
    won = values[:, :, None] > values[:, None, :]
    tied = (values[:, :, None] == values[:, None, :]) & ~np.eye(k, dtype=np.bool_)
    return won.reshape(b, -1).astype(np.float64), tied.reshape(b, -1).astype(np.float64)


def _by_cluster(column: RankedColumn) -> tuple[Floats, Floats]:
    """(wins, ties), (C, K * K) each: summed over the units of a cluster, of a column that has units."""
    assert column.units is not None
    found, cluster, count = outcomes(column), column.units.cluster, column.units.clusters
    k = found.shape[1]
    wins, ties = np.zeros((count, k, k)), np.zeros((count, k, k))
    for i, j in itertools.permutations(range(k), 2):
        wins[:, i, j] = np.bincount(cluster, weights=found[:, i] > found[:, j], minlength=count)
        ties[:, i, j] = np.bincount(cluster, weights=found[:, i] == found[:, j], minlength=count)
    return wins.reshape(count, -1), ties.reshape(count, -1)
