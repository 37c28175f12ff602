"""Turns counted two ways, impossible cells, equal cells."""

import pytest
from pydantic import ValidationError
from suite_prefeval.parameters import ClassificationParameters, GenerationParameters

import suite


@pytest.mark.parametrize(("inter", "paper"), [(0, 2), (3, 5), (8, 10), (298, 300)])
def test_paper_turns_are_inter_turns_plus_two(inter: int, paper: int) -> None:
    one, other = GenerationParameters(inter_turns=inter), GenerationParameters(paper_turns=paper)
    assert one == other
    assert (one.inter_turns, one.paper_turns) == (inter, paper)


def test_parameters_read_back_are_the_same() -> None:
    parameters = GenerationParameters(paper_turns=30, method="rag", topics=("b", "a", "b"))
    assert GenerationParameters(**parameters.solve_values()) == parameters
    assert parameters.topics == ("a", "b")


def test_turns_given_as_text_are_read() -> None:
    assert GenerationParameters(paper_turns="10").inter_turns == 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"inter_turns": 8, "paper_turns": 8},
        {"inter_turns": -1},
        {"paper_turns": 1},
        {"inter_turns": "many"},
        {"form": "implicit"},
        {"rag_k": 0, "method": "rag"},
        {"turns": 3},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GenerationParameters(**wrong)


@pytest.mark.parametrize(
    ("form", "turns", "k", "possible"),
    [
        ("explicit", 1, 5, False),
        ("explicit", 2, 5, True),
        ("implicit-choice", 0, 5, False),
        ("implicit-choice", 1, 5, True),
        ("implicit-persona", 0, 5, True),
        ("implicit-persona", 0, 7, False),
    ],
)
def test_rag_with_fewer_messages_than_it_quotes_is_no_cell(
    form: str, turns: int, k: int, possible: bool
) -> None:
    values = {"form": form, "method": "rag", "inter_turns": turns, "rag_k": k}
    if possible:
        assert ClassificationParameters(**values).rag_k == k
    else:
        with pytest.raises(suite.SkipCell, match="rag quotes"):
            ClassificationParameters(**values)


def test_rag_k_does_not_split_the_cells_of_other_methods() -> None:
    assert GenerationParameters(method="cot", rag_k=3) == GenerationParameters(method="cot")
    assert GenerationParameters(method="rag").rag_k == 5


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"profile": "gpt", "form": "implicit-choice"}, "implicit"),
        ({"profile": "gpt", "method": "selfcritic"}, "selfcritic"),
        ({"profile": "gemini", "method": "rag"}, "rag"),
    ],
)
def test_what_upstream_cannot_ask_a_family_is_no_cell(values: dict[str, str], reason: str) -> None:
    with pytest.raises(suite.SkipCell, match=reason):
        GenerationParameters(**values)
    assert GenerationParameters(profile="gpt", method="rag").rag_k == 5
    with pytest.raises(suite.SkipCell, match="classification"):
        ClassificationParameters(profile="gemini")


def test_raw_profiles_prefill_as_upstream_does() -> None:
    assert ClassificationParameters(profile="mistral").prefill
    assert not ClassificationParameters(profile="llama").prefill
    with pytest.raises(ValidationError, match="prefill"):
        ClassificationParameters(profile="llama", prefill=True)
    parameters = ClassificationParameters(profile="mistral")
    assert ClassificationParameters(**parameters.solve_values()) == parameters
