"""How easily a ranking moves: careless votes, one annotator, a few flips. For one vote or more.

Ordinary intervals do not show this. Sources: Zhao, Rush and Goyal 2025 (arXiv 2412.04363); Huang et al. 2025
(arXiv 2508.11847).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.bradley_terry import bradley_terry, rank_spans
from suite.scoring.stats.clusters import Floats, Labels, clusters_of
from suite.scoring.stats.estimate import finite
from suite.scoring.stats.votes import Policy, Votes, canonical

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
        largest = [int(one.max()) for one in moved]
        found.append(
            Shift(
                fraction,
                float(np.mean(largest)),
                max(largest),
                float(np.percentile(np.concatenate(moved), 95)),
                float(np.mean([one > 0 for one in largest])),
                float(np.mean(known)) if known else None,
            )
        )
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
    found = bradley_terry(votes, policy).log_scores
    return np.array([np.nan if one is None else one for one in found])


def _places(scores: Floats) -> NDArray[np.intp]:
    """Ranks from 1, equal scores share the better one, models without a rating last."""
    return rank_spans(np.where(np.isnan(scores), -np.inf, scores))[0]


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
