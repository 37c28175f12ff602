"""One-sided tests against what is exact for 0/1 values, and against textbooks."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest, ttest_1samp

from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.intervals import tails_of
from suite.scoring.stats.means import interval_of, of_mean
from suite.scoring.stats.one_sided import OneSided, over_windows
from suite.scoring.stats.paired_difference import bonett_price


@pytest.mark.parametrize(("right", "n"), [(0, 50), (3, 200), (50, 200), (190, 200), (970, 1000)])
@pytest.mark.parametrize("alpha", [0.05, 1e-3, 5e-5])
def test_of_shares_the_bound_is_clopper_and_pearsons(right: int, n: int, alpha: float) -> None:
    values = of_mean(np.repeat([0.0, 1.0], [n - right, right]), clusters_of(None, n))
    bound = OneSided.of(values, lambda _: (values.mean, values.mean), (0.0, 1.0)).upper(alpha)
    exact = beta.ppf(1 - alpha, right + 1, n - right)
    assert bound == pytest.approx(exact, rel=0.02)


def test_no_chance_is_left_above_the_far_end() -> None:
    values = of_mean(np.repeat([0.0, 0.5], 10), clusters_of(None, 20))
    assert OneSided.of(values, lambda _: (0.25, 0.25), (0.0, 1.0)).p_unseen(1.0) == 0


@pytest.mark.parametrize("threshold", [-0.01, 0.0, 0.02])
def test_p_is_below_alpha_exactly_where_the_bound_is_below_the_threshold(threshold: float) -> None:
    d = np.random.default_rng(2).choice([-1.0, 0.0, 1.0], 500, p=[0.06, 0.92, 0.02])
    test = OneSided.of(of_mean(d, clusters_of(None, 500)), bonett_price(d), (-1.0, 1.0))
    p = test.p_below(threshold)
    assert test.upper(p * 1.02) < threshold < test.upper(p * 0.98)


@pytest.mark.parametrize(("losses", "wins"), [(35, 15), (60, 35), (18, 4), (8, 0)])
def test_no_p_of_discordant_pairs_is_far_from_mcnemars_exact_one(losses: int, wins: int) -> None:
    d = np.repeat([-1.0, 1.0, 0.0], [losses, wins, 1000 - losses - wins])
    test = OneSided.of(of_mean(d, clusters_of(None, 1000)), bonett_price(d), (-1.0, 1.0))
    exact = binomtest(wins, losses + wins, alternative="less").pvalue
    assert 0.8 < test.p_below(0.0) / exact < 2.6


def test_a_graded_mean_has_no_smaller_p_than_students() -> None:
    d = np.random.default_rng(5).normal(-0.05, 0.3, 300)
    found = of_mean(d, clusters_of(None, 300))
    interval, _ = interval_of(found, 300)
    tails = tails_of(d)
    assert interval is not None and tails is not None
    p = OneSided.of(found, interval, (tails.low, tails.high)).p_below(0.0)
    assert 1 <= p / ttest_1samp(d, 0.0, alternative="less").pvalue < 3


def test_the_mirror_of_a_test_is_that_of_the_negative() -> None:
    d = np.random.default_rng(5).exponential(0.3, 300)
    one, other = (
        OneSided.of(of_mean(x, clusters_of(None, 300)), bonett_price(x), (-9.0, 9.0)) for x in (d, -d)
    )
    assert one.mirrored.p_below(-0.25) == pytest.approx(other.p_below(-0.25))


def test_several_windows_share_one_alpha() -> None:
    assert over_windows([0.01]) == (0.01, 1, 1.0)
    assert over_windows([0.5, 0.01]) == (pytest.approx(0.0125), 2, 0.8)
    assert over_windows([0.0001, 0.5, 0.01]) == (pytest.approx(0.001), 1, 0.1)


def test_a_test_without_a_bound_for_the_unseen_is_its_intervals() -> None:
    test = OneSided(bonett_price(np.repeat([-1.0, 0.0], [12, 88])))
    assert test.upper(0.025) == bonett_price(np.repeat([-1.0, 0.0], [12, 88]))(0.95)[1]


def test_of_windows_as_sure_as_any_is_told_the_shortest_decides() -> None:
    least, worse = (OneSided(bonett_price(np.full(400, -1.0))).p_below(at) for at in (0.0, -2.0))
    assert [over_windows(one).nights for one in ([least] * 3, [worse, least, least], [0.01] * 3)] == [1, 2, 3]
