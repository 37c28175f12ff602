from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.errors import ConfigError
from suite.scoring.stats.corrected import USELESS, ppi_mean, rogan_gladen, tuned_weight
from suite.scoring.stats.intervals import t_quantile


def close(value: float | list[float], within: float = 1e-9) -> Any:
    return pytest.approx(value, rel=within, abs=within)


def laid_out(given: dict[str, Any]) -> tuple[list[int], list[int]]:
    case = given["ppi"]
    human = [*case["human"], *[None] * len(case["judge_only"])]
    return human, [*case["judge_on_human"], *case["judge_only"]]


def test_ppi_meets_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    row = golden["ppi"]
    human, judge = laid_out(given)
    found = ppi_mean(human, judge)
    y, f = np.array(human[:30], float), np.array(judge, float)
    assert tuned_weight(y, f[:30], f[30:]) == close(row["lambda"])
    assert found.value == close(row["ppi_pp"])
    assert (found.high - found.low) / 2 / t_quantile(29, 0.95) == close(row["se_ddof1"])


def test_the_library_agrees(given: dict[str, Any]) -> None:
    library = pytest.importorskip("ppi_py")
    human, judge = laid_out(given)
    y, f = np.array(human[:30]), np.array(judge[:30])
    oracle = library.ppi_mean_pointestimate(y, f, np.array(judge[30:]))
    assert ppi_mean(human, judge).value == pytest.approx(float(oracle[0]))


def test_a_useless_judge_leaves_the_labels_alone() -> None:
    human = [1.0, 0.0] * 20 + [None] * 60
    assert ppi_mean(human, [0.5] * 100).value == 0.5
    assert ppi_mean(human, [0.0, 1.0] * 50).value == 0.5


def test_wrong_input_is_refused() -> None:
    assert ppi_mean([1, 0], [1, 0]).value == 0.5
    assert ppi_mean([1, 0], [1, 0]).method == "wilson"
    assert ppi_mean([1, None, 0], [1, 0, None]).n_unscored == 1
    assert ppi_mean([1, None], [1, 0]).low is None
    with pytest.raises(ConfigError, match="with and without"):
        ppi_mean([1, None, 0], [1, 1, 0], ["a", "a", "b"])


def test_ppi_keeps_clusters_whole() -> None:
    chance = np.random.default_rng(0)
    topic = np.repeat(np.arange(40), 5)
    y = np.repeat(chance.random(40) < 0.5, 5).astype(float)
    f = np.where(chance.random(200) < 0.9, y, 1 - y)
    human = [one if i < 100 else None for i, one in enumerate(y)]
    alone, whole = ppi_mean(human, f), ppi_mean(human, f, topic)
    assert whole.method == "ppi++-cr1-t"
    assert whole.high - whole.low > alone.high - alone.low


@forall(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0, 1))
def test_a_constant_judge_gives_the_human_mean(human: list[float], value: float) -> None:
    found = ppi_mean([*human, None, None], [value] * (len(human) + 2))
    assert found.value == pytest.approx(np.mean(human))


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
    if "estimate" not in row:
        assert (found.value, found.note) == (None, USELESS)
        return
    assert found.value == close(row["estimate"])
    assert [found.low, found.high] == close(row["lang_reiczigel95"])


def test_rogan_gladen_of_a_perfect_judge_is_the_raw_share() -> None:
    assert rogan_gladen(7, 10, 20, 20, 20, 20).value == close(0.7)
    assert rogan_gladen(0, 0, 1, 2, 1, 2).value is None
    assert rogan_gladen(9, 10, 1, 2, 2, 2).note == "above 1 before it was cut"
