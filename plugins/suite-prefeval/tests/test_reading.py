"""Items and samples from the bundled data."""

from typing import Any

import pytest
from suite_prefeval import reading
from suite_prefeval.generation import Generation
from suite_prefeval.letters import Orders
from suite_prefeval.parameters import GenerationParameters
from suite_prefeval.rows import OptionsRow

import suite
from suite.testing import task_data


@pytest.mark.parametrize("form", ["explicit", "implicit-choice", "implicit-persona"])
def test_ids_are_topic_and_index_in_one_order_over_all_forms(mini: Any, form: Any) -> None:
    items = list(reading.generation_items(mini, "prefeval", GenerationParameters(form=form)))
    ids = [reading.sample(item, form).id for item in items]
    reference = reading.generation_items(mini, "prefeval", GenerationParameters())
    assert ids == [f"{item.topic}/{item.index}" for item in reference]
    assert len(set(ids)) == 47
    assert all(reading.sample(item, form).group == f"{item.topic}/{item.index}" for item in items)


def test_the_gold_letter_names_the_first_option_of_the_file(mini: Any) -> None:
    source = {
        (row.topic, row.index): row.classification_task_options
        for row in mini.rows("prefeval", OptionsRow, part="mcq")
    }
    for item in reading.classification_items(mini, "prefeval", GenerationParameters()):
        options = source[item.topic, item.index]
        assert item.options["ABCD".index(item.gold)] == options[0]
        assert sorted(item.options) == sorted(options)
        assert item.options == tuple(options[place] for place in Orders()[item.index])


def test_leaving_out_topics_leaves_the_rest_as_it_is(mini: Any) -> None:
    every = {
        (item.topic, item.index): item
        for item in reading.classification_items(mini, "prefeval", GenerationParameters())
    }
    some = list(
        reading.classification_items(
            mini, "prefeval", GenerationParameters(topics=("garden_plants", "books_reading"))
        )
    )
    assert [item.topic for item in some] == ["books_reading"] * 4 + ["garden_plants"] * 3
    assert all(item == every[item.topic, item.index] for item in some)


def test_an_unknown_topic_is_named_with_its_neighbours(mini: Any) -> None:
    with pytest.raises(suite.NotFound, match="did you mean 'garden_plants'"):
        list(reading.generation_items(mini, "prefeval", GenerationParameters(topics=("garden_plant",))))


def test_items_are_read_lazily() -> None:
    read: list[dict[str, Any]] = []

    def counted(_name: str, row: dict[str, Any]) -> dict[str, Any]:
        read.append(row)
        return row

    next(reading.generation_items(task_data(Generation, change=counted), "prefeval", GenerationParameters()))
    assert len(read) == 1


def test_parts_out_of_step_are_refused() -> None:
    def shifted(_name: str, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "index": row["index"] + 1} if "conversation" in row else row

    data = task_data(Generation, change=shifted)
    with pytest.raises(suite.DataError, match="out of step"):
        list(reading.classification_items(data, "prefeval", GenerationParameters(form="implicit-choice")))


def test_tags_name_topic_form_and_gold_position(mini: Any) -> None:
    item = next(reading.classification_items(mini, "prefeval", GenerationParameters(form="implicit-choice")))
    assert reading.sample(item, "implicit-choice").tags == {
        "topic": "books_reading",
        "form": "implicit-choice",
        "gold": "C",
    }
