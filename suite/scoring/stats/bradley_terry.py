"""Bradley-Terry ratings by evalica, behind the guard that it lacks.

evalica returns equal scores, silently, where the maximum does not exist (a model that never loses) and
comparable-looking scores for models that never met. So: strongly connected votes get the plain maximum;
connected ones a regularised fit with a phantom opponent; unconnected ones separate boards. Sources: Bradley
and Terry 1952; Newman 2023, JMLR 24; Chiang et al. 2024, arXiv 2403.04132. Why: docs/statistics.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.errors import ConfigError, unknown
from suite.scoring.stats.units import Floats
from suite.scoring.stats.votes import POLICIES, Policy, Tally, Votes, tally

POINTS = 400 / math.log(10)
CENTRE = 1000.0
FEWEST_VOTES = 30
FEWEST_PROMPTS_OF_A_MODEL = 5
FEWEST_PROMPTS = 20
FEWEST_MODELS = 3
TOLERANCE = 1e-10
LIMIT = 100_000


class Fit(NamedTuple):
    """log_scores: shape (k,), centred; regularised ones relative to the phantom. nu: Davidson's, of draws."""

    log_scores: Floats
    regularised: bool
    nu: float = 0.0


@dataclass(frozen=True)
class Ratings:
    """Strengths of K models.

    log_scores: natural log units, None for a model without votes or opponents. boards: groups of models
    (indices) that are comparable with each other; more than one means that there is no common scale.
    regularised: per model, whether its board needed the phantom. votes, prompts: per model. ranked: whether
    a model has enough of both to be given a rank. policy: of draws; nu: Davidson's parameter per board.
    """

    models: tuple[str, ...]
    log_scores: tuple[float | None, ...]
    boards: tuple[tuple[int, ...], ...]
    regularised: tuple[bool, ...]
    votes: tuple[int, ...]
    prompts: tuple[int, ...]
    ranked: tuple[bool, ...]
    policy: Policy
    nu: tuple[float | None, ...]
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


def bradley_terry(votes: Votes, policy: Policy = "half") -> Ratings:
    """Rate the models of the votes. policy: "half" counts a draw as half a win each, "drop" leaves draws out,
    "davidson" models them as an outcome of their own (its log scores are on another scale).

    Raises NotFound for an unknown policy, ConfigError where the fit does not converge.
    """
    check_policy(policy)
    counted = tally(votes)
    boards = boards_of(counted, policy)
    k = len(votes.models)
    log_scores: list[float | None] = [None] * k
    regularised = [False] * k
    parameters: list[float | None] = []
    for board in boards:
        found = fit_board(part_of(counted, board), policy) if len(board) > 1 else None
        parameters.append(None if found is None else found.nu)
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
    return Ratings(
        models=votes.models,
        log_scores=tuple(log_scores),
        boards=tuple(tuple(int(i) for i in board) for board in boards),
        regularised=tuple(regularised),
        votes=tuple(seen.tolist()),
        prompts=tuple(prompts.tolist()),
        ranked=tuple(ranked.tolist()),
        policy=policy,
        nu=tuple(parameters),
        note="; ".join(notes),
    )


def check_policy(policy: str) -> None:
    """Raises NotFound for an unknown policy of draws."""
    if policy not in POLICIES:
        raise unknown("policy of draws", policy, POLICIES)


def graph_of(counted: Tally, policy: Policy) -> NDArray[np.bool_]:
    """Edges i -> j if i beat j, or tied where draws count."""
    return np.asarray((counted.wins if policy == "drop" else counted.half()) > 0)


