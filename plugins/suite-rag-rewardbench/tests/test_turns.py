"""The user's turn, whole and cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite_rag_rewardbench.turns import PROMPTS, cut_left, question_place, user_turn

REFERENCES = (
    "## References\n\nReference [1] Title: A Text: one two three\nReference [2] Title: B Text: four five"
)
QUESTION = "What comes after three?"


def test_a_question_is_added_where_there_is_none() -> None:
    turn = user_turn(PROMPTS, REFERENCES, QUESTION)
    assert (turn.mode, turn.cut) == ("composed", 0)
    assert turn.text.startswith(REFERENCES)
    assert turn.text.endswith(f"## Question\n\n{QUESTION}\n\n## Answer")


@pytest.mark.parametrize(
    "tail",
    [
        f"\n\n## Question\n\n{QUESTION}\n\n## Answer",
        f"\n\nAnswer in detail.\n\n### Question\n{QUESTION}",
        f"\nQuestion: {QUESTION}\n",
        f"\r\n\r\n## Question\r\n{QUESTION}\r\n",
    ],
)
def test_a_prompt_with_its_question_stays_as_it_is(tail: str) -> None:
    turn = user_turn(PROMPTS, REFERENCES + tail, f" {QUESTION} ")
    assert (turn.text, turn.mode) == (REFERENCES + tail, "as_is")


def test_a_question_inside_a_reference_is_not_the_question() -> None:
    quoting = REFERENCES.replace("one two", f"\n{QUESTION}\n")
    assert question_place(quoting, QUESTION) is None
    assert question_place(f"{REFERENCES} who asks {QUESTION} today", QUESTION) is None


@pytest.mark.parametrize("tail", ["", f"\n\nAnswer in detail.\n\n## Question\n\n{QUESTION}\n\n## Answer"])
def test_only_references_are_cut_and_at_their_left(tail: str) -> None:
    turn = user_turn(PROMPTS, REFERENCES + tail, QUESTION, limit=20)
    whole = user_turn(PROMPTS, REFERENCES + tail, QUESTION)
    assert turn.cut == len(whole.text) - len(turn.text) > 0
    assert turn.text.startswith("## References\n\n")
    assert "four five" in turn.text
    assert "Reference [1]" not in turn.text
    assert turn.text.endswith(whole.text[whole.text.rindex("four five") :])


@given(st.text(), st.none() | st.integers(1, 50))
def test_cutting_keeps_the_end(text: str, limit: int | None) -> None:
    kept = cut_left(text, limit)
    assert len(kept) <= len(text)
    if limit is None or len(text) <= limit:
        assert kept == text
    else:
        assert text.endswith(kept[-limit:])
    assert cut_left(kept, limit) == kept


@given(st.text(alphabet="ab \n?", min_size=1).filter(str.strip), st.text(alphabet="ab \n?#"))
def test_a_composed_turn_holds_its_question_as_a_line(question: str, references: str) -> None:
    turn = user_turn(PROMPTS, references, question)
    again = user_turn(PROMPTS, turn.text, question)
    assert again.mode == "as_is"
    assert again.text == turn.text
