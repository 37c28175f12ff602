"""Hidden reasoning is taken off a text, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.chat import Reply, TokenLogprob, ToolCall, raw_text
from suite.errors import ConfigError
from suite.models.reasoning import known_marks, separated, tags_of, without_reasoning

HARMONY = "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>"
MARKED = [
    ("<think>\n", "\n</think>\n\n"),
    ("", "\n</think>\n\n"),  # the template opened it
    ("<THINK>", "</THINK>"),
    ("<thinking>", "</thinking>"),
    ("<thought>\n", "\n</thought>\n"),
    ("<reasoning>", "</reasoning> "),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("<|begin_of_thought|>\n\n", "\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n"),
    ("<|channel>thought\n", "<channel|>"),
    ("<unused94>thought\n", "<unused95>"),
    HARMONY.split("{}"),
    ("analysis", "assistantfinal"),
    ("Here is my thought process:\n\n", "\n\nHere is my response:\n\n"),
    ("Here are my reasoning steps:\n", "\n[BEGIN FINAL RESPONSE]\n"),
]


@pytest.mark.parametrize(("opening", "closing"), MARKED)
def test_a_leading_block_of_any_family_is_reasoning(opening: str, closing: str) -> None:
    found = separated(Reply(f"{opening}Is it A?{closing}B"), tags_of())
    assert (found.text, found.reasoning, found.finish) == ("B", "Is it A?", "stop")


@pytest.mark.parametrize(
    ("text", "left", "reasoning"),
    [
        ("<think>a <think>b</think> c</think>d", "d", "a <think>b</think> c"),
        ("<think>a</think>\n<think>b</think>\nc", "c", "ab"),
        ("a</think>b</think>c", "c", "ab"),
        ("<think>I write <think> here</think>B", "B", "I write <think> here"),
        ("<think>`</think>` ends it</think>B", "B", "`</think>` ends it"),
        ("<think>\n```py\nx</think>\n```py\ny\n```\n", "```py\ny\n```\n", "```py\nx"),  # a draft cut short
        ("<think>\n\n</think>\n\n    x = 1", "    x = 1", ""),  # an indentation stays
    ],
)
def test_blocks_in_blocks_and_one_after_the_other(text: str, left: str, reasoning: str) -> None:
    found = separated(Reply(text), tags_of())
    assert (found.text, found.reasoning) == (left, reasoning)


@pytest.mark.parametrize(
    "text",
    [
        "First this. <think>an aside</think> Then that.",
        "Write `<think>` before and `</think>` after.",
        "`</think>` ends the block.",
        'The mark "</think>" ends it.',
        "The </think> tag ends the block.",
        "```html\n<b>x</b>\n</think>\n```\nThat is all.",
        '{"thought": "is it </think> or not", "choice": "answer"}',
        "<think> is a tag that some models write.",
        "<thinker>no</thinker>",
        "Here is my thought process: I like it.",
        "analysis of variance, by the assistant",
    ],
)
def test_an_answer_that_has_or_tells_of_a_tag_stays(text: str) -> None:
    assert separated(Reply(text), tags_of()) == Reply(text)


@pytest.mark.parametrize(
    ("finish", "calls", "ends"),
    [("length", (), "length"), ("stop", (), "empty"), ("stop", (ToolCall("move", "{}"),), "stop")],
)
def test_a_block_that_never_ends_leaves_no_answer(
    finish: str, calls: tuple[ToolCall, ...], ends: str
) -> None:
    found = separated(Reply("<think>Maybe <answer>Yes</answer>", finish, tool_calls=calls), tags_of())  # type: ignore[arg-type]
    assert (found.text, found.finish, found.reasoning) == ("", ends, "Maybe <answer>Yes</answer>")


def test_reasoning_of_a_field_is_kept_with_that_of_the_text() -> None:
    found = separated(Reply("<think>b</think>c", reasoning="a"), tags_of())
    assert (found.text, found.reasoning, raw_text(found)) == ("c", "a\nb", "<think>b</think>c")


def test_log_probabilities_are_those_of_the_text() -> None:
    tokens = tuple(TokenLogprob(one, -0.5) for one in ("<think>", "A", "?", "</think>", "\n", "B", "<|end|>"))
    assert separated(Reply("<think>A?</think>\nB", logprobs=tokens), tags_of()).logprobs == tokens[5:]
    assert separated(Reply("B", logprobs=tokens, reasoning="A?"), tags_of()).logprobs == tokens[5:]
    assert separated(Reply("B", logprobs=tokens), tags_of()).logprobs == tokens


@pytest.mark.parametrize(
    ("option", "text", "left"),
    [
        ("none", "<think>a</think>b", "<think>a</think>b"),
        (False, "<think>a</think>b", "<think>a</think>b"),
        ("plan", "<plan>a</plan>b", "b"),
        ("plan", "<think>a</think>b", "<think>a</think>b"),
        ("auto,plan", "<plan>a</plan><think>c</think>b", "b"),
        (["%%…%%/"], "%%a%%/b", "b"),
        ("opened", "so far no mark", ""),
        ("opened", "a</think>b", "b"),
        ("opened,plan", "a</plan>b", "b"),
    ],
)
def test_an_option_says_what_is_looked_for(option: Any, text: str, left: str) -> None:
    assert separated(Reply(text), tags_of(option)).text == left


@pytest.mark.parametrize("option", [7, "a b", "…x", ",", [1]])
def test_an_option_that_says_nothing_is_refused(option: Any) -> None:
    with pytest.raises(ConfigError, match="reasoning_tags"):
        tags_of(option)


@given(
    st.lists(
        st.sampled_from(
            [
                "<think>",
                "</think>",
                "[THINK]",
                "[/THINK]",
                "`",
                "```\n",
                "\n",
                " ",
                "a",
                '{"',
                "B",
                " tag",
                "assistantfinal",
            ]
        ),
        max_size=24,
    ).map("".join),
    st.sampled_from(["stop", "length"]),
    st.sampled_from([tags_of(), tags_of("opened"), tags_of("think")]),
)
def test_nothing_is_lost_and_twice_is_once(text: str, finish: str, tags: object) -> None:
    found = separated(Reply(text, finish), tags)  # type: ignore[arg-type]
    assert raw_text(found) == text
    assert separated(found, tags) == found  # type: ignore[arg-type]
    assert text.endswith(found.text)
    assert without_reasoning(without_reasoning(text)) == without_reasoning(text)


def test_the_table_has_a_name_once() -> None:
    assert len({row.name for row in known_marks()}) == len(known_marks())
