"""Rankings: against brute force and scipy, with ties, gaps, single entries, every method and policy."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from suite.board.define.board import Board
from suite.board.rank.columns import RankedColumn, points, ratios, replicates, units_of, weights_of
from suite.board.rank.max_t import competition_ranks, mid_ranks, pairwise
from suite.board.rank.overall import combine, scales, strengths, tally_of
from suite.board.rank.ranking import EXPECTED_MAXIMUM, Standing, expected_gain, rank

NAN = math.nan


def board(columns: int = 2, **changes: Any) -> Board:
    tasks = [{"task": f"t{i}", "version": 1, **changes.pop("item", {})} for i in range(columns)]
    whole = {"id": "b", "version": "1.0.0", "title": "B", "tasks": tasks, **changes}
    return Board.model_validate(whole)


def column(
    key: str, scores: np.ndarray, clusters: Sequence[str] | None = None, higher: bool = True
) -> RankedColumn:
    """scores: (U, K)."""
    u, k = scores.shape
    names = [f"s{i}" for i in range(u)]
    units = units_of(["c"] * u, [""] * u, clusters or names)
    value = scores.mean(axis=0)
    return RankedColumn(key, value, value - 0.1, value + 0.1, higher, units, scores, np.ones((u, 1)))


def alone(key: str, value: Sequence[float], half: float, higher: bool = True) -> RankedColumn:
    middle = np.array(value)
    return RankedColumn(key, middle, middle - half, middle + half, higher, why="no mean")


def scores(chance: np.random.Generator, means: Sequence[float], n: int, shared: float = 1.5) -> np.ndarray:
    """0/1 scores of shared difficulty, (n, K): a logistic model whose mean over samples is `means`."""
    hard = chance.normal(0, shared, n)
    out = np.empty((n, len(means)))
    grid = np.random.default_rng(5).normal(0, shared, 20_000)
    for j, mean in enumerate(means):
        low, high = -12.0, 12.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if (1 / (1 + np.exp(grid - middle))).mean() < mean else (low, middle)
        out[:, j] = chance.random(n) < 1 / (1 + np.exp(hard - low))
    return out


def of(standing: Standing, name: str) -> list[Any]:
    """One part of all positions of a standing."""
    return [getattr(one, name) for one in standing.places]


def test_the_value_is_the_mean_over_cells_of_strata_of_ratios() -> None:
    cell = ["a", "a", "a", "b", "b"]
    stratum = ["x", "x", "y", "", ""]
    units = units_of(cell, stratum, ["1", "2", "3", "1", "2"])
    top = np.array([[1.0], [2.0], [3.0], [4.0], [0.0]])
    bottom = np.array([[2.0], [2.0], [4.0], [8.0], [0.0]])
    made = RankedColumn("k", np.array([0.625]), np.array([NAN]), np.array([NAN]), True, units, top, bottom)
    assert points(made) == pytest.approx([((3 / 4 + 3 / 4) / 2 + 4 / 8) / 2])
    # doubling cluster 1, leaving out 3: its stratum keeps the value that it has
    drawn = ratios(made, np.array([[2.0, 1.0, 0.0]]))
    assert drawn[0] == pytest.approx([((4 / 6 + 3 / 4) / 2 + 4 / 8) / 2])


def test_a_stratum_without_a_scored_unit_does_not_count_and_a_cell_without_any_has_no_value() -> None:
    units = units_of(["a", "a", "a"], ["x", "x", "y"], ["1", "2", "3"])
    top, bottom = np.array([[1.0, 0], [0, 0], [0, 0]]), np.array([[1.0, 0], [1, 0], [0, 0]])
    made = RankedColumn("k", np.zeros(2), np.zeros(2), np.zeros(2), True, units, top, bottom)
    assert points(made)[0] == 0.5
    assert math.isnan(points(made)[1])


def test_clusters_are_drawn_within_strata_only_where_every_cluster_lies_in_one() -> None:
    strata = ["x"] * 6 + ["y"] * 6
    apart = units_of(["c"] * 12, strata, [str(i) for i in range(12)])
    assert len(set(apart.groups().tolist())) == 2
    weights = np.concatenate(list(weights_of(apart.groups(), 50, 1)))
    inside = apart.groups() == apart.groups()[0]
    assert (weights[:, inside].sum(axis=1) == 6).all()
    across = units_of(["c"] * 12, strata, [str(i % 6) for i in range(12)])
    assert len(set(across.groups().tolist())) == 1


def test_weights_are_the_same_for_everybody_and_in_any_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = np.zeros(40, np.intp)
    whole = np.concatenate(list(weights_of(groups, 100, 7)))
    monkeypatch.setattr("suite.board.rank.columns.MOST_WEIGHTS", 40 * 30)
    assert np.array_equal(np.concatenate(list(weights_of(groups, 100, 7))), whole)
    assert (whole.sum(axis=1) == 40).all()


def test_one_more_entry_changes_no_replicate_of_the_others() -> None:
    made = scores(np.random.default_rng(0), [0.5, 0.6, 0.7], 50)
    few, many = (replicates(column("k", part), 300, 3, 0.95) for part in (made[:, :2], made))
    assert np.allclose(few, many[:, :2], atol=1e-12)


def test_pairs_of_three_equal_brute_force() -> None:
    chance = np.random.default_rng(1)
    made = column("k", scores(chance, [0.3, 0.5, 0.62], 80))
    drawn = replicates(made, 500, 9, 0.95)
    found = pairwise(made.value, drawn, level=0.9)
    se = np.zeros((3, 3))
    for i, j in itertools.permutations(range(3), 2):
        se[i, j] = (drawn[:, i] - drawn[:, j]).std(ddof=1)
    largest = []
    for row in drawn:
        e = row - made.value
        largest.append(max(abs(e[i] - e[j]) / se[i, j] for i, j in itertools.combinations(range(3), 2)))
    critical = sorted(largest)[math.ceil(0.9 * (len(largest) - 1))]
    assert found.critical == pytest.approx(critical, rel=1e-5)
    assert found.se == pytest.approx(se, abs=1e-12)
    better = {
        (i, j)
        for i, j in itertools.permutations(range(3), 2)
        if made.value[i] - made.value[j] > critical * se[i, j]
    }
    assert {(int(i), int(j)) for i, j in np.argwhere(found.better)} == better
    for i in range(3):
        low, high = found.intervals[i]
        assert low == 1 + sum((j, i) in better for j in range(3))
        assert high == 3 - sum((i, j) in better for j in range(3))


def test_two_entries_are_tested_as_scipys_paired_bootstrap_does() -> None:
    chance = np.random.default_rng(4)
    made = scores(chance, [0.5, 0.6], 200)
    entry = column("k", made)
    drawn = replicates(entry, 4000, 1, 0.95)
    found = pairwise(entry.value, drawn, level=0.95)
    theirs = stats.bootstrap(
        (made[:, 1] - made[:, 0],), np.mean, n_resamples=4000, method="percentile", rng=2
    )
    assert found.se[0, 1] == pytest.approx(theirs.standard_error, rel=0.05)
    assert found.critical == pytest.approx(1.96, abs=0.12)


def test_few_clusters_widen_by_students_t() -> None:
    chance = np.random.default_rng(2)
    entry = column("k", scores(chance, [0.2, 0.5, 0.6], 30))
    drawn = replicates(entry, 2000, 1, 0.95)
    plain = pairwise(entry.value, drawn, level=0.95).critical
    wide = pairwise(entry.value, drawn, level=0.95, clusters=5).critical
    assert plain is not None
    assert wide is not None
    assert wide == pytest.approx(stats.t.ppf(stats.norm.cdf(plain), 4) * math.sqrt(5 / 4))


def test_competition_ranks_share_and_skip_and_have_no_place_for_nulls() -> None:
    assert competition_ranks(np.array([0.5, 0.9, 0.5, NAN, 0.1])) == [2, 1, 2, None, 4]
    assert competition_ranks(np.array([NAN, NAN])) == [None, None]
    assert competition_ranks(np.array([1e9, 1e9 + 1e-6])) == [1, 1]
    assert mid_ranks(np.array([0.5, 0.9, 0.5, NAN])).tolist()[:3] == [2.5, 1.0, 2.5]


def test_one_entry_is_first() -> None:
    made = [column("t0", np.ones((30, 1))), column("t1", np.zeros((30, 1)))]
    found = rank(board(), made)
    assert of(found.overall, "rank") == [1]
    assert (of(found.overall, "lowest"), of(found.overall, "highest")) == ([1], [1])
    assert of(found.columns["t0"], "value") == [1.0]


def test_identical_entries_are_tied_and_constant_differences_are_not() -> None:
    base = scores(np.random.default_rng(3), [0.5], 60)
    same = column("t0", np.hstack([base, base, np.zeros_like(base)]))
    found = rank(board(1), [same])
    assert of(found.overall, "rank") == [1, 1, 3]
    assert of(found.overall, "lowest") == [1, 1, 3]
    assert of(found.overall, "highest") == [2, 2, 3]
    always = column("t0", np.hstack([np.ones((60, 1)), np.zeros((60, 1))]))
    assert of(rank(board(1), [always]).overall, "lowest") == [1, 2]
    few = column("t0", np.hstack([np.ones((3, 1)), np.zeros((3, 1))]))
    assert of(rank(board(1), [few]).columns["t0"], "lowest") == [1, 1]
    assert "only 3 independent units" in rank(board(1), [few]).columns["t0"].note


def test_epsilon_widens_ties_on_the_scale_of_the_column() -> None:
    chance = np.random.default_rng(8)
    made = column("t0", 50 * scores(chance, [0.2, 0.8], 400))
    scaled = {"item": {"normalise": {"low": 0, "high": 50}}}
    assert of(rank(board(1, **scaled), [made]).overall, "lowest") == [2, 1]
    wide = board(1, uncertainty={"epsilon": 0.7}, item={"normalise": {"low": 0, "high": 50}})
    found = rank(wide, [made])
    assert of(found.overall, "lowest") == of(found.columns["t0"], "lowest") == [1, 1]


def test_lower_is_better_turns_everything_around() -> None:
    chance = np.random.default_rng(8)
    made = column("t0", scores(chance, [0.2, 0.8], 400), higher=False)
    found = rank(board(1), [made])
    assert of(found.columns["t0"], "rank") == [1, 2]
    assert of(found.overall, "value") == pytest.approx([1 - made.value[0], 1 - made.value[1]])
    assert all(of(other, "rank") == [1, 2] for other in found.others.values())


def test_unpaired_columns_are_ranked_by_their_intervals() -> None:
    apart = rank(board(1), [alone("t0", [0.2, 0.5, 0.8], 0.05)])
    assert of(apart.columns["t0"], "lowest") == [3, 2, 1]
    close = rank(board(1), [alone("t0", [0.2, 0.5, 0.8], 0.4)])
    assert of(close.columns["t0"], "lowest") == [1, 1, 1]
    blind = alone("t0", [0.2, 0.5, 0.8], 0.01)
    blind.low[1] = NAN
    found = rank(board(1), [blind])
    assert of(found.columns["t0"], "lowest") == [2, 1, 1]
    assert of(found.columns["t0"], "highest") == [3, 3, 2]


@pytest.mark.parametrize("method", ["mean_of_normalised", "mean_rank", "borda", "bradley_terry"])
def test_missing_columns_by_policy(method: str) -> None:
    chance = np.random.default_rng(6)
    first = column("t0", scores(chance, [0.9, 0.5, 0.3], 200))
    second = column("t1", scores(chance, [0.9, 0.5, 0.3], 200))
    for part in (second.value, second.low, second.high):
        part[0] = NAN
    ask: dict[str, Any] = {"overall": {"method": method, "missing": "exclude"}}
    found = rank(board(**ask), [first, second])
    assert of(found.overall, "rank") == [None, 1, 2]
    assert of(found.overall, "value")[0] is None
    assert of(found.columns["t0"], "rank") == [1, 2, 3]
    assert of(found.columns["t1"], "rank") == [None, 1, 2]
    worst = rank(board(overall={"method": method, "missing": "worst"}), [first, second])
    assert of(worst.overall, "value")[0] is not None
    if method == "mean_of_normalised":
        assert of(worst.overall, "value")[0] == pytest.approx(first.value[0] / 2)
    assert sorted(filter(None, of(worst.overall, "rank"))) in ([1, 2, 3], [1, 1, 3], [1, 2, 2])


def test_weights_and_leave_one_out() -> None:
    chance = np.random.default_rng(6)
    columns = [
        column("t0", scores(chance, [0.9, 0.5, 0.3], 300)),
        column("t1", scores(chance, [0.1, 0.5, 0.3], 300)),
    ]
    tasks = [{"task": "t0", "version": 1, "weight": 0.8}, {"task": "t1", "version": 1, "weight": 0.2}]
    found = rank(board(tasks=tasks), columns)
    want = [0.8 * a + 0.2 * b for a, b in zip(columns[0].value, columns[1].value, strict=True)]
    assert of(found.overall, "value") == pytest.approx(want)
    assert found.leave_one_out == [(1, 3), (1, 2), (2, 3)]
    assert rank(board(1), columns[:1]).leave_one_out == [None] * 3


def test_methods_equal_their_definitions() -> None:
    chance = np.random.default_rng(10)
    columns = [column(f"t{i}", scores(chance, [0.5, 0.55, 0.4, 0.6], 40)) for i in range(3)]
    parts = scales(board(3))
    values = {one.key: one.value for one in columns}
    ranks = np.array([stats.rankdata(-one.value) for one in columns])
    higher = {one.key: True for one in columns}
    mean_rank = combine("mean_rank", values, higher, parts, "exclude")
    assert mean_rank == pytest.approx(-ranks.mean(axis=0))
    assert combine("borda", values, higher, parts, "exclude") == pytest.approx(4 + mean_rank)


def test_tallies_equal_a_loop_for_few_and_many_values() -> None:
    chance = np.random.default_rng(12)
    for made in (chance.integers(0, 3, (30, 4)).astype(float), chance.random((40, 4))):
        wins, ties = tally_of(column("k", made))
        for i, j in itertools.permutations(range(4), 2):
            assert wins[i, j] == pytest.approx((made[:, i] > made[:, j]).mean())
            assert ties[i, j] == pytest.approx((made[:, i] == made[:, j]).mean())


def test_strengths_order_as_values_do_and_their_bootstrap_covers_them() -> None:
    chance = np.random.default_rng(13)
    columns = [column(f"t{i}", scores(chance, [0.3, 0.5, 0.7], 150)) for i in range(2)]
    found = rank(board(2, overall={"method": "bradley_terry"}), columns)
    assert of(found.overall, "rank") == [3, 2, 1]
    assert of(found.overall, "lowest") == [3, 2, 1]
    direct = strengths(columns, scales(board(2)), "exclude", "half")
    assert of(found.overall, "value") == pytest.approx(list(direct))
    for low, value, high in zip(of(found.overall, "low"), direct, of(found.overall, "high"), strict=True):
        assert low is not None
        assert high is not None
        assert low < value < high


def test_methods_that_disagree_on_the_leader_are_named() -> None:
    made = [alone("t0", [0.60, 0.10, 0.3], 0.01), alone("t1", [0.60, 0.62, 0.3], 0.01)]
    made.append(alone("t2", [0.6, 0.62, 0.3], 0.01))
    found = rank(board(3), made)
    assert of(found.overall, "rank")[0] == 1
    assert set(found.leaders_differ) == {"mean_rank", "borda", "bradley_terry"}


def test_the_luck_of_the_best_of_k() -> None:
    assert expected_gain(0.01, 1) == 0
    assert expected_gain(0.01, 3) == pytest.approx(0.0085, abs=1e-4)
    assert expected_gain(1.0, 20) == pytest.approx(1.87, abs=0.01)
    assert expected_gain(None, 3) is None
    chance = np.random.default_rng(0).standard_normal((200_000, 10))
    for k, value in EXPECTED_MAXIMUM.items():
        assert chance[:, :k].max(axis=1).mean() == pytest.approx(value, abs=0.01)


TABLE = [
    # true means; coverage of the pairwise max-T; coverage of percentiles of bootstrapped ranks
    ([0.5] * 10, 0.93, 0.0),
    ([0.5] * 3 + [0.55, 0.58, 0.61] + [0.65] * 4, 0.97, 0.32),
    (list(np.linspace(0.40, 0.70, 10)), 1.0, 1.0),
]


@pytest.mark.slow
@pytest.mark.parametrize(("means", "ours", "percentile"), TABLE)
def test_coverage_is_what_the_method_promises(means: Sequence[float], ours: float, percentile: float) -> None:
    """The table of docs/statistics.md: every interval must hold all true ranks. 150 draws of 300 samples."""
    chance = np.random.default_rng(20)
    truth = np.array(means)
    lowest = [1 + int((truth > mean + 1e-9).sum()) for mean in truth]
    highest = [len(truth) - int((truth < mean - 1e-9).sum()) for mean in truth]
    covered = naive = 0
    simulations = 150
    for number in range(simulations):
        made = column("k", scores(chance, means, 300))
        drawn = replicates(made, 1000, number, 0.95)
        found = pairwise(made.value, drawn, level=0.95, clusters=300).intervals
        covered += all(a <= x and y <= b for (a, b), x, y in zip(found, lowest, highest, strict=True))
        ranks = mid_ranks(drawn)
        ends = np.quantile(ranks, [0.025, 0.975], axis=0)
        naive += all(a <= x and y <= b for a, b, x, y in zip(ends[0], ends[1], lowest, highest, strict=True))
    error = 3.5 * math.sqrt(0.95 * 0.05 / simulations)  # three and a half standard errors of the simulation
    assert covered / simulations == pytest.approx(ours, abs=error)
    assert covered / simulations >= 0.95 - error
    assert naive / simulations <= percentile + 0.2
