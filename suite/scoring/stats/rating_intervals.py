"""How far ratings and ranks can be trusted: intervals, and how easily they move.

Intervals of ratings, of their differences and of ranks come from one set of joint replicates. Prompts are
resampled (else votes) by integer weights; every replicate passes the guard of `bradley_terry`. Two single
intervals do not tell whether two models differ: take `difference`. A board's rank intervals are others:
docs/statistics.md, "Ranks". Ordinary ones do not show what careless votes, one annotator, a few flips do.

Sources: Chiang et al. 2024, arXiv 2403.04132, with prompts as clusters (the rank rule is the public arena's);
Zhao, Rush and Goyal 2025 (arXiv 2412.04363); Huang et al. 2025 (arXiv 2508.11847).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats import bradley_terry as ratings
from suite.scoring.stats.bootstrap import interval_from
from suite.scoring.stats.clusters import Floats, Labels, clusters_of
from suite.scoring.stats.estimate import Estimate, finite, joined
from suite.scoring.stats.votes import Policy, Votes, canonical, cells_of, tally_of

ROUNDS = 1000


@dataclass(frozen=True)
class RatingIntervals:
    """point: the ratings. estimates: per model, in rating points. replicates: shape (rounds, K), in points,
    NaN where a replicate has no rating. kinds: shape (K,), equal for models that only their names tell apart.
    fallbacks: replicates that needed the phantom though the point did not.
    """

    point: ratings.Strengths
    estimates: tuple[Estimate, ...]
    replicates: NDArray[np.float64]
    kinds: NDArray[np.intp]
    fallbacks: int
    level: float

    def difference(self, a: str, b: str) -> Estimate:
        """Rating of a minus rating of b; None where they are on different boards."""
        i, j = self.point.models.index(a), self.point.models.index(b)
        x, y = self.point.ratings[i], self.point.ratings[j]
        together = any(i in board and j in board for board in self.point.boards)
        if x is None or y is None or not together:
            return Estimate(None, level=self.level, note="the two are not linked by votes")
        plain = replace(self.estimates[i], value=x - y, low=None, high=None, note="")
        gaps = self.replicates[:, i] - self.replicates[:, j]
        if self.kinds[i] == self.kinds[j]:
            gaps = np.concatenate([gaps, -gaps])
        return interval_from(plain, gaps)


def rating_intervals(
    votes: Votes, policy: Policy = "half", *, rounds: int = ROUNDS, seed: int = 0, level: float = 0.95
) -> RatingIntervals:
    """Ratings with percentile intervals. rounds: replicates. Votes are tallied by pair in every round.

    The same for any names and order of models, prompts and votes: replicates are drawn from the votes in
    canonical order, and equal models share theirs.
    """
    point = ratings.bradley_terry(votes, policy)
    found = canonical(votes)
    drawn, fallbacks = _replicates(found.votes, point.policy, rounds, seed)
    drawn, prompts = found.back(drawn), votes.prompts.count
    lost = f"{fallbacks} of {len(drawn)} resamples regularised" if fallbacks else ""

    def estimate(i: int, rating: float | None) -> Estimate:
        note = joined("regularised" if point.regularised[i] else "", lost)
        plain = Estimate(rating, level=level, n=point.votes[i], clusters=prompts, note=note)
        if rating is None:
            return replace(plain, note="no opponents")
        if prompts < 2:
            return replace(plain, note=joined(note, "one cluster"))
        return interval_from(plain, drawn[:, found.like(i)].ravel())

    estimates = tuple(estimate(i, rating) for i, rating in enumerate(point.ratings))
    return RatingIntervals(point, estimates, drawn, found.kinds, fallbacks, level)


def _replicates(votes: Votes, policy: Policy, rounds: int, seed: int) -> tuple[NDArray[np.float64], int]:
    """Ratings of resampled prompts, shape (rounds, K), and how many rounds needed the phantom anew."""
    k, prompts, cells = len(votes.models), votes.prompts, cells_of(votes)
    chance = np.random.default_rng(seed)
    whole = tally_of(cells, k)
    boards = [board for board in ratings.boards_of(whole, policy) if len(board) > 1]
    regular = [not ratings.fit_board(ratings.part_of(whole, board), policy).regularised for board in boards]
    drawn = np.full((rounds, k), np.nan)
    fallbacks = 0
    for round_ in range(rounds if prompts.count > 1 else 0):
        times = np.bincount(chance.integers(0, prompts.count, prompts.count), minlength=prompts.count)
        counted = tally_of(cells, k, times[prompts.codes].astype(np.float64))
        fell = False
        for board, plain in zip(boards, regular, strict=True):
            found = ratings.fit_board(ratings.part_of(counted, board), policy)
            fell = fell or (found.regularised and plain)
            away = found.log_scores - found.log_scores.mean()
            drawn[round_, board] = ratings.CENTRE + ratings.POINTS * away
        fallbacks += fell
    return drawn, fallbacks


@dataclass(frozen=True, slots=True)
class Rank:
    """point: rank by rating, equal ratings share the better one. low, high: the interval of the rank, which
    holds `point`; equal models have equal ones. arena: 1 + models whose lower bound exceeds this model's
    upper bound. All None for a model that is not ranked.
    """

    model: str
    point: int | None
    low: int | None
    high: int | None
    arena: int | None


def rank_intervals(found: RatingIntervals) -> tuple[Rank, ...]:
    """Ranks on each board, among models that have enough votes; intervals are percentiles of replicates."""
    ranks: list[Rank] = [Rank(model, None, None, None, None) for model in found.point.models]
    for board in found.point.boards:
        inside = [i for i in board if found.point.ranked[i] and found.point.ratings[i] is not None]
        points = [found.point.ratings[i] for i in inside]
        ranked = ratings.ranks_of(points, [True] * len(inside))
        drawn = found.replicates[:, inside]
        kept = drawn[~np.isnan(drawn).any(axis=1)]
        spans = _percentiles(kept, found.level)
        for place, i in enumerate(inside):
            alike = [spans[other] for other, j in enumerate(inside) if found.kinds[j] == found.kinds[i]]
            rank, low, high = ranked[place], None, None
            if len(kept) and rank is not None:
                low, high = min(rank, *(one for one, _ in alike)), max(rank, *(one for _, one in alike))
            top, lows = found.estimates[i].high, [found.estimates[j].low for j in inside]
            arena = None if top is None else 1 + sum(one is not None and one > top for one in lows)
            ranks[i] = Rank(found.point.models[i], rank, low, high, arena)
    return tuple(ranks)


def _percentiles(drawn: NDArray[np.float64], level: float) -> list[tuple[int, int]]:
    """Of the best rank below, and of the worst above, that equal ratings of a replicate share."""
    if not len(drawn):
        return [(1, drawn.shape[1])] * drawn.shape[1]
    best, worst = ratings.rank_spans(drawn, ratings.EQUAL * ratings.POINTS)
    low = np.percentile(best, 50 * (1 - level), axis=0, method="nearest")
    high = np.percentile(worst, 50 * (1 + level), axis=0, method="nearest")
    return [(int(one), int(other)) for one, other in zip(low, high, strict=True)]


FRACTIONS = (0.1, 0.3)
REPEATS = 100
LARGE = 300  # models above which sorting beats comparing all pairs
MOST_FLIPS = 0.2  # share of the votes after which the search for a flip gives up


@dataclass(frozen=True, slots=True)
class Shift:
    """What careless votes at one fraction do over repeats. mean_largest, largest: of the largest change of
    rank in a repeat. p95: of the change of rank, over models and repeats. changed: share of repeats in which
    any rank changed. tau: mean Kendall tau-b to the clean ratings, None where there is none.
    """

    fraction: float
    mean_largest: float
    largest: int
    p95: float
    changed: float
    tau: float | None


def apathetic(
    votes: Votes,
    fractions: Sequence[float] = FRACTIONS,
    *,
    policy: Policy = "half",
    repeats: int = REPEATS,
    seed: int = 0,
) -> tuple[Shift, ...]:
    """Each vote becomes, with the probability given, a fair coin between its two sides."""
    votes = canonical(votes).votes
    clean = _scores(votes, policy)
    places = _places(clean)
    found = []
    for fraction in fractions:
        chance = np.random.default_rng([seed, round(fraction * 1e6)])
        moved, taus = [], []
        for _ in range(repeats):
            hit = chance.random(votes.n) < fraction
            coin = chance.choice(np.array([-1, 1], dtype=np.int8), votes.n)
            scores = _scores(replace(votes, outcome=np.where(hit, coin, votes.outcome)), policy)
            moved.append(np.abs(_places(scores) - places))
            both = ~(np.isnan(scores) | np.isnan(clean))
            taus.append(kendall(scores[both], clean[both]))
        known = [tau for tau in taus if tau is not None]
        largest, p95 = np.max(moved, axis=1), float(np.percentile(moved, 95))
        changed, tau = float((largest > 0).mean()), float(np.mean(known)) if known else None
        found.append(Shift(fraction, float(largest.mean()), int(largest.max()), p95, changed, tau))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One annotator left out: votes lost, the largest change of rank of a model, and which model it was."""

    annotator: int
    votes: int
    largest: int
    model: str


