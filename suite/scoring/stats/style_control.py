"""Ratings with style held equal, and the sandwich errors of ratings: one logistic regression on votes.

logit P(a beats b) = b_a - b_b + sum_k gamma_k x_k, draws as half; x_k is divided by its sd, not centred
(centring would add an effect of the side). No penalty. Never a dense design: a vote touches two models, so a
million votes over 200 models fit in seconds. Source: Chiang et al. 2024, arXiv 2403.04132 (the regression and
its sandwich errors); style as covariates is the public arena's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from suite.errors import ConfigError
from suite.scoring.stats.bradley_terry import CENTRE, POINTS, SEPARATED, SINGULAR, climb, logistic_slope
from suite.scoring.stats.clusters import Clusters, Floats, Scores, floats
from suite.scoring.stats.estimate import Estimate, joined
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
    x, y, k = _design(kept, [*used.values()]), (kept.outcome + 1) / 2, len(votes.models)
    slope, free = logistic_slope(x, y), k + len(used) - 1
    b = climb(slope, np.zeros(free + 1), held=1, singular=SINGULAR) if kept.n >= free >= 1 else None
    empty = Estimate(None, level=level, n=kept.n, clusters=kept.prompts.count)
    estimates = dict.fromkeys([*features, *([SIDE] if side else [])], empty)
    log_scores: tuple[float | None, ...] = (None,) * k
    deviations = log_scores
    if b is None or np.abs(b).max() > SEPARATED:
        note = joined(note, NO_FIT)
    else:
        covariance = _covariance(x, y - expit(x @ b), slope(b).curvature, kept.prompts, k)
        errors = np.sqrt(np.maximum(0.0, np.diag(covariance)))
        log_scores, deviations = tuple((b[:k] - b[:k].mean()).tolist()), tuple(errors[:k].tolist())
        method = "logit-z" if kept.prompts.singletons else "logit-cluster-z"
        for place, name in enumerate(used, k):
            value, half = float(b[place]), normal_quantile(level) * float(errors[place])
            ends = value - half, value + half
            estimates[name] = replace(empty, value=value, low=ends[0], high=ends[1], method=method)
    return StyleControlled(votes.models, log_scores, deviations, estimates, scales, int(gone.sum()), note)


def _design(votes: Votes, styles: Sequence[Floats]) -> Any:
    """1 for a, -1 for b, then the styles: sparse, shape (n, K + m)."""
    from scipy.sparse import coo_array

    n, k = votes.n, len(votes.models)
    columns = [votes.a, votes.b, *(np.full(n, k + place) for place in range(len(styles)))]
    values = np.concatenate([np.ones(n), -np.ones(n), *styles])
    places = np.tile(np.arange(n), len(columns)), np.concatenate(columns)
    return coo_array((values, places), shape=(n, k + len(styles))).tocsr()


def _covariance(
    x: Any, residuals: Floats, curvature: NDArray[np.float64], prompts: Clusters, k: int
) -> NDArray[np.float64]:
    """Sandwich of (centred strengths, coefficients), scores summed by prompt. k: strengths."""
    from scipy.sparse import coo_array

    n, free = x.shape[0], x.shape[1] - 1
    scores = coo_array((residuals, (prompts.codes, np.arange(n))), shape=(prompts.count, n)).tocsr() @ x
    scale = np.sqrt(np.diag(curvature))[1:]  # as `climb` solved it
    bread = np.zeros((free + 1, free + 1))
    bread[1:, 1:] = np.linalg.inv(curvature[1:, 1:] / np.outer(scale, scale)) / np.outer(scale, scale)
    factor = 1.0
    if not prompts.singletons and prompts.count > 1 and n > free:
        factor = prompts.count / (prompts.count - 1) * (n - 1) / (n - free)
    centre = np.eye(free + 1)
    centre[:k, :k] -= 1 / k
    meat = (scores.T @ scores).toarray()
    return np.asarray(factor * centre @ bread @ meat @ bread @ centre.T, np.float64)
