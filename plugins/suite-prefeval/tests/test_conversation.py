"""How conversations are assembled, as golden structures, and the published data's golden hashes."""

import hashlib
from typing import Any

import pytest
from suite_prefeval import reading, wording
from suite_prefeval.conversation import (
    first_exchanges,
    framed,
    length_request,
    options_block,
    preference_part,
    quotes,
    unrelated_messages,
)
from suite_prefeval.parameters import ClassificationParameters, GenerationParameters
from suite_prefeval.rows import Item, Turn, Unrelated

import suite

STREAM = tuple(suite.Message(("user", "assistant")[n % 2], f"m{n}") for n in range(8))
EXPLICIT = Item(topic="t", index=0, preference="I like tea.", question="What to drink?")
IMPLICIT = EXPLICIT.model_copy(update={"dialogue": (("user", "Coffee?"), ("assistant", "Sure."))})


def test_the_unrelated_stream_joins_conversations_in_order() -> None:
    said = Turn(role="user", content="a"), Turn(role="assistant", content="b")
    stream = unrelated_messages([Unrelated(conversation=said), Unrelated(conversation=said)])
    assert [message.content for message in stream] == ["a", "b", "a", "b"]


@pytest.mark.parametrize("roles", [("user", "user"), ("assistant", "user"), ("user",)])
def test_a_stream_that_does_not_alternate_is_refused(roles: tuple[str, ...]) -> None:
    turns = tuple(Turn(role=role, content="x") for role in roles)
    with pytest.raises(suite.DataError, match="conversation 0"):
        unrelated_messages([Unrelated(conversation=turns)])


@pytest.mark.parametrize("turns", [0, 1, 4])
def test_more_turns_are_a_superset(turns: int) -> None:
    assert first_exchanges(STREAM, turns) == STREAM[: 2 * turns]


def test_more_turns_than_there_are_is_an_error_that_says_how_many() -> None:
    with pytest.raises(suite.ConfigError, match="4 exchanges"):
        first_exchanges(STREAM, 5)


def test_the_explicit_form_states_the_preference_and_keeps_the_models_reply() -> None:
    assert preference_part(EXPLICIT, suite.assistant("Noted.")) == (
        suite.user("I like tea."),
        suite.assistant("Noted."),
    )


def test_an_implicit_form_shows_its_dialogue_and_never_the_preference() -> None:
    assert preference_part(IMPLICIT, None) == (suite.user("Coffee?"), suite.assistant("Sure."))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("zero-shot", "What to drink?"),
        ("selfcritic", "What to drink?"),
        ("remind", f"What to drink?\n{wording.GENERATION.remind()}"),
        ("cot", f"{wording.COT}\nWhat to drink?"),
        ("rag", "QUOTED What to drink?"),
    ],
)
def test_a_method_frames_the_question(method: Any, expected: str) -> None:
    parameters = GenerationParameters(method=method)
    assert framed(wording.GENERATION, parameters, EXPLICIT.question, "QUOTED ") == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [({}, 300), ({"max_tokens": 60}, 60), ({"max_tokens": 60, "protocol": "plain"}, 300)],
)
def test_the_length_request_is_in_parentheses_and_follows_the_limit(values: Any, words: int) -> None:
    text = length_request(wording.GENERATION, GenerationParameters(**values))
    assert text.startswith("(")
    assert text.endswith(")")
    assert f" {words} words" in text


def test_options_are_lettered_in_the_order_shown() -> None:
    block = options_block(wording.CLASSIFICATION, ("w", "x", "y", "z"))
    assert "\nA. w\nB. x\nC. y\nD. z\n" in block


@pytest.mark.parametrize(
    ("form", "protocol", "count", "lines"),
    [
        ("explicit", "paper", "the 5 messages", ["exchange 1. User: m0", "exchange 2. assistant: m3"]),
        ("explicit", "plain", "the 2 messages", ["exchange 1. user: m0", "exchange 2. assistant: m3"]),
        ("implicit-choice", "paper", "the 2 messages", ["exchange 1. user: m0", "exchange 2. assistant: m3"]),
    ],
)
def test_quotes_come_best_first_with_upstreams_quirks(
    form: Any, protocol: Any, count: str, lines: list[str]
) -> None:
    parameters = GenerationParameters(form=form, protocol=protocol, method="rag", rag_k=2)
    text = quotes(wording.GENERATION, parameters, STREAM, ((0, 0.9), (3, 0.5)))
    assert_quoted(text, count, lines)


