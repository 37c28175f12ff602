"""Pairs in both orders, panels, style: position bias is seen and never a win."""

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from suite.chat import Reply, Request, user
from suite.errors import CallFailed, ConfigError
from suite.scoring.bias import style, style_difference
from suite.scoring.pair_verdicts import PanelResult, compare_pair, panel_label, panel_score, vote_agreement
from suite.task import Unscored

Make = Callable[..., Any]


def render(one: str, two: str) -> list[Any]:
    return [user(f"1: {one}\n2: {two}\nWhich?")]


def shown(request: Request) -> tuple[str, str]:
    found = re.search(r"1: (.*)\n2: (.*)\n", request.messages[0].content)
    assert found
    return found[1], found[2]


def prefers(name: str) -> Callable[[Request], str]:
    return lambda request: f"Choose {shown(request).index(name) + 1}"


UNPARSED = Unscored("unparsed", "it does not say which one to choose")


@pytest.mark.parametrize(
    ("answer", "rule", "score", "consistent", "flip"),
    [
        (prefers("good"), "mean", 1.0, True, ""),
        (prefers("bad"), "mean", 0.0, True, ""),
        ("Choose 1", "mean", 0.5, False, "first"),
        ("Choose 2", "mean", 0.5, False, "second"),
        ("Tie", "mean", 0.5, True, ""),
        (["Choose 1", "Tie"], "mean", 0.75, False, ""),
        (["Choose 1", "Tie"], "agree", 0.5, False, ""),
        (["Tie", "Choose 1"], "mean", 0.25, False, ""),
        (prefers("good"), "agree", 1.0, True, ""),
        ("Choose 3", "mean", Unscored("unparsed", "there is no number 3"), None, ""),
    ],
)
async def test_both_orders_make_one_score(
    scripted: Make, answer: Any, rule: Any, score: Any, consistent: Any, flip: str
) -> None:
    judge = scripted(answer)
    pair = await compare_pair(judge, render, "good", "bad", ties=rule, retries=0)
    assert (pair.score, pair.consistent, pair.flip) == (score, consistent, flip)
    assert [shown(request) for request in judge.requests] == [("good", "bad"), ("bad", "good")]
    assert pair.values() == {
        "win": score,
        "win_consistent": consistent,
        "win_flip_first": None if consistent is None else flip == "first",
        "win_flip_second": None if consistent is None else flip == "second",
    }


async def test_one_order_without_a_verdict_leaves_the_pair_unscored(scripted: Make) -> None:
    judge = scripted(["Choose 1", "hm", "well"])
    pair = await compare_pair(judge, render, "good", "bad", retries=1)
    assert pair.score == UNPARSED
    first, second = pair.parts()
    assert (first.id, first.tags) == (
        "judge/first-second",
        {"judge": "judge", "order": "first-second"},
    )
    assert (first.values["win"], first.values["first_slot"]) == (1.0, True)
    assert (second.values["win"], second.values["first_slot"]) == (UNPARSED, UNPARSED)
    assert (second.values["judge_attempts"], second.values["judge_unparsed"]) == (2, True)


async def test_a_tie_has_no_first_slot(scripted: Make) -> None:
    pair = await compare_pair(scripted("Tie"), render, "a", "b", orders="fixed")
    assert [part.values["first_slot"] for part in pair.parts()] == [None]


async def test_one_order_has_no_consistency(scripted: Make) -> None:
    pair = await compare_pair(scripted("Choose 2"), render, "a", "b", orders="fixed")
    assert (pair.score, pair.consistent, len(pair.asked)) == (0.0, None, 1)


async def test_a_random_order_is_drawn_from_what_is_passed(scripted: Make) -> None:
    seen = set()
    for seed in range(20):
        judge = scripted(prefers("a"))
        pair = await compare_pair(
            judge, render, "a", "b", orders="random", chance=random.Random(seed), retries=0
        )
        assert pair.score == 1.0
        seen.add(shown(judge.requests[0]))
    assert seen == {("a", "b"), ("b", "a")}
    with pytest.raises(ConfigError):
        await compare_pair(scripted("x"), render, "a", "b", orders="random")


