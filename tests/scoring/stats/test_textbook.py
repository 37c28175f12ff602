from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from hypothesis.strategies._internal.core import DataObject
from hypothesis.strategies._internal.random import ArtificialRandom

from suite.scoring.stats.clusters import clusters_of, floats
from suite.scoring.stats.corrected import share_estimate
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import t_interval, wilson
from suite.scoring.stats.means import spread


def close(value: float | list[float]) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def both(found: Estimate) -> list[Any]:
    return [found.low, found.high]


def shared(scores: list[Any], labels: list[Any] | None = None, level: float = 0.95) -> Estimate:
    return share_estimate(np.array(scores, float), clusters_of(labels, len(scores)), level)


def test_shares_meet_the_golden_values(golden: dict[str, Any]) -> None:
    for row in golden["proportions"]:
        k, n, level = row["k"], row["n"], row["level"]
        assert list(wilson(k / n, n, level)) == close(row["wilson"])
        found = shared([1] * k + [0] * (n - k), level=level)
        assert (found.method, found.n_effective) == ("wilson", n)
        assert both(found) == close(row["wilson"])


def test_means_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    for scores, row in zip(given["means"], golden["means"], strict=True):
        x = floats(scores)
        x = x[~np.isnan(x)]
        assert (len(x), len(scores) - len(x)) == (row["n"], row["unscored"])
        if not row["n"]:
            continue
        found = spread(x, clusters_of(None, len(x)))
        assert found.mean == close(row["mean"])
        if row.get("sd"):
            assert found.se == close(row["se"])
            assert list(t_interval(found.mean, found.se, found.n - 1, 0.95)) == close(row["t95"])


def test_clusters_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    c, row = given["clustered"], golden["clustered"]
    found = spread(floats(c["score"]), clusters_of(c["cluster"], 19))
    assert (found.clusters, found.se) == (8, close(row["se_cr1"]))
    assert list(t_interval(found.mean, found.se, 7, 0.95)) == close(row["t95_cr1"])
    assert found.se_iid == close(row["se_iid"])
    assert found.n_effective == close(19 / row["design_effect_cr1"])


def test_clustered_shares_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    row, c = golden["clustered"], given["clustered"]
    found = shared(c["score"], c["cluster"])
    assert (found.method, found.note) == ("wilson-neff", "only 8 clusters")
    assert found.n_effective == close(row["n_effective"])
    assert both(found) == close(row["wilson_neff95"])
    for c, row in zip(given["clustered_binary_edges"], golden["clustered_binary_edges"], strict=True):
        found = shared(c["score"], c["cluster"])
        assert found.n_effective == (row["n_effective"] and close(row["n_effective"]))
        assert both(found) == (close(row["wilson_neff95"]) if row["wilson_neff95"] else [None, None])


def test_where_there_is_no_interval_the_note_says_why() -> None:
    cases: list[tuple[Any, ...]] = [([], None, None, "no scores"), ([1, 0], ["a", "a"], 0.5, "one cluster")]
    for scores, labels, value, note in cases:
        found = shared(scores, labels)
        assert (found.value, found.low, found.high, found.method) == (value, None, None, "none")
        assert note in found.note
    assert not spread(np.array([0.5, 0.5, 0.5]), clusters_of(None, 3)).varies
    assert not spread(np.array([0.1, 0.3, 0.1, 0.3]), clusters_of([1, 1, 2, 2], 4)).varies
    assert not spread(np.array([0.7]), clusters_of(None, 1)).varies


def test_a_clustered_share_is_flagged_where_one_cluster_dominates() -> None:
    found = shared([0, 1, 0, 0, 1], ["a", "a", "a", "a", "b"])
    assert found.note == "only 2 clusters; one cluster holds more than half of the units"


def test_a_unit_without_a_cluster_is_its_own() -> None:
    found = clusters_of(["a", None, "a", None], 4)
    assert (found.count, found.unlabelled, found.singletons) == (3, 2, False)
    assert clusters_of([None] * 3, 3).singletons


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
    again = spread(floats([x for x, _ in mixed]), clusters_of([label for _, label in mixed], len(mixed)))
    assert (again.mean, again.se) == (found.mean, pytest.approx(found.se, abs=1e-9))


@forall(scores)
def test_singleton_clusters_change_nothing(values: list[float]) -> None:
    x, n = np.array(values), len(values)
    assert spread(x, clusters_of(list(range(n)), n)) == spread(x, clusters_of(None, n))


@forall(st.integers(0, 60), st.integers(1, 60))
def test_wilson_lies_in_the_unit_interval_around_the_share(k: int, n: int) -> None:
    k = min(k, n)
    low, high = wilson(k / n, n)
    assert 0 <= low <= k / n <= high <= 1
    oracle = pytest.importorskip("statsmodels.stats.proportion")
    assert [low, high] == pytest.approx(oracle.proportion_confint(k, n, method="wilson"), abs=1e-12)


@forall(st.lists(st.sampled_from([0.0, 1.0]), max_size=12), st.data())
def test_no_input_raises_or_gives_nan(values: list[Any], data: DataObject) -> None:
    size = len(values)
    labels = data.draw(st.none() | st.lists(st.sampled_from(["a", "b", None]), min_size=size, max_size=size))
    found = shared(values, labels)
    if found.low is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1
