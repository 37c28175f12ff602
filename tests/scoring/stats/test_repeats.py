from itertools import pairwise

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from scipy.stats import t

from suite.errors import ConfigError
from suite.scoring.stats.macro import macro, stratified
from suite.scoring.stats.mean import mean_estimate
from suite.scoring.stats.passes import pass_at_k, pass_hat_k
from suite.scoring.stats.repeats import decompose, trial_means

T5 = float(t.ppf(0.975, 5))


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def half_width(found):
    return (found.high - found.low) / 2


def test_the_variance_splits_as_golden(given, golden):
    row = golden["repeats"]
    found = decompose(given["repeats"]["matrix"])
    assert (found.n, found.k) == (6, 5)
    assert found.sigma2 == close(row["sigma2_within"])
    assert found.variance == close(row["var_of_means"])
    assert found.omega2 == close(row["omega2_between"])
    assert [found.se, found.se_once, found.se_always] == close([row["se"], row["se_k1"], row["se_kinf"]])


def test_repeats_are_averaged_within_a_sample_first(given, golden):
    found = mean_estimate(trial_means(given["repeats"]["matrix"]))
    assert half_width(found) == close(T5 * golden["repeats"]["se"])
    assert trial_means([[1, None, 0], [None], []])[0] == 0.5
    assert mean_estimate(trial_means([[1, None, 0], [None], []])).n_unscored == 2


@pytest.mark.parametrize("rows", [[], [[None]], [[1.0]], [[1.0], [0.0]], [[1.0, 1.0]]])
def test_a_split_without_enough_answers_is_nothing(rows):
    found = decompose(rows)
    assert found.omega2 is None
    assert found.se_once is None


def test_passes_meet_the_golden_values(given, golden):
    matrix = given["repeats"]["matrix"]
    right, answers = [sum(row) for row in matrix], [5] * 6
    for k in given["repeats"]["ks"]:
        for function, name in ((pass_at_k, "pass@"), (pass_hat_k, "pass^")):
            row = golden["repeats"][f"{name}{k}"]
            found = function(right, answers, k)
            assert (found.value, found.method) == (close(row["value"]), "t")
            half = T5 * row["se"]
            assert found.low == close(max(0, row["value"] - half))
            assert found.high == close(min(1, row["value"] + half))


def test_too_few_planned_answers_refuse_the_whole_metric():
    with pytest.raises(ConfigError, match="k is 3, but 1 samples have fewer answers"):
        pass_at_k([1, 2], [2, 5], 3)


def test_a_sample_that_lost_answers_is_unscored():
    found = pass_at_k([1, 2, 0], [5, 5, 5], 3, unscored=[0, 3, 0])
    assert (found.n, found.n_unscored) == (2, 1)


@pytest.mark.parametrize(("right", "answers", "k"), [([6], [5], 1), ([1], [5], 0), ([-1], [5], 1)])
def test_counts_that_contradict_each_other_are_errors(right, answers, k):
    with pytest.raises(ConfigError):
        pass_at_k(right, answers, k)


def test_no_samples_pass_nothing():
    assert pass_hat_k([], [], 2).value is None


@forall(st.lists(st.integers(0, 8), min_size=1, max_size=10))
def test_pass_at_k_grows_and_pass_hat_k_falls(right):
    answers = [8] * len(right)
    up = [pass_at_k(right, answers, k).value for k in range(1, 9)]
    down = [pass_hat_k(right, answers, k).value for k in range(1, 9)]
    assert up[0] == pytest.approx(down[0])
    assert all(b >= a - 1e-12 for a, b in pairwise(up))
    assert all(b <= a + 1e-12 for a, b in pairwise(down))


def flat(groups):
    scores, names = [], []
    for name, (k, n) in groups.items():
        scores += [1.0] * k + [0.0] * (n - k)
        names += [name] * n
    return scores, names


def test_macro_and_micro_meet_the_golden_values(given, golden):
    row = golden["macro_micro"]
    scores, names = flat(given["groups"])
    micro = mean_estimate(scores, binary=True)
    assert [micro.value, micro.low, micro.high] == close([row["micro"], *row["micro_wilson95"]])
    fixed = macro(scores, names)
    assert (fixed.method, fixed.value) == ("macro-z", close(row["macro"]))
    assert [fixed.low, fixed.high] == close(row["macro_z95_fixed"])
    random = macro(scores, names, population="random")
    assert random.method == "macro-random-t"
    assert [random.low, random.high] == close(row["macro_t95_random"])
    split = stratified(scores, names)
    assert split.value == close(row["micro"])
    assert half_width(split) == close(1.959963984540054 * row["micro_se_poststratified"])


def test_small_groups_take_a_wider_quantile():
    scores, names = [0.1, 0.5, 0.9, 0.2, 0.4], ["a", "a", "a", "b", "b"]
    assert macro(scores, names).method == "macro-t"


def test_a_cluster_that_spans_groups_is_resampled():
    scores = [0.1, 0.5, 0.9, 0.2, 0.4, 0.7]
    found = macro(scores, ["a", "b"] * 3, [1, 1, 2, 2, 3, 3])
    assert found.method == "cluster-bootstrap-percentile"
    assert found.clusters == 3
    assert macro(scores, ["a", "b"] * 3, [1, 2, 3, 4, 5, 6]).method == "macro-t"


def test_a_group_without_scores_leaves_no_macro_unless_dropped():
    scores, names = [0.1, 0.5, 0.9, 0.3, None], ["a", "a", "b", "b", "c"]
    found = macro(scores, names)
    assert (found.value, found.note) == (None, "no score in c")
    assert macro(scores, names, drop_empty=True).value == close(0.45)
    assert "1 empty" in macro(scores, names, drop_empty=True).note


@pytest.mark.parametrize(
    ("scores", "names"),
    [([], []), ([None], ["a"]), ([1.0], ["a"]), ([1.0, 0.0], ["a", "b"]), ([1.0] * 4, ["a", "a", "b", "b"])],
)
def test_degenerate_groups_never_raise(scores, names):
    for population in ("fixed", "random"):
        assert macro(scores, names, population=population).n == len([s for s in scores if s is not None])
    assert stratified(scores, names).low is None
