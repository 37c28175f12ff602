"""Records in the published schema, the split index, and what is refused."""

import copy
import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError
from suite_userbench import loading
from suite_userbench.parameters import TravelParameters
from suite_userbench.records import GOLD_FIELDS, Record, scenario_from, tag_of
from suite_userbench.scenario import TAGS, TIERS

import suite

SCHEMA = Path(__file__).resolve().parents[3] / "registry/schemas/userbench-scenario.json"
PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/data/userbench"

OPTION = {"name": "Somewhere", "room": [{"type": "King", "capacity": 2}], "cost": [900], "rating": 8.1}


def hand_made():
    """A record as upstream writes them, by hand: odd rows, nulls, four ids without options."""

    def block(letter, arguments):
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


def test_a_published_record_becomes_a_scenario():
    jsonschema.validate(hand_made(), json.loads(SCHEMA.read_text()))
    scenario = scenario_from(Record(**hand_made()))
    assert [one.name for one in scenario.aspects] == ["restaurant", "hotel"]
    assert (scenario.tag, scenario.tier, scenario.source) == ("22", "easy", "userbench")
    assert [one.id for one in scenario.preferences] == ["P1", "P2", "P3", "P4"]
    assert [one.note for one in scenario.preferences] == ["King", "", "King", ""]
    hotel = scenario.aspect("hotel")
    assert len(hotel.options) == 18 and hotel.best == "H2"
    assert not any(field in option for option in hotel.options.values() for field in GOLD_FIELDS)


def changed(path, value):
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
def test_broken_records_are_refused(path, value, message):
    with pytest.raises(ValidationError, match=message):
        Record(**changed(path, value))


def test_tags_and_tiers():
    assert tag_of("flight:3-1|hotel:2-9|restaurant:3-0") == "233"
    assert set(TIERS) == set(TAGS)


def test_the_bundled_scenarios_load(files):
    scenarios = list(loading.read_scenarios(files(), TravelParameters()))
    assert len(scenarios) == 19
    assert len({one.id for one in scenarios}) == 19
    assert [one.tag for one in scenarios] == sorted((one.tag for one in scenarios), key=TAGS.index)
    some = list(loading.read_scenarios(files(), TravelParameters(tags=("33", "22"))))
    assert {one.tag for one in some} == {"22", "33"}
    assert loading.first_source(files(), TravelParameters()) == "userbench-synth/1"


def test_data_and_index_must_agree(files):
    def other_key(name, row):
        if name == loading.INDEX:
            row["reward_model"]["ground_truth"] = "['F1', 'R1']"
        return row

    with pytest.raises(suite.DataError, match="disagree"):
        list(loading.read_scenarios(files(other_key), TravelParameters()))

    def no_list(name, row):
        if name == loading.INDEX:
            row["reward_model"]["ground_truth"] = "open('x')"
        return row

    with pytest.raises(suite.DataError, match="no list"):
        list(loading.read_scenarios(files(no_list), TravelParameters()))

    def lost(name, row):
        if name == loading.DATASET and row["scenario_id"].startswith("flight"):
            row = copy.deepcopy(row) | {"scenario_id": "hotel:2-0|restaurant:2-0"}
        return row

    with pytest.raises(suite.DataError, match="lacks"):
        list(loading.read_scenarios(files(lost), TravelParameters()))


def test_a_split_without_scenarios_is_an_error(files):
    def train(name, row):
        return row if name == loading.DATASET else row | {"extra_info": {"split": "train"}}

    with pytest.raises(suite.DataError, match="no scenarios"):
        loading.first_source(files(train), TravelParameters())


def test_the_registry_knows_all_files_by_git_blob():
    entry = (SCHEMA.parents[1] / "datasets/userbench.yaml").read_text()
    assert entry.count("git_blob") == 8
    assert all(f"travel{tag}:" in entry for tag in TAGS)
    body = b"{}"
    assert hashlib.sha1(b"blob 2\0" + body).hexdigest() == "9e26dfeeb6e641a33dae4961196235bdb965b21b"


def test_the_published_index_reads():
    if not PUBLISHED.is_dir():
        pytest.skip("the published index is not beside this checkout")
    import pyarrow.parquet

    class Parquet:
        def rows(self, name, row, part=None):
            for tag in TAGS:
                table = pyarrow.parquet.read_table(
                    PUBLISHED / f"travel{tag}_multiturn_onechoice/test.parquet"
                )
                for one in table.to_pylist():
                    yield row(**one)

    index = loading.read_index(Parquet(), TravelParameters())
    assert len(index) == 471
    assert all(len(best) == len(name.split("|")) for name, best in index.items())


@pytest.mark.parametrize(("mode", "folder"), [("single", "_onechoice"), ("multi", "")])
def test_the_published_texts_are_read_from_the_index(mode, folder):
    if not PUBLISHED.is_dir():
        pytest.skip("the published index is not beside this checkout")
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(PUBLISHED / f"travel22_multiturn{folder}/test.parquet").to_pylist()
    data = Given(rows)
    system, budget = loading.published_prompts(data, mode)
    assert data.parts == [f"{mode}-choice"]
    assert suite.Prompts(one=system).one() == rows[0]["prompt"][0]["content"]
    assert all(row["prompt"][1]["content"].endswith(f"\n{budget}\n") for row in rows)
    rows[3]["prompt"][0]["content"] += "?"
    with pytest.raises(suite.DataError, match="2 texts"):
        loading.published_prompts(Given(rows), mode)


class Given:
    """`suite.Data` over rows at hand."""

    def __init__(self, rows):
        self.given, self.parts = rows, []

    def rows(self, name, row, part):
        self.parts.append(part)
        yield from (row(**one) for one in self.given)
