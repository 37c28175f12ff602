from typing import Any

import pytest

from suite.scoring.stats.intervals import mde


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9)


def test_the_golden_values_are_met(golden: dict[str, Any]) -> None:
    one, paired = golden["power"][0], golden["power"][3]
    assert mde(400, 0.45) == close(one["mde"])
    assert mde(100, 0.4) == close(paired["mde_z"])


@pytest.mark.parametrize("n", [0, 1])
def test_one_sample_can_show_nothing(n: int) -> None:
    assert mde(n) is None
