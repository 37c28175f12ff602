"""Ratings with style held equal, and the sandwich errors of ratings: one logistic regression on votes.

logit P(a beats b) = b_a - b_b + sum_k gamma_k x_k, draws as half; x_k is divided by its sd, not centred
(centring would add an effect of the side). No penalty. Never a dense design: a vote touches two models, so a
million votes over 200 models fit in seconds. Source: Chiang et al. 2024, arXiv 2403.04132 (the regression and
its sandwich errors); style as covariates is the public arena's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.errors import ConfigError
from suite.scoring.stats.bradley_terry import CENTRE, POINTS, SEPARATED, SINGULAR, Slope, climb
from suite.scoring.stats.clusters import Clusters, Floats, Scores, floats
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import normal_quantile
from suite.scoring.stats.votes import Votes

SIDE = "shown first"  # the name of the intercept
NO_FIT = "style and strength cannot be told apart: no model may always win, lose or have more of a style"


@dataclass(frozen=True)
class StyleControlled:
    """models: in order. log_scores: centred, natural log units; None where there is no fit. errors: their
    standard errors, prompts kept whole. coefficients: per style, effect on the log odds of one sd more of
    it. scales: the sd of each. missing: votes left out because a style has no value.
    """

    models: tuple[str, ...]
    log_scores: tuple[float | None, ...]
    errors: tuple[float | None, ...]
    coefficients: Mapping[str, Estimate]
    scales: Mapping[str, float]
    missing: int
    note: str

    @property
    def ratings(self) -> tuple[float | None, ...]:
        """1000 + (400/ln 10) b."""
        return tuple(None if one is None else CENTRE + POINTS * one for one in self.log_scores)


def style_controlled(
    votes: Votes, features: Mapping[str, Scores], *, side: bool = False, level: float = 0.95
) -> StyleControlled:
    """Fit strengths and style effects together.

    features: name -> difference a minus b for every vote kept (shape (n,), None is missing). side: add an
    effect of being `a`, for votes whose sides were not balanced. Without features and side: plain ratings
    with their sandwich errors. Raises ConfigError for a feature called like the side.
    """
    if SIDE in features:
        raise ConfigError(f"a style cannot be called {SIDE!r}", "style_controlled")
    columns = {name: floats(values) for name, values in features.items()}
    gone = np.zeros(votes.n, dtype=bool)
    for column in columns.values():
        gone |= np.isnan(column)
    kept = votes.without(gone)
    found = {name: column[~gone] for name, column in columns.items()}
    scales = {name: float(column.std()) if len(column) else 0.0 for name, column in found.items()}
    flat = [name for name, scale in scales.items() if scale == 0]
    note = f"no variation in {', '.join(flat)}" if flat else ""
    used = {name: column / scales[name] for name, column in found.items() if name not in flat}
    if side:
        used[SIDE] = np.ones(kept.n)
    fit = _Fit(kept, np.stack([*used.values()], axis=1) if used else np.zeros((kept.n, 0)))
    names, k = tuple(used), len(votes.models)
    empty = Estimate(None, level=level, n=kept.n, clusters=kept.prompts.count)
    if not fit.solve():
        nothing = (None,) * k
        note = "; ".join(filter(None, (note, NO_FIT)))
        estimates = dict.fromkeys([*features, *([SIDE] if side else [])], empty)
        return StyleControlled(votes.models, nothing, nothing, estimates, scales, int(gone.sum()), note)
    centred = fit.b[:k] - fit.b[:k].mean()
    errors = np.sqrt(np.maximum(0.0, np.diag(fit.covariance(kept.prompts))))
    z = normal_quantile(level)
    estimates = dict.fromkeys(features, empty)
    for place, name in enumerate(names, k):
        value, half = float(fit.b[place]), z * float(errors[place])
        method = "logit-z" if kept.prompts.singletons else "logit-cluster-z"
        estimates[name] = Estimate(
            value, value - half, value + half, level, method, kept.n, clusters=kept.prompts.count
        )
    return StyleControlled(
        votes.models,
        tuple(float(one) for one in centred),
        tuple(float(one) for one in errors[:k]),
        estimates,
        scales,
        int(gone.sum()),
        note,
    )


class _Fit:
    """Newton's method on K strengths (the first held at 0) and m coefficients."""

    def __init__(self, votes: Votes, x: NDArray[np.float64]) -> None:
        self.k, self.m = len(votes.models), x.shape[1]
        self.x = x
        self.one, self.two = votes.a, votes.b
        self.y = (votes.outcome + 1) / 2
        self.b = np.zeros(self.k + self.m)

    def linear(self, b: Floats) -> Floats:
        return np.asarray(b[self.one] - b[self.two] + self.x @ b[self.k :], np.float64)

    def by_model(self, weights: Floats) -> Floats:
        """Sum of weights of votes in which a model is a, minus those in which it is b."""
        up = np.bincount(self.one, weights=weights, minlength=self.k)
        return np.asarray(up - np.bincount(self.two, weights=weights, minlength=self.k), np.float64)

    def hessian(self, p: Floats) -> NDArray[np.float64]:
        k, w = self.k, p * (1 - p)
        pairs = np.bincount(self.one * k + self.two, weights=w, minlength=k * k).reshape(k, k)
        pairs = pairs + pairs.T
        found = np.zeros((k + self.m, k + self.m))
        found[:k, :k] = np.diag(pairs.sum(axis=1)) - pairs
        for place in range(self.m):
            mixed = self.by_model(w * self.x[:, place])
            found[:k, k + place] = found[k + place, :k] = mixed
        found[k:, k:] = (self.x * w[:, None]).T @ self.x
        return found

    def solve(self) -> bool:
        """Whether the maximum exists; then it is in `b`."""
        free = self.k + self.m - 1
        if len(self.y) < free or free < 1:
            return False
        found = climb(self.slope, self.b, held=1, singular=SINGULAR)
        if found is None or np.abs(found).max() > SEPARATED:
            return False
        self.b = found
        return True

    def slope(self, b: Floats) -> Slope:
        linear = self.linear(b)
        p = expit(linear)
        value = float((self.y * linear - np.logaddexp(0, linear)).sum())
        gradient = np.concatenate([self.by_model(self.y - p), self.x.T @ (self.y - p)])
        return Slope(value, gradient, self.hessian(p))

    def covariance(self, prompts: Clusters) -> NDArray[np.float64]:
        """Sandwich of (centred strengths, coefficients), scores summed by prompt."""
        from scipy.sparse import coo_array

        k, n = self.k, len(self.y)
        p = expit(self.linear(self.b))
        residuals = self.y - p
        rows = np.tile(prompts.codes, 2 + self.m)
        columns = [self.one, self.two, *(np.full(n, k + place) for place in range(self.m))]
        values = [residuals, -residuals, *(residuals * self.x[:, place] for place in range(self.m))]
        scores = coo_array(
            (np.concatenate(values), (rows, np.concatenate(columns))), shape=(prompts.count, k + self.m)
        ).tocsr()
        meat = np.asarray((scores.T @ scores).todense())
        inverse = _inverse(self.hessian(p)[1:, 1:])
        bread = np.zeros((k + self.m, k + self.m))
        bread[1:, 1:] = 0.0 if inverse is None else inverse
        factor = 1.0
        if not prompts.singletons and prompts.count > 1 and n > k + self.m - 1:
            factor = prompts.count / (prompts.count - 1) * (n - 1) / (n - (k + self.m - 1))
        centre = np.eye(k + self.m)
        centre[:k, :k] -= 1 / k
        return np.asarray(factor * centre @ bread @ meat @ bread @ centre.T, np.float64)


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    scale = np.sqrt(np.maximum(0.0, np.diag(matrix)))
    if (scale <= 1e-12).any() or not math.isfinite(float(scale.sum())):
        return None
    scaled = matrix / np.outer(scale, scale)
    if np.linalg.cond(scaled) > SINGULAR:
        return None
    return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale), np.float64)
