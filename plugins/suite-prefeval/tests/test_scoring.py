"""Scores: the judge's checks of an answer, letters, and the candidate's failures."""

from pathlib import Path
from typing import Any

import pytest
from suite_prefeval import judging, wording
from suite_prefeval.classification import Classification
from suite_prefeval.generation import PROMPTS, PUBLISHED, Generation
from suite_prefeval.rows import Item

import suite
from suite.testing import ScriptedModel, task_data

ITEM = Item(
    topic="t", index=0, preference="I like tea.", question="What to drink?", options=tuple("wxyz"), gold="C"
)
SAMPLE: suite.Sample[Item] = suite.Sample(id="t/0", payload=ITEM)
GENERATION = Generation(Generation.parameters_type()())  # type: ignore[arg-type]
CLASSIFICATION = Classification(Classification.parameters_type()())  # type: ignore[arg-type]
GOOD = {"acknowledge": "Yes", "violate": "No", "hallucinate": "No", "helpful": "Yes"}


def check_of(request: suite.Request) -> str:
    """Which check a judge's request asks, by its fields."""
    text = request.messages[1].content
    if "Restatement:" in text:
        return "hallucinate"
    if "Preference:" in text:
        return "violate"
    return "acknowledge" if "<preference>" in text else "helpful"


async def judged(scripted: Any, replies: dict[str, list[str]], text: str = "Tea!") -> tuple[suite.Score, Any]:
    """The score where each check answers with its replies in turn, the last one again and again."""
    asked = dict.fromkeys(replies, 0)

    def reply(request: suite.Request) -> suite.Reply:
        check = check_of(request)
        said = replies[check]
        asked[check] += 1
        return suite.Reply(text=said[min(asked[check], len(said)) - 1])

    judge = scripted("judge", reply)
    score = await GENERATION.score(SAMPLE, suite.Output(text=text), suite.Models({"judge": [judge]}))
    return score, judge


def tagged(**answers: str) -> dict[str, list[str]]:
    return {name: [f"<answer>{answer}</answer>"] for name, answer in {**GOOD, **answers}.items()}


async def test_a_good_answer_is_kept_by_both_rules(scripted: Any) -> None:
    score, judge = await judged(scripted, tagged())
    assert score.values == {
        "kept": True,
        "unhelpful": False,
        "inconsistency": False,
        "hallucination": False,
        "unaware": False,
        "kept_official": True,
        "answered": True,
    }
    assert [check_of(request) for request in judge.requests] == [
        "acknowledge",
        "violate",
        "hallucinate",
        "helpful",
    ]
    assert [part.id for part in score.parts] == ["acknowledge", "violate", "hallucinate", "helpful"]
    assert {request.options.max_tokens for request in judge.requests} == {100}


async def test_the_preference_is_hidden_from_the_checks_that_must_not_know_it(scripted: Any) -> None:
    _, judge = await judged(scripted, tagged())
    seen = {check_of(request): "I like tea." in request.messages[1].content for request in judge.requests}
    assert seen == {"acknowledge": False, "violate": True, "hallucinate": True, "helpful": False}


async def test_the_quoted_restatement_is_compared_even_when_empty(scripted: Any) -> None:
    quoted = {**tagged(), "acknowledge": ["<preference>you like {coffee}</preference><answer>Yes</answer>"]}
    _, judge = await judged(scripted, quoted)
    assert "Restatement: you like {coffee}\n" in judge.requests[2].messages[1].content
    _, judge = await judged(scripted, tagged())
    assert "Restatement: \n" in judge.requests[2].messages[1].content


async def test_an_unreadable_reply_is_asked_again_with_a_correction(scripted: Any) -> None:
    score, judge = await judged(scripted, {**tagged(), "helpful": ["well...", "<answer>Yes</answer>"]})
    assert score.values["kept"] is True
    again = judge.requests[-1].messages
    assert [message.role for message in again] == ["system", "user", "assistant", "user"]
    assert again[2].content == "well..."
    assert score.parts[-1].values == {
        "yes": True,
        "judge_attempts": 2,
        "judge_unparsed": False,
        "judge_refused": False,
        "judge_truncated": False,
        "judge_retried": True,
    }


@pytest.mark.parametrize("able", [True, False])
async def test_the_second_answer_is_held_to_one_word_where_the_engine_can(able: bool) -> None:
    judge = ScriptedModel(
        lambda request: '"No"' if len(request.messages) > 2 else "I wonder",
        "judge",
        capabilities={"chat", "json_schema"} if able else {"chat"},
    )
    score = await GENERATION.score(SAMPLE, suite.Output(text="Tea!"), suite.Models({"judge": [judge]}))
    assert score.values["unhelpful"] is True
    held = [request.options.json_schema for request in judge.requests]
    assert held == [None, judging.ONE_WORD if able else None] * 4


async def test_a_judge_that_stays_unreadable_leaves_the_value_unscored(scripted: Any) -> None:
    score, judge = await judged(scripted, {**tagged(), "violate": ["hm"]})
    unread = suite.Unscored("unparsed", "it says neither Yes nor No alone")
    assert score.values["kept"] == unread
    assert score.values["kept_official"] is True
    assert len(judge.requests) == 3 + 2
    assert score.parts[1].values["yes"] == unread


async def test_a_reply_that_was_cut_is_no_verdict(scripted: Any) -> None:
    cut = suite.Reply("Perhaps <answer>Yes</answer>, yet", "length")
    judge = scripted("judge", lambda _: cut)
    score = await GENERATION.score(SAMPLE, suite.Output(text="Tea!"), suite.Models({"judge": [judge]}))
    assert score.values["kept"] == suite.Unscored("truncated", "cut off before it ended")
    assert {part.values["judge_truncated"] for part in score.parts} == {True}
    assert len(judge.requests) == 4 * 2


