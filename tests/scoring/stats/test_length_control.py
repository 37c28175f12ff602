import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.scoring.stats.bradley_terry import fit_lengths, fit_logistic


def controlled(theta: float) -> float:
    return 1 / (1 + math.exp(-theta))


def test_length_control_meets_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    case, row = given["length_control"], golden["length_control"]
    dl = np.array(case["len_model"], float) - np.array(case["len_base"], float)
    theta, phi = fit_lengths(np.array(case["preference"], float), dl)
    assert controlled(theta) == pytest.approx(row["lc_win_rate"], abs=1e-8)
    assert phi == pytest.approx(row["length_coef"], abs=1e-7)


def test_a_model_against_itself_wins_half() -> None:
    theta, _ = fit_lengths(np.full(6, 0.5), np.array([3.0, -3.0, 5.0, -5.0, 0.0, 7.0]))
    assert controlled(theta) == 0.5


@pytest.mark.parametrize(
    ("scores", "lengths"),
    [
        ([], []),
        ([1], [3]),
        ([1, 0], [1, 2]),
        ([1, 0, 1], [4, 4, 4]),
        ([1, 1, 1, 0, 0, 0], [9, 8, 7, -9, -8, -7]),
        ([1, 1, 1, 1], [1, 2, -1, 0]),
    ],
)
def test_lengths_that_do_not_differ_or_separate_have_no_fit(scores: list[int], lengths: list[int]) -> None:
    assert fit_lengths(np.array(scores, float), np.array(lengths, float)) is None


verdicts = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.integers(-50, 50)), min_size=6, max_size=40
)


@pytest.mark.filterwarnings("error")
@forall(verdicts)
def test_swapping_the_sides_gives_the_complement(pairs: list[tuple[float, int]]) -> None:
    y, dl = np.array([p[0] for p in pairs]), np.array([float(p[1]) for p in pairs])
    one, other = fit_lengths(y, dl), fit_lengths(1 - y, -dl)
    if one is not None and other is not None:
        assert controlled(one[0]) == pytest.approx(1 - controlled(other[0]), abs=1e-7)


def test_the_fit_equals_statsmodels() -> None:
    chance = np.random.default_rng(0)
    x = np.column_stack([np.ones(200), chance.normal(size=200), chance.normal(size=200)])
    y = chance.binomial(4, 1 / (1 + np.exp(-x @ [0.2, 1.0, -0.5]))) / 4
    sm = pytest.importorskip("statsmodels.api")
    oracle = sm.GLM(y, x, family=sm.families.Binomial()).fit(tol=1e-12)
    assert fit_logistic(x, y) == pytest.approx(oracle.params, abs=1e-8)


def test_a_redundant_column_has_no_fit() -> None:
    x = np.column_stack([np.ones(9), np.full(9, 2.0)])
    assert fit_logistic(x, np.linspace(0, 1, 9)) is None
    assert fit_logistic(x[:1], np.ones(1)) is None
    assert fit_logistic(np.ones((4, 1)), np.ones(4)) is None
    assert math.isclose(fit_logistic(np.ones((4, 1)), np.array([1, 1, 1, 0.0]))[0], math.log(3))
