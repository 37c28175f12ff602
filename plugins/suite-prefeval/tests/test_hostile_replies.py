"""Replies made to cost time or depth are read like any other: what is no tag is text."""

import time

import pytest
from suite_prefeval import letters, verdicts


@pytest.mark.parametrize(
    "text", ["<Q: a?" * 50_000, "<" * 200_000, "<b>" * 50_000, "<b>" * 900 + "</i>" * 50_000]
)
def test_a_hostile_reply_costs_little(text: str) -> None:
    began = time.process_time()
    assert letters.letter(text) is None
    assert letters.official_letter(text) is None
    assert verdicts.official_answer(text) == ""
    assert time.process_time() - began < 5


def test_many_brackets_hide_no_tag_before_them() -> None:
    assert letters.letter("<choice>B</choice>" + "<" * 5000) == "B"
    assert letters.letter("x < y " * 2000 + "<choice>B</choice>") == "B"
