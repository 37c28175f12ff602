"""Intervals of ratings, of their differences and of ranks, from one set of joint replicates.

Prompts are resampled (else votes) by integer weights; every replicate passes the guard of `bradley_terry`.
Two single intervals do not tell whether two models differ: take `difference`. Source: Chiang
et al. 2024, arXiv 2403.04132, with prompts as clusters; the rank rule is the public arena's. A board's rank
intervals are others: docs/statistics.md, "Ranks".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.errors import ConfigError
from suite.scoring.stats.bootstrap import interval_from
from suite.scoring.stats.bradley_terry import (
    CENTRE,
    POINTS,
    Ratings,
    bradley_terry,
    fit_board,
    part_of,
    ranks_of,
)
from suite.scoring.stats.estimate import Estimate, joined
from suite.scoring.stats.intervals import normal_quantile
from suite.scoring.stats.votes import Policy, Votes, cells_of, tally_of

ROUNDS = 1000


@dataclass(frozen=True)
class RatingIntervals:
    """point: the ratings. estimates: per model, in rating points. replicates: shape (rounds, K), in points,
    NaN where a replicate has no rating. fallbacks: replicates that needed the phantom though the point did
    not. lost: replicates without a fit.
    """

    point: Ratings
    estimates: tuple[Estimate, ...]
    replicates: NDArray[np.float64]
    fallbacks: int
    lost: int
    level: float

    def difference(self, a: str, b: str) -> Estimate:
        """Rating of a minus rating of b; None where they are on different boards."""
        i, j = self.point.models.index(a), self.point.models.index(b)
        x, y = self.point.ratings[i], self.point.ratings[j]
        together = any(i in board and j in board for board in self.point.boards)
        if x is None or y is None or not together:
            return Estimate(None, level=self.level, note="the two are not linked by votes")
        plain = replace(self.estimates[i], value=x - y, low=None, high=None, note="")
        return interval_from(plain, _known(self.replicates[:, i] - self.replicates[:, j]))


def rating_intervals(
    votes: Votes, policy: Policy = "half", *, rounds: int = ROUNDS, seed: int = 0, level: float = 0.95
) -> RatingIntervals:
    """Ratings with percentile intervals. rounds: replicates. Votes are tallied by pair in every round."""
    point = bradley_terry(votes, policy)
    k, prompts = len(votes.models), votes.prompts
    cells = cells_of(votes)
    chance = np.random.default_rng(seed)
    boards = [np.array(board) for board in point.boards if len(board) > 1]
    drawn = np.full((rounds, k), np.nan)
    fallbacks = lost = 0
    for round_ in range(rounds if prompts.count > 1 else 0):
        times = np.bincount(chance.integers(0, prompts.count, prompts.count), minlength=prompts.count)
        counted = tally_of(cells, k, times[prompts.codes].astype(np.float64))
        fell = failed = False
        for board in boards:
            try:
                found = fit_board(part_of(counted, board), point.policy)
            except ConfigError:
                failed = True
                continue
            fell = fell or (found.regularised and not point.regularised[board[0]])
            drawn[round_, board] = CENTRE + POINTS * (found.log_scores - found.log_scores.mean())
        fallbacks, lost = fallbacks + fell, lost + failed
    return RatingIntervals(
        point, _estimates(votes, point, drawn, fallbacks, level), drawn, fallbacks, lost, level
    )


def _estimates(
    votes: Votes, point: Ratings, drawn: NDArray[np.float64], fallbacks: int, level: float
) -> tuple[Estimate, ...]:
    note = f"{fallbacks} of {len(drawn)} resamples regularised" if fallbacks else ""
    found = []
    for i, rating in enumerate(point.ratings):
        plain = Estimate(
            rating,
            level=level,
            n=point.votes[i],
            clusters=votes.prompts.count,
            note=joined("regularised" if point.regularised[i] else "", note),
        )
        if rating is None:
            found.append(replace(plain, note="no opponents"))
        elif votes.prompts.count < 2:
            found.append(replace(plain, note=joined(plain.note, "one cluster")))
        else:
            found.append(interval_from(plain, _known(drawn[:, i])))
    return tuple(found)


def _known(values: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(one) else float(one) for one in values]


@dataclass(frozen=True, slots=True)
class Rank:
    """point: rank by rating, equal ratings share the better one. low, high: the interval of the rank. arena:
    1 + models whose lower bound exceeds this model's upper bound. All None for a model that is not ranked.
    """

    model: str
    point: int | None
    low: int | None
    high: int | None
    arena: int | None


def rank_intervals(found: RatingIntervals, *, simultaneous: bool = False) -> tuple[Rank, ...]:
    """Ranks on each board, among models that have enough votes.

    simultaneous: intervals that hold for all models jointly, from Bonferroni over pairs of differences and
    the normal quantile (replicates cannot resolve such tails); else percentiles of the replicates' ranks.
    """
    ranks: list[Rank] = [Rank(model, None, None, None, None) for model in found.point.models]
    for board in found.point.boards:
        inside = [i for i in board if found.point.ranked[i] and found.point.ratings[i] is not None]
        points = ranks_of([found.point.ratings[i] for i in inside], [True] * len(inside))
        drawn = found.replicates[:, inside]
        drawn = drawn[~np.isnan(drawn).any(axis=1)]
        if simultaneous:
            spans = _simultaneous([found.point.ratings[i] for i in inside], drawn, found.level)
        else:
            spans = _percentiles(drawn, found.level)
        for place, i in enumerate(inside):
            low, high = spans[place] if len(drawn) else (None, None)
            arena = _arena(i, inside, found.estimates)
            ranks[i] = Rank(found.point.models[i], points[place], low, high, arena)
    return tuple(ranks)


def _percentiles(drawn: NDArray[np.float64], level: float) -> list[tuple[int, int]]:
    if not len(drawn):
        return []
    places = (-drawn).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    shares = [50 * (1 - level), 50 * (1 + level)]
    low, high = np.percentile(places, shares, axis=0, method="nearest")
    return [(int(one), int(other)) for one, other in zip(low, high, strict=True)]


def _simultaneous(
    points: Sequence[float | None], drawn: NDArray[np.float64], level: float
) -> list[tuple[int, int]]:
    k = len(points)
    if not len(drawn):
        return []
    pairs = max(1, k * (k - 1) // 2)
    z = normal_quantile(1 - (1 - level) / pairs)
    values = np.array(points, dtype=np.float64)
    gaps = values[:, None] - values[None, :]
    covariance = np.atleast_2d(np.cov(drawn, rowvar=False))
    variances = np.diag(covariance)
    errors = np.sqrt(np.maximum(0, variances[:, None] + variances[None, :] - 2 * covariance))
    better, worse = (gaps < -z * errors).sum(axis=1), (gaps > z * errors).sum(axis=1)
    return [(1 + int(one), k - int(other)) for one, other in zip(better, worse, strict=True)]


def _arena(i: int, inside: Sequence[int], estimates: Sequence[Estimate]) -> int | None:
    top = estimates[i].high
    if top is None:
        return None
    lows = [estimates[j].low for j in inside]
    return 1 + sum(low is not None and low > top for low in lows)
