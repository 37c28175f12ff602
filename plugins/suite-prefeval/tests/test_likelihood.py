"""Classification with worked examples and by log-likelihood: what is asked, which cells there are."""

from typing import Any

import pytest
from suite_prefeval.classification import Classification
from suite_prefeval.letters import LETTERS
from suite_prefeval.parameters import ClassificationParameters

import suite
from suite.testing import ScriptedModel, metrics_of, solve_all

Solved = Any
CAN = {"chat", "prompt_logprobs"}


def task(**parameters: Any) -> Classification:
    return Classification(ClassificationParameters.model_validate({"inter_turns": 1, **parameters}))


def likeliest(place: int) -> ScriptedModel:
    """The answer at a place is the likeliest, and the longest by far."""

    def answer(request: suite.Request) -> suite.Reply:
        if request.kind == "chat":
            return suite.Reply("Noted.")
        sums = tuple(-1.0 if n == place else -2.0 for n in range(4))
        return suite.Reply(scores=sums, details={"tokens": [1 if n == place else 9 for n in range(4)]})

    return ScriptedModel(answer, capabilities=CAN)


def of_kind(model: ScriptedModel, kind: str) -> list[suite.Request]:
    return [one for one in model.requests if one.kind == kind]


async def test_letters_are_compared_in_their_tags_after_the_options(mini: Any) -> None:
    model = likeliest(1)
    solved = await solve_all(task(answering="letter-likelihood"), mini, candidate=model)
    asked = of_kind(model, "logprobs")[0]
    assert asked.texts == tuple(f"<choice>{letter}</choice>" for letter in LETTERS)
    assert "\nB. " + solved[0].sample.payload.options[1] in asked.messages[-1].content
    for one in solved:
        right = one.sample.payload.gold == "B"
        values = {name: one.score.values[name] for name in ("correct", "correct_per_token", "letter")}
        assert values == {"correct": right, "correct_per_token": False, "letter": "B"}


async def test_a_report_shows_the_log_probability_of_each_option(mini: Any) -> None:
    one = task(answering="letter-likelihood")
    first, *_ = await solve_all(one, mini, candidate=likeliest(1))
    tables = [block for block in one.show(*first) if isinstance(block, suite.Table)]
    assert [row[-2:] for row in tables[0].rows] == [(False, -2.0), (True, -1.0), (False, -2.0), (False, -2.0)]


async def test_texts_of_options_are_compared_and_not_shown(mini: Any) -> None:
    model = likeliest(0)
    solved = await solve_all(task(answering="option-likelihood"), mini, candidate=model)
    asked, payload = of_kind(model, "logprobs")[0], solved[0].sample.payload
    assert (asked.texts, asked.messages[-1].content) == (payload.options, payload.question)


@pytest.mark.parametrize("form", ["explicit", "implicit-choice", "implicit-persona"])
@pytest.mark.parametrize("answering", ["generate", "letter-likelihood", "option-likelihood"])
async def test_shots_stand_first_and_come_from_other_topics(mini: Any, form: str, answering: str) -> None:
    model = likeliest(0)
    solved = await solve_all(task(form=form, answering=answering, shots=4), mini, candidate=model)
    pairs = {one.sample.payload.question: one.sample for one in solved}
    for one in solved[:12]:
        request = next(
            each
            for each in model.requests
            if each.messages[-1].content.startswith(one.sample.payload.question)
        )
        first = [message.content for message in request.messages[1:9]]
        shown = [next(pairs[text] for text in pairs if text in turn) for turn in first[::2]]
        topics = {each.tags["topic"] for each in shown}
        assert len(topics) == 4 and one.sample.tags["topic"] not in topics
        for each, right in zip(shown, first[1::2], strict=True):
            item = each.payload
            of_letter = f"<choice>{item.gold}</choice>"
            assert right == (
                item.options[LETTERS.index(item.gold)] if answering == "option-likelihood" else of_letter
            )


async def test_the_reply_to_the_preference_sees_the_same_shots(mini: Any) -> None:
    model = likeliest(0)
    await solve_all(task(answering="letter-likelihood", shots=2), mini, candidate=model)
    told, asked = of_kind(model, "chat")[0], of_kind(model, "logprobs")[0]
    assert told.messages == asked.messages[: len(told.messages)]
    assert len(told.messages) == 1 + 2 * 2 + 1


