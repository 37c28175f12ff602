"""Every Eval Ever's own JSON Schemas 0.3.0: every document is held to them before a file exists.

They are the files of `every-eval-ever` 0.3.0 (MIT), unchanged, in `schemas/`. Their
validator is asked in a test environment of its own (`tox -e eee`), for their package cannot be installed
beside huggingface_hub 2.
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import suite

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).parent / "schemas"
VERSION = "0.3.0"
AGGREGATE = "eval.schema.json"
Fields = dict[str, suite.Json]  # an object of their format
ROW = "instance_level_eval.schema.json"


class Unfit(ValueError):
    """What does not fit, and where in the document: keys and positions, joined by dots."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where


def fields(**values: suite.Json) -> Fields:
    """The values that are there, in their order: the format has no null."""
    return {name: value for name, value in values.items() if value is not None}


def encoded(document: Fields, schema: str, indent: int | None = None) -> bytes:
    """The document as JSON. schema: the file that it is held to. Raises Unfit."""
    from pydantic import TypeAdapter

    for error in _validator(schema).iter_errors(document):
        raise Unfit(error.message, ".".join(map(str, error.absolute_path)))
    return TypeAdapter(object).dump_json(document, indent=indent)


def check_results(results: list[Fields]) -> None:
    """What their schema leaves to who writes: some results, each named once. Raises Unfit."""
    if not results:
        raise Unfit("List should have at least 1 item after validation, not 0", "evaluation_results")
    names = [one["evaluation_result_id"] for one in results]
    if len(set(names)) != len(names):
        raise Unfit("two results have one evaluation_result_id")


def check_score(score: float, ends: tuple[float, float], name: str) -> float:
    """The score, finite and within the metric's ends. Raises Unfit.

    A mean of ones can be 1.0000000000000002: such rounding is taken back, nothing else.
    """
    low, high = ends
    score = next((end for end in ends if abs(score - end) < 1e-9), score)
    if not math.isfinite(score) or not low <= score <= high:
        raise Unfit(f"score {score} of {name} is outside {low} to {high}")
    return score


@cache
def _validator(name: str) -> "Draft7Validator":
    from jsonschema import Draft7Validator

    return Draft7Validator(json.loads((SCHEMAS / name).read_text("utf-8")))
