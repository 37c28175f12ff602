"""Claims about many tags at once hold together as often as they say, on data whose truth is known."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from suite.journal.documents import MetricResult
from suite.scoring.metrics import Mean, Rate
from suite.scoring.rows import Context
from suite.scoring.served import at_once, best_cells, worst_served, worst_tenths
from suite.scoring.stats.worst_tenth import worst_tenth
from suite.scoring.table import Column, Parts, ScoreTable, TagCodes

REPEATS = 120
ERROR = 3 * math.sqrt(0.05 * 0.95 / REPEATS)  # three standard errors of a share of 0.05
CELLS = ("a", "b")
KEPT = Rate("kept", by="topic")


def drawn(
    shares: Sequence[float], n: int, chance: np.random.Generator, *, gain: float = 0.0, each: int = 1
) -> Context:
    """Two cells on the same samples: of every topic n with its share, of the second cell `gain` higher.

    each: so many samples in turn are a cluster.
    """
    topics = np.repeat(np.arange(len(shares)), n)
    difficulty, noise = chance.random(len(topics)), chance.random((2, len(topics)))
    p = np.repeat(np.asarray(shares), n)
    lazy = chance.random(len(topics)) < 0.5  # half of the samples go the same way in both cells
    x = np.concatenate([np.where(lazy, difficulty, noise[i]) < p + gain * i for i in range(2)])
    samples = np.tile(np.arange(len(topics), dtype=np.uint64), 2)
    nothing = np.zeros(0, dtype=np.uint32)
    table = ScoreTable(
        CELLS,
        np.repeat(np.arange(2, dtype=np.uint8), len(topics)),
        samples,
        samples // np.uint64(each) + np.uint64(10**9),
        None,
        {
            "topic": TagCodes(
                np.tile(topics + 1, 2).astype(np.uint16), ("", *(f"t{i}" for i in range(len(shares))))
            )
        },
        {"kept": Column(x.astype(np.float64), np.zeros(len(x), dtype=np.uint8), ())},
        Parts(nothing, nothing, {}, {}),
    )
    return Context(table, "", "", 0, 0.95)


def rows_at_once(context: Context, claims: int) -> list[MetricResult]:
    return [row for cell in CELLS for row in KEPT.results(at_once(context, claims, cell)) if row.slice]


def test_all_intervals_of_a_table_hold_together() -> None:
    chance, held, alone = np.random.default_rng(1), 0, 0
    shares = (0.1, 0.3, 0.5, 0.7, 0.9)
    for _ in range(REPEATS):
        context = drawn(shares, 20, chance)
        for claims in (1, 10):
            inside = all(
                row.low is not None
                and row.high is not None
                and row.low <= shares[int(row.slice["topic"][1:])] <= row.high
                for row in rows_at_once(context, claims)
            )
            held, alone = held + inside * (claims > 1), alone + inside * (claims == 1)
    assert held / REPEATS >= 0.95 - ERROR
    assert alone / REPEATS < 0.9  # what 95 % intervals each for itself would promise


@pytest.mark.parametrize("each", [1, 5])
def test_where_all_are_served_alike_nobody_is_said_to_be_served_worst(each: int) -> None:
    chance, said = np.random.default_rng(2), 0
    for _ in range(REPEATS):
        context = drawn([0.7] * 8, 15, chance, each=each)
        found = list(worst_served(KEPT, "kept", context, CELLS))
        said += any(one.beyond for one in found)
        assert [one.cell for one in found] == ["a", "b"]
    assert said / REPEATS <= 0.05 + ERROR


def test_a_topic_that_is_served_far_worse_is_named_with_its_number_and_the_rest() -> None:
    context = drawn([0.8, 0.8, 0.2, 0.8], 40, np.random.default_rng(3))
    for cell in worst_served(KEPT, "kept", context, CELLS):
        (found,) = cell.named
        assert (cell.tag, found.value, cell.beyond, found.own.n) == ("topic", "t2", True, 40)
        assert found.own.low is not None
        assert found.own.high is not None
        assert found.own.low <= 0.2 <= found.own.high < 0.8
        assert found.rest == pytest.approx(0.8, abs=0.1)


def test_each_cell_says_whom_it_fails_itself() -> None:
    context = drawn([0.8] * 4, 40, np.random.default_rng(3))
    x = np.tile(np.repeat([1.0, 0.0, 1.0], [30, 10, 120]), 2)
    x[:40], x[-40:] = 0.0, 0.0  # t0 in the first cell, t3 in the second: over both, each is half as bad
    column = Column(x, np.zeros(len(x), dtype=np.uint8), ())
    context = replace(context, table=replace(context.table, values={"kept": column}))
    found = worst_served(KEPT, "kept", context, CELLS)
    assert [(one.cell, [each.value for each in one.named], one.beyond) for one in found] == [
        ("a", ["t0"], True),
        ("b", ["t3"], True),
    ]


def test_where_low_is_good_the_highest_is_served_worst() -> None:
    lower = Rate("kept", by="topic", direction="lower")
    context = drawn([0.2, 0.2, 0.8, 0.2], 40, np.random.default_rng(4))
    found = list(worst_served(lower, "kept", context, CELLS))
    assert [([each.value for each in one.named], one.beyond) for one in found] == [(["t2"], True)] * 2


@pytest.mark.parametrize(("gain", "least", "most"), [(0.0, 0.0, 0.05 + ERROR), (0.6, 0.9, 1.0)])
def test_a_cell_is_best_for_a_topic_beyond_chance_only_where_it_is(
    gain: float, least: float, most: float
) -> None:
    chance, said = np.random.default_rng(5), 0
    for _ in range(REPEATS // 2):
        context = drawn([0.3] * 6, 25, chance, gain=gain)
        (measure,) = [one for one in KEPT.measures() if one.name == "kept"]
        found = list(best_cells(measure, context, CELLS))
        assert [one.value for one in found] == [f"t{i}" for i in range(6)]
        said += any(one.beyond for one in found)
        assert not gain or all(one.cell == "b" for one in found if one.beyond)
    assert least <= said / (REPEATS // 2) <= most


@pytest.mark.parametrize("kind", ["alike", "spread", "few far below"])
@pytest.mark.parametrize(("groups", "each"), [(20, 10), (200, 5), (50, 40)])
def test_the_worst_tenth_is_told_by_answers_that_did_not_choose_it(groups: int, each: int, kind: str) -> None:
    chance, held, excess = np.random.default_rng(6), 0, 0.0
    rank = -(-groups // 10)
    for _ in range(REPEATS):
        truth = {
            "alike": np.full(groups, 0.6),
            "spread": chance.beta(3, 2, groups),
            "few far below": np.where(np.arange(groups) < rank, 0.1, 0.8),
        }[kind]
        x = np.asarray(chance.random((groups, each)) < truth[:, None], dtype=np.float64)
        codes = np.repeat(np.arange(groups), each)
        found = worst_tenth(x.reshape(-1), codes, lower=False, binary=True, limits=(0.0, 1.0))
        first, second = (np.argsort(x[:, half::2].mean(1), kind="stable")[:rank] for half in (0, 1))
        counted = np.concatenate(
            [np.repeat(truth[first], each // 2), np.repeat(truth[second], -(-each // 2))]
        )
        held += found.low <= counted.mean() <= found.high
        excess += (found.value - float(np.sort(truth)[:rank].mean())) / REPEATS
    assert held / REPEATS >= 0.95 - ERROR
    assert excess > -0.02  # the true worst tenth is served no better


def test_where_low_is_good_the_worst_tenth_is_the_highest() -> None:
    x, codes = np.random.default_rng(7).random(200), np.repeat(np.arange(40), 5)
    found, turned = (
        worst_tenth(one, codes, lower=low, binary=False, limits=(0.0, 1.0))
        for one, low in ((x, False), (1 - x, True))
    )
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (1 - (found.value or 0), 1 - (found.high or 0), 1 - (found.low or 0))
    )


@pytest.mark.parametrize(
    ("topics", "n", "each", "names"),
    [(24, 6, 1, ["topic"]), (4, 60, 6, [""]), (24, 6, 6, ["topic"]), (19, 9, 1, []), (24, 2, 1, [])],
)
def test_a_worst_tenth_needs_twenty_groups_of_five(topics: int, n: int, each: int, names: list[str]) -> None:
    metric = Mean("kept", by="topic", range=(0.0, 1.0))
    context = drawn([0.5] * topics, n, np.random.default_rng(8), each=each)
    found = list(worst_tenths(metric.measures()[0], replace(context, cell="a")))
    assert [name for name, _ in found] == names
    assert all(0 <= (one.low or 0) <= (one.value or 0) <= (one.high or 0) <= 1 for _, one in found)


def test_a_value_of_few_samples_is_not_the_first_to_be_named_and_a_tie_has_no_best_cell() -> None:
    context = drawn([0.5] * 3, 20, np.random.default_rng(9))
    table = context.table
    codes = np.tile(np.repeat([1, 2, 3], [30, 28, 2]), 2).astype(np.uint16)
    x = np.tile(np.repeat([1.0, 0.0, 1.0, 0.0, 0.0], [20, 10, 14, 14, 2]), 2)
    column = Column(x, np.zeros(len(x), dtype=np.uint8), ())
    tags = {"topic": TagCodes(codes, ("", "many", "most", "few"))}
    context = replace(context, table=replace(table, tags=tags, values={"kept": column}))
    found, _ = worst_served(KEPT, "kept", context, CELLS)
    assert [(one.value, one.own.value) for one in found.named] == [("most", 0.5)]
    assert (found.beyond, found.few, found.values, found.n) == (False, 1, 3, (2, 30))
    cells = [(one.value, one.cell, one.beyond) for one in best_cells(KEPT.measures()[1], context, CELLS)]
    assert cells == [("few", "", False), ("many", "", False), ("most", "", False)]
