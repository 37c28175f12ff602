import math

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.errors import ConfigError
from suite.scoring.stats.calibration import calibration
from suite.scoring.stats.gaps import group_gaps
from suite.scoring.stats.intervals import t_quantile
from suite.scoring.stats.ppi import ppi_mean
from suite.scoring.stats.rogan_gladen import USELESS, rogan_gladen, rogan_gladen_clustered


def close(value, within=1e-9):
    return pytest.approx(value, rel=within, abs=within)


def both(found):
    return [found.low, found.high]


def laid_out(given):
    case = given["ppi"]
    human = [*case["human"], *[None] * len(case["judge_only"])]
    return human, [*case["judge_on_human"], *case["judge_only"]]


def test_ppi_meets_the_golden_values(given, golden):
    row = golden["ppi"]
    human, judge = laid_out(given)
    found = ppi_mean(human, judge)
    assert (found.human.value, found.weight) == (close(row["classical"]), close(row["lambda"]))
    assert found.estimate.value == close(row["ppi_pp"])
    half = (found.estimate.high - found.estimate.low) / 2
    assert half / t_quantile(29, 0.95) == close(row["se_ddof1"])
    assert (found.shown, found.first) == ("estimate", found.estimate)
    whole = ppi_mean(human, judge, weight=1.0)
    assert whole.estimate.value == close(row["ppi_lam1"])
    only = ppi_mean([None] * row["N"], given["ppi"]["judge_only"])
    assert only.judge.value == close(row["judge_only_naive"])
    assert (only.shown, only.estimate.value) == ("judge", None)
    assert "uncorrected" in only.first.note


def test_the_library_agrees(given):
    library = pytest.importorskip("ppi_py")
    human, judge = laid_out(given)
    y, f = np.array(human[:30]), np.array(judge[:30])
    oracle = library.ppi_mean_pointestimate(y, f, np.array(judge[30:]))
    assert ppi_mean(human, judge).estimate.value == pytest.approx(float(oracle[0]))


def test_a_useless_judge_leaves_the_labels_alone():
    human = [1.0, 0.0] * 20 + [None] * 60
    found = ppi_mean(human, [0.5] * 100)
    assert (found.weight, found.estimate.value) == (0.0, found.human.value)
    contrary = ppi_mean(human, [0.0, 1.0] * 50)
    assert contrary.weight == 0.0


def test_few_labels_come_first_and_wrong_input_is_refused():
    found = ppi_mean([1, 0, 1, None, None], [1, 0, 0, 1, 1], binary=True)
    assert (found.shown, found.first.method) == ("human", "wilson")
    assert ppi_mean([1, None], [None, None]).judge.value is None
    assert ppi_mean([], []).shown == "judge"
    assert ppi_mean([1, 0], [1, 0]).estimate.value == 0.5
    assert ppi_mean([1, None], [1, 0]).estimate.low is None
    with pytest.raises(ConfigError):
        ppi_mean([1], [])
    with pytest.raises(ConfigError, match="with and without"):
        ppi_mean([1, None, 0], [1, 1, 0], ["a", "a", "b"])


def test_ppi_keeps_clusters_whole():
    chance = np.random.default_rng(0)
    topic = np.repeat(np.arange(40), 5)
    y = np.repeat(chance.random(40) < 0.5, 5).astype(float)
    f = np.where(chance.random(200) < 0.9, y, 1 - y)
    human = [one if i < 100 else None for i, one in enumerate(y)]
    alone, whole = ppi_mean(human, f), ppi_mean(human, f, topic)
    assert whole.estimate.method == "ppi++-cr1-t"
    assert whole.estimate.high - whole.estimate.low > alone.estimate.high - alone.estimate.low


@forall(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0, 1))
def test_a_constant_judge_gives_the_human_mean(human, value):
    found = ppi_mean([*human, None, None], [value] * (len(human) + 2))
    assert found.estimate.value == pytest.approx(np.mean(human))


@pytest.mark.parametrize("case", [0, 1, 2])
def test_rogan_gladen_meets_the_golden_values(golden, case):
    row = golden["rogan_gladen"][case]
    found = rogan_gladen(
        row["judged_pos"],
        row["n"],
        row["judge_pos_of_true_pos"],
        row["true_pos_labelled"],
        row["judge_neg_of_true_neg"],
        row["true_neg_labelled"],
    )
    assert found.sensitivity.value == close(row["sensitivity"])
    assert found.specificity.value == close(row["specificity"])
    if "estimate" not in row:
        assert (found.estimate.value, found.estimate.note) == (None, USELESS)
        return
    assert (found.estimate.value, found.raw) == (close(row["estimate"]), close(row["estimate_raw"]))
    assert both(found.delta) == close(row["wald95"])
    assert both(found.estimate) == close(row["lang_reiczigel95"])


def test_rogan_gladen_of_a_perfect_judge_is_the_raw_share():
    assert rogan_gladen(7, 10, 20, 20, 20, 20).estimate.value == close(0.7)
    assert rogan_gladen(0, 0, 1, 2, 1, 2).estimate.value is None
    assert rogan_gladen(9, 10, 1, 2, 2, 2).estimate.note == "above 1 before it was cut"
    with pytest.raises(ConfigError):
        rogan_gladen(3, 2, 1, 1, 1, 1)


