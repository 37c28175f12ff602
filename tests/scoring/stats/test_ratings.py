import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from hypothesis.strategies._internal.random import ArtificialRandom

from suite.errors import ConfigError
from suite.scoring.stats.bradley_terry import bradley_terry, ranks_of, strengths_with_draws
from suite.scoring.stats.rating_intervals import rank_intervals, rating_intervals
from suite.scoring.stats.style_control import SIDE, style_controlled
from suite.scoring.stats.vote_by_vote import elo_over_orders
from suite.scoring.stats.votes import Votes, tally, votes_of


def votes_in(rows: list[dict[str, str]], prompts: bool = True) -> Votes:
    a, b, winners = ([row[name] for row in rows] for name in ("a", "b", "winner"))
    return votes_of(a, b, winners, [row["prompt"] for row in rows] if prompts else None)


def played(*games: str, prompts: list[str] | None = None) -> Votes:
    """Games "p>q" or "p=q"."""
    split = [(game[0], game[2], "a" if game[1] == ">" else "tie") for game in games]
    a, b, winners = ([row[i] for row in split] for i in range(3))
    return votes_of(a, b, winners, prompts)


def close(values: Sequence[float | None], within: float = 1e-5) -> Any:
    return pytest.approx(list(values), abs=within)


@pytest.mark.parametrize(
    ("policy", "key"), [("half", "evalica_log_scores_half"), ("drop", "evalica_log_scores_drop_ties")]
)
def test_ratings_meet_the_golden_values(
    rows: list[dict[str, str]], golden: dict[str, Any], policy: Any, key: str
) -> None:
    row = golden["ratings"]
    votes = votes_in(rows)
    assert (votes.models, votes.n, sum(votes.draws.values())) == (tuple(row["models"]), 300, row["ties"])
    found = bradley_terry(votes, policy)
    assert found.log_scores == close(row[key])
    assert found.ratings == close(row[key.replace("evalica_log_scores", "elo_scaled")], within=2e-3)
    assert (found.note, set(found.regularised), all(found.ranked)) == ("", {False}, True)
    if policy == "half":
        assert ranks_of(found.log_scores, found.ranked) == row["prompt_bootstrap"]["rank_point"]


def test_draws_can_be_an_outcome_of_their_own(rows: list[dict[str, str]], golden: dict[str, Any]) -> None:
    row = golden["ratings"]["davidson_mle"]
    found = bradley_terry(votes_in(rows), "davidson")
    assert found.log_scores == close(row["log_scores_centred"])
    drawn = strengths_with_draws(tally(votes_in(rows)))
    assert drawn is not None and math.exp(drawn[1]) == pytest.approx(row["nu"], abs=1e-5)


def test_separated_votes_get_the_regularised_fit(given: dict[str, Any], golden: dict[str, Any]) -> None:
    case, row = given["separated"], golden["ratings"]["separated"]
    found = bradley_terry(votes_of(case["a"], case["b"], case["winner"]))
    assert found.log_scores == close(row["map_phantom_log_scores"])
    assert set(found.regularised) == {True}
    assert "regularised" in found.note


def test_a_model_that_wins_every_vote_comes_first() -> None:
    found = bradley_terry(played(*["p>q"] * 9, "q>r", "r>q"))
    assert found.log_scores[0] > found.log_scores[1]
    assert all(math.isfinite(score) for score in found.log_scores)


def test_a_long_chain_is_fitted_to_the_end() -> None:
    games = [f"{a}>{b}" for a, b in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True)]
    wins = [game for game in games for _ in range(3)] + [f"{game[2]}>{game[0]}" for game in games]
    scores = bradley_terry(played(*wins)).log_scores
    assert scores[0] - scores[-1] == pytest.approx(19 * math.log(3), abs=1e-4)  # 100 rounds stop at 19.93


def test_models_that_never_met_have_no_common_scale() -> None:
    found = bradley_terry(played("p>q", "q>p", "r>s", "s>r"), "half")
    assert found.boards == ((0, 1), (2, 3))
    assert "2 groups of models never met" in found.note
    intervals = rating_intervals(played("p>q", "q>p", "r>s", "s>r", prompts=list("abab")), rounds=50)
    assert intervals.difference("p", "r").value is None
    assert intervals.difference("p", "q").value == pytest.approx(0, abs=1e-6)


def test_dropping_draws_may_split_the_board() -> None:
    votes = played("p=q", "p>r", "r>p", "q=p")
    assert len(bradley_terry(votes, "half").boards) == 1
    found = bradley_terry(votes, "drop")
    assert found.log_scores[1] is None
    assert found.ratings[1] is None


