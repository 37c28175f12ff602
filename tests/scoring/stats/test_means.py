import itertools
import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from suite.scoring.stats.clusters import clusters_of, grouped, grouped_together
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.means import covering_macro, covering_mean, of_mean, pass_at, pass_hat

LEVEL = 0.95


def ids(labels: list[int]) -> np.ndarray:
    return np.array(labels, dtype=np.uint64)


def three(found: Estimate) -> tuple[float | None, ...]:
    return found.value, found.low, found.high


def estimate_mean(
    x: np.ndarray, clusters: np.ndarray, binary: bool, limits: tuple[int, int] | None, level: float
) -> Estimate:
    return covering_mean(x, grouped(clusters), binary=binary, limits=limits, level=level)


def estimate_macro(
    groups: list[np.ndarray],
    clusters: list[np.ndarray],
    binary: bool,
    limits: tuple[int, int],
    level: float,
) -> Estimate:
    return covering_macro(groups, grouped_together(clusters), binary=binary, limits=limits, level=level)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (7, 10), (47, 56), (640, 1000)])
def test_a_share_of_single_samples_lies_between_jeffreys_and_clopper_pearson(k: int, n: int) -> None:
    x = np.array([1.0] * k + [0.0] * (n - k))
    found = estimate_mean(x, ids(list(range(n))), True, (0, 1), LEVEL)
    low, high = (
        scipy_stats.beta.ppf(0.025, k + 0.15, n - k + 0.85),
        scipy_stats.beta.ppf(0.975, k + 0.85, n - k + 0.15),
    )
    assert (found.low, found.high) == pytest.approx((low if k else 0.0, high))
    exact = scipy_stats.binomtest(k, n).proportion_ci(method="exact")
    assert exact.low <= found.low <= found.high <= exact.high
    assert (found.method, found.n_effective) == ("beta", n)


def test_alike_shares_in_clusters_are_worth_as_many_samples_as_there_are_clusters() -> None:
    found = estimate_mean(np.ones(6), ids([0, 0, 1, 1, 2, 2]), True, (0, 1), LEVEL)
    assert (found.n_effective, found.method) == (3, "cluster-beta")
    assert (found.low, found.high) == pytest.approx((scipy_stats.beta.ppf(0.025, 3.15, 0.85), 1.0))


def test_one_cluster_has_no_interval() -> None:
    for binary in (True, False):
        found = estimate_mean(np.array([1.0, 0.0, 1.0]), ids([7, 7, 7]), binary, (0, 1), LEVEL)
        assert (found.value, found.low, found.note) == (pytest.approx(2 / 3), None, "one cluster")


def test_one_sample() -> None:
    graded = estimate_mean(np.array([0.4]), ids([1]), False, (0, 1), LEVEL)
    assert (graded.value, graded.low, graded.note) == (0.4, None, "one sample")
    binary = estimate_mean(np.array([1.0]), ids([1]), True, (0, 1), LEVEL)
    assert (binary.low, binary.high) == pytest.approx((scipy_stats.beta.ppf(0.025, 1.15, 0.85), 1.0))


def test_four_graded_values_have_no_interval_and_five_have_one() -> None:
    few = estimate_mean(np.array([0.2, 0.4, 0.6, 0.9]), ids([1, 2, 3, 4]), False, (0, 1), LEVEL)
    assert (few.value, few.low, few.note) == (pytest.approx(0.525), None, "fewer than five values")
    assert estimate_mean(np.arange(5.0), ids([1, 2, 3, 4, 5]), False, None, LEVEL).low is not None


def test_alike_values_leave_room_for_others_in_the_range() -> None:
    found = estimate_mean(np.full(9, 0.7), ids(list(range(9))), False, (0, 1), LEVEL)
    assert found.value == pytest.approx(0.7)
    assert 0.4 < found.low < 0.6 < 0.75 < found.high < 0.85
    free = estimate_mean(np.full(9, 0.7), ids(list(range(9))), False, None, LEVEL)
    assert (free.low, free.note) == (None, "no variation, and no range is declared")


