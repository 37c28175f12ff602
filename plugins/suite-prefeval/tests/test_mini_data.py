"""The bundled data keeps the published schema and is fit to be asked."""

import json
from collections import Counter
from pathlib import Path

import pytest
from suite_prefeval import __file__ as package
from suite_prefeval.conversation import unrelated_messages
from suite_prefeval.rows import ChoiceRow, OptionsRow, PersonaRow, Row, Unrelated

MINI = Path(package).parent / "mini"
DEMO = Path(package).parent / "demo"
TOPICS = sorted(path.stem for path in (MINI / "explicit").glob("*.json"))
FORMS: dict[str, type[Row]] = {
    "explicit": Row,
    "implicit_choice": ChoiceRow,
    "implicit_persona": PersonaRow,
    "mcq_options": OptionsRow,
}


def load(form: str, topic: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((MINI / form / f"{topic}.json").read_text("utf-8"))
    return rows


def test_there_are_enough_pairs_topics_and_exchanges() -> None:
    assert len(TOPICS) == 12
    assert sum(len(load("explicit", topic)) for topic in TOPICS) == 47
    turns = [Unrelated(**one) for one in json.loads((MINI / "filtered_inter_turns.json").read_text("utf-8"))]
    assert (len(turns), len(unrelated_messages(turns))) == (8, 2 * 34)


@pytest.mark.parametrize("topic", TOPICS)
def test_all_forms_hold_the_same_pairs_in_the_same_order(topic: str) -> None:
    shared = ("preference", "question", "explanation")
    pairs = [[[row[name] for name in shared] for row in load(form, topic)] for form in FORMS]
    assert pairs.count(pairs[0]) == len(FORMS)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("form", FORMS)
def test_every_row_fits_its_schema(form: str, topic: str) -> None:
    for index, row in enumerate(load(form, topic)):
        FORMS[form].model_validate({"topic": topic, "index": index, **row})


@pytest.mark.parametrize("topic", TOPICS)
def test_options_are_distinct_and_the_aligned_one_is_among_them(topic: str) -> None:
    for row in load("implicit_choice", topic):
        options = row["options"]
        assert isinstance(options, list)
        assert len(options) == len(set(options)) == 4
        assert row["aligned_op"] in options
        said = row["conversation"]
        assert isinstance(said, dict)
        assert list(said) == ["query", "assistant_options", "user_selection", "assistant_acknowledgment"]
        assert said["query"] == row["implicit_query"]
        for option in options:
            assert option.rstrip(".").lower() in said["assistant_options"].lower()
    for row in load("mcq_options", topic):
        choices = row["classification_task_options"]
        assert isinstance(choices, list)
        assert len(choices) == len(set(choices)) == 4


def test_the_aligned_option_stands_in_every_place() -> None:
    places: Counter[int] = Counter()
    for topic in TOPICS:
        for row in load("implicit_choice", topic):
            options = row["options"]
            assert isinstance(options, list)
            places[options.index(row["aligned_op"])] += 1
    assert sorted(places) == [0, 1, 2, 3]
    assert max(places.values()) - min(places.values()) <= 1


def test_personas_speak_three_to_six_turns_with_contiguous_keys() -> None:
    lengths: Counter[int] = Counter()
    for topic in TOPICS:
        for row in load("implicit_persona", topic):
            said = row["conversation"]
            assert isinstance(said, dict)
            assert list(said) == [str(number) for number in range(len(said))]
            lengths[len(said)] += 1
    assert sorted(lengths) == [3, 4, 5, 6]


def test_no_pair_is_there_twice_and_no_text_is_empty() -> None:
    rows = [row for topic in TOPICS for row in load("explicit", topic)]
    assert len({(row["preference"], row["question"]) for row in rows}) == len(rows)
    assert len({row["preference"] for row in rows}) == len(rows)
    assert all(str(value).strip() == value for row in rows for value in row.values())


def test_the_demo_data_goes_on_where_the_mini_data_ends() -> None:
    rows = {topic: json.loads((DEMO / f"{topic}.json").read_text("utf-8")) for topic in TOPICS}
    assert sorted(path.stem for path in DEMO.glob("*.json")) == TOPICS
    assert sum(map(len, rows.values())) == 196
    for topic, pairs in rows.items():
        start = load("mcq_options", topic)
        assert pairs[: len(start)] == start
    told = [row for pairs in rows.values() for row in pairs]
    assert len({row["preference"] for row in told}) == len({row["question"] for row in told}) == len(told)
    for row in told:
        options = row["classification_task_options"]
        assert len(set(options)) == len(options) == 4
        texts = [row["preference"], row["question"], row["explanation"], *options]
        assert all(text and text.strip() == text and text[-1] in ".?!" for text in texts)


def test_an_implicit_dialogue_never_states_the_preference_in_its_own_words() -> None:
    for form in ("implicit_choice", "implicit_persona"):
        for topic in TOPICS:
            for row in load(form, topic):
                assert str(row["preference"]) not in json.dumps(row["conversation"], ensure_ascii=False)
