import math
from collections.abc import Callable
from typing import Any

import evalica
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from suite.scoring.stats.bradley_terry import (
    bradley_terry,
    fit_board,
    strengths,
    strengths_with_draws,
    strongly_connected,
)
from suite.scoring.stats.rating_intervals import rating_intervals
from suite.scoring.stats.votes import Tally, votes_of


def tally(wins: npt.NDArray[np.float64], ties: None = None) -> Tally:
    wins = np.array(wins, dtype=float)
    return Tally(wins, np.zeros_like(wins) if ties is None else np.array(ties, dtype=float))


def ladder(models: int, won: float, lost: int = 1) -> Tally:
    wins = np.zeros((models, models))
    for i in range(models - 1):
        wins[i, i + 1], wins[i + 1, i] = won, lost
    return tally(wins)


@pytest.mark.parametrize(("models", "won"), [(10, 20), (8, 50), (30, 1e6), (200, 20), (3, 1e9)])
def test_a_ladder_has_its_closed_form(models: int, won: float) -> None:
    gaps = -np.diff(strengths(ladder(models, won)))
    assert gaps == pytest.approx(np.full(models - 1, math.log(won)), rel=1e-9)


def test_one_upset_in_a_separated_field_is_the_maximum() -> None:
    wins = np.triu(np.full((16, 16), 8.0), 1)
    wins[15, 0] = 1
    found = strengths(tally(wins))
    expected = 1 / (1 + np.exp(found[None, :] - found[:, None]))
    missing = wins.sum(axis=1) - ((wins + wins.T) * expected).sum(
        axis=1
    )  # wins are as expected at the maximum
    assert missing == pytest.approx(np.zeros(16), abs=1e-9)


@st.composite
def tallies(draw: Callable[..., Any]) -> Tally:
    k = draw(st.integers(2, 6))
    cells = st.lists(st.integers(0, 5), min_size=k * k, max_size=k * k)
    scale = draw(st.sampled_from([1e-4, 1.0, 1e4]))
    wins = np.array(draw(cells), dtype=float).reshape(k, k) * scale
    np.fill_diagonal(wins, 0)
    half = np.triu(np.array(draw(cells), dtype=float).reshape(k, k), 1) * scale
    return Tally(wins, half + half.T)


@given(tallies())
@settings(max_examples=60)
def test_it_is_where_a_general_optimiser_ends(counted: Tally) -> None:
    assume(strongly_connected(counted.wins > 0))
    k, size = len(counted.wins), counted.wins.max()

    def loss(at: npt.NDArray[np.float64]) -> float:
        gap = at[:, None] - at[None, :]
        return float((counted.wins * np.logaddexp(0, -gap)).sum() / size)

    best = minimize(loss, np.zeros(k), method="BFGS", options={"gtol": 1e-10}).x
    assert strengths(counted) == pytest.approx(best - best.mean(), abs=1e-5)
    if not counted.ties.any():
        return

    def loss_with_draws(at: npt.NDArray[np.float64]) -> float:
        half = (at[:k, None] - at[None, :k]) / 2
        total = np.logaddexp(np.logaddexp(half, -half), at[k])
        value = (counted.wins * (half - total)).sum() + (counted.ties * (at[k] - total)).sum() / 2
        return float(-value / size)

    best = minimize(loss_with_draws, np.zeros(k + 1), method="BFGS", options={"gtol": 1e-10}).x
    found, nu = strengths_with_draws(counted)
    assert found == pytest.approx(best[:k] - best[:k].mean(), abs=1e-4)
    assert nu == pytest.approx(best[k], abs=1e-4)


def test_it_agrees_with_evalica_on_ordinary_votes(rows: list[dict[str, str]]) -> None:
    winner = {"a": evalica.Winner.X, "b": evalica.Winner.Y}
    a, b = ([row[name] for row in rows] for name in ("a", "b"))
    outcomes = [winner.get(row["winner"], evalica.Winner.Draw) for row in rows]
    theirs = evalica.bradley_terry(a, b, outcomes, tolerance=1e-12, limit=10_000).scores
    logs = np.log(theirs.sort_index().to_numpy())
    votes = votes_of(a, b, [row["winner"] for row in rows])
    assert bradley_terry(votes).log_scores == pytest.approx(tuple(logs - logs.mean()), abs=1e-6)


@given(tallies(), st.sampled_from(["half", "drop", "davidson"]))
def test_every_tally_has_a_fit(counted: Tally, policy: Any) -> None:
    found = fit_board(counted, policy)
    assert np.isfinite(found.log_scores).all()
    if policy == "half":
        assert found.regularised != strongly_connected(counted.half() > 0)


def test_separated_votes_have_no_maximum() -> None:
    assert strengths(tally(np.triu(np.ones((4, 4)), 1))) is None


def test_no_resample_of_a_nearly_separated_log_is_lost() -> None:
    a, b = [], []
    for i in range(9):
        a += [f"v{i + 1}"] * 20 + [f"v{i}"]
        b += [f"v{i}"] * 20 + [f"v{i + 1}"]
    found = rating_intervals(votes_of(a, b, ["a"] * len(a)), rounds=50)
    assert not np.isnan(found.replicates).any()
    assert 0 < found.fallbacks <= 50
    assert f"{found.fallbacks} of 50 resamples regularised" in found.estimates[0].note
