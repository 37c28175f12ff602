from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from hypothesis.strategies._internal.core import DataObject
from hypothesis.strategies._internal.random import ArtificialRandom

from suite.errors import ConfigError
from suite.scoring.stats.clusters import Clusters, clusters_of, floats
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import wilson
from suite.scoring.stats.textbook import mean_estimate, spread

UNIT = (0.0, 1.0)


def close(value: float | list[float]) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def both(found: Estimate) -> list[Any]:
    return [found.low, found.high]


def test_shares_meet_the_golden_values(golden: dict[str, Any]) -> None:
    for row in golden["proportions"]:
        k, n, level = row["k"], row["n"], row["level"]
        assert list(wilson(k / n, n, level)) == close(row["wilson"])
        found = mean_estimate([1] * k + [0] * (n - k), binary=True, level=level)
        assert (found.method, found.n_effective) == ("wilson", n)
        assert both(found) == close(row["wilson"])


def test_means_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    for scores, row in zip(given["means"], golden["means"], strict=True):
        found = mean_estimate(scores)
        assert (found.n, found.n_unscored) == (row["n"], row["unscored"])
        if not row["n"]:
            assert found.value is None
            continue
        assert found.value == close(row["mean"])
        assert found.coverage == close(row["coverage"])
        if row.get("sd"):
            assert (found.method, both(found)) == ("t", close(row["t95"]))
            assert spread(*_alone(scores)).se == close(row["se"])


def _alone(scores: list[Any]) -> tuple[npt.NDArray[np.float64], Clusters]:
    x = floats(scores)
    x = x[~np.isnan(x)]
    return x, clusters_of(None, len(x))


def test_the_interval_is_clipped_to_the_range() -> None:
    assert both(mean_estimate([0, 1], value_range=UNIT)) == [0, 1]


def test_clusters_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    c, row = given["clustered"], golden["clustered"]
    found = mean_estimate(c["score"], c["cluster"])
    assert found.method == "cr1-t"
    assert both(found) == close(row["t95_cr1"])
    assert found.clusters == 8
    assert found.note == "only 8 clusters"
    parts = spread(floats(c["score"]), clusters_of(c["cluster"], 19))
    assert parts.se == close(row["se_cr1"])
    assert parts.se_iid == close(row["se_iid"])
    assert found.n_effective == close(19 / row["design_effect_cr1"])


def test_clustered_shares_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    row, c = golden["clustered"], given["clustered"]
    found = mean_estimate(c["score"], c["cluster"], binary=True)
    assert found.method == "wilson-neff"
    assert found.n_effective == close(row["n_effective"])
    assert both(found) == close(row["wilson_neff95"])
    for c, row in zip(given["clustered_binary_edges"], golden["clustered_binary_edges"], strict=True):
        found = mean_estimate(c["score"], c["cluster"], binary=True)
        assert found.n_effective == (row["n_effective"] and close(row["n_effective"]))
        assert both(found) == (close(row["wilson_neff95"]) if row["wilson_neff95"] else [None, None])


@pytest.mark.parametrize(
    ("scores", "clusters", "binary", "value", "note"),
    [
        ([], None, False, None, "no scores"),
        ([None, None], ["a", "b"], True, None, "no scores"),
        ([0.7], None, False, 0.7, "one sample"),
        ([0.5, 0.5, 0.5], None, False, 0.5, "no variation"),
        ([0.2, 0.6], ["a", "a"], False, 0.4, "one cluster"),
        ([1, 0], ["a", "a"], True, 0.5, "one cluster"),
        ([0.1, 0.3, 0.1, 0.3], [1, 1, 2, 2], False, 0.2, "no variation"),
    ],
)
def test_where_there_is_no_interval_the_note_says_why(
    scores: list[Any], clusters: list[Any] | None, binary: bool, value: float | None, note: str
) -> None:
    found = mean_estimate(scores, clusters, binary=binary)
    assert found.value == (None if value is None else close(value))
    assert (found.low, found.high, found.method) == (None, None, "none")
    assert note in found.note


