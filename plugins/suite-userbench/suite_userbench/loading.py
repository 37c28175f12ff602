"""Scenarios from a dataset, joined to the split index that says which are train and which test.

The published files hold all scenarios of a composition; the index lists the ids of a split with the answer
key. Both are checked against each other. Raises DataError where they disagree. Not here: pulling and
checksums (the registry), the schema (`records`).
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import suite
from suite_userbench.parameters import TravelParameters
from suite_userbench.records import Record, scenario_from, tag_of
from suite_userbench.scenario import Scenario

DATASET, INDEX, PROMPTS = "userbench", "userbench-index", "userbench-prompts"


class Key(suite.Payload):
    """Of an index row: which scenario, and its best options as the text of a Python list."""

    id: str
    ground_truth: str

    def best(self) -> list[str]:
        """The answer key. Raises DataError."""
        try:
            found = ast.literal_eval(self.ground_truth)
        except (ValueError, SyntaxError) as error:
            raise suite.DataError(f"{INDEX}: the answer key of {self.id} is no list: {error}") from error
        return [str(one) for one in found]


class IndexRow(suite.Payload):
    """One row of the split index."""

    reward_model: Key
    extra_info: Mapping[str, Any] = {}


class PromptRow(suite.Payload):
    """One row of the split index, for what it says to the candidate."""

    prompt: list[Mapping[str, str]]


def published_prompts(data: suite.Data, mode: str) -> tuple[str, str]:
    """The system text of a mode, and the sentence about the budget, as templates without fields.

    Every row of a mode has the same system text; the user's text ends in the sentence on a line of its own.
    Raises DataError where rows say otherwise.
    """
    rows = list(data.rows(PROMPTS, PromptRow, part=f"{mode}-choice"))
    texts = {(row.prompt[0]["content"], row.prompt[1]["content"].split("\n")[-2]) for row in rows}
    if len(texts) != 1:
        raise suite.DataError(f"{PROMPTS}: {len(texts)} texts of the {mode} mode, expected one")
    system, budget = (text.replace("{", "{{").replace("}", "}}") for text in texts.pop())
    return system, budget


def read_index(data: suite.Data, parameters: TravelParameters) -> dict[str, list[str]]:
    """Scenario id -> answer key, for the wanted split and tags. Both modes have the same index."""
    found: dict[str, list[str]] = {}
    for row in data.rows(INDEX, IndexRow, part=f"single-choice-{parameters.split}"):
        if row.extra_info.get("split", parameters.split) != parameters.split:
            continue  # a file that somebody gave holds both splits
        key = row.reward_model
        try:
            tag = tag_of(key.id)
        except ValueError as error:
            raise suite.DataError(f"{INDEX}: {error}", where=key.id) from error
        if tag in parameters.chosen_tags:
            found[key.id] = key.best()
    return found


def read_scenarios(data: suite.Data, parameters: TravelParameters) -> Iterator[Scenario]:
    """The scenarios of the wanted split and tags: by tag, then in the file's order."""
    index = read_index(data, parameters)
    for tag in parameters.chosen_tags:
        wanted = {name for name in index if tag_of(name) == tag}
        if not wanted:
            continue
        for record in data.rows(DATASET, Record, part=f"travel{tag}"):
            if record.scenario_id not in wanted:
                continue
            if record.best() != index[record.scenario_id]:
                raise suite.DataError(
                    f"{DATASET} and {INDEX} disagree on the answers of {record.scenario_id}",
                    where=f"{record.best()} against {index[record.scenario_id]}",
                    fix="take both from the same commit",
                )
            wanted.discard(record.scenario_id)
            yield scenario_from(record)
        if wanted:
            raise suite.DataError(
                f"{DATASET} lacks {len(wanted)} scenarios of {tag} that {INDEX} lists",
                where=min(wanted),
                fix="take both from the same commit",
            )


def first_source(data: suite.Data, parameters: TravelParameters) -> str:
    """Who made the scenarios, from the first one. Raises DataError if there is none."""
    for scenario in read_scenarios(data, parameters):
        return scenario.source
    raise suite.DataError(
        f"no scenarios of {', '.join(parameters.chosen_tags)} in the {parameters.split} split",
        fix="choose other tags, or bring the data: see docs/userbench.md",
    )
