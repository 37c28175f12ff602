from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from suite.scoring.stats.bootstrap import bootstrap, interval_from, seed_for
from suite.scoring.stats.estimate import Estimate

SEED = 20250101


def mean_of(scores: list[Any] | npt.NDArray[np.float64]) -> Callable[..., Any]:
    x = np.asarray(scores, dtype=float)
    return lambda units: float(x[units].mean())


@pytest.mark.parametrize(("kind", "key"), [("percentile", "percentile"), ("bca", "BCa")])
def test_both_kinds_meet_the_golden_values(
    given: dict[str, Any], golden: dict[str, Any], kind: str, key: str
) -> None:
    c = given["clustered"]
    expected = golden["clustered"][f"cluster_bootstrap_{key}"]
    options: dict[str, Any] = {"seed": SEED, "draws": 9999, "kind": kind}
    found = bootstrap(mean_of(c["score"]), c["cluster"], **options)
    assert [found.low, found.high] == pytest.approx(expected, abs=0.02)
    assert found.method == f"cluster-bootstrap-{kind}"
    assert (found.n, found.clusters) == (19, 8)


def test_bca_agrees_with_scipy_on_the_same_draws() -> None:
    x = np.random.default_rng(3).exponential(size=40)
    found = bootstrap(lambda units: float(x[units].std()), 40, seed=5, draws=4000)
    oracle = stats.bootstrap((x,), np.std, method="BCa", n_resamples=4000, rng=np.random.default_rng(5))
    assert found.method == "cluster-bootstrap-bca"
    assert [found.low, found.high] == pytest.approx(list(oracle.confidence_interval), abs=0.02)


def test_few_clusters_take_the_percentile_by_default(given: dict[str, Any]) -> None:
    c = given["clustered"]
    assert bootstrap(mean_of(c["score"]), c["cluster"], seed=1).method == "cluster-bootstrap-percentile"


def test_the_same_seed_gives_the_same_interval() -> None:
    x = np.random.default_rng(0).normal(size=30)
    assert bootstrap(mean_of(x), 30, seed=4) == bootstrap(mean_of(x), 30, seed=4)
    assert bootstrap(mean_of(x), 30, seed=4) != bootstrap(mean_of(x), 30, seed=5)


def test_whole_clusters_are_drawn() -> None:
    labels = np.repeat(np.arange(5), 3)
    seen = []

    def statistic(units: npt.NDArray[np.int64]) -> float:
        seen.append(np.bincount(labels[units], minlength=5))
        return 0.0

    bootstrap(statistic, labels, seed=0, draws=50, kind="percentile")
    assert all((one % 3 == 0).all() and one.sum() == 15 for one in seen)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("scores", "labels", "note"),
    [
        ([0.5] * 30, 30, "no variation"),  # scipy's BCa returns NaN bounds with a warning
        ([0.5], 1, "one sample"),  # and raises
        ([0.2, 0.4], ["a", "a"], "one cluster"),
        ([], 0, "no scores"),
    ],
)
def test_degenerate_inputs_have_no_interval(scores: list[float], labels: int | list[str], note: str) -> None:
    found = bootstrap(mean_of(scores), labels, seed=1)
    assert (found.low, found.high, found.note) == (None, None, note)


def test_resamples_without_a_value_are_dropped_and_flagged() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    found = bootstrap(lambda units: None if 3.0 in x[units] else float(x[units].sum()), 4, seed=1)
    assert found.value is None
    found = bootstrap(lambda units: float(x[units].mean()) if 0.0 in x[units] else None, 4, seed=1)
    assert found.low is not None
    assert "of the resamples have no value" in found.note


def test_replicates_without_any_value_leave_no_interval() -> None:
    assert interval_from(Estimate(1.0), [None, None]).note == "no resample has a value"


def test_seeds_depend_on_every_name() -> None:
    assert len({seed_for(1), seed_for(2), seed_for(1, "a"), seed_for(1, "a", "b"), seed_for(1, "ab")}) == 5
