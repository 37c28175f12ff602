from typing import Any

import numpy as np
import pytest
from scipy import stats

from suite.scoring.stats.rating_intervals import (
    apathetic,
    flips_to_change_the_top,
    kendall,
    leave_one_out,
)
from suite.scoring.stats.vote_by_vote import UPDATES, predictions, prequential
from suite.scoring.stats.votes import Votes, votes_of


def golden_votes(rows: list[dict[str, str]]) -> Votes:
    return votes_of(*([row[name] for row in rows] for name in ("a", "b", "winner")))


def world(n: int = 3000, models: int = 10, gap: float = 0.4, draws: float = 0.0, seed: int = 0) -> Votes:
    """Votes of a world with known strengths: m0 is the strongest, by `gap` log units a step."""
    chance = np.random.default_rng(seed)
    a = chance.integers(0, models, n)
    b = (a + chance.integers(1, models, n)) % models
    won = chance.random(n) < 1 / (1 + np.exp(gap * (a - b)))
    outcome = np.where(chance.random(n) < draws, "tie", np.where(won, "a", "b"))
    return votes_of([f"m{i}" for i in a], [f"m{i}" for i in b], outcome.tolist())


def test_careless_votes_meet_the_golden_shifts(rows: list[dict[str, str]], golden: dict[str, Any]) -> None:
    found = apathetic(golden_votes(rows), (0.1, 0.3), repeats=200, seed=1)
    for one, row in zip(found, golden["ratings"]["apathetic"], strict=True):
        assert one.mean_largest == pytest.approx(row["mean_max_rank_shift"], abs=0.15)
        assert one.changed == pytest.approx(row["share_changed"], abs=0.12)
        assert one.largest in (row["max_rank_shift"], row["max_rank_shift"] + 1)


def test_no_bad_votes_change_nothing_and_only_bad_votes_leave_nothing() -> None:
    none, all_ = apathetic(world(), (0.0, 1.0), repeats=10)
    assert (none.mean_largest, none.changed, none.tau) == (0, 0, 1)
    assert abs(all_.tau) < 0.35
    assert apathetic(world(), (0.3,), repeats=5) == apathetic(world(), (0.3,), repeats=5)


def test_one_annotator_left_out() -> None:
    votes = world(400, 4)
    found = leave_one_out(votes, ["x" if i % 3 else "y" for i in range(votes.n)])
    assert {one.annotator for one in found} == {0, 1}
    assert sum(one.votes for one in found) == votes.n
    assert found[0].largest >= found[1].largest


def test_how_few_votes_change_the_top() -> None:
    votes = world(2000, 5, gap=0.15)
    found = flips_to_change_the_top(votes)
    assert (found.first, found.then) == ("m0", "m1")
    assert 0 < found.flips < 100
    outcome = votes.outcome.copy()
    duel = np.flatnonzero((votes.a == 0) & (votes.b == 1) & (votes.outcome == 1))
    other = np.flatnonzero((votes.a == 1) & (votes.b == 0) & (votes.outcome == -1))
    assert len(duel) + len(other) >= found.flips
    assert outcome.size == 2000
    safe = flips_to_change_the_top(votes_of(["p", "q"] * 50, ["q", "p"] * 50, ["a", "b"] * 50))
    assert (safe.flips, safe.first) == (None, "p")
    assert flips_to_change_the_top(votes_of([], [], [])) is None


def test_draws_that_say_nothing_are_better_ignored() -> None:
    votes = world(6000, 12, gap=0.3, draws=0.4)
    users = np.arange(votes.n) // 20
    for system in ("elo", "online-bt"):
        found = prequential(votes, users, system=system)
        assert set(found.accuracy) == set(UPDATES)
        assert found.decided_accuracy["decided"] >= found.decided_accuracy["all"] - 0.01
        assert (found.votes, found.users) == (5700, 285)
        assert found.gain.difference.value == pytest.approx(
            found.accuracy["decided"] - found.accuracy["all"], abs=1e-9
        )
        assert found.margins["all"] in [round(0.05 * k, 2) for k in range(1, 10)]


def test_predictions_do_not_look_ahead_and_know_no_sides() -> None:
    votes = world(200, 4, draws=0.2)
    for system in ("elo", "online-bt"):
        whole = predictions(votes, system, [True] * votes.n)
        assert whole[0] == 0.5
        early = votes.without(np.arange(votes.n) >= 100)
        assert predictions(early, system, [True] * 100) == pytest.approx(whole[:100])
        swapped = votes_of(
            [votes.models[i] for i in votes.b],
            [votes.models[i] for i in votes.a],
            [{1: "b", -1: "a", 0: "tie"}[int(one)] for one in votes.outcome],
        )
        mirrored = predictions(swapped, system, [True] * votes.n)
        expected = 1 - whole if system == "elo" else pytest.approx(1 - whole, abs=0.01)
        assert mirrored == pytest.approx(expected) if system == "elo" else mirrored == expected


def test_elo_predicts_as_by_hand() -> None:
    votes = votes_of(["p", "q"], ["q", "p"], ["a", "a"])
    first = 1500 + 96 * 0.5
    second = 1 / (1 + 10 ** ((first - (3000 - first)) / 400))
    assert predictions(votes, "elo", [True, True]) == pytest.approx([0.5, second])
    assert predictions(votes, "elo", [False, True]) == pytest.approx([0.5, 0.5])


def test_online_steps_as_by_hand() -> None:
    votes = votes_of(["p", "p"], ["q", "q"], ["a", "a"])
    x = 0.05 * 0.5
    assert predictions(votes, "online-bt", [True, True])[1] == pytest.approx(1 / (1 + np.exp(-2 * x)))
    drawn = votes_of(["p", "p"], ["q", "q"], ["tie", "a"])
    assert abs(predictions(drawn, "online-bt", [True, True])[1] - 0.5) < 0.01


def test_little_to_predict_never_raises() -> None:
    for votes in (votes_of([], [], []), votes_of(["p"], ["q"], ["tie"])):
        found = prequential(votes)
        assert found.decided_accuracy["all"] is None


@pytest.mark.parametrize("models", [3, 300, 400])
def test_the_rank_correlation_equals_scipy(models: int) -> None:
    chance = np.random.default_rng(0)
    x, y = chance.integers(0, 20, models).astype(float), chance.integers(0, 20, models).astype(float)
    assert kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, rel=1e-9, abs=1e-12)
    assert kendall(x[:2], y[:2]) is None
    assert kendall(x, np.ones(models)) is None
