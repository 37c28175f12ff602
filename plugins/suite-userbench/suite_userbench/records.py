"""The published scenario schema, and how a record becomes a `Scenario`.

Upstream data has faults that are kept (contradictory preferences, odd values, nulls): only what the
environment relies on is checked. Gold fields (`type`, `reason`) never reach `Aspect.options`.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

import suite
from suite_userbench.scenario import TAGS, TIERS, Aspect, Preference, Scenario
from suite_userbench.travel import ASPECTS

GOLD_FIELDS = ("type", "reason")
_PART = re.compile(r"(flight|hotel|apartment|rental_car|restaurant):(\d+)-(\d+)")


class Options(suite.Payload):
    """The option objects of an aspect, by what they are."""

    correct: list[dict[str, Any]] = Field(min_length=1)
    wrong: list[dict[str, Any]]
    noise: list[dict[str, Any]]

    @model_validator(mode="after")
    def _ids(self) -> "Options":
        names = [option.get("id") for option in (*self.correct, *self.wrong, *self.noise)]
        if any(not isinstance(name, str) or not name for name in names):
            raise ValueError("an option has no id")
        if len(set(names)) != len(names):
            raise ValueError("two options have one id")
        return self


class Block(suite.Payload):
    """One aspect of a record. preferences: rows with fewer than four texts are ignored, as upstream does."""

    preferences: list[Any]
    arguments: dict[str, str]
    all_ids: list[str]
    correct_ids: list[str]
    wrong_ids: list[str]
    noise_ids: list[str]
    best_id: str
    best_id_thought: str = ""
    options: Options

    @model_validator(mode="after")
    def _answers(self) -> "Block":
        correct = {option["id"] for option in self.options.correct}
        if set(self.correct_ids) != correct:
            raise ValueError(
                f"correct_ids {sorted(self.correct_ids)} are not the correct options {sorted(correct)}"
            )
        if self.best_id not in correct:
            raise ValueError(f"the best option {self.best_id} is not among the correct ones")
        return self

    def rows(self) -> list[tuple[str, ...]]:
        """The usable preferences: (aspect, category, text, statement, note)."""
        return [
            (*map(str, row[:4]), str(row[4]) if len(row) > 4 else "")
            for row in self.preferences
            if isinstance(row, list | tuple) and len(row) >= 4
        ]


class Record(suite.Payload):
    """One scenario as stored. source, split: only in this project's own data."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scenario_id: str
    scenario: str
    wanted_num: list[int]
    difficulty: Literal["easy", "medium", "hard"]
    dimensions: list[Literal["flight", "hotel", "apartment", "rental_car", "restaurant"]] = Field(
        min_length=1
    )
    initial_description: str = Field(min_length=1)
    flight: Block | None = None
    hotel: Block | None = None
    apartment: Block | None = None
    rental_car: Block | None = None
    restaurant: Block | None = None
    source: str = "userbench"
    split: str = ""

    @model_validator(mode="after")
    def _whole(self) -> "Record":
        tag_of(self.scenario_id)
        if len(set(self.dimensions)) != len(self.dimensions):
            raise ValueError("an aspect occurs twice in `dimensions`")
        for name in self.dimensions:
            block: Block | None = getattr(self, name)
            if block is None:
                raise ValueError(f"there is no block for the aspect {name!r}")
            letter = ASPECTS[name].letter
            every = [*block.options.correct, *block.options.wrong, *block.options.noise]
            if odd := [one["id"] for one in every if not re.fullmatch(rf"{letter}\d+", one["id"])]:
                raise ValueError(f"{name}: option ids must be {letter} and a number, not {odd[0]!r}")
            if missing := [one for one in ASPECTS[name].arguments if one not in block.arguments]:
                raise ValueError(f"{name}: the search argument {missing[0]!r} is missing")
            if not block.rows():
                raise ValueError(f"{name}: no usable preference")
        return self

    def best(self) -> list[str]:
        """The answer key, in the order of `dimensions`."""
        return [getattr(self, name).best_id for name in self.dimensions]


def tag_of(scenario: str) -> str:
    """The composition of a scenario id: its preference counts, ascending. Raises ValueError."""
    counts = []
    for part in scenario.split("|"):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"bad part {part!r} in scenario id: write aspect:count-index")
        counts.append(match[2])
    tag = "".join(sorted(counts))
    if tag not in TAGS:
        raise ValueError(f"no composition {tag!r}; known: {', '.join(TAGS)}")
    return tag


def _shown(option: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in option.items() if field not in GOLD_FIELDS}


def _aspect(name: str, block: Block, source: str) -> Aspect:
    domain, options = ASPECTS[name], block.options
    return Aspect(
        name=name,
        letter=domain.letter,
        arguments=dict(block.arguments),
        options={one["id"]: _shown(one) for one in (*options.correct, *options.wrong, *options.noise)},
        best=block.best_id,
        correct=tuple(one["id"] for one in options.correct),
        wrong=tuple(one["id"] for one in options.wrong),
        noise=tuple(one["id"] for one in options.noise),
        legend=domain.legend_of(source),
    )


def scenario_from(record: Record) -> Scenario:
    """The scenario of a record."""
    blocks: dict[str, Block] = {name: getattr(record, name) for name in record.dimensions}
    preferences: list[Preference] = []
    for name, block in blocks.items():
        for _, category, text, statement, note in block.rows():
            number = len(preferences) + 1
            preferences.append(Preference(f"P{number}", name, category, text, statement, note))
    tag = tag_of(record.scenario_id)
    return Scenario(
        id=record.scenario_id,
        tag=tag,
        tier=TIERS[tag],
        difficulty=record.difficulty,
        request=record.initial_description,
        story=record.scenario,
        aspects=tuple(_aspect(name, block, record.source) for name, block in blocks.items()),
        preferences=tuple(preferences),
        source=record.source,
    )
