"""Strict readers: what they read, what they refuse, and that nothing crashes them."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite_contexteval import parsers
from suite_contexteval.rows import Pair

import suite

PAIRS = (Pair(question="Who?", options=("you", "me")), Pair(question="When?", options=("now", "later")))


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ('**output: {"judgement": "Response 2"}**\nResponse 1 is weak.', 2),
        ("output: {'judgement': 'response 1'}", 1),
        ('{"judgement": "Response 1", "justification": "it uses { well"}', 1),
        ('{"justification": "x", "judgment": "Response 2"}', 2),
        ('\r\n{"judgement":\xa0"Response\xa0\uff12"}\r\n', 2),
    ],
)
def test_a_judgement(text: str, slot: int) -> None:
    assert parsers.judgement(text) == slot


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("Yes", True),
        ("**No**, it is not.", False),
        ("_Yes_", True),
        ("\r\n`no`.", False),
        ("Yes, no context needed.", True),
        ("Yes or no", None),
        ("No/Yes", None),
        ("yes, no.", None),
        ("Well, yes", None),
        ("Nothing", None),
    ],
)
def test_yes_or_no(text: str, yes: bool | None) -> None:
    if yes is not None:
        assert parsers.yes_no(text) is yes
        return
    with pytest.raises(suite.Unparsed):
        parsers.yes_no(text)


def test_a_tie() -> None:
    assert isinstance(parsers.judgement('{"judgement": "Tie"}'), suite.Tie)
    with pytest.raises(suite.Unparsed, match="not on offer"):
        parsers.judgement('{"judgement": "Tie"}', may_tie=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Response 1",
        "Tie",
        '{"judgement": "Response 3"}',
        '{"judgement": "Response 1"} {"judgement": "Response 2"}',
        "Response 1 beats Response 2",
    ],
)
def test_no_judgement(text: str) -> None:
    with pytest.raises(suite.Unparsed):
        parsers.judgement(text)


def test_follow_ups() -> None:
    text = (
        "Need for Context: Yes\nContext:\n"
        'Q: You wrote "soon". When, exactly? A: ["now", "in May [or June]", "now"]\n'
        "- Q2: Tell me where A2: ['home', 'away']\n"
        'Q: Only one answer? A: ["yes"]\n'
        'Q: Cut off? A: ["a", "b'
    )
    found = parsers.follow_ups(text)
    assert found.needed
    assert found.pairs[0] == Pair(
        question='You wrote "soon". When, exactly?', options=("now", "in May [or June]")
    )
    assert found.pairs[1] == Pair(question="Tell me where", options=("home", "away"))
    assert len(found.pairs) == 2
    assert found.lost == 2


def test_at_most_ten_follow_ups() -> None:
    lines = "\n".join(f'Q: Number {n}? A: ["a", "b"]' for n in range(12))
    assert len(parsers.follow_ups(f"Need for Context: Yes\nContext:\n{lines}").pairs) == 10


@pytest.mark.parametrize(
    "text", ["Need for Context: No", "**Need for Context: No.**", "need for context: no, it is clear"]
)
def test_no_need_for_context(text: str) -> None:
    assert parsers.follow_ups(text) == (False, (), 0)


@pytest.mark.parametrize("text", ["", "No", "Yes", "Need for Context: Yes", "Need for Context: maybe"])
def test_unreadable_follow_ups(text: str) -> None:
    with pytest.raises(suite.Unparsed):
        parsers.follow_ups(text)


def test_type_labels() -> None:
    assert parsers.type_labels('Labels: ["Subjective", "incomplete"]') == ("Incomplete", "Subjective")
    for text in ("[]", '["Vague"]', "Subjective", '["Subjective", "Vague"]'):
        with pytest.raises(suite.Unparsed):
            parsers.type_labels(text)


def test_qualities_of_a_nested_dictionary() -> None:
    one = {"important": 1, "realistic": 0, "complete": 1, "diverse": 1}
    text = f"**output: {json.dumps({'Q1': one, 'Q2': one})}** since"
    assert parsers.qualities(2)(text) == [one, one]
    for bad in ({"Q1": one}, {"Q1": one, "Q2": {**one, "important": 2}}, {"Q1": one, "Q2": {"important": 1}}):
        with pytest.raises(suite.Unparsed):
            parsers.qualities(2)(json.dumps(bad))


def test_chosen_answers_are_word_for_word() -> None:
    found = parsers.chosen(PAIRS)('{"Q1": "me", "Q2": "later"}')
    assert [one.answer for one in found] == ["me", "later"]
    for bad in (
        '{"Q1": "them", "Q2": "now"}',
        '{"Q1": "me"}',
        '["me", "now"]',
        '{"Q1": ["me"], "Q2": "now"}',
    ):
        with pytest.raises(suite.Unparsed):
            parsers.chosen(PAIRS)(bad)


@pytest.mark.parametrize(("text", "count"), [("3. It names all.", 3), ("I count 2 of them", 2), ("**0**", 0)])
def test_a_count(text: str, count: int) -> None:
    assert parsers.constraint_count(3)(text) == count


@pytest.mark.parametrize("text", ["", "none", "4", "-1", "2.5", "99999999999999999999"])
def test_no_count(text: str) -> None:
    with pytest.raises(suite.Unparsed):
        parsers.constraint_count(3)(text)


def test_codes() -> None:
    assert parsers.codes("2, 1") == (1, 2)
    assert parsers.codes("2") == (2,)
    for bad in ("", "3", "12", "content"):
        with pytest.raises(suite.Unparsed):
            parsers.codes(bad)


def test_ratings_of_every_answer() -> None:
    text = 'output: {"poor": {"relevance": 2}, "rich": {"relevance": 5}}'
    assert parsers.relevances(("poor", "rich"))(text) == {"poor": 2, "rich": 5}
    for bad in ('{"poor": {"relevance": 2}}', '{"poor": {"relevance": 2}, "rich": {"relevance": 6}}'):
        with pytest.raises(suite.Unparsed):
            parsers.relevances(("poor", "rich"))(bad)
    assert parsers.relevance('{"relevance": 4}') == 4
    for bad in ('{"relevance": true}', '{"relevance": 4.5}', "4"):
        with pytest.raises(suite.Unparsed):
            parsers.relevance(bad)


def test_three_questions() -> None:
    assert parsers.suits('{"1": "Yes", "2": "no", "3": "Yes"}') == {"1": True, "2": False, "3": True}
    for bad in ('{"1": "Yes"}', '{"1": "Yes", "2": "Maybe", "3": "Yes"}'):
        with pytest.raises(suite.Unparsed):
            parsers.suits(bad)


READERS = [
    parsers.judgement,
    parsers.yes_no,
    parsers.type_labels,
    parsers.follow_ups,
    parsers.qualities(2),
    parsers.chosen(PAIRS),
    parsers.constraint_count(3),
    parsers.codes,
    parsers.suits,
    parsers.relevance,
    parsers.relevances(("a", "b")),
]


@pytest.mark.parametrize("read", READERS)
@given(text=st.text(max_size=60) | st.text(alphabet="[]{}\"',:QA123 \nNedforCtx", max_size=60))
def test_a_reader_reads_or_refuses(read: object, text: str) -> None:
    with contextlib.suppress(ValueError):
        read(text)  # type: ignore[operator]


@pytest.mark.parametrize("text", ["[" * 5000, "{" * 5000, '{"a":' * 3000])
def test_deep_nesting_is_refused(text: str) -> None:
    for read in (parsers.type_labels, parsers.suits):
        with pytest.raises(suite.Unparsed):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000,
        "Need for context: yes\nQ:" + " " * 200_000,
        "Need for context: yes\nQ: who" + " " * 200_000 + "A",
        "Need for context: yes\n" + "Q1: who A: [" * 10_000,
    ],
)
def test_a_hostile_reply_costs_little(text: str) -> None:
    """Time in proportion to its length: its square would be minutes."""
    began = time.process_time()
    with pytest.raises(suite.Unparsed):
        parsers.follow_ups(text)
    assert time.process_time() - began < 10
