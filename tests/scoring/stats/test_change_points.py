"""Change points: what a series without a change shows in a year, how soon one is found, an oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.scoring.stats.change_points import YEAR, levels


def nights(rng: np.random.Generator, n: int, shift: float = 0.0, at: int = 0) -> np.ndarray:
    found = rng.normal(size=n)
    found[at:] += shift
    return found


def changes(values: np.ndarray) -> list[int]:
    return [one.first for one in levels(values, np.ones(len(values)))][1:]


def test_a_year_without_a_change_seldom_shows_one_to_whoever_looks_every_month() -> None:
    rng = np.random.default_rng(18)
    years = [nights(rng, YEAR) for _ in range(60)]
    alarmed = sum(any(changes(year[:end]) for end in range(7, YEAR, 28)) for year in years)
    assert alarmed <= 0.05 * len(years)


@pytest.mark.slow
def test_a_year_without_a_change_seldom_shows_one_to_whoever_looks_every_night() -> None:
    rng = np.random.default_rng(19)
    years = [nights(rng, YEAR) for _ in range(100)]
    alarmed = sum(any(changes(year[:end]) for end in range(2, YEAR + 1)) for year in years)
    assert alarmed <= 0.08 * len(years)


@pytest.mark.parametrize(("shift", "delay"), [(4.0, 2), (3.0, 3), (2.0, 6)])
def test_a_shift_of_so_many_standard_errors_is_mostly_found_within_nights(shift: float, delay: int) -> None:
    rng = np.random.default_rng(20)
    found = [changes(nights(rng, 100 + delay, shift, at=100)) != [] for _ in range(100)]
    assert np.mean(found) >= 0.5


def test_levels_tell_where_the_series_moved_and_to_what() -> None:
    first, second = levels(np.array([0.5, 0.5, 0.5, 0.3, 0.3]), np.full(5, 0.01))
    assert (first.first, first.last, second.first, second.last) == (0, 2, 3, 4)
    assert (first.mean, second.mean) == pytest.approx((0.5, 0.3))
    assert second.error == pytest.approx(0.01 / math.sqrt(2))


def test_a_night_of_large_error_moves_nothing() -> None:
    assert len(levels(np.array([0.5, 0.5, 0.9, 0.5]), np.array([0.01, 0.01, 0.3, 0.01]))) == 1


@given(st.lists(st.integers(-5, 5), max_size=30), st.floats(-1e3, 1e3), st.sampled_from([1e-3, 1.0, 1e3]))
def test_neither_origin_nor_unit_of_the_values_matters(values: list[int], origin: float, unit: float) -> None:
    plain, errors = np.array(values, dtype=float), np.ones(len(values))
    moved = levels(origin * unit + plain * unit, errors * unit)
    assert len(moved) == len(levels(plain, errors))  # where two places are as good, rounding chooses


def test_the_same_changes_as_ruptures_finds() -> None:
    ruptures = pytest.importorskip("ruptures")
    rng = np.random.default_rng(21)
    for shift in (0.0, 1.5, 3.0):
        values = nights(rng, 120, shift, at=70)
        oracle = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(values)
        assert changes(values) == oracle.predict(pen=3 * math.log(YEAR))[:-1]