def test_a_clustered_mean_is_flagged_where_one_cluster_dominates() -> None:
    found = mean_estimate([0.1, 0.2, 0.3, 0.4, 0.9], ["a", "a", "a", "a", "b"])
    assert found.note == "only 2 clusters; one cluster holds more than half of the units"


def test_a_unit_without_a_cluster_is_its_own_and_mentioned() -> None:
    found = mean_estimate([0.1, 0.2, 0.3, 0.4], ["a", None, "a", None])
    assert found.clusters == 3
    assert "2 of 4 units without a cluster" in found.note
    assert mean_estimate([0.1, 0.2, 0.4], [None] * 3).method == "t"


def test_a_cluster_of_unscored_units_does_not_count() -> None:
    assert mean_estimate([0.1, 0.2, None], ["a", "b", "c"]).clusters == 2


def test_a_graded_score_declared_binary_is_an_error() -> None:
    with pytest.raises(ConfigError, match="neither 0 nor 1"):
        mean_estimate([0.5, 1], binary=True)


def test_labels_of_the_wrong_length_are_an_error() -> None:
    with pytest.raises(ConfigError, match="2 cluster labels for 3 units"):
        mean_estimate([0.1, 0.5, 1], ["a", "b"])


def test_an_estimate_turns_nan_into_nothing() -> None:
    found = Estimate(float("nan"), 0.1, float("inf"), method="t")
    assert (found.value, found.low, found.high, found.method) == (None, None, None, "none")


scores = st.lists(st.floats(0, 1), min_size=2, max_size=40)


@forall(scores, st.randoms(use_true_random=False), st.data())
def test_the_clustered_error_equals_statsmodels_and_order_does_not_matter(
    values: list[float], random: ArtificialRandom, data: DataObject
) -> None:
    labels = data.draw(st.lists(st.sampled_from("abcdefg"), min_size=len(values), max_size=len(values)))
    groups = clusters_of(labels, len(values))
    if groups.count < 2:
        return
    sm = pytest.importorskip("statsmodels.api")
    model = sm.OLS(values, np.ones(len(values)))
    oracle = model.fit(cov_type="cluster", cov_kwds={"groups": groups.codes}, use_t=True)
    # Adjusted for the one regressor: statsmodels multiplies by (n-1)/(n-1) = 1 here.
    found = spread(floats(values), groups)
    assert found.se == pytest.approx(oracle.bse[0], rel=1e-6, abs=1e-9)
    mixed = list(zip(values, labels, strict=True))
    random.shuffle(mixed)
    again = mean_estimate(*(list(column) for column in zip(*mixed, strict=True)))
    once = mean_estimate(values, labels)
    assert again.value == once.value
    assert both(again) == (both(once) if once.low is None else pytest.approx(both(once), abs=1e-9))


@forall(scores)
def test_singleton_clusters_change_nothing(values: list[float]) -> None:
    assert mean_estimate(values, list(range(len(values)))) == mean_estimate(values)


@forall(st.integers(0, 60), st.integers(1, 60))
def test_wilson_lies_in_the_unit_interval_around_the_share(k: int, n: int) -> None:
    k = min(k, n)
    low, high = wilson(k / n, n)
    assert 0 <= low <= k / n <= high <= 1
    oracle = pytest.importorskip("statsmodels.stats.proportion")
    assert [low, high] == pytest.approx(oracle.proportion_confint(k, n, method="wilson"), abs=1e-12)


@forall(st.lists(st.sampled_from([None, 0.0, 1.0]), max_size=12), st.booleans(), st.data())
def test_no_input_raises_or_gives_nan(values: list[Any], binary: bool, data: DataObject) -> None:
    size = len(values)
    labels = data.draw(st.none() | st.lists(st.sampled_from(["a", "b", None]), min_size=size, max_size=size))
    found = mean_estimate(values, labels, binary=binary, value_range=UNIT)
    if found.low is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1
