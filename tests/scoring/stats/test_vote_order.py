"""Names, order of votes and sides change nothing about a rating or a rank, and equals are treated alike."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.scoring.stats.rating_intervals import RatingIntervals, apathetic, rank_intervals, rating_intervals
from suite.scoring.stats.vote_by_vote import elo_over_orders
from suite.scoring.stats.votes import Votes, canonical, votes_of

MODELS = "pqrst"
OTHER = {"a": "b", "b": "a"}
votes = st.lists(
    st.tuples(st.permutations(MODELS), st.sampled_from(["a", "b", "tie", "both-bad"])),
    min_size=1,
    max_size=25,
)


def voted(rows: Sequence[tuple[str, str, str]], prompts: Sequence[str] | None) -> Votes:
    one, other, winners = zip(*rows, strict=True)
    return votes_of(one, other, winners, prompts)


@st.composite
def logs(draw: Callable[..., Any]) -> tuple[Votes, Votes, dict[str, str]]:
    """The same votes twice: as drawn, and with other names, another order and some sides swapped."""
    rows = [(names[0], names[1], winner) for names, winner in draw(votes)]
    label = st.one_of(st.none(), st.just(["one", "two", "three"]))
    prompts = draw(label)
    labelled = [None if prompts is None else draw(st.sampled_from(prompts)) for _ in rows]
    renamed = dict(zip(MODELS, draw(st.permutations("vwxyz")), strict=True))
    swapped = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    order = draw(st.permutations(range(len(rows))))
    other = []
    for i in order:
        a, b, winner = rows[i]
        a, b = renamed[a], renamed[b]
        other.append((b, a, OTHER.get(winner, winner)) if swapped[i] else (a, b, winner))
    again = [labelled[i] for i in order]
    return (
        voted(rows, None if prompts is None else labelled),
        voted(other, None if prompts is None else again),
        renamed,
    )


def told(found: RatingIntervals, votes: Votes, renamed: dict[str, str]) -> dict[str, Any]:
    """Everything that is printed of a model, under its name."""
    ranks = rank_intervals(found)
    return {
        renamed[name]: (one.value, one.low, one.high, one.note, rank.point, rank.low, rank.high, rank.arena)
        for name, one, rank in zip(votes.models, found.estimates, ranks, strict=True)
    }


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        x == (y if isinstance(y, str | None) else pytest.approx(y, abs=1e-4))
        for name in one
        for x, y in zip(one[name], other[name], strict=True)
    )


@given(logs(), st.sampled_from(["half", "drop", "davidson"]))
@settings(max_examples=25)
def test_names_order_and_sides_change_no_rating_interval_or_rank(
    pair: tuple[Votes, Votes, dict[str, str]], policy: Any
) -> None:
    one, other, renamed = pair
    first = told(rating_intervals(one, policy, rounds=12), one, renamed)
    second = told(rating_intervals(other, policy, rounds=12), other, {name: name for name in other.models})
    assert same(first, second)


@given(logs())
@settings(max_examples=15)
def test_nor_elo_over_orders_nor_careless_votes(pair: tuple[Votes, Votes, dict[str, str]]) -> None:
    one, other, renamed = pair
    first, second = elo_over_orders(one, orders=5), elo_over_orders(other, orders=5)
    place = {name: i for i, name in enumerate(other.models)}
    there = [place[renamed[name]] for name in one.models]
    assert first.mean == pytest.approx(second.mean[there])
    assert first.low == pytest.approx(second.low[there])
    assert [second.ranks[i] for i in there] == list(first.ranks)
    assert apathetic(one, repeats=3) == pytest.approx(apathetic(other, repeats=3))


def test_equal_models_are_told_apart_by_the_prompts_they_met_on() -> None:
    one = votes_of(["p", "r"], ["r", "q"], ["b", "a"], ["first", "second"])
    other = votes_of(["w", "x"], ["x", "v"], ["b", "a"], ["first", "second"])
    assert apathetic(one, repeats=3) == pytest.approx(apathetic(other, repeats=3))


def test_equal_models_have_equal_intervals_that_contain_their_rank() -> None:
    pairs = [(a, b) for a, b in itertools.permutations("pqrs", 2) for _ in range(6)]
    found = votes_of([a for a, _ in pairs], [b for _, b in pairs], ["a"] * len(pairs))
    intervals = rating_intervals(found, rounds=40)
    assert len({(one.value, one.low, one.high) for one in intervals.estimates}) == 1
    assert {(rank.low, rank.high) for rank in rank_intervals(intervals)} <= {(None, None), (1, 4)}


@pytest.mark.parametrize("winner", ["tie", "a"])
def test_an_interval_of_ranks_holds_the_rank(winner: str) -> None:
    rng = np.random.default_rng(3)
    names = "pqrstu"
    drawn = [rng.choice(6, 2, replace=False) for _ in range(200)]
    found = votes_of(
        [names[i] for i, _ in drawn],
        [names[j] for _, j in drawn],
        [winner if i < j else "b" if winner == "a" else winner for i, j in drawn],
        [f"q{n % 40}" for n in range(200)],
    )
    for rank in rank_intervals(rating_intervals(found, rounds=40)):
        assert rank.low <= rank.point <= rank.high


def test_models_are_told_apart_by_their_votes_alone() -> None:
    found = canonical(votes_of(list("pqr"), list("qrp"), ["a", "a", "a"]))  # a circle: all alike
    assert len(set(found.kinds.tolist())) == 1
    found = canonical(votes_of(list("ppq"), list("qrr"), ["a", "a", "tie"]))
    assert [len(found.like(i)) for i in range(3)] == [1, 2, 2]
    assert sorted(found.places.tolist()) == [0, 1, 2]
