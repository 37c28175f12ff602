"""How far raters agree: all coefficients that fit the data, each with its interval over items.

Percent, Krippendorff's alpha (by the scale of the verdicts) and Gwet's AC1 always; Cohen for two raters,
Fleiss where every item has as many ratings. Items (or clusters of items) are resampled, jointly for all
coefficients. Sources: see `chance_corrected`, `krippendorff`; why these: docs/statistics.md, "Judges".
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from suite.errors import unknown
from suite.scoring.stats import chance_corrected as corrected
from suite.scoring.stats.bootstrap import DRAWS, interval_from
from suite.scoring.stats.chance_corrected import Found
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.krippendorff import SCALES, Scale, alpha
from suite.scoring.stats.rating_table import RatingTable, Row, table_of
from suite.scoring.stats.units import Clusters, Floats, Labels, clusters_of, subset

MOST_CATEGORIES = 200  # more are measurements, where equal ratings mean little

Coefficient = Callable[[RatingTable, Floats], Found]


def agreement(
    ratings: Sequence[Row],
    categories: Sequence[Hashable] | None = None,
    scale: Scale = "nominal",
    *,
    clusters: Labels | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Mapping[str, Estimate]:
    """Coefficients by name: percent, alpha, ac1, randolph, fleiss, and for two raters cohen, cohen-max,
    and on ordered scales cohen-linear, cohen-quadratic. Above 200 categories alpha alone.

    ratings: one row per item, one entry per rater in a fixed order, None where there is none. categories:
    all that the verdict type declares, in order; None takes the observed numbers. draws: 0 for no interval.
    n of each estimate: items with two ratings or more.
    Raises NotFound for a rating that is not a category and for an unknown scale.
    """
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    table = table_of(ratings, categories)
    fitting = _fitting(table, scale)
    everyone = table.weights(np.arange(len(table.pattern)))
    points = {name: one(table, everyone) for name, one in fitting.items()}
    several = table.raters[table.pattern] >= 2
    n = int(several.sum())
    groups = clusters_of(subset(clusters, several), n)
    replicates = _replicates(table, several, groups, fitting, seed, draws if groups.count > 1 else 0)
    found = {}
    for name, (value, note) in points.items():
        plain = Estimate(
            value,
            level=level,
            n=n,
            n_unscored=len(several) - n,
            clusters=groups.count,
            note=note if value is None or groups.count > 1 else "one cluster",
        )
        drawn = replicates[name]
        found[name] = interval_from(plain, drawn) if value is not None and drawn else plain
    return found


def _fitting(table: RatingTable, scale: Scale) -> dict[str, Coefficient]:
    if table.q > MOST_CATEGORIES:
        return {"alpha": partial(alpha, scale=scale)}
    found: dict[str, Coefficient] = {
        "percent": corrected.percent,
        "alpha": partial(alpha, scale=scale),
        "ac1": corrected.gwet_ac1,
        "randolph": corrected.randolph,
    }
    several = table.raters[table.raters >= 2]
    if not len(several) or np.ptp(several) == 0:
        found["fleiss"] = corrected.fleiss
    if table.codes.shape[1] == 2:
        found["cohen"] = corrected.cohen
        found["cohen-max"] = corrected.largest_cohen
        if scale != "nominal":
            found["cohen-linear"] = partial(corrected.cohen, weighting="linear")
            found["cohen-quadratic"] = partial(corrected.cohen, weighting="quadratic")
    return found


def _replicates(
    table: RatingTable,
    several: NDArray[np.bool_],
    groups: Clusters,
    fitting: Mapping[str, Coefficient],
    seed: int,
    draws: int,
) -> dict[str, list[float | None]]:
    """Every coefficient on clusters drawn from the items with two ratings or more.

    Items with one rating stay as they are: they say nothing about agreement, only AC1's chance sees them.
    """
    chance = np.random.default_rng(seed)
    found: dict[str, list[float | None]] = {name: [] for name in fitting}
    lone = table.weights(np.flatnonzero(~several))
    items = np.flatnonzero(several)
    by_cluster = None if groups.singletons else _patterns_by_cluster(table, items, groups)
    ordered = items[np.argsort(groups.codes)]
    for _ in range(draws):
        picks = chance.integers(0, groups.count, groups.count)
        if by_cluster is None:
            weights = lone + table.weights(ordered[picks])
        else:
            weights = lone + np.bincount(picks, minlength=groups.count) @ by_cluster
        for name, one in fitting.items():
            found[name].append(one(table, weights)[0])
    return found


def _patterns_by_cluster(
    table: RatingTable, items: NDArray[np.intp], groups: Clusters
) -> NDArray[np.float64]:
    """How often each pattern occurs in each cluster, shape (clusters, patterns)."""
    width = len(table.codes)
    cells = groups.codes * width + table.pattern[items]
    return np.bincount(cells, minlength=groups.count * width).reshape(groups.count, width).astype(np.float64)
