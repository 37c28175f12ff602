"""A against B on the same samples: the mean difference, its interval, one p value, and what it can show.

Pairing removes the difficulty that samples share, clusters are kept whole. Source: Miller 2024,
arXiv 2411.00640, section 4. What `suite compare` prints is `paired_difference`: its p value is below alpha if
and only if the interval at 1 - alpha leaves 0 out, whatever the level. Why: docs/statistics.md, "Two models".

And p values corrected for how many questions were asked: the family is all p values of one command or of one
board table; its size belongs in the results. Sources: Holm 1979 (the default: no assumption about
dependence), Benjamini and Hochberg 1995 (exploration only).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.errors import ConfigError, unknown
from suite.scoring.stats import means
from suite.scoring.stats.clusters import Clusters, Digests, Floats, cluster_flags, clusters_of, floats
from suite.scoring.stats.estimate import Estimate, Limits, Pair, clip, finite, joined
from suite.scoring.stats.intervals import mde, normal_quantile, t_interval

Method = Literal["holm", "bh", "bonferroni", "none"]
METHODS: tuple[Method, ...] = ("holm", "bh", "bonferroni", "none")
FLAG_LOST = 0.02
INVERTED = "inverted-interval"
MOST_FOR_EXACT = 16
FLIPS = 9999
BLOCK = 8  # differences whose flips share one random byte
NEAR = 1e-12
Z_POWER = 0.841621  # the normal quantile of power 0.8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is shown about one pair of models on one metric.

    difference: A minus B. p: two-sided; p_method how; p_smallest what so few clusters can reach at best.
    n_common: samples scored for both; lost_a, lost_b: samples without a score of A, of B. wins, ties,
    losses: of A, by sample. correlation: of the two scores. se, se_unpaired: with and without pairing.
    smallest_difference: of which the interval leaves 0 out with power 0.8. note: flags.
    """

    difference: Estimate
    p: float | None = None
    p_method: str = "none"
    p_smallest: float | None = None
    n_common: int = 0
    lost_a: int = 0
    lost_b: int = 0
    wins: int = 0
    ties: int = 0
    losses: int = 0
    correlation: float | None = None
    se: float | None = None
    se_unpaired: float | None = None
    smallest_difference: float | None = None
    note: str = ""

    def tested(self, interval: means.Interval, method: str) -> "Comparison":
        """With an interval of the difference, and the p value that follows from it."""
        low, high = interval(self.difference.level)
        found = self.showing(replace(self.difference, low=low, high=high, method=method))
        return replace(found, p=means.p_value(interval), p_method=INVERTED)

    def showing(self, found: Estimate) -> "Comparison":
        """With the interval of the difference at another level, and the smallest difference found at that."""
        smallest = self.smallest_difference
        if self.se and found.value is not None and found.low is not None and found.high is not None:
            reach = max(found.value - found.low, found.high - found.value)
            smallest = reach + Z_POWER * self.se
        return replace(self, difference=found, smallest_difference=smallest)


def paired_estimate(x: Floats, y: Floats, value_range: Limits, *, seed: int = 0) -> Comparison:
    """Compare independent pairs of scores, none missing: Student's interval, and p by sign flips.

    x, y: scores of A and B, shape (n,). value_range: of the scores.
    """
    n = len(x)
    plain = _counted(x, y, clusters_of(None, n), 0.95)
    if not n:
        return plain
    p, method, smallest = sign_flip(x - y, seed=seed)
    plain = replace(plain, p=p, p_method=method, p_smallest=smallest)
    found, se = plain.difference, plain.se
    if found.value is None or found.n_effective is None or se is None:
        difference = replace(found, note=means.NO_VARIATION if n > 1 else "one sample")
    else:
        low, high = clip(t_interval(found.value, se, n - 1, found.level), range_of_difference(value_range))
        difference = replace(found, low=low, high=high, method="t")
    return replace(plain, difference=difference)


