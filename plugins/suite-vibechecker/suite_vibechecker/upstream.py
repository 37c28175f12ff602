"""Outputs of the authors' release, checked again: JSONL rows with a program and its constraints.

Lets published outputs be compared in official mode, and shows what strict rules make of them. Only
following is checked: the release keeps test results elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

import suite
from suite_vibechecker.measures import instruction_following, task_following
from suite_vibechecker.vericode import Item, Mode, check_many, instruction

FAILED = "failed_after_retries"


class Constraint(suite.Payload):
    """One instruction of an output row."""

    index: str
    parameters: dict[str, Any] | None = None


class Info(suite.Payload):
    """What an output row says about its instructions."""

    constraints: tuple[Constraint, ...] = ()


class Row(suite.Payload):
    """One output of the authors' release."""

    task_id: str
    solution: str = ""
    full_response: str = ""
    status: str = ""
    if_info: Info = Field(default_factory=Info)


@dataclass(frozen=True, slots=True)
class Following:
    """Scores of the rows that have k instructions; shares in [0, 1], None of nothing."""

    k: int
    rows: int
    instruction: float | None
    task: float | None


def read(path: Path) -> Iterator[Row]:
    """Rows of a JSONL file. Raises DataError naming file and line."""
    for row in suite.json_lines(path, nan=True):
        try:
            yield Row.model_validate(row.value)
        except ValidationError as error:
            where = str(error).splitlines()[0]
            raise suite.DataError(
                f"{path.name}: {row.place} is no output row", where, "expected JSONL with task_id"
            ) from error


def following(rows: Iterable[Row], mode: Mode) -> list[Following]:
    """Both following scores by number of instructions, in ascending k. One ruff call a rule.

    HiddenTests that could not be given count as not followed, as upstream does.
    """
    kept = list(rows)
    items = [item for row in kept for item in _items(row, mode)]
    verdicts = iter(check_many(items))
    by_k: dict[int, list[Sequence[bool]]] = {}
    for row in kept:
        answers = [bool(next(verdicts).followed) for _ in row.if_info.constraints]
        by_k.setdefault(len(answers), []).append(answers)
    return [
        Following(k, len(table), instruction_following(table), task_following(table))
        for k, table in sorted(by_k.items())
    ]


def _items(row: Row, mode: Mode) -> Iterator[Item]:
    failed = row.status == FAILED
    for one in row.if_info.constraints:
        parameters: Mapping[str, Any] = instruction(one.index).known(one.parameters)
        yield Item(row.solution, row.full_response, one.index, parameters, mode, failed)
