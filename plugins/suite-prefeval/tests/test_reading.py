"""Items and samples from the bundled data."""

from collections.abc import Iterator
from typing import Any

import pytest
from suite_prefeval import reading
from suite_prefeval.letters import Orders
from suite_prefeval.parameters import GenerationParameters
from suite_prefeval.rows import OptionsRow

import suite


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


def test_items_are_read_lazily(mini: Any) -> None:
    read: list[int] = []

    class Counting(type(mini)):  # type: ignore[misc]
        def rows(self, name: str, row: type[Any], part: str | None = None) -> Iterator[Any]:
            for one in super().rows(name, row, part):
                read.append(1)
                yield one

    next(reading.generation_items(Counting(mini.root), "prefeval", GenerationParameters()))
    assert len(read) == 1


def test_parts_out_of_step_are_refused(mini: Any) -> None:
    class Shifted(type(mini)):  # type: ignore[misc]
        def rows(self, name: str, row: type[Any], part: str | None = None) -> Iterator[Any]:
            rows: Iterator[Any] = super().rows(name, row, part)
            if part == "implicit-choice":
                next(rows)
            return rows

    with pytest.raises(suite.DataError, match="out of step"):
        list(
            reading.classification_items(
                Shifted(mini.root), "prefeval", GenerationParameters(form="implicit-choice")
            )
        )


def test_tags_name_topic_form_and_gold_position(mini: Any) -> None:
    item = next(reading.classification_items(mini, "prefeval", GenerationParameters(form="implicit-choice")))
    assert reading.sample(item, "implicit-choice").tags == {
        "topic": "books_reading",
        "form": "implicit-choice",
        "gold": "C",
    }
