import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from scipy import stats

from suite.errors import ConfigError, NotFound
from suite.scoring.stats.correlation import correlate, correlate_within, kendall, mid_ranks

FORMULAS = [
    ("pearson", "pearson", "pearson_ci", "fisher-z"),
    ("spearman", "spearman", "spearman_ci_bonett_wright", "bonett-wright-z"),
    ("kendall", "kendall_b", "kendall_ci_fieller", "fieller-z"),
]


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("coefficient", "key", "interval", "method"), FORMULAS)
def test_formulas_meet_the_golden_values(given, golden, coefficient, key, interval, method):
    c, row = given["correlation"], golden["correlation"]
    found = correlate(c["x"], c["y"], coefficient=coefficient, interval="formula")
    assert (found.value, found.method) == (close(row[key]), method)
    assert [found.low, found.high] == close(row[interval])


def test_the_default_interval_is_the_bootstrap(given):
    c = given["correlation"]
    found = correlate(c["x"], c["y"])
    assert found.method == "cluster-bootstrap-percentile"
    assert found.low < found.value < found.high
    assert correlate(c["x"], c["y"], [i // 3 for i in range(14)]).clusters == 5


@pytest.mark.parametrize("coefficient", ["pearson", "spearman", "kendall"])
def test_a_perfect_correlation_has_no_interval(coefficient):
    # scipy gives [1, 1], and [-1, 1] for three pairs.
    found = correlate([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], coefficient=coefficient, interval="formula")
    assert (found.value, found.low) == (close(1), None)
    assert correlate([1, 2, 3], [1, 3, 2], coefficient=coefficient, interval="formula").low is None


@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([1], [1]), ([1, 2], [2, 1]), ([1, 1, 1], [1, 2, 3]), ([1, 2, None, 3], [1, 2, 3, None])],
)
def test_too_few_pairs_or_a_constant_side_have_no_value(x, y):
    assert correlate(x, y).value is None


def test_pairs_with_a_missing_side_are_dropped_and_counted():
    found = correlate([1, 2, 3, 4, None], [1, 3, 2, None, 5])
    assert (found.n, found.n_unscored) == (3, 2)


def test_bad_arguments_are_errors():
    with pytest.raises(NotFound, match="did you mean 'kendall'"):
        correlate([1], [1], coefficient="kendal")
    with pytest.raises(ConfigError):
        correlate([1], [1, 2])


def test_large_samples_take_the_same_tau():
    chance = np.random.default_rng(0)
    x, y = chance.integers(0, 20, 400).astype(float), chance.integers(0, 20, 400).astype(float)
    small = kendall(x[:300], y[:300])
    assert small == close(stats.kendalltau(x[:300], y[:300]).statistic)
    assert kendall(x, y) == close(stats.kendalltau(x, y).statistic)


def test_within_prompts_averages_over_prompts():
    x = [1, 2, 3, 1, 2, 3, 1, 1, 1]
    y = [1, 2, 3, 3, 2, 1, 1, 2, 3]
    found = correlate_within(x, y, ["p"] * 3 + ["q"] * 3 + ["r"] * 3)
    assert (found.value, found.n, found.n_unscored) == (close(0), 2, 1)


numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30)


@pytest.mark.filterwarnings("error")
@forall(numbers)
def test_coefficients_equal_scipy(pairs):
    x, y = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    assert mid_ranks(x) == pytest.approx(stats.rankdata(x))
    oracles = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
    for name, oracle in oracles.items():
        found = correlate(x, y, coefficient=name, interval="formula").value
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            assert found is None
        else:
            assert found == pytest.approx(oracle(x, y).statistic, abs=1e-9)
