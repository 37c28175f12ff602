"""Means followed while data come: capital by closed forms, and how often a promise is broken."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from scipy import stats

from suite.scoring.stats.sequential import BETS, LARGEST_BET, Wager, confidence_sequence

SCRIPT = Path(__file__).parents[3] / "benchmarks/sequential.py"
spec = importlib.util.spec_from_file_location("benchmark_of_sequential", SCRIPT)
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = script
spec.loader.exec_module(script)

units = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.25, 0.5, 1.0])), max_size=30)


def interval(
    found: list[tuple[float, float]], alphas: tuple[float, float] = (0.025, 0.025)
) -> tuple[float, float]:
    """Of the mean after blocks of (mean value, size)."""
    sizes = np.array([size for _, size in found])
    above = np.array([value for value, _ in found]) * sizes
    return confidence_sequence(above, sizes, (0.0, 1.0), alphas, 60)


def test_against_no_difference_it_is_a_mixture_sign_test_of_the_discordant() -> None:
    d = np.array([1.0, 0, 1, -1, 0, 0, 1, 1, -1, 1])
    capital = Wager(1.0, 10).after(d + 1, np.ones(10))
    better, discordant = int((d > 0).sum()), int((d != 0).sum())
    shares = (1 + np.geomspace(LARGEST_BET / 2, LARGEST_BET, BETS)) / 2  # of the better among the discordant
    likelihood = stats.binom.pmf(better, discordant, shares) / stats.binom.pmf(better, discordant, 0.5)
    assert capital[-1] == pytest.approx(likelihood.mean())


def test_capital_goes_on_where_it_was() -> None:
    above, sizes = np.random.default_rng(1).random(40), np.ones(8)
    wager = Wager(0.4, 40)
    parts = [wager.after(above[at : at + 8], sizes) for at in range(0, 40, 8)]
    assert np.concatenate(parts) == pytest.approx(Wager(0.4, 40).after(above, np.ones(40)))


@forall(units, units)
def test_more_data_never_widen_the_interval(
    first: list[tuple[float, float]], more: list[tuple[float, float]]
) -> None:
    low, high = interval(first)
    narrower, below = interval(first + more)
    assert low <= narrower <= below <= max(high, narrower)


@forall(units)
def test_the_mirror_image_has_the_mirrored_interval(found: list[tuple[float, float]]) -> None:
    low, high = interval(found, (0.01, 0.04))
    mirrored = interval([(1 - value, size) for value, size in found], (0.04, 0.01))
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_the_interval_leaves_a_bound_out_once_its_wager_is_won() -> None:
    won = int((Wager(0.5, 60).after(np.ones(40), np.ones(40)) >= 40).argmax()) + 1
    ends = [interval([(1.0, 1.0)] * n)[0] for n in (won - 1, won)]
    assert ends[0] < 0.5 < ends[1]


def test_without_a_block_nothing_is_known() -> None:
    assert interval([]) == pytest.approx((0, 1), abs=1e-9)


@pytest.mark.parametrize("place", [0, 5, 9, 10], ids=lambda place: script.WORLDS[place].name)
def test_few_runs_without_a_difference_end_with_a_verdict(place: int) -> None:
    world = script.WORLDS[place]._replace(samples=100)
    verdict, _ = script.stopped(world, 10_000, 7)
    assert (verdict != 0).mean() <= 0.05


def test_half_of_the_samples_are_saved_at_the_median() -> None:
    verdict, after = script.stopped(script.WORLDS[2], 300, 7)
    assert np.median(after) <= 1000
    assert (verdict > 0).mean() > 0.95


@pytest.mark.slow
def test_of_ten_thousand_null_runs_at_most_one_in_twenty_ends_with_a_verdict() -> None:
    verdicts = [script.stopped(script.WORLDS[0], 1000, seed)[0] for seed in range(10)]
    assert (np.concatenate(verdicts) != 0).mean() <= 0.05


def test_intervals_hold_the_truth_at_all_looks() -> None:
    chance, missed = np.random.default_rng(3), 0
    for _ in range(200):
        low, high = interval([(float(one), 1.0) for one in chance.random(150) < 0.3])
        missed += not low <= 0.3 <= high
    assert missed <= 0.05 * 200