async def test_a_failed_call_leaves_nothing_of_the_pair(scripted: Make) -> None:
    def fail_swapped(request: Request) -> str:
        if shown(request) == ("b", "a"):
            raise CallFailed("timeout", "", retryable=True)
        return "Choose 1"

    with pytest.raises(CallFailed):
        await compare_pair(scripted(fail_swapped), render, "a", "b")


NOPE = Unscored("unparsed")


@pytest.mark.parametrize(
    ("votes", "majority", "unanimous", "mean"),
    [
        ([1, 1, 0], 1.0, 0.5, 2 / 3),
        ([1, 0], 0.5, 0.5, 0.5),
        ([0, 0, 0], 0.0, 0.0, 0.0),
        ([0.75, 1, 0.25], 1.0, 0.5, 2 / 3),
        ([1, 1, 0, 0, 0.5], 0.5, 0.5, 0.5),  # 2-2-1: no strict majority
        ([0.5, 0.5, 1], 0.5, 0.5, 2 / 3),
        ([1, 1, NOPE], 1.0, 1.0, 1.0),
        ([1, NOPE, NOPE], "few", "few", "few"),
        ([], "few", "few", "few"),
    ],
)
def test_panel_policies(votes: list[Any], majority: Any, unanimous: Any, mean: Any) -> None:
    found = [panel_score(votes, policy) for policy in ("majority", "unanimous", "mean")]
    few = [isinstance(one, Unscored) and one.reason == "too-few-verdicts" for one in found]
    if majority == "few":
        assert few == [True, True, True]
    else:
        assert found == pytest.approx([majority, unanimous, mean])


def test_the_minimum_of_valid_votes_can_be_said() -> None:
    assert panel_score([1, NOPE, NOPE], minimum=1) == 1.0
    few = Unscored("too-few-verdicts", "2 of 3, at least 3 needed")
    assert panel_score([1, 1, NOPE], minimum=3) == few


def test_labels_by_majority() -> None:
    assert panel_label(["a", "a", "b"]) == "a"
    assert panel_label(["a", "b"]) == Unscored("undecided")
    assert panel_label(["a", "b"], undecided="tie") == "tie"
    assert panel_label([True, True, True], "unanimous") is True
    assert panel_label([True, False, True], "unanimous", undecided=False) is False


def test_agreement_of_votes_is_the_share_of_equal_pairs() -> None:
    assert vote_agreement([1, 1, 0]) == pytest.approx(1 / 3)
    assert vote_agreement([1, NOPE, 1]) == 1.0
    assert vote_agreement([1, NOPE]) is None


async def panel_of(judges: list[Any], first: str, second: str) -> PanelResult:
    pairs = tuple([await compare_pair(one, render, first, second) for one in judges])
    return PanelResult(panel_score([one.score for one in pairs]), pairs)


async def test_a_panel_keeps_every_judges_orders(scripted: Make) -> None:
    judges = [
        scripted(prefers("good"), member="judge"),
        scripted("Choose 1", member="judge/2"),
        scripted(prefers("good"), member="judge/3"),
    ]
    panel = await panel_of(judges, "good", "bad")
    assert panel.values() == {
        "win": 1.0,
        "win_agreement": pytest.approx(1 / 3),
        "win_consistent": pytest.approx(2 / 3),
        "win_flip_first": pytest.approx(1 / 3),
        "win_flip_second": 0.0,
    }
    assert [part.id for part in panel.parts()] == [
        f"{judge}{order}"
        for judge in ("judge", "judge/2", "judge/3")
        for order in ("", "/first-second", "/second-first")
    ]
    votes = [part.values["vote"] for part in panel.parts() if "vote" in part.values]
    assert votes == [1.0, 0.5, 1.0]


async def test_all_judges_lost(scripted: Make) -> None:
    panel = await panel_of([scripted(lambda _: Reply("", finish="refused"))], "a", "b")
    assert isinstance(panel.score, Unscored)
    assert panel.values()["win_consistent"] is None


def test_style_is_counted() -> None:
    text = "# Head\n\n- one **two**\n- three\n1. four\n\n```py\n# no\n```\n"
    assert style(text) == {
        "characters": len(text),
        "words": 13,
        "headings": 2,  # the comment in the code counts as one: a description, no parser
        "list_items": 3,
        "bold": 1,
        "code_blocks": 1,
    }
    assert style_difference("abc", "a")["characters_difference"] == 2.0
