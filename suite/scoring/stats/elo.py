"""Elo, which depends on the order of the votes: so it is shown over many orders, and never on a board.

E = 1/(1 + 10^((R_b - R_a)/400)), R += K (S - E). All orders run side by side as columns of one array.
Source: Elo 1978; Boubdir et al. 2023 (arXiv 2311.17295) on when it misleads.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.bradley_terry import rank_spans
from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.vote_order import canonical
from suite.scoring.stats.votes import Votes

ORDERS = 200
K = 32.0
START = 1000.0


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
        given=found[:, 0],
        backwards=found[:, 1],
        mean=np.array([one.mean() for one in shuffled]),
        sd=np.array([one.std(ddof=1) for one in shuffled]),
        low=np.array([one.min() for one in shuffled]),
        high=np.array([one.max() for one in shuffled]),
        ranks=tuple((int(best[:, same].min()), int(worst[:, same].max())) for same in alike),
        orders=orders,
    )


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
