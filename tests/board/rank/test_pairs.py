"""Two entries held against each other: p and intervals agree with the words, samples are counted."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suite.board.rank.columns import RankedColumn, replicates
from suite.board.rank.max_t import pairwise
from suite.board.rank.ranking import rank
from suite.board.rank.state import PairStanding, Prices, RankTable, pair_result, state_of
from suite.board.repository.shelves import open_repository
from tests.board import accepted
from tests.board.rank.test_ranking import alone, board, column, of, scores


def table(*columns: RankedColumn, **rules: Any) -> RankTable:
    """A table of these columns' entries, without the entries."""
    made = board(len(columns), **rules)
    by_key = {one.key: one for one in columns}
    return RankTable("standard", [], [], rank(made, columns), {}, by_key)


@pytest.mark.parametrize("clusters", [None, 12])
@pytest.mark.parametrize("epsilon", [0.0, 0.04])
def test_p_and_interval_agree_with_who_is_better(clusters: float | None, epsilon: float) -> None:
    chance = np.random.default_rng(1)
    made = column("k", scores(chance, np.linspace(0.2, 0.8, 14).tolist(), 150))
    drawn = replicates(made, 1000, 3, 0.95)
    found = pairwise(made.value, drawn, level=0.95, epsilon=epsilon, clusters=clusters)
    assert found.critical is not None
    for i, j in itertools.permutations(range(14), 2):
        better, p = bool(found.better[i, j]), found.p(i, j)
        assert p is not None
        assert p == found.p(j, i)
        low = (made.value[i] - made.value[j]) - found.critical * found.se[i, j]
        assert better == (low > epsilon)
        if (made.value[i] - made.value[j]) > 0:
            assert better == (p < 0.05)
    assert 0 < found.better.sum() < 14 * 13 / 2


def test_p_is_the_share_of_resamples_that_deviate_as_much() -> None:
    made = column("k", scores(np.random.default_rng(2), [0.4, 0.5, 0.6], 100))
    drawn = replicates(made, 400, 5, 0.95)
    found = pairwise(made.value, drawn, level=0.95)
    pairs = list(itertools.combinations(range(3), 2))
    off = drawn - made.value
    largest = np.max([np.abs(off[:, i] - off[:, j]) / found.se[i, j] for i, j in pairs], axis=0)
    for i, j in pairs:
        beyond = int((largest >= abs((made.value[i] - made.value[j])) / found.se[i, j]).sum())
        assert found.p(i, j) == pytest.approx((1 + beyond) / 401, abs=0.01)  # single precision


@pytest.mark.parametrize(("n", "p"), [(5, 2**-4), (8, 2**-7), (3, 2**-2)])
def test_a_difference_that_is_the_same_everywhere_has_the_p_of_the_sign_test(n: int, p: float) -> None:
    base = scores(np.random.default_rng(1), [0.5], n)
    found = pair_result(table(column("t0", np.hstack([base, base + 0.25]))), 1, 0, "t0")
    assert (found.word == "better") == (p <= 0.05)
    assert found.p == (p if p <= 0.05 else None)  # else the spread is not known
    assert (found.won, found.lost, found.same, found.share) == (n, 0, 0, 1.0)


@pytest.mark.parametrize("higher", [True, False])
def test_samples_are_won_by_the_better_end_and_only_where_both_have_a_score(higher: bool) -> None:
    made = column("t0", np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]), higher=higher)
    bottom = np.ones((5, 2))
    bottom[4, 1] = 0
    object.__setattr__(made, "bottom", bottom)
    found = pair_result(table(made), 0, 1, "t0")
    assert (found.won, found.lost, found.same) == ((2, 1, 1) if higher else (1, 2, 1))
    assert found.difference == pytest.approx(0.4 if higher else -0.4)


def test_overall_counts_the_samples_of_all_columns_that_are_paired() -> None:
    chance = np.random.default_rng(4)
    first = scores(chance, [0.2, 0.9], 60)
    found = pair_result(table(column("t0", first), alone("t1", [0.2, 0.5], 0.01)), 1, 0)
    assert (found.won, found.lost) == ((first[:, 1] > first[:, 0]).sum(), (first[:, 1] < first[:, 0]).sum())
    assert found.word == "better"
    assert found.low is not None
    assert found.low > 0


def test_who_has_no_number_is_not_held_against_anybody() -> None:
    made = column("t0", scores(np.random.default_rng(5), [0.5, 0.5], 40))
    made.value[1] = np.nan
    assert pair_result(table(made), 0, 1) == PairStanding()


def test_a_value_without_interval_keeps_its_rank_and_comes_last_among_equals() -> None:
    blind = alone("t0", [0.5, 0.9, 0.5, 0.1], 0.01)
    for place in (0, 1):
        blind.low[place] = blind.high[place] = np.nan
    found = rank(board(1), [blind]).overall
    assert of(found, "rank") == [2, 1, 2, 4]
    assert found.order == [1, 2, 0, 3]
    assert found.bare == [1, 0]


def test_equal_entries_are_listed_with_the_one_that_has_an_interval_first(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    for number in range(2):
        bundle = accepted.entry(tmp_path, made, number, accepted.scores(0, 1, 40, 0.5))
        path = next((tmp_path / "submissions/b").glob(f"*{bundle[:12]}")) / "verification.json"
        told = json.loads(path.read_text())
        ends = {} if number else {"low": None, "high": None}
        told["columns"][0] |= {"paired": False, **ends}
        path.write_text(json.dumps(told))
    shelf = open_repository(tmp_path)[0]
    state = state_of(shelf.board, shelf.entries(), Prices())
    assert [one.entry.submission.model.display_name for one in state.standard.rows] == [
        "Model 001",
        "Model 000",
    ]