@pytest.mark.parametrize("form", ["explicit", "implicit-choice", "implicit-persona"])
@pytest.mark.parametrize(("protocol", "count"), [("paper", "the 5 messages"), ("plain", "the 2 messages")])
def test_classification_says_five_in_every_form(form: Any, protocol: Any, count: str) -> None:
    parameters = ClassificationParameters(form=form, protocol=protocol, method="rag", rag_k=2)
    text = quotes(wording.CLASSIFICATION, parameters, STREAM, ((0, 0.9), (3, 0.5)))
    speaker = "User" if (form, protocol) == ("explicit", "paper") else "user"
    assert_quoted(text, count, [f"exchange 1. {speaker}: m0", "exchange 2. assistant: m3"])


def assert_quoted(text: str, count: str, lines: list[str]) -> None:
    assert count in text
    between = text.split("#Start of Context#\n")[1].split("\n#End of Context#")[0]
    assert between.splitlines() == lines


def test_a_published_prompt_becomes_a_template_with_our_fields() -> None:
    text = wording.published(
        "hallucinate", 'Say {"x": 1} for "{preference}" and "{assistant_restatement}" {end_generation}'
    )
    prompts = suite.Prompts(check=text)
    filled = prompts.check(preference="{question}", restatement="r", response="e")
    assert filled == 'Say {"x": 1} for "{question}" and "r" e'


@pytest.mark.parametrize(("check", "text"), [("helpful", "{response}?"), ("violate", "{end_generation}")])
def test_a_published_prompt_that_hides_what_is_judged_is_refused(check: str, text: str) -> None:
    with pytest.raises(suite.DataError, match="has no place for"):
        wording.published(check, text)


# --- the published data -----------------------------------------------------------------------------

HASHES = {
    3: "9b74d1906be3dcda",
    8: "8735e4d3b7780716",
    28: "0ed0eae014fdb386",
    68: "c987d5672ab11259",
    298: "6ddb58750924fd29",
}


@pytest.mark.parametrize(("turns", "expected"), HASHES.items())
def test_the_published_stream_has_the_golden_hashes(real: Any, turns: int, expected: str) -> None:
    stream = unrelated_messages(reading.unrelated(real, "prefeval"))
    assert len(stream) == 2 * 316
    text = "\n".join(f"{message.role}\t{message.content}" for message in first_exchanges(stream, turns))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == expected
    with pytest.raises(suite.ConfigError, match="316 exchanges"):
        first_exchanges(stream, 317)


def test_the_published_data_has_its_counts_and_is_aligned(real: Any) -> None:
    persona_turns: dict[int, int] = {}
    for form, messages in (("explicit", 0), ("implicit-choice", 4), ("implicit-persona", None)):
        parameters = GenerationParameters(form=form)
        plain = list(reading.generation_items(real, "prefeval", parameters))
        options = list(reading.classification_items(real, "prefeval", parameters))
        assert len(plain) == len(options) == 1000
        assert len({item.topic for item in plain}) == 20
        keys = [(item.topic, item.index, item.question) for item in plain]
        assert keys == [(item.topic, item.index, item.question) for item in options]
        if messages is None:
            for item in plain:
                persona_turns[len(item.dialogue) // 2] = persona_turns.get(len(item.dialogue) // 2, 0) + 1
        else:
            assert {len(item.dialogue) for item in plain} == {messages}
        gold = [item.gold for item in options]
        assert [gold.count(letter) for letter in "ABCD"] == [250, 267, 293, 190]
        for item in plain:
            assert [
                m.role for m in preference_part(item, suite.assistant("") if not item.dialogue else None)
            ] == ["user", "assistant"] * (len(item.dialogue) // 2 or 1)
    assert dict(sorted(persona_turns.items())) == {3: 2, 4: 27, 5: 637, 6: 327, 7: 7}


def test_pairs_that_ask_the_same_question_share_a_cluster_in_every_form(real: Any) -> None:
    clusters: dict[str, str] = {}
    for item in reading.generation_items(real, "prefeval", GenerationParameters()):
        sample = reading.sample(item, "explicit")
        clusters[sample.id] = sample.cluster
    assert len(set(clusters.values())) == 994
    for one, other in (("11", "43"), ("3", "44"), ("4", "50")):
        assert clusters[f"education_learning_styles/{one}"] == clusters[f"education_resources/{other}"]
    implicit = GenerationParameters(form="implicit-choice")
    for item in reading.generation_items(real, "prefeval", implicit):
        sample = reading.sample(item, "implicit-choice")
        assert clusters[sample.id] == sample.cluster