@pytest.mark.parametrize("policy", ["half", "davidson"])
def test_all_draws_leave_everybody_equal(policy: Any) -> None:
    found = bradley_terry(played("p=q", "q=r", "r=p"), policy)
    assert found.log_scores == close([0, 0, 0])
    assert all(math.isfinite(one) for one in found.ratings)


def test_a_lead_that_only_draws_bound_is_regularised() -> None:
    found = bradley_terry(played("p>q", "p=q"), "davidson")  # the maximum lies at an infinite gap and nu
    assert (set(found.regularised), found.log_scores[0] > found.log_scores[1]) == ({True}, True)
    assert all(math.isfinite(one) for one in found.log_scores)


def test_all_draws_dropped_leave_nothing() -> None:
    found = bradley_terry(played("p=q", "q=r"), "drop")
    assert found.log_scores == (None, None, None)
    ranks = rank_intervals(rating_intervals(played("p=q", "q=r"), "drop", rounds=5))
    assert {rank.point for rank in ranks} == {None}


@pytest.mark.parametrize("votes", [votes_of([], [], []), votes_of(["p"], ["p"], ["a"]), played("p>q")])
def test_hardly_any_votes_never_raise(votes: Votes) -> None:
    for policy in ("half", "drop", "davidson"):
        found = rating_intervals(votes, policy, rounds=3)
        assert len(found.estimates) == len(votes.models)
        assert "too few models or prompts" in found.point.note
        assert not any(found.point.ranked)
        assert len(rank_intervals(found)) == len(votes.models)


def test_what_is_no_vote_is_counted_and_never_a_tie() -> None:
    votes = votes_of(["p", "p", "q"], ["q", "p", "p"], ["a", "b", None])
    assert (votes.n, votes.self_pairs, votes.unscored) == (1, 1, 1)
    with pytest.raises(KeyError):
        votes_of(["p"], ["q"], ["invalid"])


def test_kinds_of_draws_are_kept_apart() -> None:
    votes = votes_of(["p"] * 3, ["q"] * 3, ["tie", "both-bad", "both-good"])
    assert votes.draws == {"tie": 1, "both-good": 1, "both-bad": 1}


def test_intervals_meet_the_golden_values(rows: list[dict[str, str]], golden: dict[str, Any]) -> None:
    row = golden["ratings"]["prompt_bootstrap"]
    found = rating_intervals(votes_in(rows), rounds=500, seed=20250101)
    points = 400 / math.log(10)
    se = np.nanstd(found.replicates, axis=0, ddof=1) / points
    assert se == close(row["se_log"], within=0.02)
    assert [one.low for one in found.estimates] == close(row["lower"], within=0.02 * points)
    assert [one.high for one in found.estimates] == close(row["upper"], within=0.02 * points)
    ranks = rank_intervals(found)
    assert [rank.point for rank in ranks] == row["rank_point"]
    assert [[rank.low, rank.high] for rank in ranks] == row["rank_interval"]
    assert [rank.arena for rank in ranks] == row["rank_upper_bound_arena"]


def test_a_difference_has_its_own_interval(rows: list[dict[str, str]]) -> None:
    found = rating_intervals(votes_in(rows), rounds=200)
    gap = found.difference("alpha", "bravo")
    assert gap.value == pytest.approx(found.point.ratings[0] - found.point.ratings[1])
    assert gap.low < gap.value < gap.high
    back = found.difference("bravo", "alpha")
    assert (back.low, back.high) == (pytest.approx(-gap.high), pytest.approx(-gap.low))


def test_the_sandwich_meets_the_golden_errors(rows: list[dict[str, str]], golden: dict[str, Any]) -> None:
    row = golden["ratings"]
    whole = style_controlled(votes_in(rows), {})
    assert whole.log_scores == close(row["evalica_log_scores_half"])
    assert whole.errors == close(row["glm_cluster_se_centred"], within=1e-6)
    alone = style_controlled(votes_in(rows, prompts=False), {})
    assert alone.errors == close(row["glm_hc0_se_centred"], within=1e-6)


def test_style_control_meets_the_golden_values(rows: list[dict[str, str]], golden: dict[str, Any]) -> None:
    row = golden["ratings"]["style_controlled"]
    found = style_controlled(votes_in(rows), {"length": [float(one["len_diff"]) for one in rows]})
    assert found.log_scores == close(row["log_scores_centred"])
    length = found.coefficients["length"]
    assert length.value == pytest.approx(row["length_coef"], abs=1e-5)
    assert (length.high - length.low) / 2 / 1.959964 == pytest.approx(row["length_se_cluster"], abs=1e-5)
    assert ranks_of(found.log_scores, [True] * 5) == [1, 2, 3, 5, 4]  # charlie passes echo


