import math

import pytest

from suite.scoring.stats.power import (
    design_effect,
    mde,
    mde_discordant,
    mde_paired,
    mde_paired_t,
    mde_two_proportions,
    power_of,
    samples_for_discordant,
    samples_for_repeats,
)


def close(value):
    return pytest.approx(value, rel=1e-9)


def test_the_golden_values_are_met(golden):
    one, clustered, two, paired, needed, discordant, repeats, power = golden["power"]
    assert mde(400, 0.45) == close(one["mde"])
    assert mde(400, 0.45, deff=2.5) == close(clustered["mde"])
    assert mde_two_proportions(0.6, 500) == close(two["mde_up"])
    assert mde_paired(100, 0.4) == close(paired["mde_z"])
    assert mde_paired_t(100, 0.4) == pytest.approx(paired["mde_t"], rel=1e-5)
    assert samples_for_discordant(0.2, 0.05) == close(needed["n"])
    assert math.ceil(samples_for_discordant(0.2, 0.05)) == 626
    assert mde_discordant(500, 0.2) == close(discordant["mde"])
    assert samples_for_repeats(0.03, 1 / 9) == close(repeats["n"])
    assert power_of(0.03, 0.012) == close(power["power"])


def test_the_t_based_difference_of_two_pairs():
    """As statsmodels finds it, and 4 million draws; with scipy before 1.16 statsmodels itself is off here."""
    assert mde_paired_t(2, 1.0) == pytest.approx(11.5499, abs=1e-4)


@pytest.mark.parametrize("n", [5, 30, 1000])
def test_the_t_based_difference_equals_statsmodels(n):
    oracle = (
        pytest.importorskip("statsmodels.stats.power").TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8)
    )
    assert mde_paired_t(n, 1.0) == pytest.approx(oracle, rel=1e-4)


def test_without_history_the_scores_correlate_by_half():
    assert mde_paired(100) == close(mde(100, 0.5))


def test_a_smallest_difference_is_found_with_the_stated_power():
    d = mde_discordant(500, 0.2)
    assert samples_for_discordant(0.2, d) == close(500)
    assert power_of(mde(50, 0.3), 0.3 / math.sqrt(50)) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("n", [0, 1])
def test_one_sample_can_show_nothing(n):
    assert mde(n) is None
    assert mde_paired(n) is None
    assert mde_paired_t(n, 0.4) is None
    assert mde_two_proportions(0.5, n) is None
    assert mde_discordant(n, 0.2) is None


def test_impossible_questions_have_no_answer():
    assert mde_two_proportions(0.99, 10) is None
    assert mde_discordant(3, 0.1) is None
    assert samples_for_discordant(0.1, 0.2) is None
    assert samples_for_discordant(0.1, 0) is None
    assert samples_for_repeats(0, 0.1) is None
    assert power_of(0.1, 0) is None


def test_the_design_effect_weighs_large_clusters_more():
    assert design_effect([1] * 10) == 1
    assert design_effect([4, 4], 0.5) == 2.5
    assert design_effect([7, 1], 0.5) == pytest.approx(1 + (50 / 8 - 1) * 0.5)
    assert design_effect([]) == 1


def test_repeats_lower_the_number_of_samples():
    once = samples_for_repeats(0.05, 0.1, within=(0.2, 0.2))
    often = samples_for_repeats(0.05, 0.1, within=(0.2, 0.2), repeats=(4, 4))
    assert once == close(often * 0.5 / 0.2)