def test_rogan_gladen_with_clusters():
    chance = np.random.default_rng(1)
    truth = (chance.random(400) < 0.6).astype(float)
    judged = np.where(chance.random(400) < 0.85, truth, 1 - truth)
    topic = np.arange(400) // 4
    found = rogan_gladen_clustered(
        judged[:200], truth[200:], judged[200:], topic[:200], topic[200:], seed=0, draws=400
    )
    assert found.low < 0.6 < found.high
    assert rogan_gladen_clustered([1], [1, 0], [1, 0], ["a"], ["a", "b"], seed=0).note == "one cluster"
    assert rogan_gladen_clustered([1], [1], [1], ["a"], ["a"], seed=0).value is None
    with pytest.raises(ConfigError):
        rogan_gladen_clustered([None], [1], [1], ["a"], ["a"], seed=0)


def test_calibration_meets_the_golden_values(given, golden):
    case, row = given["calibration"], golden["calibration"]
    five = calibration(case["p"], case["y"], bins=5, binning="equal-width", draws=50)
    assert (five.brier.value, both(five.brier)) == (close(row["brier"]), close(row["brier_t95"]))
    assert five.log_loss.value == close(row["log_loss"])
    assert (five.ece.value, five.largest) == (
        close(row["ece_5_equal_width"]),
        close(row["mce_5_equal_width"]),
    )
    assert five.reliability == close(row["murphy_reliability"])
    assert five.resolution == close(row["murphy_resolution"])
    assert (five.uncertainty, five.skill) == (close(row["uncertainty"]), close(row["brier_skill"]))
    recalibrated = row["logistic_recalibration"]
    assert five.slope == pytest.approx(recalibrated["slope"], abs=1e-5)
    assert five.intercept == pytest.approx(recalibrated["intercept"], abs=1e-5)
    assert five.in_the_large == close(row["calibration_in_the_large"])
    for bins, binning, key in (
        (10, "equal-width", "ece_10_equal_width"),
        (5, "equal-mass", "ece_5_equal_mass"),
        (10, "equal-mass", "ece_10_equal_mass"),
    ):
        found = calibration(case["p"], case["y"], bins=bins, binning=binning, draws=20)
        assert found.ece.value == close(row[key])
    assert 0.1 < five.ece_if_calibrated < 0.3


@pytest.mark.parametrize(("p", "y"), [([], []), ([0.5], [1]), ([1.0, 0.0], [1, 1]), ([None, 2.0], [1, 0])])
def test_few_forecasts_never_raise(p, y):
    found = calibration(p, y, draws=20)
    assert (found.skill, found.slope) == (None, None)
    assert found.brier.n + found.brier.n_unscored == len(p)


def test_outcomes_must_be_outcomes():
    with pytest.raises(ConfigError):
        calibration([0.5], [0.5])
    with pytest.raises(ConfigError):
        calibration([0.5], [])


def test_gaps_meet_the_golden_values(given, golden):
    row = golden["gaps"]
    scores, groups = [], []
    for name, (hits, n) in given["groups"].items():
        scores += [1.0] * hits + [0.0] * (n - hits)
        groups += [name] * n
    found = group_gaps(scores, groups, binary=True)
    assert {name: one.value for name, one in found.groups.items()} == close(row["rates"])
    assert (found.worst, found.gap) == (row["worst_group"], close(row["max_min_gap"]))
    assert (found.ratio, found.sd) == (close(row["ratio_min_max"]), close(row["sd_between_groups"]))
    assert found.variance == close(row["between_group_variance_debiased"])
    assert found.expected == pytest.approx(row["expected_gap_if_equal"], abs=0.003)
    assert found.p < 0.001
    assert found.rest == close(row["vs_rest"])
    ours = {frozenset((one.a, one.b)): one for one in found.pairs}
    for pair in row["pairs"]:
        one = ours[frozenset(pair["pair"])]
        assert one.corrected == close(pair["p_holm"])
        assert one.found.p == close(pair["p"])
        sign = 1 if one.a == pair["pair"][0] else -1
        assert sorted(sign * end for end in both(one.found.difference)) == close(pair["newcombe95"])


def test_gaps_with_clusters_small_groups_and_nothing():
    chance = np.random.default_rng(0)
    scores = chance.random(200)
    groups = ["a", "b"] * 90 + ["c"] * 20
    found = group_gaps(scores, groups, np.arange(200) // 2, redraws=200, higher_is_better=False)
    assert found.ranked == ("a", "b")
    assert "too small to be ranked: c" in found.note
    assert found.worst == max("ab", key=lambda name: found.groups[name].value)
    assert 0 < found.p <= 1
    assert math.isfinite(found.expected)
    assert group_gaps([], []).gap is None
    assert group_gaps([1.0], ["a"]).rest == {"a": None}
    with pytest.raises(ConfigError):
        group_gaps([1.0], [])