def test_values_close_to_normal_get_nearly_students_interval() -> None:
    x = scipy_stats.norm.ppf((np.arange(40) + 0.5) / 40, 0.5, 0.05)
    found = estimate_mean(x, ids(list(range(40))), False, (0, 1), LEVEL)
    half = float(scipy_stats.t.ppf(0.975, 39) * x.std(ddof=1) / math.sqrt(40))
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.15 * half)
    assert found.method == "t-unseen"


DATA = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6)), min_size=3, max_size=30).filter(
    lambda rows: len({c for _, c in rows}) >= 2
)


@settings(max_examples=40, deadline=None)
@given(DATA)
def test_the_clustered_standard_error_is_the_jackknifes(rows: list[tuple[float, int]]) -> None:
    y, groups = np.array([x for x, _ in rows]), np.array([c for _, c in rows])
    found = of_mean(y, clusters_of(groups, len(y)))
    left = np.array([y[groups != one].mean() for one in np.unique(groups)])
    count = len(left)
    assert found.se == pytest.approx(
        math.sqrt((count - 1) / count * ((left - y.mean()) ** 2).sum()), abs=1e-12
    )
    assert found.clusters == count
    assert 1 <= found.worth <= count + 1e-9


@settings(max_examples=40, deadline=None)
@given(DATA, st.booleans(), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_nothing_is_nan(
    rows: list[tuple[float, int]], binary: bool, chance: object
) -> None:
    x = np.array([round(v) if binary else v for v, _ in rows], dtype=float)
    clusters = ids([c for _, c in rows])
    one = estimate_mean(x, clusters, binary, (0, 1), LEVEL)
    order = np.argsort(x, kind="stable")
    two = estimate_mean(x[order], clusters[order], binary, (0, 1), LEVEL)
    for a, b in zip(three(one), three(two), strict=True):
        assert (a is None and b is None) or (a == pytest.approx(b, abs=1e-9) and math.isfinite(a))
    if one.low is not None and one.high is not None and one.value is not None:
        assert -1e-12 <= one.low <= one.value + 1e-12
        assert one.value - 1e-12 <= one.high <= 1 + 1e-12


def test_macro_over_large_slices_is_the_textbooks() -> None:
    chance = np.random.default_rng(3)
    groups = [chance.random(50), chance.random(80)]
    clusters = [ids(list(range(50))), ids(list(range(100, 180)))]
    found = estimate_macro(groups, clusters, False, (0, 1), LEVEL)
    errors = [float(g.std(ddof=1)) / math.sqrt(len(g)) for g in groups]
    half = 1.959963984540054 * math.hypot(*errors) / 2
    assert found.value == pytest.approx((groups[0].mean() + groups[1].mean()) / 2)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.1 * half)
    assert (found.method, found.clusters) == ("macro-t-unseen", 130)


def test_macro_over_slices_of_one_sample_is_the_mean_of_the_slices() -> None:
    x = np.array([0.1, 0.5, 0.4, 0.9, 0.8, 0.3])
    found = estimate_macro(
        [x[i : i + 1] for i in range(6)], [ids([i]) for i in range(6)], False, (0, 1), LEVEL
    )
    plain = estimate_mean(x, ids(list(range(6))), False, (0, 1), LEVEL)
    assert three(found) == pytest.approx(three(plain))


def test_macro_over_one_slice_is_that_slices_mean() -> None:
    x, clusters = np.array([1.0, 0.0, 1.0, 1.0, 1.0]), ids([1, 2, 3, 4, 5])
    assert estimate_macro([x], [clusters], True, (0, 1), LEVEL) == estimate_mean(
        x, clusters, True, (0, 1), LEVEL
    )


