"""The pipeline: each stage alone, and each one's outputs as the next one's input."""

import json
import random
import re
from itertools import pairwise
from typing import Any

import pytest
from suite_contexteval import parsers
from suite_contexteval.choosing import Choose, ChooseParameters
from suite_contexteval.coding import Codes, reason
from suite_contexteval.constraints import Constraints
from suite_contexteval.contexts import Contexts
from suite_contexteval.filtering import Filter
from suite_contexteval.judging import Judge
from suite_contexteval.parameters import (
    CodesParameters,
    ConstraintsParameters,
    ContextsParameters,
    FilterParameters,
    JudgeParameters,
    RespondParameters,
    Step,
)
from suite_contexteval.responding import Respond
from suite_contexteval.types import Types
from suite_contexteval.validation import Validate, important

import suite

WRITTEN = 'Need for Context: Yes\nContext:\nQ: Where? A: ["here", "there"]\nQ: When? A: ["now", "later"]'
YES = {"important": 1, "realistic": 1, "complete": 0, "diverse": 1}
NO = {**YES, "important": 0}


def verdict(prompt: str) -> str:
    """Prefers the response that takes up the first answer of the context, else calls a tie."""
    label = "Tie"
    for name in ("1", "2"):
        text = prompt.split(f"Response {name}:\n")[1].split("</response>")[0]
        if "[adapted]" in text and "[plain]" not in text:
            label = f"Response {name}"
    return json.dumps({"judgement": label, "justification": "it is complete."})


async def test_the_whole_pipeline(data: Any, run: Any, scripted: Any) -> None:
    filter_ = Filter(FilterParameters())
    rows, scores = await run(
        filter_, data(filter_), candidate=scripted("m", lambda p: "No." if "soup" in p else "Yes")
    )
    assert sum(score.values["kept"] for score in scores.values()) == 35

    contexts = Contexts(ContextsParameters())
    generators = {
        "candidate": scripted("candidate", lambda p: "Need for Context: No" if "beans" in p else WRITTEN),
        "generator": [
            scripted("generator", lambda p: "Need for Context: No" if "beans" in p else "gibberish")
        ],
    }
    rows, scores = await run(contexts, data(contexts, contexteval=rows), **generators)
    assert len(rows) == 35
    assert scores["mini_0"].values["needed"] is False
    assert scores["mini_1"].values["questions"] == 2
    assert all(row["data"]["chosen"] == 0 for row in rows if row["data"]["needed"])

    validate = Validate(Step())
    voters = {
        "candidate": scripted("candidate", lambda _: json.dumps({"Q1": YES, "Q2": YES})),
        "validator": [
            scripted("validator", lambda _: json.dumps({"Q1": YES, "Q2": NO})),
            scripted("validator/2", lambda _: json.dumps({"Q1": YES, "Q2": NO})),
        ],
    }
    rows, scores = await run(validate, data(validate, contexteval_generated=rows), **voters)
    assert len(rows) == 34  # one was filtered, one needs no context
    assert {score.values["kept"] for score in scores.values()} == {0.5}

    choose = Choose(ChooseParameters())
    rows, scores = await run(
        choose, data(choose, contexteval_validated=rows), candidate=scripted("m", lambda _: '{"Q1": "there"}')
    )
    assert rows[0]["data"]["qas"] == [{"question": "Where?", "options": ["here", "there"], "answer": "there"}]

    both: dict[str, list[Any]] = {}
    for name in ("adapted", "plain"):
        both[name] = []
        for context in (False, True):
            respond = Respond(RespondParameters(context=context))
            model = scripted(
                "m", lambda p, name=name: f"[{name}] {'there' if 'A: there' in p else 'anywhere'}"
            )
            some, _ = await run(respond, data(respond, contexteval_contexts=rows), candidate=model)
            both[name] += some
    reversed_rows = list(reversed(both["plain"]))  # a run records outputs in any order

    judged: list[Any] = []
    for setting in ("none", "judge", "both"):
        judge = Judge(JudgeParameters(setting=setting))
        model = scripted("judge", verdict)
        opened = data(
            judge, contexteval_responses=both["adapted"], contexteval_baseline_responses=reversed_rows
        )
        some, scores = await run(judge, opened, judge=model)
        assert {score.values["win"] for score in scores.values()} == {1}
        assert len(model.requests) == 2 * 34
        assert ("there" in model.asked[0]) is (setting != "none")
        assert ("[plain] there" in model.asked[0]) is (setting == "both")
        judged += some

    codes = Codes(CodesParameters())
    rows, scores = await run(
        codes, data(codes, contexteval_judgements=judged), candidate=scripted("m", lambda _: "1, 2")
    )
    assert len(rows) == 3 * 34
    assert scores["mini_1/both"].values == {"content": True, "surface": True, "readable": True}

    constraints = Constraints(ConstraintsParameters())
    rows, scores = await run(
        constraints,
        data(constraints, contexteval_responses=both["adapted"]),
        judge=scripted("m", lambda _: "1: it does."),
    )
    assert {score.values["satisfied"] for score in scores.values()} == {1}


