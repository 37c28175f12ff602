"""The compact task: who sees the context, in which order pairs are shown, what verdicts amount to."""

import json
from typing import Any

import pytest
from suite_contexteval import official
from suite_contexteval.pairwise import Pairwise
from suite_contexteval.parameters import PairwiseParameters

import suite

FIRST_20 = [2, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 1, 1, 2, 1, 1, 1, 2, 2, 1]


def says(label: str) -> str:
    return json.dumps({"judgement": label, "justification": "it says more."})


def prefers(text: str) -> Any:
    """A judge that looks for a text in the responses, wherever it is shown."""

    def answer(prompt: str) -> str:
        first, _, second = prompt.partition("Response 2:")
        return says("Response 1" if text in first.split("Response 1:")[1] else "Response 2")

    return answer


def task(**parameters: Any) -> Pairwise:
    return Pairwise(PairwiseParameters(**parameters))


def players(scripted: Any, judge: Any = None) -> dict[str, Any]:
    return {
        "candidate": scripted("candidate", lambda _: "the long answer of A"),
        "baseline": scripted("baseline", lambda _: "B says"),
        "judge": scripted("judge", judge or prefers("answer of A")),
    }


@pytest.mark.parametrize(
    ("setting", "responder_sees", "judge_sees"),
    [("none", False, False), ("judge", False, True), ("both", True, True)],
)
async def test_who_sees_the_context(
    data: Any, run: Any, scripted: Any, setting: str, responder_sees: bool, judge_sees: bool
) -> None:
    one = task(setting=setting, sources=["own/kitchen"])
    roles = players(scripted)
    rows, _ = await run(one, data(one), **roles)
    assert len(rows) == 6
    for role, sees in (("candidate", responder_sees), ("baseline", responder_sees), ("judge", judge_sees)):
        assert [("A: a pressure cooker" in prompt) for prompt in roles[role].asked[:1]] == [sees]
        assert all(("Follow-up questions" in prompt) is sees for prompt in roles[role].asked)


async def test_both_orders_are_one_unit(data: Any, run: Any, scripted: Any) -> None:
    one = task(sources=["own/kitchen"])
    _, scores = await run(one, data(one), **players(scripted))
    values = scores["mini_0"].values
    assert values["win"] == 1
    assert values["win_consistent"] == 1
    assert values["win_official"] is True
    assert values["longer"] is True
    assert values["words_difference"] == 3


async def test_a_judge_that_takes_the_first_decides_nothing(data: Any, run: Any, scripted: Any) -> None:
    one = task(sources=["own/kitchen"])
    _, scores = await run(one, data(one), **players(scripted, lambda _: says("Response 1")))
    values = scores["mini_0"].values
    assert values["win"] == 0.5
    assert values["win_flip_first"] == 1
    assert values["tie_official"] is True
    assert [part.values["vote"] for part in scores["mini_0"].parts if "vote" in part.values] == ["tie"]


def test_the_order_of_upstream_is_met() -> None:
    draws = [draw for draw, _ in zip(official.order_draws(), range(1881), strict=False)]
    assert draws[:20] == FIRST_20
    assert (draws.count(1), draws.count(2)) == (939, 942)


async def test_paper_shows_one_order_by_upstreams_draws(data: Any, run: Any, scripted: Any) -> None:
    one = task(orders="paper")
    roles = players(scripted)
    _, scores = await run(one, data(one), **roles)
    shown = [
        1 if prompt.index("answer of A") < prompt.index("B says") else 2 for prompt in roles["judge"].asked
    ]
    assert shown[:20] == FIRST_20
    assert len(shown) == 36  # one call a pair
    assert all(score.values["win"] == 1 for score in scores.values())


async def test_the_order_of_a_query_does_not_hang_on_which_queries_are_taken(data: Any) -> None:
    whole = {sample.id: sample.payload.draw for sample in task().samples(data(task()))}
    some = task(sources=["own/work"])
    for sample in some.samples(data(some)):
        assert sample.payload.draw == whole[sample.id]


async def test_per_judge_orders_differ_between_judges(data: Any, run: Any, scripted: Any) -> None:
    one = task(orders="per-judge")
    roles = {
        **players(scripted),
        "judge": [scripted(name, prefers("answer of A")) for name in ("judge", "judge/2")],
    }
    await run(one, data(one), **roles)
    orders = [
        [prompt.index("answer of A") < prompt.index("B says") for prompt in judge.asked]
        for judge in roles["judge"]
    ]
    assert orders[0] != orders[1]
    assert all(0 < sum(order) < 36 for order in orders)


