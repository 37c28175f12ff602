"""From what a task returns to what is written: outputs, scores, payload hashes, checked on the way."""

import math
from collections.abc import Mapping
from typing import get_args

import msgspec

from suite.chat import Finish, sha256_hex
from suite.errors import PluginError
from suite.journal.records import OutputRecord, ScoreRecord, block_hash
from suite.parameters import payload_json
from suite.run.cells import Cell
from suite.task import AnySample, Output, Part, Score, Unscored, Value

_canonical = msgspec.json.Encoder(order="sorted")


def payload_sha256(payload: object) -> str:
    """Hash of a sample's payload as JSON, as records hold it (`short_hash`).

    Raises PluginError for a payload that is no JSON.
    """
    try:
        return block_hash(payload_json(payload))
    except (TypeError, ValueError) as error:
        raise PluginError(f"a payload of type {type(payload).__name__} is no JSON: {error}") from error


def output_sha256(output: Output) -> str:
    """Hash of a canonical output: 64 hex digits. A score holds its beginning (`judged_hash`)."""
    return sha256_hex(_canonical.encode(output))


def judged_hash(output: Output) -> str:
    """Hash of a canonical output as scores hold it (`short_hash`)."""
    return block_hash(_canonical.encode(output))


def output_record(
    cell: str, sample: AnySample, output: Output, calls: list[str], last: tuple[str, str], imported: bool
) -> OutputRecord:
    """The record of a solved sample; its text is left out where its last call's reply is the same.

    Raises PluginError for what is no Output.
    """
    if not isinstance(output, Output) or output.finish not in get_args(Finish):
        raise PluginError(f"solve returned {output!r:.100}, not a suite.Output")
    text_from = ""
    if output.text and last[1] == output.text:
        text_from = last[0]
        output = Output("", output.data, output.finish)
    return OutputRecord(
        cell=cell, sample=sample.id, trial=sample.trial, group=sample.group, cluster=sample.cluster,
        tags=dict(sample.tags), payload_sha256=payload_sha256(sample.payload), output=output, calls=calls,
        text_from=text_from, imported=imported,
    )  # fmt: skip


def score_record(
    cell: Cell, sample: AnySample, output: Output, score: Score, calls: list[str]
) -> ScoreRecord:
    """The record of a scored output.

    Raises PluginError for what is no Score, or holds values that are not plain or that no metric can count.
    """
    if not isinstance(score, Score):
        raise PluginError(f"score returned {score!r:.100}, not a suite.Score")
    if problem := cell.checks.problem(score):
        raise PluginError(problem)
    values = _checked(score.values)
    parts = [Part(part.id, _checked(part.values), dict(part.tags)) for part in score.parts]
    return ScoreRecord(
        cell=cell.id, sample=sample.id, trial=sample.trial, output_sha256=judged_hash(output), values=values,
        parts=parts, calls=calls,
    )  # fmt: skip


def _checked(values: Mapping[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in values.items():
        if type(value) not in (float, bool, int, str, Unscored, type(None)):
            raise PluginError.of("run.value-type", name=name, kind=type(value).__name__)
        odd = isinstance(value, float) and not math.isfinite(value)
        found[name] = Unscored("not-finite", str(value)) if odd else value
    return found
