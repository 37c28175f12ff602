"""Bradley-Terry ratings, with a guard for votes whose likelihood has no maximum.

Strongly connected votes get the maximum, to `TOLERANCE`; connected ones a regularised fit with a phantom
opponent, marked as such; unconnected ones separate boards. Every log of votes has a rating.

The likelihoods (Bradley-Terry, Davidson, logistic) are concave in log strengths, log nu, coefficients, so one
climb by Newton's method with a line search serves them: its steps keep their pace where a fixed point of
strengths needs millions of rounds (nearly separable votes, long chains). Every term is computed without
cancellation, so a win that is almost certain still counts. A logistic regression has fractional labels and no
penalty: where the data separate, or a column is redundant, there is no fit rather than a large number. Length
control: logit P(win) = theta + phi tanh(dl/sd(dl)), ties as half; the controlled rate is logistic(theta).
Descriptive: length may be a real quality.

Sources: Bradley and Terry 1952; Davidson 1970, JASA 65 (draws); Hunter 2004, Annals of Statistics 32
(concavity, existence); Newman 2023, JMLR 24; Chiang et al. 2024, arXiv 2403.04132; Dubois et al. 2024, arXiv
2404.04475 (the idea of length control). Why: docs/statistics.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.votes import Policy, Tally, Votes, tally

TOLERANCE = 1e-10  # largest step of a log strength at which the climb ends
STEPS = 500
HALVINGS = 40
ROUNDING = 1e-10  # gains below this share of the log likelihood are lost in its own rounding
LARGEST = 10.0  # coefficient of length control
SINGULAR = 1e12  # condition number of the curvature where columns are redundant
SEPARATED = 30.0  # on the scale of the linear predictor, or of log strengths: p below 1e-13
FARTHEST = 1e4  # log strengths apart: no votes that a maximum exists for come near it


class Slope(NamedTuple):
    """The log likelihood at a point, its gradient (shape (m,)), and minus its Hessian (shape (m, m))."""

    value: float
    gradient: Floats
    curvature: NDArray[np.float64]


def strengths(counted: Tally) -> Floats | None:
    """Log strengths with mean 0 that maximise the likelihood of the wins, shape (k,); ties do not count.

    None where the climb does not end, as where the maximum does not exist.
    """
    played = counted.wins + counted.wins.T

    def slope(scores: Floats) -> Slope:
        gap = scores[:, None] - scores[None, :]
        upset = expit(-gap)  # [i, j]: j beats i
        value = -float((counted.wins * np.logaddexp(0, -gap)).sum())
        pull = counted.wins * upset
        return Slope(value, (pull - pull.T).sum(axis=1), _laplacian(played * upset * upset.T))

    found = climb(slope, np.zeros(len(played)), held=1)
    return None if found is None else found - found.mean()


def strengths_with_draws(counted: Tally) -> tuple[Floats, float] | None:
    """Davidson's log strengths with mean 0, and log nu; None where the climb does not end.

    Some votes must be decided and some drawn.
    """
    wins, ties = counted.wins, counted.ties
    played, k = wins + wins.T + ties, len(wins)

    def slope(at: Floats) -> Slope:
        half = (at[:k, None] - at[None, :k]) / 2
        total = np.logaddexp(np.logaddexp(half, -half), at[k])
        won, drawn = np.exp(half - total), np.exp(at[k] - total)
        lost = won.T
        value = float((wins * (half - total)).sum() + (ties * (at[k] - total)).sum() / 2)
        # d/d gap of a win is 1/2 - (won - lost)/2 = lost + drawn/2, of a draw -(won - lost)/2.
        pull = wins * (lost + drawn / 2) - wins.T * (won + drawn / 2) - ties * (won - lost) / 2
        of_nu = float((ties * (won + lost)).sum() / 2 - (wins * drawn).sum())
        spread = played * (won * lost + drawn * (won + lost) / 4)
        mixed = -(played * drawn * (won - lost) / 2).sum(axis=1)
        curvature = np.zeros((k + 1, k + 1))
        curvature[:k, :k] = _laplacian(spread)
        curvature[:k, k] = curvature[k, :k] = mixed
        curvature[k, k] = float((played * drawn * (won + lost)).sum()) / 2
        return Slope(value, np.append(pull.sum(axis=1), of_nu), curvature)

    found = climb(slope, np.zeros(k + 1), held=1)
    return None if found is None else (found[:k] - found[:k].mean(), float(found[k]))


def _laplacian(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = weights - np.diag(np.diag(weights))
    return np.asarray(np.diag(inside.sum(axis=1)) - inside, np.float64)


def climb(
    slope: Callable[[Floats], Slope], start: Floats, *, held: int, singular: float = math.inf
) -> Floats | None:
    """Where a concave log likelihood is highest, by Newton's method; None where the climb does not end.

    held: how many of the first numbers stay where they are (a strength, where only gaps matter). singular:
    condition number of the curvature from which no maximum counts as unique.
    """
    at, here = start, slope(start)
    for _ in range(STEPS):
        step = _step(here, held, singular)
        if step is None:
            return None
        largest = float(np.abs(step).max(initial=0.0))
        promised = float(here.gradient @ step)
        size = 1.0
        for _ in range(HALVINGS):
            there = slope(at + size * step)
            if there.value >= here.value + 1e-4 * size * promised or promised < ROUNDING * abs(here.value):
                break
            size /= 2
        at, here = at + size * step, there
        if np.abs(at).max(initial=0.0) > FARTHEST:
            return None
        if largest < TOLERANCE * max(1.0, float(np.abs(at).max(initial=0.0))):
            return at
    return None


def _step(here: Slope, held: int, singular: float) -> Floats | None:
    """The Newton step, scaled so that votes of very different weight do not drown each other."""
    inner = here.curvature[held:, held:]
    scale = np.sqrt(np.diag(inner))
    if not (np.isfinite(inner).all() and (scale > 0).all()):
        return None
    scaled = inner / np.outer(scale, scale)
    if singular < math.inf and np.linalg.cond(scaled) > singular:
        return None
    try:
        found = np.linalg.solve(scaled, here.gradient[held:] / scale) / scale
    except np.linalg.LinAlgError:
        return None
    return np.concatenate([np.zeros(held), found]) if np.isfinite(found).all() else None


def fit_lengths(scores: Floats, length_differences: Floats) -> tuple[float, float] | None:
    """(theta, phi) of length control. scores: win rates in [0, 1]. length_differences: first minus second.

    None where the lengths do not differ, or cannot be told from the verdicts.
    """
    sd = float(length_differences.std(ddof=1)) if len(length_differences) > 1 else 0.0
    if not sd:
        return None
    found = fit_logistic(np.column_stack([np.ones(len(scores)), np.tanh(length_differences / sd)]), scores)
    if found is None or np.abs(found).max() > LARGEST:
        return None
    return float(found[0]), float(found[1])


def fit_logistic(x: NDArray[np.float64], y: Floats) -> Floats | None:
    """The coefficients of P = logistic(x b), shape (k,). x: shape (n, k). y: in [0, 1]; none missing.

    None where the maximum does not exist or is not unique.
    """
    n, k = x.shape
    if n < k or k == 0:
        return None
    found = climb(logistic_slope(x, y), np.zeros(k), held=0, singular=SINGULAR)
    return None if found is None or np.abs(x @ found).max() > SEPARATED else found


def logistic_slope(x: Any, y: Floats) -> Callable[[Floats], Slope]:
    """Of P = logistic(x b). x: shape (n, k), an array or a sparse one."""

    def slope(b: Floats) -> Slope:
        linear = x @ b
        p = expit(linear)
        value = float((y * linear - np.logaddexp(0, linear)).sum())
        curvature = (x * (p * (1 - p))[:, None]).T @ x
        dense = curvature if isinstance(curvature, np.ndarray) else curvature.toarray()
        return Slope(value, x.T @ (y - p), np.asarray(dense, np.float64))

    return slope


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
        models=votes.models, log_scores=tuple(log_scores),
        boards=tuple(tuple(int(i) for i in board) for board in boards), regularised=tuple(regularised),
        votes=tuple(seen.tolist()), prompts=tuple(prompts.tolist()), ranked=tuple(ranked.tolist()),
        policy=policy, note="; ".join(notes),
    )  # fmt: skip


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
