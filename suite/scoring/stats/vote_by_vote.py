"""Ratings updated vote by vote: Elo over many orders of the votes, and whether draws inform.

Elo depends on the order of the votes: so it is shown over many orders, and never on a board.
E = 1/(1 + 10^((R_b - R_a)/400)), R += K (S - E). All orders run side by side as columns of one array.
Source: Elo 1978; Boubdir et al. 2023 (arXiv 2311.17295) on when it misleads.

Do draws inform? Predict every vote before it is counted, under each policy of draws, and compare. Ratings
are updated (Elo, or online Bradley-Terry) on all votes, on decided ones only, or on all but as many random
ones as there are draws (the control). A draw is predicted where |P(win) - 1/2| is below a margin, which is
tuned on the first 5 % of the votes. Accuracy is averaged per user first. Source: Tang et al. 2025, arXiv
2510.02306, and their notebook.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.bradley_terry import rank_spans
from suite.scoring.stats.clusters import Clusters, Floats, Labels, clusters_of
from suite.scoring.stats.paired_difference import Comparison, paired_estimate
from suite.scoring.stats.votes import Votes, canonical

ORDERS = 200
K = 32.0
START = 1000.0
System = Literal["elo", "online-bt"]
Update = Literal["all", "decided", "random"]
SYSTEMS: tuple[System, ...] = ("elo", "online-bt")
UPDATES: tuple[Update, ...] = ("all", "decided", "random")
MARGINS = tuple(round(0.05 * step, 2) for step in range(1, 10))
BURN_IN = 0.05
ELO_STEP = 96.0 * math.log(10) / 400
STEP = 0.05
SHRINK = 1 - STEP * 1e-4


@dataclass(frozen=True)
class Elo:
    """given, backwards: ratings in the order of the votes, and in the reverse. mean, sd: over random orders
    (sd with ddof 1). low, high: the lowest and highest of them. ranks: per model the lowest and the highest
    rank over orders. Shape (models,) each.
    """

    given: Floats
    backwards: Floats
    mean: Floats
    sd: Floats
    low: Floats
    high: Floats
    ranks: tuple[tuple[int, int], ...]
    orders: int


def elo_over_orders(votes: Votes, *, orders: int = ORDERS, seed: int = 0, k: float = K) -> Elo:
    """Elo over random orders of the same votes, whatever order they are given in. orders: two or more."""
    chance = np.random.default_rng(seed)
    n = votes.n
    plan = np.empty((n, orders + 2), dtype=np.int32)
    plan[:, 0] = np.arange(n)
    plan[:, 1] = plan[::-1, 0]
    order = canonical(votes)
    for column in range(2, orders + 2):
        plan[:, column] = order.rows[chance.permutation(n)]
    found = _run(votes, plan, k)
    best, worst = rank_spans(found[:, 2:].T)
    alike = [order.like(i) for i in range(len(votes.models))]
    shuffled = [found[same, 2:].ravel() for same in alike]  # equal models share theirs
    return Elo(
        given=found[:, 0], backwards=found[:, 1], mean=np.array([one.mean() for one in shuffled]),
        sd=np.array([one.std(ddof=1) for one in shuffled]), low=np.array([one.min() for one in shuffled]),
        high=np.array([one.max() for one in shuffled]),
        ranks=tuple((int(best[:, same].min()), int(worst[:, same].max())) for same in alike), orders=orders,
    )  # fmt: skip


def _run(votes: Votes, plan: NDArray[np.integer], k: float) -> Floats:
    """One column per order in `plan` (shape (n, orders)); shape (models, orders)."""
    orders = plan.shape[1]
    rating = np.full((len(votes.models), orders), START)
    score = (votes.outcome + 1) / 2
    column = np.arange(orders)
    for row in plan:
        a, b = votes.a[row], votes.b[row]
        expected = 1 / (1 + 10 ** ((rating[b, column] - rating[a, column]) / 400))
        change = k * (score[row] - expected)
        rating[a, column] += change
        rating[b, column] -= change
    return rating


@dataclass(frozen=True)
class Prequential:
    """accuracy: of win, draw or loss; decided_accuracy: of win or loss among decided votes. Means over users,
    by update policy, None where there is nothing to predict. margins: tuned, by policy. gain: accuracy of
    "decided" minus that of "all", paired by user. users, votes: after the burn-in.
    """

    system: System
    accuracy: dict[Update, float | None]
    decided_accuracy: dict[Update, float | None]
    margins: dict[Update, float]
    gain: Comparison
    users: int
    votes: int


def prequential(
    votes: Votes, users: Labels | None = None, *, system: System = "elo", seed: int = 0
) -> Prequential:
    """Compare update policies on votes in their order of time.

    users: who voted, shape (n,); None takes every vote as its own user's. Sort before: stably, by time.
    """
    burnt = round(BURN_IN * votes.n)
    late = clusters_of(users, votes.n).codes[burnt:]
    owners = clusters_of(late, len(late))
    decided = votes.outcome[burnt:] != 0
    margins: dict[Update, float] = {}
    right: dict[Update, Floats] = {}
    accuracy: dict[Update, float | None] = {}
    among_decided: dict[Update, float | None] = {}
    for update in UPDATES:
        p = predictions(votes, system, _counted(votes, update, seed))
        margins[update] = _best_margin(p[:burnt], votes.outcome[:burnt])
        right[update] = _by_user(_right(p[burnt:], votes.outcome[burnt:], margins[update]), owners)
        accuracy[update] = _mean(right[update])
        sure = _right(p[burnt:], votes.outcome[burnt:], 0.0)[decided]
        among_decided[update] = _mean(_by_user(sure, clusters_of(owners.codes[decided], len(sure))))
    gain = paired_estimate(right["decided"], right["all"], (0.0, 1.0), seed=seed)
    return Prequential(system, accuracy, among_decided, margins, gain, owners.count, len(late))


def predictions(votes: Votes, system: System, counted: NDArray[np.bool_] | Sequence[bool]) -> Floats:
    """P(a wins), of a win or a loss, before each vote. counted: whether the vote then updates the ratings."""
    change = _elo if system == "elo" else _online_bt
    strength: dict[int, float] = {}
    found = []
    each = zip(votes.a.tolist(), votes.b.tolist(), votes.outcome.tolist(), counted, strict=True)
    for one, two, result, use in each:
        x, y = strength.get(one, 0.0), strength.get(two, 0.0)
        p = 1 / (1 + math.exp(y - x))
        found.append(p)
        if use:
            strength[one], strength[two] = change(x, y, p, result)
    return np.array(found)


def _elo(x: float, y: float, p: float, result: int) -> tuple[float, float]:
    """In units of 400/ln 10 points: E is the logistic function then."""
    change = ELO_STEP * ((result + 1) / 2 - p)
    return x + change, y - change


def _online_bt(x: float, y: float, _p: float, result: int) -> tuple[float, float]:
    """One step of gradient descent; a draw is a step up and a step down."""
    x, y = x * SHRINK, y * SHRINK
    for target in (1.0, 0.0) if result == 0 else ((result + 1) / 2,):
        change = STEP * (target - 1 / (1 + math.exp(y - x)))
        x, y = x + change, y - change
    return x, y


def _counted(votes: Votes, update: Update, seed: int) -> NDArray[np.bool_]:
    drawn = votes.outcome == 0
    if update == "random":  # as many as there are draws
        return np.asarray(np.random.default_rng(seed).permutation(votes.n).argsort() >= drawn.sum())
    return ~drawn if update == "decided" else np.ones(votes.n, dtype=bool)


def _right(p: Floats, outcome: NDArray[np.int8], margin: float) -> Floats:
    """Whether the outcome was predicted; at exactly 1/2 a win is."""
    predicted = np.where(np.abs(p - 0.5) < margin, 0, np.where(p >= 0.5, 1, -1))
    return np.asarray(predicted == outcome, np.float64)


def _best_margin(p: Floats, outcome: NDArray[np.int8]) -> float:
    if not len(p):
        return MARGINS[0]
    return max(MARGINS, key=lambda margin: (float(_right(p, outcome, margin).mean()), -margin))


def _by_user(right: Floats, owners: Clusters) -> Floats:
    return owners.sums(right) / owners.sizes if len(right) else right


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
