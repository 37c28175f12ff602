"""Pairwise votes as arrays, their tally by pair, and an order of theirs that no file decides.

Self-pairs and votes without a winner are dropped and counted; an unknown outcome is an error, never a tie.
Draws keep their kind ("tie", "both-good", "both-bad") for tables; ratings treat all kinds alike.

Resampling draws by position, so it has to meet the same votes at the same positions whatever the rows, sides
and names of models (`canonical`). Prompts stay in order of their names; votes without one go by who beat
whom. Models and prompts are coloured by their votes until no colour splits any more (colour refinement), and
models that look alike then are equal: `kinds`. They are told apart by the prompts' order, and what is alike
even so one model at a time. Source: Weisfeiler and Leman 1968; McKay and Piperno 2014, J. Symbolic
Computation 60.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.clusters import Clusters, Floats, Labels, clusters_of, subset

DRAWS = ("tie", "both-good", "both-bad")
Policy = Literal["half", "drop", "davidson"]
POLICIES: tuple[Policy, ...] = ("half", "drop", "davidson")


@dataclass(frozen=True)
class Votes:
    """n votes between K models.

    models: names in order. a, b: shape (n,), index of the two models. outcome: (n,), 1 if a won, -1 if b
    won, 0 for a draw. prompts: clusters of the votes. draws: how many of each kind. kept: (rows given,),
    which rows are votes. self_pairs, unscored: rows that are not.
    """

    models: tuple[str, ...]
    a: NDArray[np.intp]
    b: NDArray[np.intp]
    outcome: NDArray[np.int8]
    prompts: Clusters
    draws: dict[str, int]
    kept: NDArray[np.bool_]
    self_pairs: int
    unscored: int

    @property
    def n(self) -> int:
        return len(self.a)

    def seen(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Per model its votes and its prompts, each of shape (K,)."""
        k = len(self.models)
        both = np.concatenate([self.a, self.b])
        pairs = np.unique(both * max(1, self.prompts.count) + np.tile(self.prompts.codes, 2))
        prompts = np.bincount(pairs // max(1, self.prompts.count), minlength=k)
        return np.bincount(both, minlength=k), prompts

    def without(self, gone: NDArray[np.bool_]) -> "Votes":
        """The votes where `gone` (shape (n,)) is false; the models stay."""
        left = ~gone
        prompts = clusters_of(self.prompts.codes[left], int(left.sum()))
        return replace(self, a=self.a[left], b=self.b[left], outcome=self.outcome[left], prompts=prompts)


@dataclass(frozen=True)
class Tally:
    """wins[i, j]: weight of votes in which i beat j. ties[i, j] = ties[j, i]: of draws between them."""

    wins: NDArray[np.float64]
    ties: NDArray[np.float64]

    def half(self) -> NDArray[np.float64]:
        """Wins with every draw as half a win for both."""
        return self.wins + self.ties / 2


def votes_of(
    a: Sequence[str],
    b: Sequence[str],
    winner: Sequence[str | None],
    prompts: Labels | None = None,
) -> Votes:
    """Code votes. winner: "a", "b", "tie", "both-good", "both-bad", or None for unscored.

    prompts: what votes share; None makes every vote its own.
    """
    names = tuple(sorted({*a, *b}))
    place = {name: code for code, name in enumerate(names)}
    first, second = (np.fromiter((place[one] for one in side), np.intp, len(side)) for side in (a, b))
    values: dict[str | None, int] = {"a": 1, "b": -1, None: 2, **dict.fromkeys(DRAWS, 0)}
    outcome = np.fromiter((values[one] for one in winner), np.int8, len(winner))
    scored = outcome != 2
    other = first != second
    keep = scored & other
    kinds = dict.fromkeys(DRAWS, 0)
    for index in np.flatnonzero(keep & (outcome == 0)):
        kinds[str(winner[int(index)])] += 1
    n = int(keep.sum())
    return Votes(
        models=names, a=first[keep], b=second[keep], outcome=outcome[keep],
        prompts=clusters_of(subset(prompts, keep), n), draws=kinds, kept=keep,
        self_pairs=int((scored & ~other).sum()), unscored=int((~scored).sum()),
    )  # fmt: skip


def cells_of(votes: Votes) -> NDArray[np.intp]:
    """One number per vote for its pair and outcome, to tally weights quickly with `tally_of`."""
    return (votes.a * len(votes.models) + votes.b) * 3 + (votes.outcome + 1)


def tally_of(cells: NDArray[np.intp], k: int, weights: Floats | None = None) -> Tally:
    """Sum the weights of votes (1 each if None) by pair and outcome. k: models."""
    counted = np.bincount(cells, weights=weights, minlength=3 * k * k).reshape(k, k, 3).astype(np.float64)
    lost, drawn, won = counted[:, :, 0], counted[:, :, 1], counted[:, :, 2]
    return Tally(won + lost.T, drawn + drawn.T)


def tally(votes: Votes) -> Tally:
    """The tally of all votes."""
    return tally_of(cells_of(votes), len(votes.models))


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
        votes, models=tuple(votes.models[i] for i in order), a=low[rows], b=high[rows], outcome=outcome[rows],
        prompts=Clusters(codes[rows], votes.prompts.count, votes.prompts.unlabelled),
    )  # fmt: skip
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