async def test_targets_cut_each_source_in_its_shuffled_order(data: Any, run: Any, scripted: Any) -> None:
    task = Filter(FilterParameters(targets="paper"))
    rows = [
        {"example_id": f"kiwi_{n}", "query": f"What about number {n}?", "source": "fangyuan/kiwi"}
        for n in range(150)
    ]
    outputs, _ = await run(
        task,
        data(task, contexteval=rows),
        candidate=scripted("m", lambda p: "No" if p.endswith("7?") else "Yes"),
    )
    types = Types(Step())
    kept = [sample.id for sample in types.samples(data(types, contexteval=outputs))]
    assert len(kept) == 100
    walk = [row["example_id"] for row in rows]
    random.Random(423).shuffle(walk)
    assert kept == [name for name in walk if not name.endswith("7")][:100]


async def test_labels_of_a_query(data: Any, run: Any, scripted: Any) -> None:
    task = Types(Step())
    _, scores = await run(task, data(task), candidate=scripted("m", lambda _: '["Subjective"]'))
    assert scores["mini_0"].values["subjective"] is True
    assert scores["mini_0"].values["incomplete"] is False
    _, scores = await run(task, data(task), candidate=scripted("m", lambda _: "Vague"))
    assert isinstance(scores["mini_0"].values["subjective"], suite.Unscored)
    assert scores["mini_0"].values["readable"] is False


async def test_generators_are_drawn_evenly_among_those_that_wrote(data: Any, run: Any, scripted: Any) -> None:
    task = Contexts(ContextsParameters())
    rows, _ = await run(
        task,
        data(task),
        candidate=scripted("candidate", lambda _: WRITTEN),
        generator=[scripted("generator", lambda _: WRITTEN), scripted("generator/2", lambda _: "No")],
    )
    chosen = [row["data"]["chosen"] for row in rows]
    assert set(chosen) == {0, 1}
    assert 9 <= chosen.count(0) <= 27  # of 36


async def test_upstreams_draw_may_leave_an_empty_context(data: Any, run: Any, scripted: Any) -> None:
    task = Contexts(ContextsParameters(protocol="paper"))
    rows, _ = await run(
        task,
        data(task),
        candidate=scripted("candidate", lambda _: WRITTEN),
        generator=[scripted("generator", lambda _: "Need for Context: No")],
    )
    assert any(row["data"]["needed"] and row["data"]["pairs"] == [] for row in rows)
    assert rows[0]["data"]["pairs"] in (
        [],
        [
            {"question": "Q: Where?", "options": ["here", "there"]},
            {"question": "Q: When?", "options": ["now", "later"]},
        ],
    )


async def test_upstreams_draws_name_the_generator_of_each_query(data: Any, run: Any, scripted: Any) -> None:
    task = Contexts(ContextsParameters(protocol="paper"))
    rows, _ = await run(
        task,
        data(task),
        candidate=scripted("candidate", lambda _: WRITTEN),
        generator=[scripted(name, lambda _: WRITTEN) for name in ("generator", "generator/2")],
    )
    assert [row["data"]["chosen"] for row in rows][:12] == [1, 0, 0, 0, 2, 2, 2, 0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('A: ["a, b", "c"]', ("a, b", "c")),
        ("A: ['a', 'b']", ("a", "b")),
        ("A: [a, b]", ("a", "b")),
        ("A: []", ("A: []",)),
    ],
)
def test_a_list_of_answers_is_read_in_any_quotes(text: str, items: tuple[str, ...]) -> None:
    assert parsers.options(text) == items


@pytest.mark.parametrize(
    ("votes", "kept"),
    [([1, 1, 0], True), ([1, 0, 0], False), ([1, 0], True), ([0, 1], False), ([], False), ([1], True)],
)
def test_the_vote_on_a_pair(votes: list[int], kept: bool) -> None:
    assert important(votes) is kept


async def test_a_lost_validator_has_no_vote(data: Any, run: Any, scripted: Any) -> None:
    task = Validate(Step())
    ratings = lambda p: json.dumps({f"Q{n}": YES for n in range(1, len(re.findall(r"^Q\d", p, re.M)) + 1)})  # noqa: E731
    _, scores = await run(
        task,
        data(task),
        candidate=scripted("candidate", lambda _: "I can't"),
        validator=[scripted("validator", ratings)],
    )
    assert scores["mini_0"].values["kept"] == 1
    assert isinstance(scores["mini_0"].parts[0].values["important"], suite.Unscored)
    _, scores = await run(task, data(task), candidate=scripted("candidate", lambda _: "I can't"))
    assert isinstance(scores["mini_0"].values["kept"], suite.Unscored)


