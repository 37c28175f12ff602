"""Rankings where the spread is unknown, none at all, or shared between columns, and who is left out."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from suite.board.rank.columns import RankedColumn, replicates, units_of, weights_of
from suite.board.rank.max_t import pairwise
from suite.board.rank.ranking import rank
from tests.board.rank.test_ranking import alone, board, column, of, scores

METHODS = ["mean_of_normalised", "mean_rank", "borda", "bradley_terry"]


def without(made: RankedColumn, *entries: int) -> RankedColumn:
    """The column as it is read where these entries have no value in it."""
    for i in entries:
        made.value[i] = made.low[i] = made.high[i] = math.nan
        assert made.top is not None
        made.top[:, i] = 0.0
    return made


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("columns", [1, 2])
def test_three_clusters_never_tell_entries_apart_overall(method: str, columns: int) -> None:
    few = [column(f"t{i}", np.repeat([[1.0, 0.0]], 3, axis=0)) for i in range(columns)]
    found = rank(board(columns, overall={"method": method}), few)
    assert of(found.overall, "rank") == [1, 2]
    assert of(found.columns["t0"], "lowest") == of(found.overall, "lowest") == [1, 1]
    assert of(found.columns["t0"], "highest") == of(found.overall, "highest") == [2, 2]


def test_a_difference_that_is_the_same_everywhere_needs_clusters_overall_too() -> None:
    chance = np.random.default_rng(1)
    for n, lowest in ((5, [1, 1]), (8, [2, 1])):
        base = scores(chance, [0.5], n)
        made = [column(f"t{i}", np.hstack([base, base + 0.25])) for i in range(2)]
        found = rank(board(), made)
        assert of(found.columns["t0"], "lowest") == of(found.overall, "lowest") == lowest


def test_a_column_of_one_cluster_leaves_the_overall_number_untested_and_without_interval() -> None:
    chance = np.random.default_rng(1)
    single = column("t0", scores(chance, [0.2, 0.9], 30), ["one"] * 30)
    found = rank(board(), [single, column("t1", scores(chance, [0.2, 0.9], 400))])
    assert of(found.columns["t1"], "lowest") == [2, 1]
    assert of(found.overall, "lowest") == [1, 1]
    assert of(found.overall, "low") == [None, None]
    assert "2 of 2 entries have no interval" in found.overall.note


def test_an_overall_interval_that_lacks_a_column_is_said_to_be_too_narrow() -> None:
    chance = np.random.default_rng(1)
    full = scores(chance, [0.5, 0.5], 200)
    full[:, 0] = 1.0
    found = rank(board(), [column("t0", full), column("t1", scores(chance, [0.5, 0.6], 200))]).overall
    assert of(found, "lacking") == [1, 0]
    assert "1 of 2 intervals are too narrow" in found.note
    assert of(found, "low")[0] is not None
    alike = rank(board(1), [column("t0", np.ones((200, 2)))]).overall
    assert (of(alike, "low"), of(alike, "high"), of(alike, "se")) == (
        [None, None],
        [None, None],
        [None, None],
    )
    assert (of(alike, "rank"), of(alike, "lowest"), of(alike, "highest")) == ([1, 1], [1, 1], [2, 2])
    usual = rank(board(1), [column("t0", scores(chance, [0.5, 0.6], 200))]).overall
    assert (usual.note, of(usual, "lacking")) == ("", [0, 0])


def test_an_entry_of_unknown_spread_has_no_overall_interval_and_ties_with_everybody() -> None:
    blind = alone("t0", [0.2, 0.5, 0.8], 0.01)
    blind.low[1] = blind.high[1] = math.nan
    known = column("t1", scores(np.random.default_rng(2), [0.2, 0.5, 0.8], 400))
    found = rank(board(), [blind, known]).overall
    assert of(found, "low")[1] is None
    assert of(found, "se")[1] is None
    assert of(found, "low")[0] is not None
    assert of(found, "lowest") == [2, 1, 1]
    assert of(found, "highest") == [3, 3, 2]


def test_one_more_entry_changes_no_interval_of_an_unpaired_column() -> None:
    fewer = rank(board(1), [alone("t0", [0.2, 0.5, 0.8], 0.1)]).overall
    more = rank(board(1), [alone("t0", [0.4, 0.2, 0.5, 0.8], 0.1)]).overall
    assert of(more, "low")[1:] == of(fewer, "low")
    assert of(more, "se")[1:] == of(fewer, "se")


def test_critical_values_of_few_clusters_are_students_at_the_level_of_the_pairs() -> None:
    chance = np.random.default_rng(2)
    entry = column("k", scores(chance, [0.5] * 12, 30))
    drawn = replicates(entry, 2000, 1, 0.95)
    plain = pairwise(entry.value, drawn, level=0.95).critical
    wide = pairwise(entry.value, drawn, level=0.95, clusters=10).critical
    assert plain is not None
    assert plain > 2.5
    want = stats.t.ppf(stats.norm.cdf(plain), 9) * math.sqrt(10 / 9)
    assert wide == pytest.approx(want)
    assert want > plain * stats.t.ppf(0.975, 9) / 1.96 * math.sqrt(10 / 9)


def test_small_strata_are_as_uncertain_as_their_variances_say() -> None:
    chance = np.random.default_rng(3)
    strata, each = 12, 5
    names = np.repeat([f"s{i:02}" for i in range(strata)], each)
    units = units_of(["c"] * len(names), names, [f"g{i:02}" for i in range(len(names))])
    found, known = [], []
    for _ in range(40):
        top = chance.normal(0, 1, (len(names), 1)) + np.repeat(np.arange(strata), each)[:, None]
        value = top.mean(axis=0)
        one = RankedColumn("k", value, value - 1, value + 1, True, units, top, np.ones_like(top))
        found.append(replicates(one, 300, 1, 0.95).var(ddof=1))
        known.append(top.reshape(strata, each).var(axis=1, ddof=1).sum() / each / strata**2)
    assert np.mean(found) == pytest.approx(np.mean(known), rel=0.04)  # drawing all five gives 0.8 of it
    weights = np.concatenate(list(weights_of(units.groups(), 50, 1)))
    assert weights.reshape(50, strata, each).sum(axis=2) == pytest.approx(float(each))


def test_columns_of_one_task_over_the_same_samples_are_drawn_together() -> None:
    chance = np.random.default_rng(4)
    base = chance.normal(0, 1, (150, 2))
    pair = [column(key, base + chance.normal(0, 0.3, (150, 2))) for key in ("a", "b")]
    errors = {}
    for name, tasks in (("same", ["t", "t"]), ("other", ["t0", "t1"])):
        items = [{"task": task, "key": key, "version": 1} for task, key in zip(tasks, "ab", strict=True)]
        tested = rank(board(tasks=items), pair).overall.pairs
        assert tested is not None
        errors[name] = tested.se[0, 1]
    assert pair[0].top is not None
    assert pair[1].top is not None
    differences = (pair[0].top + pair[1].top)[:, 0] / 2 - (pair[0].top + pair[1].top)[:, 1] / 2
    assert errors["same"] == pytest.approx(differences.std() / math.sqrt(150), rel=0.06)
    assert errors["other"] < 0.8 * errors["same"]


@pytest.mark.parametrize("higher", [True, False])
def test_a_missing_column_is_lost_in_every_resample_of_strengths(higher: bool) -> None:
    chance = np.random.default_rng(5)
    made = [column("t0", scores(chance, [0.5] * 3, 200))]
    made.append(without(column("t1", scores(chance, [0.5] * 3, 200), higher=higher), 0))
    asked = board(overall={"method": "bradley_terry", "missing": "worst"})
    found = rank(asked, made).overall
    for low, value, high in zip(of(found, "low"), of(found, "value"), of(found, "high"), strict=True):
        assert low is not None
        assert value is not None
        assert high is not None
        assert low < value < high
    assert of(found, "lowest") == [3, 1, 1]
    assert "of strengths are from 400 resamples" in found.note


def test_an_unpaired_column_is_no_certain_win_in_strengths() -> None:
    asked: Any = {"overall": {"method": "bradley_terry"}}
    close = rank(board(1, **asked), [alone("t0", [0.50, 0.51], 0.2)]).overall
    assert of(close, "lowest") == [1, 1]
    apart = rank(board(1, **asked), [alone("t0", [0.1, 0.9], 0.05)]).overall
    assert of(apart, "rank") == [2, 1]


@pytest.mark.parametrize("method", METHODS)
def test_who_is_left_out_moves_nobody(method: str) -> None:
    chance = np.random.default_rng(6)
    first = scores(chance, [0.6, 0.5, 0.4, 0.55], 150)
    second = scores(chance, [0.3, 0.5, 0.6, 0.1], 150)
    asked = board(overall={"method": method, "missing": "exclude"})
    alone_ = rank(asked, [column("t0", first[:, :3]), column("t1", second[:, :3])])
    made = rank(asked, [column("t0", first), without(column("t1", second), 3)])
    assert of(made.overall, "rank") == [*of(alone_.overall, "rank"), None]
    assert of(made.overall, "value")[:3] == pytest.approx(of(alone_.overall, "value"))
    assert of(made.overall, "lowest") == [*of(alone_.overall, "lowest"), None]
    assert made.leave_one_out == [*alone_.leave_one_out, None]
    for mine, other in zip(made.others.values(), alone_.others.values(), strict=True):
        assert of(mine, "value")[:3] == pytest.approx(of(other, "value"))
        assert of(mine, "value")[3] is None