def paired_difference(
    x: Floats, y: Floats, clusters: Digests, groups: Sequence[NDArray[np.bool_]], *, binary: bool,
    value_range: Limits, level: float,
) -> tuple[Comparison, means.Interval | None]:  # fmt: skip
    """A comparison whose p value is made from its interval, and the interval at any level.

    x, y: scores of A and B, shape (n,), NaN where there is none. groups: which of the units that are scored
    for both each group of a macro average has; all are one else. binary: every score is 0 or 1.
    """
    limits = range_of_difference(value_range)
    both = ~(np.isnan(x) | np.isnan(y))
    d, codes = (x - y)[both], clusters_of(clusters[both], int(both.sum()))
    plain = _counted(x, y, codes, level)
    if not groups:
        return plain, None
    several = len(groups) > 1
    if several:
        found = means.influence_of_macro([d[one] for one in groups], [codes.only(one) for one in groups])
    else:
        found = means.of_mean(d, codes)
    if binary and codes.singletons and not several:
        method, note = "bonett-price", ""
        interval: means.Interval | None = bonett_price(d)
    else:
        method = f"{'macro-' if several else '' if codes.singletons else 'cluster-'}t-unseen"
        interval, note = means.interval_of(found, len(d), limits=limits)
    note = joined(cluster_flags(codes), note, f"macro over {len(groups)} groups" if several else "")
    difference = replace(plain.difference, value=found.mean, note=note)
    done = replace(plain, difference=difference, se=found.se or None, smallest_difference=None)
    return done if interval is None else done.tested(interval, method), interval


def _counted(x: Floats, y: Floats, clusters: Clusters, level: float) -> Comparison:
    """Everything but the interval and the p value. clusters: of the pairs of which none is missing."""
    keep = ~(np.isnan(x) | np.isnan(y))
    lost_a, lost_b, total = int(np.isnan(x).sum()), int(np.isnan(y).sum()), len(x)
    note = ""
    if total and abs(lost_a - lost_b) > FLAG_LOST * total:
        note = f"A lost {lost_a} samples, B {lost_b}: the comparison may be selective"
    x, y = x[keep], y[keep]
    d, n = x - y, len(x)
    found = means.spread(d, clusters) if n else None
    se = None if found is None else found.se
    difference = Estimate(
        None if found is None else found.mean,
        level=level,
        n=n,
        n_unscored=total - n,
        clusters=clusters.count,
        n_effective=found.n_effective if found is not None and found.varies else None,
        note="" if n else "no scores",
    )
    return Comparison(
        difference,
        n_common=n,
        lost_a=lost_a,
        lost_b=lost_b,
        wins=int((d > 0).sum()),
        ties=int((d == 0).sum()),
        losses=int((d < 0).sum()),
        correlation=pearson(x, y),
        se=se,
        se_unpaired=math.sqrt((x.var(ddof=1) + y.var(ddof=1)) / n) if n > 1 else None,
        smallest_difference=mde(clusters.count, se * math.sqrt(clusters.count)) if se else None,
        note=note,
    )


def range_of_difference(limits: Limits) -> Limits:
    """Of the difference of two values with a range."""
    return None if limits is None else (limits[0] - limits[1], limits[1] - limits[0])


