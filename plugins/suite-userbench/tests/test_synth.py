"""The catalogue, the generator and the solver that doubts it."""

import copy
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from suite_userbench import __file__ as package
from suite_userbench.scenario import DIFFICULTY, TAGS
from suite_userbench.synth import generator, solver
from suite_userbench.synth.catalogue import CONFLICTS, by_text, catalogue, pool
from suite_userbench.synth.files import MINI_COUNTS, index_row, mini
from suite_userbench.synth.values import VALUES
from suite_userbench.users.language import phrase
from suite_userbench.users.lexicon import LONGEST

FOLDER = Path(package).parent


def test_the_catalogue_has_the_published_sizes() -> None:
    counts = {aspect: len(wishes) for aspect, wishes in catalogue().items()}
    assert counts == {"flight": 16, "hotel": 15, "apartment": 18, "rental_car": 14, "restaurant": 19}
    assert sum(len({wish.category for wish in wishes}) for wishes in catalogue().values()) == 24
    assert len(by_text()) == 82


def test_statements_are_many_unique_and_give_nothing_away() -> None:
    told = [
        (wish, split, text)
        for wishes in catalogue().values()
        for wish in wishes
        for split in ("train", "test")
        for text in wish.statements(split)
    ]
    assert len(told) >= 902
    texts = [text for _, _, text in told]
    assert len(set(texts)) == len(texts)
    for wish, _, text in told:
        plain = text.casefold()
        assert wish.text.casefold() not in plain
        for hidden in wish.hides:
            assert hidden.casefold() not in plain, (wish.key, hidden, text)
        assert ("{v}" in text) == bool(wish.value), text
    for wishes in catalogue().values():
        for wish in wishes:
            assert len(wish.statements("train")) + len(wish.statements("test")) >= 11
            assert not wish.value or wish.value in VALUES
            assert len(wish.words) > 1
            assert all(len(phrase(text).split()) <= LONGEST for text in wish.words)


def test_held_out_statements_are_disjoint() -> None:
    for wishes in catalogue().values():
        for wish in wishes:
            assert not set(wish.statements("train")) & set(wish.statements("test"))


def test_pools_have_no_conflicts() -> None:
    for aspect, conflicts in CONFLICTS.items():
        for combo in pool(aspect, 3):
            pairs = {frozenset((a.key, b.key)) for a, b in itertools.combinations(combo, 2)}
            assert not pairs & conflicts


def test_generated_scenarios_keep_their_promises(synth: Callable[..., Any]) -> None:
    schema = json.loads((FOLDER / "registry/schemas/userbench-synth.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for tag in TAGS:
        for number, record in enumerate(synth(tag, 40, seed=11)):
            assert list(solver.check(record)) == [], record["scenario_id"]
            assert number > 2 or not list(validator.iter_errors(record))
            assert record["difficulty"] == DIFFICULTY[tag]
            assert "".join(sorted(map(str, record["wanted_num"]))) == tag
            assert not {"hotel", "apartment"} <= set(record["dimensions"])
            assert record["split"] == generator.split_of(record["scenario_id"])


def test_no_preference_is_said_in_the_opening(synth: Callable[..., Any]) -> None:
    for tag in ("22", "2222"):
        for record in synth(tag, 30, seed=2):
            opening = record["initial_description"].casefold()
            for aspect in record["dimensions"]:
                for row in record[aspect]["preferences"]:
                    wish = by_text()[aspect, row[2]]
                    for hidden in wish.hides:
                        assert not re.search(rf"\b{re.escape(hidden.casefold())}\b", opening), hidden


@pytest.mark.parametrize("change", ["best", "correct", "price", "fee", "opening", "statement", "ids"])
def test_the_solver_notices(synth: Callable[..., Any], change: str) -> None:
    for record in synth("22", 20, seed=3):
        aspect = record["dimensions"][0]
        if aspect != "hotel" and change == "price":
            continue
        broken = copy.deepcopy(record)
        block = broken[aspect]
        if change == "best":
            block["best_id"] = next(name for name in block["correct_ids"] if name != block["best_id"])
        elif change == "correct":
            block["correct_ids"][0], block["wrong_ids"][0] = block["wrong_ids"][0], block["correct_ids"][0]
        elif change == "price":
            for option in block["options"]["correct"]:
                if option["id"] == block["best_id"]:
                    option["cost"] = [cost * 9 for cost in option["cost"]]
        elif change == "fee":
            block["options"]["wrong"] = block["options"]["correct"][:1] * 10
        elif change == "opening":
            broken["initial_description"] = "I want to travel."
        elif change == "statement":
            broken["initial_description"] += block["preferences"][0][3]
        else:
            block["all_ids"][0] = block["all_ids"][1]
        assert list(solver.check(broken)), (change, aspect)


def test_the_same_seed_gives_the_same_bytes_and_another_others(synth: Callable[..., Any]) -> None:
    one, same, other = (msgspec.json.encode(synth("333", 3, seed=seed)) for seed in (4, 4, 5))
    assert one == same != other


def test_ids_are_unique_and_splits_disjoint(synth: Callable[..., Any]) -> None:
    names = [record["scenario_id"] for record in synth("44", 120)]
    assert len(set(names)) == len(names)
    test = {record["scenario_id"] for record in synth("44", 20, "test")}
    train = {record["scenario_id"] for record in synth("44", 60, "train")}
    assert not test & train
    share = sum(generator.split_of(str(number)) == "test" for number in range(4000)) / 4000
    assert 0.13 < share < 0.17


def test_mini_files_are_what_the_generator_makes() -> None:
    index = []
    for tag in MINI_COUNTS:
        records = list(mini(tag))
        index += [index_row(record) for record in records]
        made = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        assert (FOLDER / f"mini/travel{tag}.jsonl").read_bytes() == made, tag
    made = b"".join(msgspec.json.encode(row) + b"\n" for row in index)
    assert (FOLDER / "mini/index.jsonl").read_bytes() == made


def test_full_set_has_the_published_counts() -> None:
    assert sum(train for train, _ in generator.COUNTS.values()) == 2651
    assert sum(test for _, test in generator.COUNTS.values()) == 471


@pytest.mark.slow
def test_ten_thousand_scenarios() -> None:
    checked = 0
    for tag in TAGS:
        for record in generator.scenarios(tag, seed=21, count=1250):
            assert list(solver.check(record)) == [], record["scenario_id"]
            checked += 1
    assert checked == 10_000
