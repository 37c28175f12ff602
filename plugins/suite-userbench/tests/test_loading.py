"""Records in the published schema, the split index, and what is refused."""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError
from suite_userbench import loading
from suite_userbench.parameters import TravelParameters
from suite_userbench.records import GOLD_FIELDS, Record, scenario_from, tag_of
from suite_userbench.scenario import TAGS, TIERS

import suite
from suite.testing import task_data

SCHEMA = Path(__file__).resolve().parents[3] / "registry/schemas/userbench-scenario.json"
PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/data/userbench"

OPTION = {"name": "Somewhere", "room": [{"type": "King", "capacity": 2}], "cost": [900], "rating": 8.1}


def hand_made() -> dict[str, Any]:
    """A record as upstream writes them, by hand: odd rows, nulls, four ids without options."""

    def block(letter: str, arguments: dict[str, str]) -> dict[str, Any]:
        ids = [f"{letter}{number}" for number in range(1, 23)]
        kinds = {"correct": ids[:3], "wrong": ids[3:13], "noise": ids[13:18]}
        return {
            "preferences": [
                ["hotel", "room", "a king bed", "I sleep like a star.", "King"],
                ["too", "short"],
                "no row",
                ["hotel", "rating", "seven or more", "I trust sevens."],
            ],
            "arguments": arguments,
            "all_ids": ids,
            "correct_ids": ids[:3],
            "wrong_ids": ids[3:13],
            "noise_ids": ids[13:],
            "best_id": ids[1],
            "best_id_thought": "900 is least",
            "options": {
                kind: [
                    {"id": name, **OPTION, "rating": None, "type": "suitable", "reason": "x"}
                    for name in names
                ]
                for kind, names in kinds.items()
            },
        }

    stay = {"city": "Oslo", "date_start": "May 1st", "date_end": "May 4th"}
    return {
        "scenario_id": "hotel:2-3|restaurant:2-9",
        "scenario": "everything",
        "wanted_num": [2, 2],
        "difficulty": "easy",
        "dimensions": ["restaurant", "hotel"],
        "initial_description": "I go to Oslo.",
        "hotel": block("H", stay),
        "restaurant": block("R", {"city": "Oslo", "date": "During stay"}),
    }


def test_a_published_record_becomes_a_scenario() -> None:
    jsonschema.validate(hand_made(), json.loads(SCHEMA.read_text()))
    scenario = scenario_from(Record(**hand_made()))
    assert [one.name for one in scenario.aspects] == ["restaurant", "hotel"]
    assert (scenario.tag, scenario.tier, scenario.source) == ("22", "easy", "userbench")
    assert [one.id for one in scenario.preferences] == ["P1", "P2", "P3", "P4"]
    assert [one.note for one in scenario.preferences] == ["King", "", "King", ""]
    hotel = scenario.aspect("hotel")
    assert hotel is not None
    assert len(hotel.options) == 18 and hotel.best == "H2"
    assert not any(field in option for option in hotel.options.values() for field in GOLD_FIELDS)


