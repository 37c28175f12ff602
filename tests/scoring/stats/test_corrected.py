from typing import Any

import pytest

from suite.scoring.stats.corrected import USELESS, rogan_gladen
from suite.scoring.stats.estimate import Estimate


def close(value: float | list[float], within: float = 1e-9) -> Any:
    return pytest.approx(value, rel=within, abs=within)


def both(found: Estimate) -> list[float]:
    return [found.low, found.high]


@pytest.mark.parametrize("case", [0, 1, 2])
def test_rogan_gladen_meets_the_golden_values(golden: dict[str, Any], case: int) -> None:
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


def test_rogan_gladen_of_a_perfect_judge_is_the_raw_share() -> None:
    assert rogan_gladen(7, 10, 20, 20, 20, 20).estimate.value == close(0.7)
    assert rogan_gladen(0, 0, 1, 2, 1, 2).estimate.value is None
    assert rogan_gladen(9, 10, 1, 2, 2, 2).estimate.note == "above 1 before it was cut"