def test_macro_of_alike_answers_is_no_certainty() -> None:
    found = estimate_macro([np.ones(3), np.ones(4)], [ids([1, 2, 3]), ids([4, 5, 6, 7])], True, (0, 1), LEVEL)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.5 < found.low < 0.7


@pytest.mark.parametrize(
    ("sizes", "shares"), [((6, 6), (0.15, 0.95)), ((10, 10), (0.02, 0.9)), ((3, 20), (0.1, 0.9))]
)
def test_macro_covers_where_slices_come_out_alike(
    sizes: tuple[int, int], shares: tuple[float, float]
) -> None:
    """Over every outcome, by its probability: no simulation error."""
    covered, truth = 0.0, sum(shares) / 2
    for ks in itertools.product(*(range(n + 1) for n in sizes)):
        groups = [np.array([1.0] * k + [0.0] * (n - k)) for k, n in zip(ks, sizes, strict=True)]
        ends = [ids(list(range(sizes[0]))), ids(list(range(sizes[0], sum(sizes))))]
        found = estimate_macro(groups, ends, True, (0, 1), LEVEL)
        assert found.low is not None and found.high is not None
        if found.low <= truth <= found.high:
            covered += math.prod(scipy_stats.binom.pmf(ks, sizes, shares))
    assert covered > 0.94


def test_a_cluster_over_several_slices_is_one_observation() -> None:
    x = [np.array([1.0, 0.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0])]
    apart = estimate_macro(x, [ids([1, 2, 3, 4]), ids([5, 6, 7, 8])], False, (0, 1), LEVEL)
    across = estimate_macro(x, [ids([1, 2, 3, 4]), ids([1, 2, 3, 4])], False, (0, 1), LEVEL)
    assert (apart.clusters, across.clusters) == (8, 4)
    assert across.high - across.low > apart.high - apart.low


GROUPS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=6), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(GROUPS, st.booleans(), st.randoms(use_true_random=False))
def test_macro_intervals_stay_in_the_range_and_do_not_depend_on_order(
    grades: list[list[int]], binary: bool, chance: random.Random
) -> None:
    def estimate(rows: list[list[tuple[int, int]]]) -> Estimate:
        x = [np.array([(g > 1) * 1.0 if binary else g / 4 for g, _ in row]) for row in rows]
        return estimate_macro(x, [ids([c for _, c in row]) for row in rows], binary, (0, 1), LEVEL)

    rows = [[(grade, 10 * i + j) for j, grade in enumerate(row)] for i, row in enumerate(grades)]
    one = estimate(rows)
    shuffled = [chance.sample(row, len(row)) for row in chance.sample(rows, len(rows))]
    two = estimate(shuffled)
    n = sum(map(len, rows))
    assert one.value == pytest.approx(two.value)
    if one.low is None or one.high is None:
        assert n < 5
        assert one.note
        return
    assert (one.low, one.high) == pytest.approx((two.low, two.high), abs=1e-9)
    assert 0 <= one.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.high <= 1
    assert one.low < one.high


def test_passes_meet_the_golden_values(request: pytest.FixtureRequest) -> None:
    inputs, golden = request.getfixturevalue("given"), request.getfixturevalue("golden")
    right = [int(sum(row)) for row in inputs["repeats"]["matrix"]]
    for k in inputs["repeats"]["ks"]:
        for formula, name in ((pass_at, "pass@"), (pass_hat, "pass^")):
            found = np.mean([formula(5, one, k) for one in right])
            assert found == pytest.approx(golden["repeats"][f"{name}{k}"]["value"], rel=1e-9, abs=1e-12)


@given(st.integers(0, 8))
def test_pass_at_k_grows_and_pass_hat_k_falls(right: int) -> None:
    up = [pass_at(8, right, k) for k in range(1, 9)]
    down = [pass_hat(8, right, k) for k in range(1, 9)]
    assert up[0] == pytest.approx(down[0])
    assert all(b >= a - 1e-12 for a, b in pairwise(up))
    assert all(b <= a + 1e-12 for a, b in pairwise(down))