async def test_answers_are_drawn_where_a_model_cannot_choose(data: Any, run: Any, scripted: Any) -> None:
    task = Choose(ChooseParameters())
    rows, scores = await run(task, data(task), candidate=scripted("m", lambda _: "whatever"))
    again, _ = await run(task, data(task), candidate=scripted("m", lambda _: "whatever"))
    assert rows == again
    assert scores["mini_0"].values["readable"] is False
    for row in rows:
        assert row["data"]["drawn"]
        assert all(one["answer"] in one["options"] for one in row["data"]["qas"])
    assert len({one["answer"] == one["options"][0] for row in rows for one in row["data"]["qas"]}) == 2


async def test_one_model_missing_in_half_of_the_rows(data: Any, run: Any, scripted: Any) -> None:
    judge = Judge(JudgeParameters())
    whole = list(judge.samples(data(judge)))
    half = [
        {**sample.payload.data(), "with_context": False, "response": "yes"}
        for sample in whole[: len(whole) // 2]
    ]
    with pytest.raises(suite.DataError, match="one model only"):
        list(judge.samples(data(judge, contexteval_baseline_responses=half)))
    judge = Judge(JudgeParameters(unmatched="skip"))
    assert len(list(judge.samples(data(judge, contexteval_baseline_responses=half)))) == 3
    facts = await judge.open(data(judge, contexteval_baseline_responses=half), None)  # type: ignore[arg-type]
    assert "3 queries" in facts["left out"]
    other = [{**half[0], "example_id": "elsewhere_1"}]
    with pytest.raises(suite.DataError, match="share no query"):
        list(judge.samples(data(judge, contexteval_baseline_responses=other)))
    with pytest.raises(suite.DataError, match="twice"):
        list(judge.samples(data(judge, contexteval_baseline_responses=[*half, half[0]])))
    with pytest.raises(suite.DataError, match="no responses with context"):
        list(Judge(JudgeParameters(setting="both")).samples(data(judge, contexteval_responses=half)))


async def test_verdicts_are_scored_anew_without_asking(data: Any, run: Any, scripted: Any) -> None:
    judge = Judge(JudgeParameters())
    panel = [
        scripted(name, lambda _, n=name: json.dumps({"judgement": f"Response {n}"})) for name in ("1", "2")
    ]
    rows, scores = await run(judge, data(judge), judge=panel)
    sample = next(iter(judge.samples(data(judge))))
    output = suite.Output(data=json.loads(json.dumps(rows[0]["data"])))
    assert await judge.score(sample, output, suite.Models({})) == scores[sample.id]
    assert scores[sample.id].values["win"] == 0.5
    agree = Judge(JudgeParameters(ties="agree", policy="unanimous"))
    assert (await agree.score(sample, output, suite.Models({}))).values["win"] == 0.5


async def test_a_failed_response_takes_nothing_up(data: Any, run: Any, scripted: Any) -> None:
    task = Constraints(ConstraintsParameters())
    row = {
        "example_id": "x_1",
        "query": "Why?",
        "context": "Q: Where? A: here\nQ: When? A: now",
        "with_context": True,
    }
    model = scripted("m", lambda _: "2")
    _, scores = await run(task, data(task, contexteval_responses=[{**row, "response": " "}]), judge=model)
    assert scores["x_1"].values == {"count": 0, "satisfied": 0, "readable": True}
    assert model.requests == []
    _, scores = await run(task, data(task, contexteval_responses=[{**row, "response": "so"}]), judge=model)
    assert scores["x_1"].values["satisfied"] == 1
    with pytest.raises(suite.DataError, match="does not fall into"):
        list(
            task.samples(
                data(task, contexteval_responses=[{**row, "context": "some text", "response": "so"}])
            )
        )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"judgement": "Tie", "justification": "both are short"}', "both are short"),
        ('output: {"judgement": "Tie"}\n**Justification:** both are short', "both are short"),
        ('**output: {"judgement": "Tie"}** both are short', "both are short"),
        ('{"judgement": "Tie"}', ""),
        ("", ""),
        ("Response 1", ""),
    ],
)
def test_the_reason_of_a_verdict(text: str, found: str) -> None:
    assert reason(text) == found


async def test_codes_take_one_reason_a_pair_and_at_most_so_many(data: Any, run: Any, scripted: Any) -> None:
    task = Codes(CodesParameters())
    _, scores = await run(
        task, data(task), candidate=scripted("m", lambda p: "2" if "friendlier" in p else "1")
    )
    assert len(scores) == 18
    assert 0 < sum(score.values["surface"] for score in scores.values()) < 18
    some = Codes(CodesParameters(sample=5))
    assert len(list(some.samples(data(some)))) == 5
    groups = [sample.group for sample in task.samples(data(task))]
    assert len(set(groups)) == 1 + sum(a != b for a, b in pairwise(groups))  # contiguous
