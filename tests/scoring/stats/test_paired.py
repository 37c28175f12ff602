import time

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from scipy import stats

from suite.errors import ConfigError, NotFound
from suite.scoring.stats.adjust import METHODS, adjust, family_size, simultaneous_level
from suite.scoring.stats.discordant import mcnemar_exact, sign_test
from suite.scoring.stats.newcombe import newcombe, newcombe_independent
from suite.scoring.stats.paired import equivalent, join, paired_estimate, verdict
from suite.scoring.stats.signflip import sign_flip
from suite.scoring.stats.unpaired import unpaired_estimate


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def both(found):
    return [found.low, found.high]


def test_a_graded_pair_meets_the_golden_values(given, golden):
    p, row = given["paired"], golden["paired"]
    found = paired_estimate(p["a"], p["b"])
    assert found.difference.value == close(row["diff"])
    assert (found.difference.method, both(found.difference)) == ("t", close(row["t95"]))
    assert (found.se, found.se_unpaired) == close((row["se_paired"], row["se_unpaired"]))
    assert found.correlation == close(row["correlation"])
    assert (found.wins, found.losses, found.ties) == (row["pos"], row["neg"], row["ties"])
    assert (found.p_method, found.p) == ("sign-flip-exact", close(row["p_signflip_exact"]))
    assert found.smallest_difference == pytest.approx(2.801585 * row["se_paired"], rel=1e-6)


def test_clusters_change_the_verdict(given, golden):
    p, row = given["paired"], golden["paired"]
    found = paired_estimate(p["a"], p["b"], p["cluster"])
    assert (found.difference.method, both(found.difference)) == ("cr1-t", close(row["t95_cluster"]))
    assert (found.se, found.p) == close((row["se_cluster"], row["p_signflip_cluster_exact"]))
    assert found.p_smallest == 0.03125
    assert verdict(found, found.p) == "no difference shown"
    alone = paired_estimate(p["a"], p["b"])
    assert verdict(alone, alone.p) == "A better"
    assert verdict(paired_estimate(p["b"], p["a"]), 0.01) == "B better"


def test_counted_pairs_meet_the_golden_values(golden):
    for row in golden["mcnemar"]:
        n11, n10, n01, n00 = row["table"]
        found = newcombe(n11, n10, n01, n00)
        assert (found.value, both(found)) == (close(row["diff"]), close(row["newcombe95"]))
        assert mcnemar_exact(n10, n01) == close(row["p_exact"])
        assert mcnemar_exact(n10, n01, mid=True) == close(row["p_midp"])
        a = [1] * n11 + [1] * n10 + [0] * n01 + [0] * n00
        b = [1] * n11 + [0] * n10 + [1] * n01 + [0] * n00
        pair = paired_estimate(a, b, binary=True)
        assert both(pair.difference) == close(row["newcombe95"])
        assert (pair.p_method, pair.p) == ("mcnemar-exact", close(row["p_exact"]))


def test_clustered_counts_use_the_cluster_interval():
    found = paired_estimate([1, 1, 0, 1], [0, 1, 0, 0], ["x", "x", "y", "z"], binary=True)
    assert (found.difference.method, found.p_method) == ("cr1-t", "sign-flip-exact")


def test_equal_discordant_counts_and_none_give_one():
    assert mcnemar_exact(6, 6) == 1  # statsmodels' corrected chi-square says 0.773
    assert mcnemar_exact(0, 0) == 1  # and NaN; scipy's binomtest raises
    assert mcnemar_exact(0, 0, mid=True) == 1


def test_the_sign_test_drops_ties(given, golden):
    d = np.array(given["paired"]["a"]) - np.array(given["paired"]["b"])
    assert sign_test(d) == close(golden["paired"]["p_sign"])


@forall(st.integers(0, 40), st.integers(0, 40))
def test_the_exact_test_equals_scipy(a, b):
    oracle = stats.binomtest(a, a + b).pvalue if a + b else 1.0
    assert mcnemar_exact(a, b) == pytest.approx(oracle, rel=1e-9)


@forall(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_independent_shares_equal_statsmodels(k, n, j, m):
    k, j = min(k, n), min(j, m)
    oracle = pytest.importorskip("statsmodels.stats.proportion").confint_proportions_2indep(
        k, n, j, m, method="newcomb", compare="diff"
    )
    assert both(newcombe_independent(k, n, j, m)) == pytest.approx(list(oracle), abs=1e-9)


def test_a_constant_difference_is_not_certainty():
    found = paired_estimate([0.5, 0.6, 0.7], [0.4, 0.5, 0.6])  # scipy's ttest_rel: p = 0
    assert found.p == 0.25
    assert found.difference.low is None
    assert verdict(found, 0.001) == "no difference shown"


def test_only_samples_scored_for_both_count():
    found = paired_estimate([1, None, 0, 0.5], [0, 1, None, 0.25])
    assert (found.n_common, found.lost_a, found.lost_b, found.difference.n_unscored) == (2, 1, 1, 2)
    lopsided = paired_estimate([None] * 5 + [1] * 5, [0.5] * 10)
    assert "A lost 5 samples, B 0" in lopsided.note


def test_joining_by_id_needs_a_common_sample():
    found = join({"x": 1.0, "y": None, "z": 0.5}, {"z": 0.25, "y": 1.0})
    assert found == (("y", "z"), [None, 0.5], [1.0, 0.25])
    with pytest.raises(ConfigError, match="no sample in common"):
        join({"x": 1.0}, {"y": 1.0})
    with pytest.raises(ConfigError, match="join by sample id"):
        paired_estimate([1.0], [])


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("score", [0, 1, None])
def test_tiny_pairs_never_raise(n, binary, score):
    found = paired_estimate([score] * n, [1] * n, ["c"] * n, binary=binary)
    assert found.n_common == (0 if score is None else n)


def test_sign_flips_agree_with_scipy_on_many_samples():
    d = np.random.default_rng(1).normal(0.2, 1, size=60)
    oracle = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(2)
    )
    found = sign_flip(d, flips=20_000)
    assert found.method == "sign-flip-random"
    assert found.p == pytest.approx(oracle.pvalue, abs=0.015)


