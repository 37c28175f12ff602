"""Selection by attribute and the two analyses of one model."""

import json
from itertools import pairwise
from typing import Any

import pytest
from suite_contexteval.adapted import Adapted
from suite_contexteval.default_bias import Default
from suite_contexteval.parameters import AdaptedParameters, DefaultParameters, Step
from suite_contexteval.selection import Select

import suite


def rates(values: dict[str, int]) -> Any:
    return lambda _: json.dumps({answer: {"relevance": value} for answer, value in values.items()})


BUDGET = {"nearly none": 1, "an average sum": 4, "plenty": 5}


async def test_select_keeps_what_suits_in_all_three(data: Any, run: Any, scripted: Any) -> None:
    task = Select(Step())
    model = scripted("m", lambda p: '{"1": "Yes", "2": "%s", "3": "Yes"}' % ("No" if "money" in p else "Yes"))
    rows, scores = await run(task, data(task), candidate=model)
    assert len(rows) == 36 * 5
    assert scores["mini_0/budget"].values["kept"] is False
    assert scores["mini_0/depth"].values["kept"] is True
    default = Default(DefaultParameters())
    chosen = list(default.samples(data(default, contexteval_selected=rows)))
    assert len(chosen) == 36 * 4


async def test_a_default_response_is_rated_for_every_answer(data: Any, run: Any, scripted: Any) -> None:
    task = Default(DefaultParameters(attributes=("budget",)))
    candidate, judge = scripted("candidate", lambda _: "Buy it."), scripted("judge", rates(BUDGET))
    _, scores = await run(task, data(task), candidate=candidate, judge=judge)
    score = scores["mini_0/budget"]
    assert score.values == {"range": 4, "answered": True}
    assert [part.values["relevance"] for part in score.parts] == [1, 4, 5]
    assert score.parts[0].tags == {"attribute": "budget", "answer": "budget: nearly none"}
    assert all("money" not in prompt for prompt in candidate.asked)


async def test_an_incomplete_rating_is_no_rating(data: Any, run: Any, scripted: Any) -> None:
    task = Default(DefaultParameters(attributes=("budget",)))
    judge = scripted("judge", rates({"plenty": 5}))
    _, scores = await run(task, data(task), candidate=scripted("c", lambda _: "Buy it."), judge=judge)
    score = scores["mini_0/budget"]
    assert isinstance(score.values["range"], suite.Unscored)
    assert all(isinstance(part.values["relevance"], suite.Unscored) for part in score.parts)


async def test_no_response_helps_nobody(data: Any, run: Any, scripted: Any) -> None:
    judge = scripted("judge", rates(BUDGET))
    for task, name in (
        (Default(DefaultParameters()), "mini_0/budget"),
        (Adapted(AdaptedParameters()), "mini_0/budget/0"),
    ):
        _, scores = await run(task, data(task), candidate=scripted("c", lambda _: ""), judge=judge)
        score = scores[name]
        assert score.values["answered"] is False
        values = [score.values.get("relevance"), *(part.values["relevance"] for part in score.parts)]
        assert {one for one in values if one is not None} == {1}
    assert judge.requests == []


@pytest.mark.parametrize("adapt", [False, True])
async def test_adapting(data: Any, run: Any, scripted: Any, adapt: bool) -> None:
    task = Adapted(AdaptedParameters(adapt=adapt, attributes=("budget",), per_attribute=2))
    candidate, judge = (
        scripted("candidate", lambda _: "Buy it."),
        scripted("judge", lambda _: '{"relevance": 4}'),
    )
    _, scores = await run(task, data(task), candidate=candidate, judge=judge)
    assert len(scores) == 2 * 3
    assert {score.values["relevance"] for score in scores.values()} == {4}
    assert all(("money" in prompt) is adapt for prompt in candidate.asked)
    assert all("plenty" in prompt or "sum" in prompt or "none" in prompt for prompt in judge.asked)


def test_an_unknown_attribute_is_named(data: Any) -> None:
    task = Default(DefaultParameters(attributes=("budgets",)))
    with pytest.raises(suite.NotFound, match="budgets"):
        list(task.samples(data(task)))


def test_queries_of_one_group_stand_together(data: Any) -> None:
    task = Adapted(AdaptedParameters())
    groups = [sample.group for sample in task.samples(data(task))]
    assert len(set(groups)) == 1 + sum(a != b for a, b in pairwise(groups))
    ids = [sample.id for sample in task.samples(data(task))]
    assert len(ids) == len(set(ids)) == 61 * 3
