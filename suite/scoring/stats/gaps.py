"""Gaps between user groups: worst group, max minus min against what chance alone would give, all pairs.

The largest minus the smallest is above zero even where nothing differs, so its value under equality stands
beside it. Groups that are too small are shown and not ranked. Source: Lum, Zhang and Bower 2022 (arXiv
2205.05770).
"""

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.errors import ConfigError
from suite.scoring.stats.adjust import adjust
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.mean import mean_estimate, spread
from suite.scoring.stats.units import Clusters, Floats, Labels, Scores, clusters_of, floats, subset
from suite.scoring.stats.unpaired import Unpaired, unpaired_estimate

FEWEST_SAMPLES = 30
FEWEST_CLUSTERS = 5
REDRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Group a minus group b on different samples; p corrected by Holm over all pairs."""

    a: str
    b: str
    found: Unpaired
    corrected: float | None


@dataclass(frozen=True)
class Gaps:
    """groups: name -> value with interval and counts. ranked: those that are large enough. worst, best: of
    them. gap: max minus min of the ranked; expected: its mean if all were equal; p: share of redraws with as
    large a gap. ratio: min over max. sd: between groups (ddof 1). variance: its square, less what sampling
    adds, at least 0. rest: group minus all others. pairs: of the ranked. note: what was left out.
    """

    groups: dict[str, Estimate]
    ranked: tuple[str, ...]
    worst: str
    best: str
    gap: float | None
    expected: float | None
    p: float | None
    ratio: float | None
    sd: float | None
    variance: float | None
    rest: dict[str, float | None]
    pairs: tuple[Pair, ...]
    note: str


def group_gaps(
    scores: Scores,
    groups: Sequence[Hashable],
    clusters: Labels | None = None,
    *,
    binary: bool = False,
    higher_is_better: bool = True,
    value_range: tuple[float, float] | None = None,
    seed: int = 0,
    redraws: int = REDRAWS,
    level: float = 0.95,
) -> Gaps:
    """Compare groups of different samples. scores: shape (n,), None is unscored; groups: n names.

    The same samples under several personas: take paired differences instead.
    Raises ConfigError for lengths that differ.
    """
    x = floats(scores)
    if len(x) != len(groups):
        raise ConfigError(f"{len(x)} scores, {len(groups)} groups", "group_gaps")
    names = sorted({str(one) for one in groups})
    place = {name: code for code, name in enumerate(names)}
    codes = np.fromiter((place[str(one)] for one in groups), dtype=np.intp, count=len(x))

    def only(code: int) -> tuple[Floats, Labels | None]:
        return x[codes == code], subset(clusters, codes == code)

    found: dict[str, Estimate] = {}
    for code, name in enumerate(names):
        values, labels = only(code)
        found[name] = mean_estimate(values, labels, binary=binary, value_range=value_range, level=level)
    ranked = [name for name in names if _large_enough(found[name])]
    left = [name for name in names if name not in ranked]
    notes = [f"too small to be ranked: {', '.join(left)}"] if left else []
    scored = ~np.isnan(x)
    rest: dict[str, float | None] = {}
    for code, name in enumerate(names):
        others = x[scored & (codes != code)]
        value = found[name].value
        rest[name] = value - float(others.mean()) if value is not None and len(others) else None
    if len(ranked) < 2:
        notes.append("fewer than two groups to compare")
        nothing = (None,) * 6
        return Gaps(found, tuple(ranked), "", "", *nothing, rest, (), "; ".join(notes))
    means = np.array([found[name].value for name in ranked], dtype=np.float64)
    chosen = np.isin(codes, [place[name] for name in ranked]) & scored
    gap = float(means.max() - means.min())
    inside = np.unique(codes[chosen], return_inverse=True)[1]
    shared = clusters_of(subset(clusters, chosen), int(chosen.sum()))
    redrawn = _redrawn(x[chosen], inside, shared, binary, seed, redraws)
    low, high = ranked[int(means.argmin())], ranked[int(means.argmax())]
    return Gaps(
        groups=found,
        ranked=tuple(ranked),
        worst=low if higher_is_better else high,
        best=high if higher_is_better else low,
        gap=gap,
        expected=float(redrawn.mean()),
        p=(1 + int((redrawn >= gap - 1e-12).sum())) / (1 + len(redrawn)),
        ratio=float(means.min() / means.max()) if means.max() > 0 and means.min() >= 0 else None,
        sd=float(means.std(ddof=1)),
        variance=_debiased(means, [only(place[name]) for name in ranked]),
        rest=rest,
        pairs=_pairs({name: only(place[name]) for name in ranked}, binary, level),
        note="; ".join(notes),
    )


def _large_enough(one: Estimate) -> bool:
    return one.n >= FEWEST_SAMPLES and (one.clusters or 0) >= FEWEST_CLUSTERS


def _redrawn(
    x: Floats, codes: NDArray[np.intp], shared: Clusters, binary: bool, seed: int, redraws: int
) -> Floats:
    """Gaps under equality: binomial for independent 0/1 scores, else clusters are dealt to groups anew (or,
    where clusters lie across groups, the groups within each cluster).
    """
    chance = np.random.default_rng(seed)
    sizes = np.bincount(codes)
    if binary and shared.singletons:
        drawn = chance.binomial(sizes, float(x.mean()), size=(redraws, len(sizes))) / sizes
        return np.asarray(np.ptp(drawn, axis=1), np.float64)
    owner = np.zeros(shared.count, dtype=np.intp)
    owner[shared.codes] = codes
    found = np.empty(redraws)
    if (owner[shared.codes] == codes).all():
        sums, weights = shared.sums(x), shared.sizes.astype(np.float64)
        for draw in range(redraws):
            dealt = chance.permutation(owner)
            below = np.bincount(dealt, weights=weights, minlength=len(sizes))
            found[draw] = np.ptp(np.bincount(dealt, weights=sums, minlength=len(sizes)) / below)
        return found
    order = np.argsort(shared.codes, kind="stable")  # clusters lie across groups: deal within each
    values, labels = x[order], codes[order]
    for draw in range(redraws):
        dealt = labels[np.lexsort((chance.random(len(x)), shared.codes[order]))]
        found[draw] = np.ptp(np.bincount(dealt, weights=values, minlength=len(sizes)) / sizes)
    return found


def _debiased(means: Floats, parts: Sequence[tuple[Floats, Labels | None]]) -> float | None:
    """Variance of the groups' means, less the mean squared standard error, at least 0."""
    errors = []
    for values, labels in parts:
        keep = ~np.isnan(values)
        groups = clusters_of(subset(labels, keep), int(keep.sum()))
        found = spread(values[keep], groups)
        if found.se is None:
            return None
        errors.append(found.se**2)
    return max(0.0, float(means.var(ddof=1)) - float(np.mean(errors)))


def _pairs(parts: dict[str, tuple[Floats, Labels | None]], binary: bool, level: float) -> tuple[Pair, ...]:
    found = [
        (
            a,
            b,
            unpaired_estimate(parts[a][0], parts[b][0], parts[a][1], parts[b][1], binary=binary, level=level),
        )
        for a, b in itertools.combinations(parts, 2)
    ]
    corrected = adjust([one.p for _, _, one in found])
    return tuple(Pair(a, b, one, p) for (a, b, one), p in zip(found, corrected, strict=True))