def test_sign_flips_of_nothing_are_certain_of_nothing():
    assert sign_flip([]).p == 1
    assert sign_flip([0.0, 0.0, None]).p == 1
    assert sign_flip([0.3]).p == 1
    assert sign_flip([0.1, -0.1], ["a", "a"]).clusters == 0


def test_a_hundred_thousand_samples_are_compared_in_seconds():
    chance = np.random.default_rng(0)
    a, b = chance.random(100_000), chance.random(100_000)
    labels = [f"c{i // 3}" for i in range(100_000)]
    start = time.process_time()
    paired_estimate(a, b, labels)
    paired_estimate(a, b)
    assert time.process_time() - start < 10


grades = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=25)


@forall(grades)
def test_swapping_the_sides_negates_the_difference_and_keeps_p(pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = paired_estimate(a, b), paired_estimate(b, a)
    assert one.difference.value == pytest.approx(-other.difference.value, abs=1e-12)
    assert one.p == other.p
    assert (one.wins, one.losses) == (other.losses, other.wins)
    if one.difference.low is not None:
        assert one.difference.low == pytest.approx(-other.difference.high, abs=1e-9)


@forall(grades, st.randoms(use_true_random=False))
def test_shuffling_changes_nothing(pairs, random):
    one = paired_estimate([x for x, _ in pairs], [y for _, y in pairs])
    random.shuffle(pairs)
    other = paired_estimate([x for x, _ in pairs], [y for _, y in pairs])
    assert (one.difference.value, one.p) == (other.difference.value, pytest.approx(other.p))


def test_corrections_meet_the_golden_values(given, golden):
    p, row = given["pvalues"], golden["multiple"]
    assert adjust(p) == close(row["holm"])
    assert adjust(p, "bh") == close(row["fdr_bh"])
    assert adjust(p, "bonferroni") == close(row["bonferroni"])
    assert adjust(p, "none") == p


def test_a_missing_p_leaves_the_family():
    p = [0.01, None, 0.03, float("nan")]
    assert adjust(p) == [close(0.02), None, close(0.03), None]
    assert family_size(p) == 2
    for method in METHODS:
        assert adjust([], method) == []
        assert adjust([0.2], method) == [0.2]


def test_bad_corrections_are_errors():
    with pytest.raises(NotFound, match="did you mean 'holm'"):
        adjust([0.1], "hom")
    with pytest.raises(ConfigError):
        adjust([1.5])


@forall(st.lists(st.floats(0, 1), max_size=15))
def test_holm_is_at_least_bh_is_at_least_raw(p):
    for raw, bh, holm in zip(p, adjust(p, "bh"), adjust(p), strict=True):
        assert raw - 1e-12 <= bh <= holm + 1e-12


def test_simultaneous_intervals_are_wider():
    assert simultaneous_level(0.95, 5) == close(0.99)
    assert simultaneous_level(0.95, 0) == close(0.95)


def test_equivalence_needs_the_whole_interval_inside_the_margin():
    a, b = [1] * 50 + [0] * 50, [1] * 50 + [0] * 50
    assert equivalent(a, b, 0.05, binary=True)
    assert not equivalent(a, b, 0.01, binary=True)
    assert equivalent([0.5], [0.5], 0.1) is None
    with pytest.raises(ConfigError):
        equivalent(a, b, 0)


def test_unpaired_means_equal_welch():
    chance = np.random.default_rng(5)
    a, b = chance.normal(0.3, 1, 25), chance.normal(0, 2, 40)
    found = unpaired_estimate(a, b)
    oracle = stats.ttest_ind(a, b, equal_var=False)
    assert found.p == close(oracle.pvalue)
    assert both(found.difference) == close(list(oracle.confidence_interval()))


@pytest.mark.parametrize(
    ("a", "b", "note"),
    [
        ([], [1], "no scores on one side"),
        ([0.5], [0.2, 0.4], "one cluster"),
        ([1, 1], [1, 1], "no variation"),
    ],
)
def test_unpaired_means_without_an_interval_say_why(a, b, note):
    found = unpaired_estimate(a, b)
    assert (found.difference.low, found.p, found.difference.note) == (None, None, note)


def test_unpaired_shares_without_variation_do_not_differ():
    assert unpaired_estimate([1, 1], [1, 1, 1], binary=True).p == 1


def test_bad_counts_are_errors():
    for call in (lambda: newcombe(1, -1, 0, 0), lambda: newcombe_independent(3, 2, 0, 1)):
        with pytest.raises(ConfigError):
            call()
    assert newcombe(0, 0, 0, 0).value is None
    assert newcombe_independent(0, 0, 1, 2).value is None
