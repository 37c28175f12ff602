"""Corrections by labels of a stratified random part: right on average, and their intervals hold the truth."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.scoring.stats.clusters import Clusters, Floats, clusters_of
from suite.scoring.stats.means import covering_mean
from suite.scoring.stats.stratified import StratifiedMean, shared_out, stratified_mean

Array = np.ndarray[Any, Any]
NAN = float("nan")


def world(
    chance: np.random.Generator, n: int, p: float, right: float, per_cluster: int = 1
) -> tuple[Array, Array, Array, Clusters]:
    """What people would say, the judge, strata by its verdict (2: none), clusters that are half alike."""
    cluster = np.arange(n) // per_cluster
    shared = (chance.random(n) < p)[cluster]
    human = np.where(chance.random(n) < 0.5, shared, chance.random(n) < p) * 1.0
    judge = np.where(chance.random(n) < right, human, 1 - human)
    strata = np.where(chance.random(n) < 0.05, 2, judge).astype(int)
    return human, np.where(strata == 2, 0.0, judge), strata, clusters_of(cluster, n)


def labelled(chance: np.random.Generator, human: Array, strata: Array, labels: int | list[int]) -> Array:
    found = np.full(len(human), NAN)
    sizes = np.bincount(strata).tolist()
    for code, count in enumerate(labels if isinstance(labels, list) else shared_out(sizes, labels)):
        chosen = chance.choice(np.flatnonzero(strata == code), count, replace=False)
        found[chosen] = human[chosen]
    return found


def mean_of(chance: np.random.Generator, drawn: Any, labels: int | list[int]) -> StratifiedMean:
    human, judge, strata, _ = drawn
    return stratified_mean(labelled(chance, human, strata, labels), judge, np.ones(len(human)), strata)


def test_it_is_the_stratified_mean_of_the_textbook_where_the_judge_is_the_stratum() -> None:
    chance = np.random.default_rng(1)
    human, judge, strata, _ = world(chance, 300, 0.6, 0.8)
    given = labelled(chance, human, strata, 60)
    found = stratified_mean(given, judge, np.ones(300), strata)
    shares, means, variances, counts = [], [], [], []
    for code in range(3):
        own = given[(strata == code) & ~np.isnan(given)]
        shares.append((strata == code).mean())
        means.append(own.mean())
        variances.append(own.var(ddof=1))
        counts.append(len(own))
    value = np.dot(shares, means)
    assert found.value == pytest.approx(value)
    # two phases: that of a stratified mean, and of the strata's shares
    own_variance = np.dot(np.square(shares), np.divide(variances, counts))
    between = np.dot(shares, np.square(np.subtract(means, value))) / 300
    variance = found.variance(clusters_of(None, 300)) - found.unseen
    assert variance == pytest.approx(own_variance + between, rel=0.04)


@pytest.mark.parametrize(("p", "right", "per_cluster"), [(0.6, 0.85, 1), (0.9, 0.97, 1), (0.5, 0.75, 4)])
def test_unequal_shares_of_labels_are_right_on_average_and_covered(
    p: float, right: float, per_cluster: int
) -> None:
    chance = np.random.default_rng(7)
    values, held = [], []
    for _ in range(300):
        drawn = world(chance, 240, p, right, per_cluster)
        sizes = np.bincount(drawn[2])
        count = [min(int(size), labels) for size, labels in zip(sizes, (40, 15, 5), strict=True)]
        found = mean_of(chance, drawn, count).estimate(drawn[3], 0.95, (0.0, 1.0), share=True)
        values.append(found.value)
        held.append(found.low is not None and found.high is not None and found.low <= p <= found.high)
    assert abs(np.mean(values) - p) < 3 * np.std(values) / np.sqrt(len(values))
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


def test_the_difference_of_two_runs_on_the_same_questions_is_covered() -> None:
    chance = np.random.default_rng(3)
    held = []
    for _ in range(250):
        human, *_ = first = world(chance, 200, 0.6, 0.85)
        worse = np.where(chance.random(200) < 0.2, 0.0, human)
        judge = np.where(chance.random(200) < 0.85, worse, 1 - worse)
        second = worse, judge, judge.astype(int), first[3]
        minus = mean_of(chance, first, 50).minus(mean_of(chance, second, 50))
        pairs = clusters_of(np.tile(np.arange(200), 2), 400)
        found = minus.estimate(pairs, 0.95, (-1.0, 1.0))
        held.append(found.low is not None and found.high is not None and found.low <= 0.12 <= found.high)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


def test_the_labels_that_halve_the_interval_do_so() -> None:
    chance = np.random.default_rng(5)
    drawn = world(chance, 8_000, 0.5, 0.8)
    widths = []
    first = mean_of(chance, drawn, 100)
    more = first.labels_to_halve(drawn[3])
    assert more is not None
    for labels in (100, 100 + more):
        estimates = [mean_of(chance, drawn, labels).estimate(drawn[3], 0.95, (0.0, 1.0)) for _ in range(20)]
        widths.append(np.mean([one.high - one.low for one in estimates if one.high and one.low]))
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.12)


def test_no_number_of_labels_halves_what_few_samples_leave_open() -> None:
    chance = np.random.default_rng(2)
    drawn = world(chance, 100, 0.5, 0.95)
    assert mean_of(chance, drawn, 60).labels_to_halve(drawn[3]) is None


def test_a_judge_that_varies_within_a_stratum_narrows_the_interval() -> None:
    chance = np.random.default_rng(4)
    human = chance.random(400)
    good, nothing, strata = (
        np.clip(human + chance.normal(0, 0.05, 400), 0, 1),
        np.zeros(400),
        np.zeros(400, int),
    )
    given, own = labelled(chance, human, strata, 50), clusters_of(None, 400)
    variances = [stratified_mean(given, f, np.ones(400), strata).variance(own) for f in (good, nothing)]
    assert variances[0] < variances[1] / 2


def test_weights_make_a_mean_of_means() -> None:
    human, strata = np.array([1.0, 1, 1, 0, 0, 0, 0, 0]), np.zeros(8, int)
    weights = np.array([1 / 3] * 3 + [1 / 5] * 5)
    assert stratified_mean(human, np.zeros(8), weights, strata).value == pytest.approx(0.5)


def test_a_stratum_without_a_label_leaves_no_number() -> None:
    found = stratified_mean(np.array([1.0, NAN]), np.array([1.0, 0]), np.ones(2), np.array([0, 1]))
    estimate = found.estimate(clusters_of(None, 2), 0.95, (0.0, 1.0))
    assert (estimate.value, estimate.low, estimate.note) == (None, None, "a stratum has no label")


@forall(st.lists(st.integers(1, 500), min_size=1, max_size=12), st.integers(24, 300))
def test_labels_are_shared_out_over_all_strata(sizes: list[int], n: int) -> None:
    taken = shared_out(sizes, n)
    assert sum(taken) == min(n, sum(sizes))
    assert all(min(2, size) <= one <= size for size, one in zip(sizes, taken, strict=True))


@pytest.mark.parametrize("per_cluster", [1, 3])
@pytest.mark.parametrize("limits", [(0.0, 1.0), (1.0, 5.0)])
@pytest.mark.parametrize("rare", [0.0, 0.1, 0.5])
def test_where_all_are_labelled_the_interval_holds_that_of_the_labels(
    rare: float, limits: tuple[float, float], per_cluster: int
) -> None:
    chance, binary = np.random.default_rng(11), limits[1] == 1
    for n in (9, 24, 60):
        own = clusters_of(np.arange(n) // per_cluster, n)
        for alike in (limits[0], limits[1]):
            human: Floats = np.where((chance.random(n) < rare)[own.codes], sum(limits) - alike, alike).astype(
                np.float64
            )
            strata = np.arange(n) % 2  # of a judge that guesses
            found = stratified_mean(human, strata.astype(np.float64), np.ones(n), strata, limits)
            made = found.estimate(own, 0.95, limits, share=binary)
            least = covering_mean(human, own, binary=binary, limits=limits)
            assert made.low <= least.low + 1e-9
            assert made.high >= least.high - 1e-9


@pytest.mark.parametrize(("n", "labels"), [(9, 9), (9, 8), (9, 4), (60, 60), (60, 59), (60, 30)])
@pytest.mark.parametrize("p", [0.04, 0.2])
def test_few_labels_and_labels_all_alike_hold_the_share_of_the_population(
    n: int, labels: int, p: float
) -> None:
    chance, held, nothing = np.random.default_rng(13), [], np.zeros(n, int)
    for _ in range(200):
        human = (chance.random(n) < p) * 1.0
        drawn = human, nothing * 1.0, nothing, clusters_of(None, n)
        found = mean_of(chance, drawn, labels).estimate(drawn[3], 0.95, (0.0, 1.0), share=True)
        assert found.high - found.low > 0.05
        held.append(found.low <= p <= found.high)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


def test_the_interval_is_nearly_the_same_with_all_labels_and_all_but_one() -> None:
    chance, nothing, own = np.random.default_rng(1), np.zeros(60, int), clusters_of(None, 60)
    drawn = np.zeros(60), np.zeros(60), nothing, own
    highs = [
        mean_of(chance, drawn, labels).estimate(own, 0.95, (0.0, 1.0), share=True).high for labels in (60, 59)
    ]
    assert highs[0] == pytest.approx(highs[1], rel=0.05)


@pytest.mark.parametrize("n", [3, 9, 40])
def test_differences_of_few_samples_hold_that_of_the_population(n: int) -> None:
    chance, held, nothing = np.random.default_rng(17), [], np.zeros(n, int)
    pairs = clusters_of(np.tile(np.arange(n), 2), 2 * n)
    for _ in range(200):
        chances = chance.random(n)
        runs = [((chances < p) * 1.0, nothing * 1.0, nothing, pairs) for p in (0.2, 0.12)]
        first, second = (mean_of(chance, one, n) for one in runs)
        found = first.minus(second).estimate(pairs, 0.95, (-1.0, 1.0))
        least = covering_mean(runs[0][0] - runs[1][0], clusters_of(None, n), limits=(-1.0, 1.0))
        if least.low is not None:
            assert found.low <= least.low + 1e-9
            assert found.high >= least.high - 1e-9
        held.append(found.low < 0.08 < found.high)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))
