import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.models.likelihood import answer_span, template_tail, text_span

IDS = st.lists(st.integers(0, 5), max_size=6)


@pytest.mark.parametrize(
    ("prompt", "full", "tail", "span"),
    [
        ([1, 2], [1, 2, 7, 8, 90, 91], 2, (2, 5)),  # end of turn in, newline after it out
        ([1, 2], [1, 2, 7, 8], 0, (2, 4)),  # a template without an end of turn
        ([1, 2, 3], [1, 2, 33, 8, 90], 1, (2, 5)),  # the answer's start merged into the prompt's last token
        ([1, 2, 3, 4], [1, 2, 33, 8, 90], 1, None),  # two tokens off: not the same conversation
        ([1, 2], [1, 2], 1, None),
        ([], [5, 6], 0, (1, 2)),  # nothing predicts the first token
    ],
)
def test_the_answers_span(
    prompt: list[int], full: list[int], tail: int, span: tuple[int, int] | None
) -> None:
    assert answer_span(prompt, full, tail) == span


@given(prompt=IDS.filter(bool), answer=IDS.filter(bool), tail=IDS)
def test_an_answer_after_its_prompt_is_found_whole(
    prompt: list[int], answer: list[int], tail: list[int]
) -> None:
    full = [*prompt, *answer, *tail]
    assert answer_span(prompt, full, len(tail)) == (
        len(prompt),
        len(prompt) + len(answer) + (1 if tail else 0),
    )


@pytest.mark.parametrize(
    ("one", "two", "tail"),
    [
        ([1, 2, 7, 90, 91], [1, 2, 8, 90, 91], 2),
        ([1, 2, 3, 90], [1, 2, 3, 90], 1),  # a small vocabulary knows neither probe
        ([1, 2, 7], [1, 2, 8], 0),
    ],
)
def test_the_templates_tail(one: list[int], two: list[int], tail: int) -> None:
    assert template_tail([1, 2], one, two) == tail


@pytest.mark.parametrize(
    ("tokens", "text", "span"),
    [
        (["", "<u>", "hi", "<a>", " fi", "ne", "<e>", "\n"], "fine", (4, 7)),
        (["", "fine", "<a>", "fine", "<e>"], "fine", (3, 5)),
        (["", "x"], "fine", None),
        (["", "x"], " ", None),
    ],
)
def test_the_same_by_characters(tokens: list[str], text: str, span: tuple[int, int] | None) -> None:
    assert text_span(tokens, text, 1) == span