def test_the_side_shown_first_can_have_an_effect(rows: list[dict[str, str]]) -> None:
    plain = votes_in(rows)
    found = style_controlled(plain, {}, side=True)
    assert abs(found.coefficients[SIDE].value) < 0.5
    names = [plain.models[i] for i in plain.a], [plain.models[i] for i in plain.b]
    always = votes_of(*names, ["a" if i % 8 else "b" for i in range(plain.n)])
    effect = style_controlled(always, {}, side=True).coefficients[SIDE]
    assert effect.value == pytest.approx(math.log(7), abs=0.3)
    with pytest.raises(ConfigError):
        style_controlled(plain, {SIDE: [0.0] * plain.n})


def test_style_that_cannot_be_told_from_strength_has_no_fit() -> None:
    votes = played(*["p>q"] * 8, *["q>p"] * 4, *["q>r"] * 4, *["r>q"] * 3)
    longest = (votes.b - votes.a).tolist()  # p is always longer than q, q than r
    found = style_controlled(votes, {"length": longest})
    assert (found.log_scores[0], found.coefficients["length"].value) == (None, None)
    assert "cannot be told apart" in found.note
    flat = style_controlled(votes, {"length": [3.0] * votes.n})
    assert flat.coefficients["length"].value is None
    assert "no variation" in flat.note
    assert flat.log_scores == close(bradley_terry(votes).log_scores)
    some = style_controlled(votes, {"length": [None, *np.linspace(-1, 1, votes.n - 1)]})
    assert some.missing == 1
    assert style_controlled(votes_of([], [], []), {}).log_scores == ()


def test_elo_meets_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    case, row = given["online"], golden["online"]
    votes = votes_of(case["a"], case["b"], case["winner"])
    assert elo_over_orders(votes, k=4.0, orders=2, seed=1).given == close(row["elo_k4"], within=1e-9)
    found = elo_over_orders(votes, orders=200, seed=1)
    assert found.given == close(row["elo_k32"], within=1e-9)
    assert found.backwards == close(row["elo_k32_reversed"], within=1e-9)
    assert found.mean == close(row["elo_k32_mean_of_200_orders"], within=1.0)
    assert found.sd == close(row["elo_k32_sd_over_orders"], within=0.6)
    assert all(low <= high for low, high in found.ranks)


some_votes = st.lists(
    st.tuples(st.sampled_from("pqrs"), st.sampled_from("pqrs"), st.sampled_from(["a", "b", "tie"])),
    min_size=1,
    max_size=25,
)
SWAPPED = {"a": "b", "b": "a", "tie": "tie"}


def scores(votes: Votes, policy: Any) -> list[float]:
    return [math.nan if one is None else one for one in bradley_terry(votes, policy).log_scores]


@forall(some_votes, st.sampled_from(["half", "drop", "davidson"]), st.randoms())
def test_order_and_sides_of_votes_do_not_matter(
    games: list[tuple[str, str, str]], policy: Any, random: ArtificialRandom
) -> None:
    plain = scores(votes_of(*zip(*games, strict=True)), policy)
    assert all(math.isnan(one) or math.isfinite(one) for one in plain)
    shuffled = random.sample(games, len(games))
    assert scores(votes_of(*zip(*shuffled, strict=True)), policy) == pytest.approx(
        plain, abs=1e-4, nan_ok=True
    )
    swapped = [(b, a, SWAPPED[winner]) for a, b, winner in games]
    assert scores(votes_of(*zip(*swapped, strict=True)), policy) == pytest.approx(
        plain, abs=1e-4, nan_ok=True
    )


@forall(some_votes)
def test_doubling_every_vote_changes_only_regularised_ratings(games: list[tuple[str, str, str]]) -> None:
    one = bradley_terry(votes_of(*zip(*games, strict=True)))
    two = bradley_terry(votes_of(*zip(*(games * 2), strict=True)))
    for x, y, pulled in zip(one.log_scores, two.log_scores, one.regularised, strict=True):
        if x is not None and not pulled:
            assert y == pytest.approx(x, abs=1e-4)


def test_ratings_without_draws_agree_with_choix(rows: list[dict[str, str]], golden: dict[str, Any]) -> None:
    choix = pytest.importorskip("choix")
    votes = votes_in(rows)
    wins = [(a, b) if o > 0 else (b, a) for a, b, o in zip(votes.a, votes.b, votes.outcome, strict=True) if o]
    oracle = choix.ilsr_pairwise(5, wins)
    assert bradley_terry(votes, "drop").log_scores == close(oracle - oracle.mean())
