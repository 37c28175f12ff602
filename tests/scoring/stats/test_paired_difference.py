import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from hypothesis.strategies._internal.random import ArtificialRandom
from scipy import stats

from suite.errors import ConfigError, NotFound
from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import t_interval
from suite.scoring.stats.means import spread
from suite.scoring.stats.paired_difference import (
    METHODS,
    Comparison,
    adjust,
    paired_difference,
    paired_estimate,
    pearson,
    sign_flip,
    verdict,
)


def close(
    value: float | list[float] | tuple[float, float],
) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def both(found: Estimate) -> list[float]:
    return [found.low, found.high]


def compared(a: list[float], b: list[float]) -> Comparison:
    return paired_estimate(np.array(a, float), np.array(b, float), None)


def test_a_graded_pair_meets_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    p, row = given["paired"], golden["paired"]
    found = compared(p["a"], p["b"])
    assert found.difference.value == close(row["diff"])
    assert (found.difference.method, both(found.difference)) == ("t", close(row["t95"]))
    assert (found.se, found.se_unpaired) == close((row["se_paired"], row["se_unpaired"]))
    assert found.correlation == close(row["correlation"])
    assert (found.wins, found.losses, found.ties) == (row["pos"], row["neg"], row["ties"])
    assert (found.p_method, found.p) == ("sign-flip-exact", close(row["p_signflip_exact"]))
    assert found.smallest_difference == pytest.approx(2.801585 * row["se_paired"], rel=1e-6)
    assert verdict(found, found.p) == "A better"
    assert verdict(compared(p["b"], p["a"]), 0.01) == "B better"


def test_clusters_are_flipped_whole_as_the_golden_values_are(
    given: dict[str, Any], golden: dict[str, Any]
) -> None:
    p, row = given["paired"], golden["paired"]
    d = np.array(p["a"]) - np.array(p["b"])
    own = clusters_of(p["cluster"], len(d))
    found = spread(d, own)
    assert found.se == close(row["se_cluster"])
    assert t_interval(found.mean, found.se, own.count - 1, 0.95) == close(tuple(row["t95_cluster"]))
    flipped = sign_flip(own.sums(d))
    assert (flipped.p, flipped.smallest) == (close(row["p_signflip_cluster_exact"]), 0.03125)


def test_a_constant_difference_is_not_certainty() -> None:
    found = compared([0.5, 0.6, 0.7], [0.4, 0.5, 0.6])  # scipy's ttest_rel: p = 0
    assert found.p == 0.25
    assert (found.difference.low, found.difference.note) == (None, "no variation")
    assert verdict(found, 0.001) == "no difference shown"


def paired(a: list[float], b: list[float]) -> Comparison:
    x, y = np.array(a, float), np.array(b, float)
    groups = [np.ones(int((~(np.isnan(x) | np.isnan(y))).sum()), dtype=bool)]
    alone = np.arange(len(x), dtype=np.uint64)
    shown = [one for one in groups if len(one)]
    return paired_difference(x, y, alone, shown, binary=False, value_range=None, level=0.95)[0]


@pytest.mark.parametrize(("n", "binary"), [(6, False), (12, False), (40, False), (50, True), (200, True)])
def test_the_smallest_difference_is_found_with_power_08_by_the_interval_shown(n: int, binary: bool) -> None:
    chance, alone = np.random.default_rng(11), np.arange(n, dtype=np.uint64)

    def run(gain: float) -> list[Comparison]:
        found = []
        for _ in range(200):
            if binary:  # half of the pairs part, to one side or the other
                part = chance.random(n)
                x, y = (part < 0.25 + gain / 2) * 1.0, ((part >= 0.25 + gain / 2) & (part < 0.5)) * 1.0
            else:
                x, y = chance.normal(gain, 1, n), np.zeros(n)
            told, _ = paired_difference(
                x.astype(np.float64), y.astype(np.float64), alone, [np.ones(n, dtype=bool)],
                binary=binary, value_range=(0.0, 1.0) if binary else None, level=0.95,
            )  # fmt: skip
            found.append(told)
        return found

    smallest = float(np.median([one.smallest_difference or math.nan for one in run(0.0)]))
    power = np.mean([(one.difference.low or -1.0) > 0 for one in run(smallest)])
    assert 0.68 <= power <= 0.92


