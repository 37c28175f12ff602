"""Votes in an order that does not depend on rows, sides or the names of models.

Resampling draws by position, so it has to meet the same votes at the same positions whatever the file looks
like. Prompts stay in order of their names; votes without one go by who beat whom. Models and prompts are
coloured by their votes until no colour splits any more (colour refinement), and models that look alike then
are equal: `kinds`. They are told apart by the prompts' order, and what is alike even so one model at a time.
Source: Weisfeiler and Leman 1968; McKay and Piperno 2014, J. Symbolic Computation 60 (individualisation).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.clusters import Clusters, Floats
from suite.scoring.stats.votes import Votes

Colours = NDArray[np.uint64]


@dataclass(frozen=True)
class Canonical:
    """votes: the same votes, models and rows in canonical order, each vote's lower model first. rows: shape
    (n,), which row of the original stands where.

    places: shape (K,), where each model of the original stands in `votes`. kinds: (K,), in the original's
    order; equal for models that only their names tell apart.
    """

    votes: Votes
    rows: NDArray[np.intp]
    places: NDArray[np.intp]
    kinds: NDArray[np.intp]

    def like(self, model: int) -> NDArray[np.intp]:
        """The models that are equal to this one, itself included; indices of the original."""
        return np.flatnonzero(self.kinds == self.kinds[model])

    def back(self, columns: Floats) -> Floats:
        """Columns by canonical model, shape (…, K), in the original's order."""
        return np.asarray(columns[..., self.places], np.float64)


def canonical(votes: Votes) -> Canonical:
    """Put votes into canonical order. Time grows with votes, and with the number of equal models."""
    k = len(votes.models)
    models, prompts = _refined(votes, np.zeros(k, np.uint64), np.zeros(votes.prompts.count, np.uint64))
    kinds = np.unique(models, return_inverse=True)[1].reshape(-1)
    if _alike(models) is not None:  # what votes do not tell apart, the order of prompts may
        named = votes.prompts.count - votes.prompts.unlabelled
        prompts[:named] ^= _mix(np.arange(named, dtype=np.uint64))
        models, prompts = _refined(votes, models, prompts)
    while (alike := _alike(models)) is not None:
        models[alike] = _mix(models[alike : alike + 1] + np.uint64(7))[0]
        models, prompts = _refined(votes, models, prompts)
    places = models.argsort(kind="stable").argsort(kind="stable")
    found, rows = _sorted(votes, places, prompts)
    return Canonical(found, rows, places, kinds)


def _sorted(votes: Votes, places: NDArray[np.intp], prompts: Colours) -> tuple[Votes, NDArray[np.intp]]:
    order = np.argsort(places)
    a, b = places[votes.a], places[votes.b]
    turned = a > b
    outcome = np.where(turned, -votes.outcome, votes.outcome).astype(np.int8)
    low, high = np.minimum(a, b), np.maximum(a, b)
    named = votes.prompts.count - votes.prompts.unlabelled
    there = np.arange(votes.prompts.count)  # by their names, those without one by their votes
    there[named:] = named + prompts[named:].argsort(kind="stable").argsort(kind="stable")
    codes = there[votes.prompts.codes]
    rows = np.lexsort((outcome, high, low, codes))
    found = replace(
        votes,
        models=tuple(votes.models[i] for i in order),
        a=low[rows],
        b=high[rows],
        outcome=outcome[rows],
        prompts=Clusters(codes[rows], votes.prompts.count, votes.prompts.unlabelled),
    )
    return found, rows


def _refined(votes: Votes, models: Colours, prompts: Colours) -> tuple[Colours, Colours]:
    """Colours of models and prompts by the colours of their votes, until none splits any more."""
    won = np.where(votes.outcome >= 0, votes.a, votes.b)
    lost = np.where(votes.outcome >= 0, votes.b, votes.a)
    drawn = votes.outcome == 0
    one, two = np.where(drawn, np.uint64(3), np.uint64(1)), np.where(drawn, np.uint64(3), np.uint64(2))
    count = (0, 0)
    while True:
        vote = _mix(prompts[votes.prompts.codes] ^ (_mix(models[won] + one) + _mix(models[lost] + two)))
        of_models, of_prompts = _mix(models), _mix(prompts)
        np.add.at(of_models, won, _mix(vote + one))
        np.add.at(of_models, lost, _mix(vote + two))
        np.add.at(of_prompts, votes.prompts.codes, vote)
        models, prompts = _mix(of_models), _mix(of_prompts)
        found = len(np.unique(models)), len(np.unique(prompts))
        if found == count:
            return models, prompts
        count = found


def _alike(models: Colours) -> int | None:
    """A model of the smallest group that shares a colour; None if every model has its own."""
    colours, first, sizes = np.unique(models, return_index=True, return_counts=True)
    shared = np.flatnonzero(sizes > 1)
    if not len(shared):
        return None
    smallest = shared[np.lexsort((colours[shared], sizes[shared]))[0]]
    return int(first[smallest])


def _mix(x: Colours) -> Colours:
    """The finaliser of SplitMix64: near inputs land far apart. Sums of its values stand for multisets."""
    x = (x ^ (x >> np.uint64(30))) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
