"""Bradley-Terry ratings, with a guard for votes whose likelihood has no maximum.

Strongly connected votes get the maximum, to `strengths.TOLERANCE`; connected ones a regularised fit with a
phantom opponent, marked as such; unconnected ones separate boards. Every log of votes has a rating. Sources:
Bradley and Terry 1952; Newman 2023, JMLR 24; Chiang et al. 2024, arXiv 2403.04132. Why: docs/statistics.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.strengths import strengths, strengths_with_draws
from suite.scoring.stats.votes import Policy, Tally, Votes, tally

POINTS = 400 / math.log(10)
CENTRE = 1000.0
FEWEST_VOTES = 30
FEWEST_PROMPTS_OF_A_MODEL = 5
FEWEST_PROMPTS = 20
FEWEST_MODELS = 3
EQUAL = 1e-7  # log scores closer than this are one rank


class Fit(NamedTuple):
    """log_scores: shape (k,), centred; regularised ones relative to the phantom."""

    log_scores: Floats
    regularised: bool


@dataclass(frozen=True)
class Strengths:
    """Strengths of K models.

    log_scores: natural log units, None for a model without votes or opponents. boards: groups of models
    (indices) that are comparable with each other; more than one means that there is no common scale.
    regularised: per model, whether its board needed the phantom. votes, prompts: per model. ranked: whether
    a model has enough of both to be given a rank. policy: of draws.
    """

    models: tuple[str, ...]
    log_scores: tuple[float | None, ...]
    boards: tuple[tuple[int, ...], ...]
    regularised: tuple[bool, ...]
    votes: tuple[int, ...]
    prompts: tuple[int, ...]
    ranked: tuple[bool, ...]
    policy: Policy
    note: str

    @property
    def ratings(self) -> tuple[float | None, ...]:
        """1000 + (400/ln 10)(b - mean b), the mean over the board."""
        found: list[float | None] = [None] * len(self.models)
        for board in self.boards:
            known = [(i, score) for i in board if (score := self.log_scores[i]) is not None]
            middle = math.fsum(score for _, score in known) / max(1, len(known))
            for i, score in known:
                found[i] = CENTRE + POINTS * (score - middle)
        return tuple(found)

    @property
    def ranks(self) -> tuple[int | None, ...]:
        """On the model's board, among those that are ranked."""
        found: list[int | None] = [None] * len(self.models)
        for board in self.boards:
            inside = ranks_of([self.log_scores[i] for i in board], [self.ranked[i] for i in board])
            for i, rank in zip(board, inside, strict=True):
                found[i] = rank
        return tuple(found)


def bradley_terry(votes: Votes, policy: Policy = "half") -> Strengths:
    """Rate the models of the votes. policy: "half" counts a draw as half a win each, "drop" leaves draws out,
    "davidson" models them as an outcome of their own (its log scores are on another scale).
    """
    counted = tally(votes)
    boards = boards_of(counted, policy)
    k = len(votes.models)
    log_scores: list[float | None] = [None] * k
    regularised = [False] * k
    for board in boards:
        found = fit_board(part_of(counted, board), policy) if len(board) > 1 else None
        if found is None:
            continue
        for i, score in zip(board, found.log_scores, strict=True):
            log_scores[i], regularised[i] = float(score), found.regularised
    seen, prompts = votes.seen()
    played = [board for board in boards if len(board) > 1]
    few = k < FEWEST_MODELS or votes.prompts.count < FEWEST_PROMPTS
    ranked = (seen >= FEWEST_VOTES) & (prompts >= FEWEST_PROMPTS_OF_A_MODEL) & (not few)
    notes = []
    if few:
        notes.append("too few models or prompts for a rating: show pairwise win rates")
    if len(played) > 1 or (played and len(played[0]) < k):
        notes.append(f"{len(boards)} groups of models never met: no common scale")
    if any(regularised):
        notes.append("regularised")
    return Strengths(
        models=votes.models,
        log_scores=tuple(log_scores),
        boards=tuple(tuple(int(i) for i in board) for board in boards),
        regularised=tuple(regularised),
        votes=tuple(seen.tolist()),
        prompts=tuple(prompts.tolist()),
        ranked=tuple(ranked.tolist()),
        policy=policy,
        note="; ".join(notes),
    )


def boards_of(counted: Tally, policy: Policy) -> list[NDArray[np.intp]]:
    """Groups of models (indices) that are linked by votes, in order of their first model."""
    from scipy.sparse.csgraph import connected_components

    if not len(counted.wins):
        return []
    met = (counted.wins if policy == "drop" else counted.half()) > 0
    count, labels = connected_components(met, directed=True, connection="weak")
    return [np.flatnonzero(labels == label) for label in range(count)]


def part_of(counted: Tally, board: NDArray[np.intp]) -> Tally:
    """The tally among these models."""
    inside = np.ix_(board, board)
    return Tally(counted.wins[inside], counted.ties[inside])


def strongly_connected(graph: NDArray[np.bool_]) -> bool:
    """Whether every model is reached from every other along wins: the maximum exists then."""
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(graph, directed=True, connection="strong")[0]) == 1


def fit_board(counted: Tally, policy: Policy) -> Fit:
    """The fit of two models or more: the maximum if there is one, else with the phantom."""
    fit: Callable[[Tally], Floats | None] = strengths
    if policy == "davidson" and counted.ties.any():
        # Draws link nobody here: nu grows with a gap that only they would bound, so decided votes must.
        fit = _with_draws
        if not counted.wins.any():  # then nu has no maximum
            return Fit(np.zeros(len(counted.wins)), True)
    else:
        wins = counted.wins if policy == "drop" else counted.half()
        counted = Tally(wins, np.zeros_like(wins))
    found = fit(counted) if strongly_connected(counted.wins > 0) else None
    if found is not None:
        return Fit(found, False)
    found = fit(_with_phantom(counted))
    assert found is not None, "everybody beats the phantom once and loses once: a maximum exists"
    return Fit(found[:-1] - found[-1], True)


def _with_draws(counted: Tally) -> Floats | None:
    """By Davidson 1970."""
    found = strengths_with_draws(counted)
    return None if found is None else found[0]


def _with_phantom(counted: Tally) -> Tally:
    """One more player, who wins once and loses once against everybody (Newman's logistic prior)."""
    wins = np.pad(counted.wins, ((0, 1), (0, 1)), constant_values=1.0)
    wins[-1, -1] = 0.0
    return Tally(wins, np.pad(counted.ties, ((0, 1), (0, 1))))


def ranks_of(scores: Sequence[float | None], ranked: Sequence[bool]) -> list[int | None]:
    """Ranks from 1 among those ranked; equal scores share the better rank."""
    taken = [i for i, take in enumerate(ranked) if take and scores[i] is not None]
    best, _ = rank_spans(np.array([scores[i] for i in taken], dtype=np.float64))
    found: list[int | None] = [None] * len(scores)
    for i, rank in zip(taken, best.tolist(), strict=True):
        found[i] = rank
    return found


def rank_spans(scores: Floats, equal: float | Floats = EQUAL) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The best and the worst rank that equal scores share, over the last axis of shape (…, K).

    equal: gap up to which two scores are one, of all or of each.
    """
    k = scores.shape[-1]
    best, worst = [], []
    for row in np.atleast_2d(scores):
        order = np.sort(row)
        best.append(1 + k - np.searchsorted(order, row + equal, side="right"))
        worst.append(k - np.searchsorted(order, row - equal, side="left"))
    shape = scores.shape
    return np.array(best, dtype=np.intp).reshape(shape), np.array(worst, dtype=np.intp).reshape(shape)