def test_only_samples_scored_for_both_count() -> None:
    found = paired([1, np.nan, 0, 0.5], [0, 1, np.nan, 0.25])
    assert (found.n_common, found.lost_a, found.lost_b, found.difference.n_unscored) == (2, 1, 1, 2)
    lopsided = paired([np.nan] * 5 + [1] * 5, [0.5] * 10)
    assert "A lost 5 samples, B 0" in lopsided.note


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("score", [0, 1, np.nan])
def test_tiny_pairs_never_raise(n: int, score: float) -> None:
    assert paired([score] * n, [1] * n).n_common == (0 if math.isnan(score) else n)
    assert math.isnan(score) or compared([score] * n, [1] * n).n_common == n


def test_sign_flips_agree_with_scipy_on_many_samples() -> None:
    d = np.random.default_rng(1).normal(0.2, 1, size=60)
    oracle = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(2)
    )
    found = sign_flip(d, flips=20_000)
    assert found.method == "sign-flip-random"
    assert found.p == pytest.approx(oracle.pvalue, abs=0.015)


def test_sign_flips_of_nothing_are_certain_of_nothing() -> None:
    assert sign_flip(np.array([])).p == 1
    assert sign_flip(np.array([0.0, 0.0])).p == sign_flip(np.array([0.0, 0.0])).smallest == 1
    assert sign_flip(np.array([0.3])).p == 1


def test_a_hundred_thousand_samples_are_compared_in_seconds() -> None:
    chance = np.random.default_rng(0)
    a, b = chance.random(100_000), chance.random(100_000)
    start = time.process_time()
    paired_estimate(a, b, None)
    assert time.process_time() - start < 10


grades = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=25)


@forall(grades)
def test_swapping_the_sides_negates_the_difference_and_keeps_p(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = compared(a, b), compared(b, a)
    assert one.difference.value == pytest.approx(-other.difference.value, abs=1e-12)
    assert one.p == other.p
    assert (one.wins, one.losses) == (other.losses, other.wins)
    if one.difference.low is not None:
        assert one.difference.low == pytest.approx(-other.difference.high, abs=1e-9)


@forall(grades, st.randoms(use_true_random=False))
def test_shuffling_changes_nothing(pairs: list[tuple[float, float]], random: ArtificialRandom) -> None:
    one = compared([x for x, _ in pairs], [y for _, y in pairs])
    random.shuffle(pairs)
    other = compared([x for x, _ in pairs], [y for _, y in pairs])
    assert (one.difference.value, one.p) == (other.difference.value, pytest.approx(other.p))


def test_corrections_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    p, row = given["pvalues"], golden["multiple"]
    assert adjust(p) == close(row["holm"])
    assert adjust(p, "bh") == close(row["fdr_bh"])
    assert adjust(p, "bonferroni") == close(row["bonferroni"])
    assert adjust(p, "none") == p


def test_a_missing_p_leaves_the_family() -> None:
    p = [0.01, None, 0.03, float("nan")]
    assert adjust(p) == [close(0.02), None, close(0.03), None]
    for method in METHODS:
        assert adjust([], method) == []
        assert adjust([0.2], method) == [0.2]


def test_bad_corrections_are_errors() -> None:
    with pytest.raises(NotFound, match="did you mean 'holm'"):
        adjust([0.1], "hom")  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        adjust([1.5])


@forall(st.lists(st.floats(0, 1), max_size=15))
def test_holm_is_at_least_bh_is_at_least_raw(p: list[float]) -> None:
    for raw, bh, holm in zip(p, adjust(p, "bh"), adjust(p), strict=True):
        assert raw - 1e-12 <= bh <= holm + 1e-12


numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30)


@pytest.mark.filterwarnings("error")
@forall(numbers)
def test_the_correlation_equals_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    found = pearson(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found is None
    else:
        assert found == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