async def test_an_unreadable_judge_leaves_the_pair_unscored(data: Any, run: Any, scripted: Any) -> None:
    one = task(sources=["own/kitchen"])
    _, scores = await run(one, data(one), **players(scripted, lambda _: "Response 1 or Response 2"))
    values = scores["mini_0"].values
    assert isinstance(values["win"], suite.Unscored)
    # upstream takes a text that names both for Response 1, here in both orders: a tie
    assert values["tie_official"] is True
    one = task(sources=["own/kitchen"], orders="paper")
    _, scores = await run(one, data(one), **players(scripted, lambda _: "Response 1 or Response 2"))
    assert scores["mini_0"].values["loss_official"] is True  # draw 2: the baseline was shown first


@pytest.mark.parametrize("text", ["", "No response. Finish Reason: Timeout."])
async def test_a_side_without_an_answer_loses_but_officially_is_judged(
    data: Any, run: Any, scripted: Any, text: str
) -> None:
    one = task(sources=["own/kitchen"], orders="paper")
    roles = {
        **players(scripted, lambda _: says("Response 1")),
        "candidate": scripted("candidate", lambda _: text),
    }
    _, scores = await run(one, data(one), **roles)
    values = scores["mini_0"].values
    assert (values["win"], values["answered"]) == (0, False)
    assert values["win_official"] is False  # draw 2: the baseline is shown first
    assert scores["mini_1"].values["win"] == 0
    assert scores["mini_1"].values["win_official"] is True  # draw 1
    (part,) = scores["mini_1"].parts
    assert part.values == {"vote_official": "candidate", "invalid_official": False}


async def test_a_side_without_any_reply_is_put_to_no_judge(data: Any, run: Any, scripted: Any) -> None:
    one = task(sources=["own/kitchen"])
    roles = {**players(scripted), "candidate": scripted("candidate", lambda _: suite.Reply("", "overflow"))}
    _, scores = await run(one, data(one), **roles)
    assert scores["mini_0"].values == {"win": 0, "answered": False}
    roles["baseline"] = scripted("baseline", lambda _: suite.Reply("", "refused"))
    _, scores = await run(one, data(one), **roles)
    assert scores["mini_0"].values == {"win": 0.5, "answered": False}
    assert roles["judge"].requests == []


async def test_a_reply_that_was_cut_is_no_verdict(data: Any, run: Any, scripted: Any) -> None:
    cut = suite.Reply('{"judgement": "Tie", "justification": "both', "length")
    one = task(sources=["own/kitchen"])
    _, scores = await run(one, data(one), **players(scripted, lambda _: cut))
    lost = suite.Unscored("too-few-verdicts", "0 of 1, at least 1 needed")
    assert scores["mini_0"].values["win"] == lost


async def test_a_panel_by_policy(data: Any, run: Any, scripted: Any) -> None:
    judges = [
        scripted("judge", prefers("answer of A")),
        scripted("judge/2", prefers("answer of A")),
        scripted("judge/3", prefers("B says")),
    ]
    for policy, win in (("majority", 1), ("unanimous", 0.5), ("mean", pytest.approx(2 / 3))):
        one = task(sources=["own/kitchen"], policy=policy)
        _, scores = await run(one, data(one), **{**players(scripted), "judge": judges})
        assert scores["mini_0"].values["win"] == win
        assert scores["mini_0"].values["agreement_official"] == pytest.approx(2 / 3)


async def test_a_query_that_spells_a_placeholder_is_left_alone(data: Any, run: Any, scripted: Any) -> None:
    row = {
        "example_id": "x_1",
        "query": "What does [RESPONSE 2] or {second} mean?",
        "context": "Q: Why? A: {query}",
    }
    one = task(setting="both")
    roles = players(scripted)
    await run(one, data(one, contexteval_contexts=[row]), **roles)
    assert row["query"] in roles["judge"].asked[0]
    assert "A: {query}" in roles["judge"].asked[0]


async def test_another_task_can_bring_its_own_queries(data: Any, run: Any, scripted: Any) -> None:
    class Letters(Pairwise):
        info = suite.TaskInfo(
            name="letters/pairwise", version=1, title="Letters", roles=Pairwise.info.roles, headline="win"
        )

        def items(self, data: suite.Data) -> Any:
            from suite_contexteval.reading import Item

            yield Item(example_id="letter_1", query="Write a letter.", context="Q: To whom? A: a landlord")

    one = Letters(PairwiseParameters(setting="judge"))
    roles = players(scripted)
    _, scores = await run(one, data(one), **roles)
    assert scores["letter_1"].values["win"] == 1
    assert "A: a landlord" in roles["judge"].asked[0]
