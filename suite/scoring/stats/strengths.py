"""The maximum of Bradley-Terry, Davidson and logistic likelihoods, by Newton's method with a line search.

All are concave (in log strengths, log nu, coefficients), so one climb serves them: Newton's steps keep their
pace where a fixed point of strengths needs millions of rounds (nearly separable votes, long chains). Every
term is computed without cancellation, so a win that is almost certain still counts. Not here: whether the
maximum of strengths exists, and what to do if not (`bradley_terry`).

A logistic regression has fractional labels and no penalty: where the data separate, or a column is redundant,
there is no fit rather than a large number. Length control: logit P(win) = theta + phi tanh(dl/sd(dl)), ties
as half; the controlled rate is logistic(theta). Descriptive: length may be a real quality.

Sources: Hunter 2004, Annals of Statistics 32 (concavity, existence); Davidson 1970, JASA 65 (draws); Dubois
et al. 2024, arXiv 2404.04475 (the idea of length control).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.votes import Tally

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

    def slope(b: Floats) -> Slope:
        linear = x @ b
        p = expit(linear)
        value = float((y * linear - np.logaddexp(0, linear)).sum())
        return Slope(value, x.T @ (y - p), np.asarray((x * (p * (1 - p))[:, None]).T @ x, np.float64))

    found = climb(slope, np.zeros(k), held=0, singular=SINGULAR)
    return None if found is None or np.abs(x @ found).max() > SEPARATED else found