async def test_a_history_that_is_too_long_is_wrong_by_every_measure(mini: Any) -> None:
    def answer(request: suite.Request) -> suite.Reply:
        if request.kind == "chat":
            return suite.Reply("Noted.")
        return suite.Reply(finish="overflow", scores=(None,) * 4, details={"reasons": ["overflow"] * 4})

    one = task(answering="letter-likelihood")
    solved = await solve_all(one, mini, candidate=ScriptedModel(answer, capabilities=CAN))
    found = metrics_of(one, solved)
    assert (found["correct"], found["correct_per_byte"], found["correct_official"]) == (0.0, 0.0, None)


async def test_rows_by_length_are_there_for_likelihoods_alone(mini: Any) -> None:
    one = task()
    found = metrics_of(one, await solve_all(one, mini, candidate=ScriptedModel("<choice>A</choice>")))
    assert "correct_per_token" not in found


def test_defaults_are_the_cells_of_before() -> None:
    values = ClassificationParameters().solve_values()
    assert not {"answering", "shots", "shots_seed", "shots_per"} & values.keys()
    assert task().prompts.sha256() == task(answering="option-likelihood").prompts.sha256()
    assert task().prompts.sha256() != task(shots=1).prompts.sha256()


@pytest.mark.parametrize(
    "values",
    [
        {"shots": 1, "profile": "llama"},
        {"answering": "letter-likelihood", "profile": "mistral"},
        {"answering": "letter-likelihood", "method": "selfcritic"},
        {"answering": "option-likelihood", "prefill": True},
    ],
)
def test_what_makes_no_sense_is_left_out(values: dict[str, Any]) -> None:
    with pytest.raises(suite.SkipCell):
        task(**values)


def test_a_preset_is_answered_by_likelihood_without_its_prefill() -> None:
    cells = [
        ClassificationParameters.over(values, {"answering": "letter-likelihood"})
        for values in Classification.info.presets["mini"]
    ]
    assert all("prefill" not in values for values in cells)


def test_a_model_without_prompt_logprobs_is_refused_when_planning(
    capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("--task", "prefeval/classification", "--mini", "-P", "answering=letter-likelihood")
    assert suite.run_command("eval", *asked, "--model", "scripted/echo?capabilities=chat") == 2
    assert capsys.readouterr().err.splitlines()[-3:] == [
        "error: scripted/echo?capabilities=chat cannot be candidate: it has no prompt_logprobs",
        "  it can: chat",
        "  take -P answering=generate",
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_submission_with_shots_by_likelihood_is_verified(
    capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "board.yaml").write_text(BOARD)
    (tmp_path / "declare.yaml").write_text(DECLARED)
    parameters = (
        "-P",
        "shots=0,3",
        "-P",
        "shots_seed=1",
        "-P",
        "inter_turns=0",
        "-P",
        "answering=letter-likelihood",
        "-P",
        "topics=garden_plants",
    )
    model = "scripted/words?capabilities=chat,prompt_logprobs&words=2"
    eval_ = (
        "eval",
        "--task",
        "prefeval/classification",
        "--mini",
        *parameters,
        "--model",
        model,
        "-O",
        "run",
    )
    assert suite.run_command(*eval_) == 0
    pack = (
        "submit",
        "pack",
        "run",
        "--declare",
        "declare.yaml",
        "--board",
        "board.yaml",
        "-O",
        "one.suite.zip",
    )
    assert suite.run_command(*pack) == 0
    assert suite.run_command("submit", "verify", "one.suite.zip", "--board", "board.yaml") == 0
    assert "R6  ok" in capsys.readouterr().out


BOARD = """
format: suite-board/1
id: few
version: 1.0.0
title: Few
about: A test.
tasks:
  - task: prefeval/classification
    version: 2
    title: Picks
    data: mini
    sweep: {shots: [0, 3]}
    parameters: {inter_turns: 0, shots_seed: 1, answering: letter-likelihood, topics: [garden_plants]}
"""
DECLARED = """
model: {organization: Us, availability: open_weights, licence: Apache-2.0}
submitter: {name: Us, relationship: third_party}
disclosure:
  contamination: {prefeval-mini: none_known}
  selection: {rule: only_run, complete_runs: 1}
  references_access: "no"
terms: {traces_licence: CC-BY-4.0}
"""