def changed(path: tuple[Any, ...], value: dict[str, str] | list[Any] | str | None) -> dict[str, Any]:
    record = hand_made()
    *steps, last = path
    place = record
    for step in steps:
        place = place[step]
    place[last] = value
    return record


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("hotel", "best_id"), "H9", "not among the correct"),
        (("hotel", "correct_ids"), ["H1", "H2", "H7"], "not the correct options"),
        (("hotel", "options", "correct", 0, "id"), "H2", "one id"),
        (("hotel", "options", "wrong", 0, "id"), "R44", "option ids must be H"),
        (("hotel", "options", "noise", 0, "id"), "", "no id"),
        (("hotel", "arguments"), {"city": "Oslo"}, "date_start"),
        (("hotel", "preferences"), [["a"]], "no usable preference"),
        (("restaurant",), None, "no block"),
        (("dimensions",), ["hotel", "hotel"], "twice"),
        (("scenario_id",), "hotel-2", "bad part"),
        (("scenario_id",), "hotel:5-1|flight:5-2", "no composition"),
        (("difficulty",), "brutal", "difficulty"),
    ],
)
def test_broken_records_are_refused(
    path: tuple[Any, ...], value: dict[str, str] | list[Any] | str | None, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Record(**changed(path, value))


def test_tags_and_tiers() -> None:
    assert tag_of("flight:3-1|hotel:2-9|restaurant:3-0") == "233"
    assert set(TIERS) == set(TAGS)


def test_the_bundled_scenarios_load(files: Callable[..., Any]) -> None:
    scenarios = list(loading.read_scenarios(files(), TravelParameters()))
    assert len(scenarios) == 19
    assert len({one.id for one in scenarios}) == 19
    assert [one.tag for one in scenarios] == sorted((one.tag for one in scenarios), key=TAGS.index)
    some = list(loading.read_scenarios(files(), TravelParameters(tags=("33", "22"))))
    assert {one.tag for one in some} == {"22", "33"}
    assert loading.first_source(files(), TravelParameters()) == "userbench-synth/1"


def test_data_and_index_must_agree(files: Callable[..., Any]) -> None:
    def other_key(name: str, row: dict[str, Any]) -> dict[str, Any]:
        if name == loading.INDEX:
            row["reward_model"]["ground_truth"] = "['F1', 'R1']"
        return row

    with pytest.raises(suite.DataError, match="disagree"):
        list(loading.read_scenarios(files(other_key), TravelParameters()))

    def no_list(name: str, row: dict[str, Any]) -> dict[str, Any]:
        if name == loading.INDEX:
            row["reward_model"]["ground_truth"] = "open('x')"
        return row

    with pytest.raises(suite.DataError, match="no list"):
        list(loading.read_scenarios(files(no_list), TravelParameters()))

    def lost(name: str, row: dict[str, Any]) -> dict[str, Any]:
        if name == loading.DATASET and row["scenario_id"].startswith("flight"):
            row = copy.deepcopy(row) | {"scenario_id": "hotel:2-0|restaurant:2-0"}
        return row

    with pytest.raises(suite.DataError, match="lacks"):
        list(loading.read_scenarios(files(lost), TravelParameters()))


def test_a_split_without_scenarios_is_an_error(files: Callable[..., Any]) -> None:
    def train(name: str, row: dict[str, Any]) -> dict[str, Any]:
        return row if name == loading.DATASET else row | {"extra_info": {"split": "train"}}

    with pytest.raises(suite.DataError, match="no scenarios"):
        loading.first_source(files(train), TravelParameters())


def test_the_registry_knows_all_files_by_git_blob() -> None:
    entry = (SCHEMA.parents[1] / "datasets/userbench.yaml").read_text()
    assert entry.count("git_blob") == 8
    assert all(f"travel{tag}:" in entry for tag in TAGS)
    body = b"{}"
    assert hashlib.sha1(b"blob 2\0" + body).hexdigest() == "9e26dfeeb6e641a33dae4961196235bdb965b21b"


def test_the_published_index_reads() -> None:
    if not PUBLISHED.is_dir():
        pytest.skip("the published index is not beside this checkout")
    import pyarrow.parquet

    parquet = [
        row
        for tag in TAGS
        for row in pyarrow.parquet.read_table(
            PUBLISHED / f"travel{tag}_multiturn_onechoice/test.parquet"
        ).to_pylist()
    ]
    index = loading.read_index(task_data(given={loading.INDEX: parquet}), TravelParameters())
    assert len(index) == 471
    assert all(len(best) == len(name.split("|")) for name, best in index.items())


@pytest.mark.parametrize(("mode", "folder"), [("single", "_onechoice"), ("multi", "")])
def test_the_published_texts_are_read_from_the_index(mode: str, folder: str) -> None:
    if not PUBLISHED.is_dir():
        pytest.skip("the published index is not beside this checkout")
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(PUBLISHED / f"travel22_multiturn{folder}/test.parquet").to_pylist()
    part = f"{mode}-choice"
    data = task_data(given={loading.PROMPTS: {part: rows, "other": []}})
    system, budget = loading.published_prompts(data, mode)
    assert suite.Prompts(one=system).one() == rows[0]["prompt"][0]["content"]
    assert all(row["prompt"][1]["content"].endswith(f"\n{budget}\n") for row in rows)
    rows[3]["prompt"][0]["content"] += "?"
    with pytest.raises(suite.DataError, match="2 texts"):
        loading.published_prompts(task_data(given={loading.PROMPTS: {part: rows}}), mode)