def leave_one_out(votes: Votes, annotators: Labels, *, policy: Policy = "half") -> tuple[LeftOut, ...]:
    """Refit without each annotator in turn, largest shift first. annotators: one label per vote.

    `LeftOut.annotator` counts the sorted labels from 0.
    """
    owners = clusters_of(annotators, votes.n)
    places = _places(_scores(votes, policy))
    found = []
    for code in range(owners.count):
        gone = owners.codes == code
        moved = np.abs(_places(_scores(votes.without(gone), policy)) - places)
        worst = int(moved.argmax())
        found.append(LeftOut(code, int(gone.sum()), int(moved[worst]), votes.models[worst]))
    return tuple(sorted(found, key=lambda one: (-one.largest, one.annotator)))


@dataclass(frozen=True, slots=True)
class Flips:
    """Fewest votes to turn round to change who is first, found greedily and confirmed by a new fit. flips:
    None where the top stays through the search. first, then: who is first before and after.
    """

    flips: int | None
    first: str
    then: str
    votes: int


def flips_to_change_the_top(votes: Votes, *, policy: Policy = "half") -> Flips | None:
    """Turn round the wins of the first model over the second until another is first; None below two models.

    By first-order influence, a win turned round between just these two moves their gap most; of the first
    model's other wins, those that its rival does not touch move it less. The count is an upper bound.
    """
    scores = _scores(votes, policy)
    known = np.flatnonzero(~np.isnan(scores))
    if len(known) < 2:
        return None
    order = known[np.argsort(-scores[known], kind="stable")]
    top, second = int(order[0]), int(order[1])
    first = votes.models[top]
    queue = _influential(votes, top, second)
    most = min(len(queue), max(1, int(MOST_FLIPS * votes.n)))

    def leader(flips: int) -> int:
        outcome = votes.outcome.copy()
        outcome[queue[:flips]] *= -1
        return int(np.nanargmax(_scores(replace(votes, outcome=outcome), policy)))

    if not most or leader(most) == top:
        return Flips(None, first, first, votes.n)
    low, high = 0, most  # the leader holds at low, and has lost it at high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if leader(middle) == top else (low, middle)
    return Flips(high, first, votes.models[leader(high)], votes.n)