def pearson(x: Floats, y: Floats) -> float | None:
    """Pearson's r; None for fewer than three pairs or a constant side."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    dx, dy = x - x.mean(), y - y.mean()
    below = math.sqrt(float(dx @ dx)) * math.sqrt(float(dy @ dy))
    return finite(max(-1.0, min(1.0, float(dx @ dy) / below))) if below else None


def bonett_price(d: Floats) -> Callable[[float], Pair]:
    """The interval of the mean of paired 0/1 differences in {-1, 0, 1} at any level.

    Wald's, with one pair more on either side of the discordant. Source: Bonett and Price 2012.
    """
    n = len(d) + 2
    a, b = (int((d > 0).sum()) + 1) / n, (int((d < 0).sum()) + 1) / n
    se = math.sqrt((a + b - (a - b) ** 2) / n)

    def at(level: float) -> Pair:
        half = normal_quantile(level) * se
        return max(-1.0, a - b - half), min(1.0, a - b + half)

    return at


def verdict(comparison: Comparison, corrected_p: float | None, alpha: float = 0.05) -> str:
    """ "A better" or "B better" if the corrected p and the interval both say so; never "equal"."""
    found = comparison.difference
    if corrected_p is None or corrected_p >= alpha or found.low is None or found.high is None:
        return "no difference shown"
    if found.low > 0:
        return "A better"
    return "B better" if found.high < 0 else "no difference shown"


class SignFlip(NamedTuple):
    """p: two-sided. method: "sign-flip-exact" or "sign-flip-random". smallest: the smallest p that so many
    differences other than zero can give.
    """

    p: float
    method: str
    smallest: float


def sign_flip(d: Floats, *, seed: int = 0, flips: int = FLIPS) -> SignFlip:
    """The permutation test that differences (none missing) have mean zero; all zero gives p = 1.

    Under no difference every one is as likely to have the other sign; no distribution is assumed. Exact with
    up to 16 differences that are not zero, else 9,999 random flips. Neither the order of the samples nor the
    direction of the difference matters. Why: docs/statistics.md, "Two models".
    """
    scale = float(np.abs(d).max(initial=0.0))
    observed = abs(float(d.sum()))
    sums = np.sort(np.abs(d[np.abs(d) > NEAR * scale]))
    count = len(sums)
    if count == 0:
        return SignFlip(1.0, "sign-flip-exact", 1.0)
    reached = observed - NEAR * max(1.0, float(sums.sum()))
    if count <= MOST_FOR_EXACT:
        p = float((np.abs(_all_flips(sums)) >= reached).mean())
        return SignFlip(p, "sign-flip-exact", 2.0 ** (1 - count))
    found = _random_flips(sums, flips, np.random.default_rng(seed))
    p = (1 + int((np.abs(found) >= reached).sum())) / (1 + flips)
    return SignFlip(p, "sign-flip-random", 1 / (1 + flips))


def _all_flips(sums: Floats) -> Floats:
    found = np.zeros(1)
    for one in sums:
        found = np.concatenate([found + one, found - one])
    return found


def _random_flips(sums: Floats, flips: int, chance: np.random.Generator) -> Floats:
    """Sums under random signs: a byte picks one of the 256 sign patterns of eight."""
    total = np.zeros(flips)
    for start in range(0, len(sums), BLOCK):
        table = _all_flips(sums[start : start + BLOCK])
        total += table[chance.integers(0, len(table), flips, dtype=np.uint16)]
    return total


def adjust(p_values: Sequence[float | None], method: Method = "holm") -> list[float | None]:
    """Corrected p values in the order given. A missing one leaves the family and stays missing.

    Raises ConfigError for a p value outside [0, 1], NotFound for an unknown method.
    """
    if method not in METHODS:
        raise unknown("correction", method, METHODS)
    p = floats(p_values)
    known = np.flatnonzero(~np.isnan(p))
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise ConfigError("a p value lies outside 0 to 1", "adjust")
    m = len(known)
    order = known[np.argsort(p[known], kind="stable")]
    ranked = p[order]
    if method == "holm":
        ranked = np.maximum.accumulate(ranked * (m - np.arange(m)))
    elif method == "bh":
        ranked = np.minimum.accumulate((ranked * m / (1 + np.arange(m)))[::-1])[::-1]
    elif method == "bonferroni":
        ranked = ranked * m
    found: list[float | None] = [None] * len(p)
    for index, value in zip(order, ranked, strict=True):
        found[int(index)] = min(1.0, float(value))
    return found
