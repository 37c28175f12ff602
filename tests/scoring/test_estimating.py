"""Intervals and coefficients against golden values and other libraries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from suite.scoring.coefficients import COMPUTE, Ratings
from suite.scoring.estimating import estimate_macro, estimate_mean

LEVEL = 0.95


def ids(labels: list[int]) -> np.ndarray:
    return np.array(labels, dtype=np.uint64)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),
        (7, 10, 0.396778, 0.892209),
        (47, 56, 0.721938, 0.913073),
        (640, 1000, 0.609766, 0.669162),
    ],
)
def test_a_share_of_single_samples_is_wilsons(k: int, n: int, low: float, high: float) -> None:
    x = np.array([1.0] * k + [0.0] * (n - k))
    found = estimate_mean(x, ids(list(range(n))), True, (0, 1), LEVEL)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    assert found.method == "wilson"


def test_wilson_at_the_effective_size_where_all_are_equal() -> None:
    found = estimate_mean(np.ones(6), ids([0, 0, 1, 1, 2, 2]), True, (0, 1), LEVEL)
    assert found.n_effective == 3
    assert (found.low, found.high) == pytest.approx((0.4385029682, 1.0))
    assert found.method == "wilson-neff"


def test_one_cluster_has_no_interval() -> None:
    for binary in (True, False):
        found = estimate_mean(np.array([1.0, 0.0, 1.0]), ids([7, 7, 7]), binary, (0, 1), LEVEL)
        assert (found.value, found.low, found.note) == (pytest.approx(2 / 3), None, "one cluster")


def test_one_sample() -> None:
    graded = estimate_mean(np.array([0.4]), ids([1]), False, (0, 1), LEVEL)
    assert (graded.value, graded.low, graded.note) == (0.4, None, "one sample")
    binary = estimate_mean(np.array([1.0]), ids([1]), True, (0, 1), LEVEL)
    assert (binary.low, binary.high) == pytest.approx((0.206549, 1.0), abs=1e-6)


def test_no_variation_is_no_certainty() -> None:
    found = estimate_mean(np.full(9, 0.7), ids(list(range(9))), False, (0, 1), LEVEL)
    assert (found.value, found.low, found.note) == (pytest.approx(0.7), None, "no variation")


DATA = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6)), min_size=3, max_size=30).filter(
    lambda rows: len({c for _, c in rows}) >= 2
)


@settings(max_examples=40, deadline=None)
@given(DATA)
def test_the_clustered_standard_error_equals_statsmodels(rows: list[tuple[float, int]]) -> None:
    sm = pytest.importorskip("statsmodels.api")
    y = np.array([x for x, _ in rows])
    groups = np.array([c for _, c in rows])
    found = estimate_mean(y, groups.astype(np.uint64), False, None, LEVEL)
    fit = sm.OLS(y, np.ones(len(y))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    count = len(set(groups.tolist()))
    se = float(fit.bse[0]) * math.sqrt(count / (count - 1))
    assert found.clusters == count
    if found.low is None or found.high is None:
        assert se == pytest.approx(0, abs=1e-9)
    else:
        quantile = float(scipy_stats.t.ppf(0.975, count - 1))
        assert (found.high - found.low) / 2 == pytest.approx(quantile * se, rel=1e-6, abs=1e-9)


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
    for a, b in zip(one[:3], two[:3], strict=True):
        assert (a is None and b is None) or (a == pytest.approx(b, abs=1e-9) and math.isfinite(a))
    if one.low is not None and one.high is not None and one.value is not None:
        assert -1e-12 <= one.low <= one.value + 1e-12
        assert one.value - 1e-12 <= one.high <= 1 + 1e-12


def test_macro_over_large_slices_uses_the_normal_quantile() -> None:
    chance = np.random.default_rng(3)
    groups = [chance.random(50), chance.random(80)]
    clusters = [ids(list(range(50))), ids(list(range(100, 180)))]
    found = estimate_macro(groups, clusters, (0, 1), LEVEL)
    errors = [float(g.std(ddof=1)) / math.sqrt(len(g)) for g in groups]
    half = 1.959963984540054 * math.hypot(*errors) / 2
    assert found.value == pytest.approx((groups[0].mean() + groups[1].mean()) / 2)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))  # type: ignore[operator]
    assert found.method == "macro-z"


def test_a_slice_of_one_sample_leaves_no_macro_interval() -> None:
    found = estimate_macro([np.array([0.5]), np.array([0.1, 0.9])], [ids([1]), ids([2, 3])], None, LEVEL)
    assert (found.value, found.low) == (0.5, None)
    assert found.note


# --- agreement

# Krippendorff's example of 12 units and 4 observers; 0 is missing
EXAMPLE = """
1 1 0 1
2 2 3 2
3 3 3 3
3 3 3 3
2 2 2 2
1 2 3 4
4 4 4 4
1 1 2 1
2 2 2 2
0 5 5 5
0 0 1 1
0 0 3 0
"""
MISSING = Ratings(
    np.array([[int(one) - 1 for one in line.split()] for line in EXAMPLE.strip().splitlines()]),
    (1.0, 2.0, 3.0, 4.0, 5.0),
)


@pytest.mark.parametrize(
    ("name", "scale", "value"),
    [
        ("alpha", "nominal", 0.743421),
        ("alpha", "ordinal", 0.815388),
        ("alpha", "interval", 0.849107),
        ("ac1", "nominal", 0.775444),
        ("randolph", "nominal", 0.772727),
        ("percent", "nominal", 0.818182),
    ],
)
def test_ratings_with_gaps(name: str, scale: str, value: float) -> None:
    found, note = COMPUTE[name](MISSING, scale)
    assert found == pytest.approx(value, abs=1e-6)
    assert note == ""


def test_fleiss_wants_as_many_ratings_on_every_item() -> None:
    assert COMPUTE["fleiss"](MISSING, "nominal") == (None, "items have different numbers of ratings")


CODES = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.integers(0, 3), min_size=raters, max_size=raters), min_size=2, max_size=15
    )
)


@settings(max_examples=60, deadline=None)
@given(CODES, st.sampled_from(["nominal", "ordinal", "interval"]))
def test_coefficients_equal_other_libraries(codes: list[list[int]], scale: str) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    metrics = pytest.importorskip("sklearn.metrics")
    table = np.array(codes)
    ratings = Ratings(table, (0.0, 1.0, 2.0, 3.0))
    if len(np.unique(table)) == 1:
        assert COMPUTE["alpha"](ratings, scale)[0] is None
        assert COMPUTE["fleiss"](ratings, scale)[0] is None
        assert COMPUTE["percent"](ratings, scale)[0] == 1.0
        assert COMPUTE["ac1"](ratings, scale)[0] == 1.0
        return
    counts = np.array([[(row == k).sum() for k in range(4)] for row in table])
    assert COMPUTE["alpha"](ratings, scale)[0] == pytest.approx(
        krippendorff.alpha(value_counts=counts, value_domain=[0, 1, 2, 3], level_of_measurement=scale)
    )
    assert COMPUTE["fleiss"](ratings, scale)[0] == pytest.approx(inter_rater.fleiss_kappa(counts))
    assert COMPUTE["randolph"](ratings, scale)[0] == pytest.approx(
        inter_rater.fleiss_kappa(counts, method="randolph")
    )
    if table.shape[1] == 2 and len(np.unique(table[:, 0])) > 1:
        expected = metrics.cohen_kappa_score(table[:, 0], table[:, 1], labels=[0, 1, 2, 3])
        assert COMPUTE["cohen"](ratings, scale)[0] == pytest.approx(expected)
    elif table.shape[1] != 2:
        assert COMPUTE["cohen"](ratings, scale)[0] is None


def test_no_two_ratings_is_no_agreement() -> None:
    alone = Ratings(np.array([[0, -1], [-1, 1]]), (0.0, 1.0))
    for compute in COMPUTE.values():
        assert compute(alone, "nominal")[0] is None
    assert COMPUTE["alpha"](Ratings(np.array([[0, 1]]), ("a", "b")), "interval")[0] is None