def _influential(votes: Votes, top: int, second: int) -> NDArray[np.intp]:
    winner = np.where(votes.outcome > 0, votes.a, votes.b)
    loser = np.where(votes.outcome > 0, votes.b, votes.a)
    won = (votes.outcome != 0) & (winner == top)
    between = np.flatnonzero(won & (loser == second))
    return np.concatenate([between, np.flatnonzero(won & (loser != second))])


def _scores(votes: Votes, policy: Policy) -> Floats:
    found = ratings.bradley_terry(votes, policy).log_scores
    return np.array([np.nan if one is None else one for one in found])


def _places(scores: Floats) -> NDArray[np.intp]:
    """Ranks from 1, equal scores share the better one, models without a rating last."""
    return ratings.rank_spans(np.where(np.isnan(scores), -np.inf, scores))[0]


def kendall(x: Floats, y: Floats) -> float | None:
    """tau-b = (C - D)/sqrt((C + D + T_x)(C + D + T_y)); None below three pairs, or for a constant side."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    if len(x) > LARGE:
        from scipy.stats import kendalltau

        return finite(kendalltau(x, y).statistic)
    a = np.sign(x[:, None] - x[None, :])
    b = np.sign(y[:, None] - y[None, :])
    return float((a * b).sum()) / math.sqrt(float(np.abs(a).sum()) * float(np.abs(b).sum()))
