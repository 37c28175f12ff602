"""Pairwise votes as arrays, and their tally by pair: all that a rating needs to know of a million votes.

Self-pairs and votes without a winner are dropped and counted; an unknown outcome is an error, never a tie.
Draws keep their kind ("tie", "both-good", "both-bad") for tables; ratings treat all kinds alike.
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
        """Votes."""
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
        models=names,
        a=first[keep],
        b=second[keep],
        outcome=outcome[keep],
        prompts=clusters_of(subset(prompts, keep), n),
        draws=kinds,
        kept=keep,
        self_pairs=int((scored & ~other).sum()),
        unscored=int((~scored).sum()),
    )


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
