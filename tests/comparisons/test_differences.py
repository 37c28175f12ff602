"""An interval and its test say the same, at every level and after every correction."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.comparisons.comparison import ComparisonWanted
from suite.comparisons.differences import Side, pair, slice_differences
from suite.scoring.metrics import Mean, Rate, Ratio
from suite.scoring.stats.means import p_value
from suite.scoring.stats.paired_difference import adjust

RANGE: dict[str, Any] = {"range": (0.0, 1.0)}
METRICS = {
    "0/1": Rate("x"),
    "graded": Mean("x", **RANGE),
    "macro": Mean("x", by="g", average="macro", **RANGE),
    "ratio": Ratio("x", "y", **RANGE),
}
LEVELS = (0.5, 0.9, 0.95, 0.99, 0.999)


def sides(seed: int, n: int, shift: float, clustered: bool, binary: bool) -> tuple[Side, Side]:
    chance = np.random.default_rng(seed)
    ids = np.arange(n, dtype=np.uint64)
    clusters = ids // 3 if clustered else ids
    hard, tags = chance.random(n), np.array(["a", "b", "c"], dtype=object)[chance.integers(0, 3, n)]
    found = []
    for apart in (0.0, shift):
        x: npt.NDArray[Any] = np.clip(hard + chance.normal(apart, 0.3, n), 0, 1)
        x = (x > 0.5) * 1.0 if binary else np.round(x, 1)
        found.append(Side(ids, clusters, ids, {"x": x, "y": np.ones(n), "tag:g": tags}))
    return found[0], found[1]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    st.booleans(), st.sampled_from(["0/1", "graded", "macro"]),
)  # fmt: skip
def test_p_is_below_alpha_if_and_only_if_the_interval_leaves_0_out(
    seed: int, n: int, shift: float, clustered: bool, kind: str
) -> None:
    measure = METRICS[kind].measures()[0]
    found = pair(measure, *sides(seed, n, shift, clustered, kind == "0/1"), seed=0, level=0.95)
    one = found.comparison
    assert (one.p is None) == (one.difference.low is None)
    for level in LEVELS if one.p is not None else ():
        at = found.at(level)
        assert -1 <= at.low <= at.high <= 1
        assert (at.low > 0 or at.high < 0) == (one.p < 1 - level)
    for row in slice_differences(found, measure, ["g"], level=0.95):
        if row.p is not None:
            assert (row.difference.low > 0 or row.difference.high < 0) == (row.p < 1 - 0.95)


def test_a_formula_by_resampling_agrees_with_its_test() -> None:
    measure = METRICS["ratio"].measures()[0]
    for seed in range(6):
        found = pair(measure, *sides(seed, 30, 0.2 * (seed % 3), False, False), seed=seed, level=0.95)
        for level in LEVELS:
            at = found.at(level)
            assert (at.low > 0 or at.high < 0) == (found.comparison.p < 1 - level)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=12), st.sampled_from(["holm", "bh"]))
def test_a_corrected_p_is_below_alpha_if_and_only_if_the_corrected_interval_leaves_0_out(
    raw: list[float], method: Any
) -> None:
    asked = ComparisonWanted(alpha=0.05)
    for p, corrected in zip(raw, adjust(raw, method), strict=True):
        left = 1 - asked.left(p, corrected)
        if abs(corrected - asked.alpha) > 1e-12:
            assert (p < left) == (corrected < asked.alpha)


@pytest.mark.parametrize(
    ("given", "alpha", "level"),
    [
        ({}, 0.05, 0.95),
        ({"alpha": 0.01}, 0.01, 0.99),
        ({"level": 0.9}, 0.1, 0.9),
        ({"alpha": 0.05, "level": 0.9}, 0.05, 0.9),
    ],
)
def test_alpha_and_level_follow_from_each_other(given: dict[str, Any], alpha: float, level: float) -> None:
    assert (ComparisonWanted(**given).alpha, ComparisonWanted(**given).level) == pytest.approx((alpha, level))


def test_the_p_value_of_a_normal_interval_is_the_normal_p() -> None:
    from suite.scoring.stats.intervals import normal_quantile

    def at(level: float) -> tuple[float, float]:
        half = 0.1 * normal_quantile(level)
        return 0.2 - half, 0.2 + half

    assert p_value(at) == pytest.approx(0.0455003, abs=1e-6)
    assert p_value(lambda level: (0.5, 0.6)) == 1e-9
    assert p_value(lambda level: (-level, level)) == 1.0