def boards_of(counted: Tally, policy: Policy) -> list[NDArray[np.intp]]:
    """Groups of models (indices) that are linked by votes, in order of their first model."""
    from scipy.sparse.csgraph import connected_components

    if not len(counted.wins):
        return []
    count, labels = connected_components(graph_of(counted, policy), directed=True, connection="weak")
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
    """The fit of two models or more: the maximum if there is one, else with the phantom.

    Raises ConfigError where it does not converge.
    """
    if policy == "davidson" and counted.ties.any():
        # Draws link nobody here: nu grows with a gap that only they would bound, so decided votes must.
        return _davidson(counted, not strongly_connected(graph_of(counted, "drop")))
    regularised = not strongly_connected(graph_of(counted, policy))
    wins = counted.wins if policy == "drop" else counted.half()
    if not regularised:
        scores = _by_evalica(wins)
        return Fit(scores - scores.mean(), False)
    scores = _by_evalica(_with_phantom(wins))
    return Fit(scores[:-1] - scores[-1], True)


def _with_phantom(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """One more player, who wins once and loses once against everybody (Newman's logistic prior)."""
    found = np.pad(wins, ((0, 1), (0, 1)), constant_values=1.0)
    found[-1, -1] = 0.0
    return found


def _by_evalica(wins: NDArray[np.float64]) -> Floats:
    import evalica
    import pandas as pd

    winners, losers = np.nonzero(wins)
    found = evalica.bradley_terry(
        winners.tolist(),
        losers.tolist(),
        [evalica.Winner.X] * len(winners),
        index=pd.RangeIndex(len(wins)),
        weights=wins[winners, losers],
        tolerance=TOLERANCE,
        limit=LIMIT,
    )
    _converged(found.iterations)
    return _logs(found.scores.reindex(range(len(wins))).to_numpy())


def _davidson(counted: Tally, regularised: bool) -> Fit:
    """Davidson 1970 by evalica's `newman`: nu = 2 v. Without any decided vote nu has no maximum."""
    import evalica
    import pandas as pd

    k = len(counted.wins)
    wins, ties = counted.wins, counted.ties
    if regularised:
        wins, ties = _with_phantom(wins), np.pad(ties, ((0, 1), (0, 1)))
    if not counted.wins.any():
        return Fit(np.zeros(k), True, math.inf)
    winners, losers = np.nonzero(wins)
    first, second = np.nonzero(np.triu(ties))
    outcomes = [evalica.Winner.X] * len(winners) + [evalica.Winner.Draw] * len(first)
    found = evalica.newman(
        [*winners.tolist(), *first.tolist()],
        [*losers.tolist(), *second.tolist()],
        outcomes,
        index=pd.RangeIndex(len(wins)),
        weights=np.concatenate([wins[winners, losers], ties[first, second]]),
        tie_weight=1.0,
        tolerance=TOLERANCE,
        limit=LIMIT,
    )
    _converged(found.iterations)
    scores = _logs(found.scores.reindex(range(len(wins))).to_numpy())
    if regularised:
        return Fit(scores[:-1] - scores[-1], True, 2 * float(found.v))
    return Fit(scores - scores.mean(), False, 2 * float(found.v))


def _converged(iterations: int) -> None:
    if iterations >= LIMIT:
        raise ConfigError(
            f"the ratings did not settle within {LIMIT:,} rounds",
            "bradley_terry",
            "models that hang on very few votes are the usual cause: add votes or leave them out",
        )


def _logs(scores: Floats) -> Floats:
    if not (np.isfinite(scores).all() and (scores > 0).all()):
        raise ConfigError("the ratings do not exist for these votes", "bradley_terry")
    return np.asarray(np.log(scores), np.float64)


def win_probability(difference: float, nu: float = 0.0) -> tuple[float, float, float]:
    """(win, draw, loss) of a model that leads by `difference` log units; nu of Davidson's model."""
    up, down = math.exp(difference / 2), math.exp(-difference / 2)
    total = up + down + nu
    return up / total, nu / total, down / total


def ranks_of(scores: Sequence[float | None], ranked: Sequence[bool]) -> list[int | None]:
    """Ranks from 1 among those ranked; equal scores share the better rank."""
    kept = [score for score, take in zip(scores, ranked, strict=True) if take and score is not None]
    return [
        1 + sum(other > score + 1e-9 for other in kept) if take and score is not None else None
        for score, take in zip(scores, ranked, strict=True)
    ]