async def test_a_panel_votes_check_by_check(scripted: Any) -> None:
    def says(helpful: str) -> Any:
        return lambda request: suite.Reply(helpful if check_of(request) == "helpful" else "No")

    panel = [
        scripted(name, says(word)) for name, word in (("judge", "Yes"), ("judge/2", "No"), ("judge/3", "Yes"))
    ]
    score = await GENERATION.score(SAMPLE, suite.Output(text="Tea!"), suite.Models({"judge": panel}))
    assert (score.values["kept"], score.values["kept_official"]) == (True, None)
    votes = [part for part in score.parts if "vote" in part.values]
    assert [(part.id, part.values) for part in votes] == [
        ("judge", {"vote": True}),
        ("judge/2", {"vote": False}),
        ("judge/3", {"vote": True}),
    ]
    assert [part.id for part in score.parts if part.tags.get("check") == "helpful"] == [
        "judge/helpful",
        "judge/2/helpful",
        "judge/3/helpful",
    ]
    pair = await GENERATION.score(SAMPLE, suite.Output(text="Tea!"), suite.Models({"judge": panel[:2]}))
    assert pair.values["kept"] == suite.Unscored("undecided")


async def test_thoughts_in_an_earlier_turn_are_stood_in_for(scripted: Any) -> None:
    asked: list[suite.Request] = []

    def answer(request: suite.Request) -> suite.Reply:
        asked.append(request)
        return suite.Reply("", "length", reasoning="Okay, the user")

    await GENERATION.solve(SAMPLE, suite.Models({"candidate": [scripted("candidate", answer)]}))
    assert asked[-1].messages[2] == suite.assistant("(no answer)")


async def test_upstreams_rule_looks_at_the_first_reply(scripted: Any) -> None:
    score, _ = await judged(scripted, {**tagged(), "helpful": ["<answer>unknown", "<answer>Yes</answer>"]})
    assert (score.values["kept"], score.values["kept_official"]) == (True, False)


UNANSWERED = {
    "kept": False,
    "unhelpful": True,
    "inconsistency": False,
    "hallucination": False,
    "unaware": False,
    "answered": False,
}


@pytest.mark.parametrize(("helpful", "official"), [("Yes", True), ("No", False)])
async def test_an_empty_answer_is_not_kept_but_officially_is_what_the_judge_says(
    scripted: Any, helpful: str, official: bool
) -> None:
    score, judge = await judged(scripted, tagged(helpful=helpful), text=" ")
    assert score.values == {**UNANSWERED, "kept_official": official}
    assert list(score.parts) == []
    assert len(judge.requests) == 4


@pytest.mark.parametrize("finish", ["overflow", "invalid"])
async def test_without_any_reply_no_judge_is_asked_and_upstream_has_no_value(finish: Any) -> None:
    score = await GENERATION.score(SAMPLE, suite.Output(text="", finish=finish), suite.Models({}))
    official = score.values["kept_official"]
    assert isinstance(official, suite.Unscored)
    assert score.values == {**UNANSWERED, "kept_official": official}


@pytest.mark.parametrize(
    ("text", "correct", "official", "letter"),
    [
        ("<choice>C</choice>", True, True, "C"),
        ("<choice>Answer: C", True, False, "C"),
        ("", False, False, None),
    ],
)
async def test_letters_are_compared_with_the_gold_one(
    text: str, correct: bool, official: bool, letter: str | None
) -> None:
    score = await CLASSIFICATION.score(SAMPLE, suite.Output(text=text), suite.Models({}))
    picked = (score.values["correct"], score.values["correct_official"], score.values["letter"])
    assert picked == (correct, official, letter)
    assert score.values["unparsed"] is (letter is None)


def test_published_checks_replace_ours_and_the_set_is_called_mixed(tmp_path: Path) -> None:
    for path in PUBLISHED.values():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        text = 'Is "{preference}" in {x}? {end_generation}{assistant_restatement}'
        (tmp_path / path).write_text(text, "utf-8")
    prompts = GENERATION.official_prompts(task_data(given={PROMPTS: tmp_path}))
    assert prompts.set == "mixed"
    assert prompts.violate(preference="p", response="{r}", restatement="") == 'Is "p" in {x}? {r}'
    assert prompts.judge() == wording.GENERATION.judge()


async def test_a_sample_is_shown_with_its_checks(scripted: Any) -> None:
    score, _ = await judged(scripted, tagged())
    dialogue, table, facts = GENERATION.show(SAMPLE, suite.Output(text="Tea!"), score)
    assert isinstance(dialogue, suite.Dialogue)
    assert [turn.text for turn in dialogue.turns] == ["I like tea.", "What to drink?", "Tea!"]
    assert isinstance(table, suite.Table)
    assert [row[:2] for row in table.rows] == [
        ("acknowledge", True),
        ("violate", False),
        ("hallucinate", False),
        ("helpful", True),
    ]
    assert isinstance(facts, suite.Facts)
    assert facts.facts["kept"] is True


async def test_an_unanswered_choice_is_shown_as_such() -> None:
    output = suite.Output(finish="overflow")
    score = await CLASSIFICATION.score(SAMPLE, output, suite.Models({}))
    dialogue, table, _ = CLASSIFICATION.show(SAMPLE, output, score)
    assert isinstance(dialogue, suite.Dialogue)
    assert dialogue.turns[-1].text == "(no answer: overflow)"
    assert isinstance(table, suite.Table)
    assert [row[2] for row in table.rows] == [False, False, True, False]
