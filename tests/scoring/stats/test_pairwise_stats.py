import math

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.errors import ConfigError, NotFound
from suite.scoring.stats.length_control import length_controlled
from suite.scoring.stats.logistic import fit_logistic
from suite.scoring.stats.position_bias import position_bias, repetition_stability
from suite.scoring.stats.units import clusters_of
from suite.scoring.stats.win_rates import combine_orders, counts_of, win_rates

SCORE = {"win": 1.0, "tie": 0.5, "loss": 0.0, "A": 1.0, "B": 0.0}
Z = 1.959963984540054


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def both(found):
    return [found.low, found.high]


def test_win_rates_meet_the_golden_values(given, golden):
    row = golden["win_rate"]
    found = win_rates([SCORE[one] for one in given["pairwise_single"]["verdicts"]])
    assert (found.wins, found.ties, found.losses) == (row["win"], row["tie"], row["loss"])
    assert (found.half.value, both(found.half)) == (close(row["half"]), close(row["half_t95"]))
    assert (found.excluded.value, both(found.excluded)) == (
        close(row["excluded"]),
        close(row["excluded_wilson95"]),
    )
    assert (found.strict.value, both(found.strict)) == (close(row["strict"]), close(row["strict_wilson95"]))
    assert found.net.value == close(row["net"])
    # The golden SE of net divides by n; ours by n - 1, like all others: twice that of half.
    assert both(found.net) == close([2 * one - 1 for one in both(found.half)])
    assert (found.p_method, found.p) == ("sign-exact", close(row["p_sign"]))


def test_ties_only_have_no_excluded_rate():
    found = win_rates([0.5, 0.5, 0.5])
    assert (found.half.value, found.excluded.value, found.strict.value, found.p) == (0.5, None, 0, 1)


@pytest.mark.parametrize("scores", [[], [None], [1.0], [0.0, None]])
def test_few_verdicts_never_raise(scores):
    assert win_rates(scores).half.n == sum(one is not None for one in scores)
    assert win_rates(scores, ["c"] * len(scores)).half.low is None


def test_clusters_are_kept_whole_in_every_rate():
    found = win_rates([1, 1, 0.5, 0, 1, 0.25], ["a", "a", "b", "b", "c", "c"])
    assert (found.half.method, found.strict.method, found.excluded.method) == (
        "cr1-t",
        "wilson-neff",
        "wilson-neff",
    )
    assert found.p_method == "sign-flip-exact"


def test_a_score_outside_the_unit_interval_is_an_error():
    with pytest.raises(ConfigError):
        win_rates([1.5])


def orders(given):
    case = given["two_orders"]
    return [SCORE[x] for x in case["first_order"]], [SCORE[x] for x in case["second_order"]]


def test_two_orders_combine_by_either_rule(given, golden):
    row = golden["two_orders"]
    for rule, key in (("mean", "verdicts_by_mean"), ("agree", "verdicts_if_agree_else_tie")):
        wins, ties, losses = counts_of(combine_orders(*orders(given), rule))
        assert {"A": wins, "B": losses, "tie": ties} == row[key]
    combined = win_rates(combine_orders(*orders(given)))
    assert combined.half.value == close(row["win_rate_A_both"])
    assert combine_orders([1, None, 0.5], [None, 1, 0.5], "agree") == [None, None, 0.5]
    with pytest.raises(NotFound):
        combine_orders([], [], "any")
    with pytest.raises(ConfigError):
        combine_orders([1], [])


def test_position_bias_meets_the_golden_values(given, golden):
    row = golden["two_orders"]
    found = position_bias(*orders(given))
    assert (found.n, found.consistency.value) == (row["n"], close(row["consistency"]))
    assert both(found.consistency) == close(row["consistency_wilson95"])
    assert (found.to_first, found.to_second, found.p) == (
        row["flip_to_first"],
        row["flip_to_second"],
        row["p_position"],
    )
    assert (found.first_share.value, found.first_share.n) == (
        close(row["first_share_of_decisions"]),
        row["decisions"],
    )
    assert found.effect.value == close(row["position_effect"])
    assert found.warnings == ()


def test_a_judge_that_always_takes_the_first_slot_is_noticed():
    found = position_bias([1] * 12 + [None], [0] * 13)
    assert (found.consistency.value, found.to_first, found.first_share.value) == (0, 12, 1)
    assert found.consistency.n_unscored == 1
    assert len(found.warnings) == 2


@pytest.mark.parametrize("pairs", [([], []), ([1], [1]), ([None], [0]), ([0.5], [0.5])])
def test_few_pairs_never_raise(pairs):
    found = position_bias(*pairs)
    assert found.p == 1
    assert position_bias(*pairs, ["c"] * len(pairs[0])).n == found.n


def test_lists_of_both_orders_must_match():
    with pytest.raises(ConfigError):
        position_bias([1], [])


def test_repeats_in_one_order_show_how_stable_the_judge_is():
    found = repetition_stability([[1, 1, 1], [1, 0, 1], [0.5], [None, 1]])
    assert (found.value, found.n, found.n_unscored) == (close((1 + 1 / 3) / 2), 2, 2)


