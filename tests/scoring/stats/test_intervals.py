from typing import Any

import pytest

from suite.scoring.stats.intervals import mde, units_needed


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9)


def test_the_golden_values_are_met(golden: dict[str, Any]) -> None:
    one, paired = golden["power"][0], golden["power"][3]
    assert mde(400, 0.45) == close(one["mde"])
    assert mde(100, 0.4) == close(paired["mde_z"])


@pytest.mark.parametrize("n", [0, 1])
def test_one_sample_can_show_nothing(n: int) -> None:
    assert mde(n) is None


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 50, 1 / 365 / 2])
@pytest.mark.parametrize("power", [0.8, 0.9])
@pytest.mark.parametrize("difference", [0.01, 0.05, 0.2])
def test_units_are_as_many_as_a_t_test_needs(difference: float, alpha: float, power: float) -> None:
    oracle = pytest.importorskip("statsmodels.stats.power").TTestPower()
    wanted = oracle.solve_power(difference / 0.3, alpha=alpha, power=power, alternative="larger")
    assert units_needed(difference, 0.3, alpha, power) == pytest.approx(wanted, abs=1, rel=1e-3)