def test_length_control_meets_the_golden_values(given, golden):
    case, row = given["length_control"], golden["length_control"]
    dl = np.array(case["len_model"], float) - np.array(case["len_base"], float)
    found = length_controlled(case["preference"], dl)
    assert found.raw.value == close(row["raw"])
    assert found.sd == close(row["sd_len_diff_ddof1"])
    assert found.controlled.value == pytest.approx(row["lc_win_rate"], abs=1e-8)
    assert both(found.controlled) == pytest.approx(row["lc_ci95"], abs=1e-7)
    assert found.length.value == pytest.approx(row["length_coef"], abs=1e-7)
    assert (found.length.high - found.length.low) / 2 == pytest.approx(Z * row["se_length_hc1"], abs=1e-6)
    assert found.warning == ""


def test_length_control_takes_clusters(given):
    case = given["length_control"]
    dl = np.array(case["len_model"], float) - np.array(case["len_base"], float)
    found = length_controlled(case["preference"], dl, [i // 2 for i in range(40)])
    assert found.controlled.method == "logit-cluster-z"
    x = np.column_stack([np.ones(40), np.tanh(dl / dl.std(ddof=1))])
    groups = np.repeat(np.arange(20), 2)
    sm = pytest.importorskip("statsmodels.api")
    model = sm.GLM(case["preference"], x, family=sm.families.Binomial())
    oracle = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert (found.length.high - found.length.low) / 2 == pytest.approx(Z * oracle.bse[1], abs=1e-6)


def test_a_model_against_itself_wins_half():
    dl = [3.0, -3.0, 5.0, -5.0, 0.0, 7.0]
    found = length_controlled([0.5] * 6, dl)
    assert (found.controlled.value, found.controlled.low) == (0.5, None)


def test_equal_lengths_leave_the_raw_rate():
    found = length_controlled([1, 0, 1], [4, 4, 4])
    assert found.controlled == found.raw
    assert found.length.value is None


def test_separated_data_have_no_controlled_rate():
    found = length_controlled([1, 1, 1, 0, 0, 0], [9, 8, 7, -9, -8, -7])
    assert found.controlled.value is None
    assert "cannot be told apart" in found.controlled.note
    assert length_controlled([1, 1, 1, 1], [1, 2, -1, 0]).controlled.value is None


@pytest.mark.parametrize(
    ("scores", "lengths"), [([], []), ([1], [3]), ([None, 1], [1, None]), ([1, 0], [1, 2])]
)
def test_few_lengths_never_raise(scores, lengths):
    found = length_controlled(scores, lengths)
    assert found.raw.n == len([s for s, d in zip(scores, lengths, strict=True) if None not in (s, d)])


verdicts = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.integers(-50, 50)), min_size=6, max_size=40
)


@pytest.mark.filterwarnings("error")
@forall(verdicts)
def test_swapping_the_sides_gives_the_complement(pairs):
    y, dl = np.array([p[0] for p in pairs]), np.array([float(p[1]) for p in pairs])
    one, other = length_controlled(y, dl), length_controlled(1 - y, -dl)
    if one.controlled.value is not None and other.controlled.value is not None:
        assert one.controlled.value == pytest.approx(1 - other.controlled.value, abs=1e-7)
    assert win_rates(y).p == win_rates(1 - y).p
    assert win_rates(y).half.value == pytest.approx(1 - win_rates(1 - y).half.value)


def test_the_logistic_fit_equals_statsmodels_with_weights_and_clusters():
    chance = np.random.default_rng(0)
    x = np.column_stack([np.ones(200), chance.normal(size=200), chance.normal(size=200)])
    y = chance.binomial(4, 1 / (1 + np.exp(-x @ [0.2, 1.0, -0.5]))) / 4
    groups = np.repeat(np.arange(40), 5)
    fit = fit_logistic(x, y)
    sm = pytest.importorskip("statsmodels.api")
    model = sm.GLM(y, x, family=sm.families.Binomial())
    oracle = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, tol=1e-12)
    assert fit.coefficients == pytest.approx(oracle.params, abs=1e-8)
    assert np.sqrt(np.diag(fit.covariance(clusters_of(groups, 200)))) == pytest.approx(oracle.bse, abs=1e-8)
    assert np.sqrt(np.diag(fit.covariance())) == pytest.approx(model.fit(cov_type="HC1").bse, abs=1e-8)
    twice = fit_logistic(x, y, np.full(200, 2.0))
    assert twice.coefficients == pytest.approx(fit.coefficients, abs=1e-9)


def test_a_redundant_column_has_no_fit():
    x = np.column_stack([np.ones(9), np.full(9, 2.0)])
    assert fit_logistic(x, np.linspace(0, 1, 9)) is None
    assert fit_logistic(x[:1], np.ones(1)) is None
    assert fit_logistic(np.ones((4, 1)), np.ones(4)) is None
    assert math.isclose(fit_logistic(np.ones((4, 1)), np.array([1, 1, 1, 0.0])).coefficients[0], math.log(3))
