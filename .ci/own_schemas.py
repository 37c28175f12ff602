"""Write the JSON Schemas that are made from types into `registry/schemas/`: `python .ci/own_schemas.py`.

Run it after a change to a document's type; `tests/project/test_own_schemas.py` holds the files to the types.

Objects of a run and a bundle are closed: they have the fields of their struct and no others.
Fields with defaults may be missing, but for those that a bundle has always (`bundled=True`); it never has
those that are `bundled=False`.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from suite.board import entry
from suite.board.bundle import submission
from suite.board.define.board import Board
from suite.comparisons.label_files import LabelsFile
from suite.data.entry import DatasetEntry, ModelEntry
from suite.gates.nights import Night
from suite.gates.policy import Policy
from suite.journal.decisions import DECISION_FORMAT, Decision
from suite.journal.documents import (
    RESULTS_FORMAT,
    SCORING_FORMAT,
    PlanIdentity,
    Results,
    RunManifest,
    ScoringManifest,
    Settings,
)
from suite.journal.merges import MERGE_FORMAT, Merge
from suite.journal.records import (
    FORMAT,
    AttemptRecord,
    BlockRecord,
    CallRecord,
    OutputRecord,
    ScoreRecord,
)
from suite.models.prices import PriceList

SCHEMAS = Path(__file__).resolve().parents[1] / "registry" / "schemas"
Schema = dict[str, Any]  # what a keyword of JSON Schema holds depends on the keyword

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# errors are told in this order
_ORDER = ("$ref", "title", "description", "type", "anyOf", "maxProperties", "propertyNames",
          "additionalProperties", "required", "properties", "minLength", "maxLength", "pattern")  # fmt: skip
_RECORDS = {"output": OutputRecord, "call": CallRecord, "block": BlockRecord, "attempt": AttemptRecord,
            "score": ScoreRecord}  # fmt: skip
_THINKING = [{"enum": ["on", "off", "low", "medium", "high"]}, {"type": "integer", "minimum": 1}]


def made() -> dict[str, Schema]:
    """All of them, by the names of their files."""
    manifest = f"manifest.json of a run folder, format {FORMAT}"
    scoring = f"manifest.json of a scoring, format {SCORING_FORMAT}"
    results = f"results.json of a scoring, format {RESULTS_FORMAT}"
    decision = f"decision.json of a scoring, format {DECISION_FORMAT}"
    merge = f"merge.json of a run or scoring in shards, format {MERGE_FORMAT}"
    bundle = f"submission.json of a bundle, format {submission.FORMAT}"
    verified = f"verification.json, what `suite submit verify --json` writes, format {entry.FORMAT}"
    return {
        "record.v1.json": _record_schema(),
        "run-manifest.v1.json": _document("run-manifest.v1", manifest, RunManifest, PlanIdentity, Settings),
        "scoring-manifest.v1.json": _document("scoring-manifest.v1", scoring, ScoringManifest, Settings),
        "results.v1.json": _document("results.v1", results, Results),
        "decision.v1.json": _document("decision.v1", decision, Decision),
        "merge.v1.json": _document("merge.v1", merge, Merge),
        "submission.v1.json": _document("submission.v1", bundle, submission.Submission),
        "verification.v1.json": _document("verification.v1", verified, entry.Verification),
        "labels.v1.json": _document(
            "labels.v1", "What a labelling page saves, format suite-labels/1", LabelsFile
        ),
        "night.v1.json": _document(
            "night.v1", "A gate's result and a line of a history, format suite-night/1", Night
        ),
        "policy.v1.json": _model(Policy, "suite:policy.v1"),
        "board.v1.json": _model(Board, "suite:board.v1"),
        "prices.json": _model(PriceList, "suite:prices"),
        "dataset.json": _model(DatasetEntry),
        "model.json": _model(ModelEntry),
    }


def _model(kind: type[BaseModel], identity: str = "") -> Schema:
    named = {"$id": identity} if identity else {}
    return {"$schema": _DIALECT, **named, **kind.model_json_schema()}


def _document(name: str, title: str, kind: type[msgspec.Struct], *shapes: type) -> Schema:
    """The schema of a document. shapes: of fields that are kept as they stand (`shape=`)."""
    parts, root = _parts(kind, *shapes), f"#/$defs/{kind.__name__}"
    return {"$schema": _DIALECT, "$id": f"suite:{name}", "title": title, "$ref": root, "$defs": parts}


def _record_schema() -> Schema:
    """The schema of a line, with a definition for each kind."""
    parts = _parts(*_RECORDS.values())
    for name, kind in _RECORDS.items():
        made = parts.pop(kind.__name__)
        made["properties"]["crc"] = {"type": "string", "pattern": "^[0-9a-f]{8}$"}
        made["required"] = [*made["required"], "crc"]
        parts[name] = made
    for count in parts["Usage"]["properties"].values():  # of `suite.chat`, which knows no bundles
        count["minimum"] = 0
    parts["Options"]["properties"]["thinking"] = {"anyOf": [*_THINKING, {"type": "null"}]}
    title = f"One line of a journal of format {FORMAT}; each file has its own definition below"
    kinds = [{"$ref": f"#/$defs/{name}"} for name in _RECORDS]
    return {"$schema": _DIALECT, "$id": "suite:record.v1", "title": title, "anyOf": kinds, "$defs": parts}


def _parts(*kinds: type) -> dict[str, Schema]:
    """The definitions of these structs, and of all that they refer to."""
    _, found = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    parts: dict[str, Schema] = {name: _closed(one) for name, one in found.items()}
    text = msgspec.json.encode(parts).decode()
    own = {kind.__name__ for kind in kinds}
    return {name: one for name, one in parts.items() if name in own or f'"#/$defs/{name}"' in text}


def _closed(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_closed(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if shape := value.get("shape"):
        return {"$ref": f"#/$defs/{shape}"}
    found = {
        key: one if key in ("enum", "const") else _closed(one)
        for key, one in value.items()
        if key != "properties"
    }
    found.pop("default", None)
    if isinstance(found.get("description"), str):
        found["description"] = inspect.cleandoc(found["description"])
    if "properties" in value:
        fields = {name: one for name, one in value["properties"].items() if one.get("bundled") is not False}
        always = {*value.get("required", ()), *(name for name, one in fields.items() if one.get("bundled"))}
        found["additionalProperties"] = False
        found["required"] = [name for name in fields if name in always]
        found["properties"] = {name: _closed(one) for name, one in fields.items()}
    if found.get("items") is False:  # there are no more than `prefixItems`
        del found["items"]
    if found.get("type") == "string" and ("enum" in found or "const" in found):
        del found["type"]  # so that another kind of value is one mistake
    _merge(found)
    known = [key for key in _ORDER if key in found]
    return {key: found[key] for key in (*known, *(key for key in found if key not in known))}


def _merge(found: Schema) -> None:
    """One list of types in place of alternatives that differ in their type alone, or are null."""
    kinds = found.get("anyOf", ())
    if kinds == [{"type": "integer"}, {"type": "number"}]:
        found["type"] = "number"
    elif kinds and all(set(one) == {"type"} for one in kinds):
        found["type"] = [one["type"] for one in kinds]
    elif len(kinds) == 2 and kinds[1] == {"type": "null"} and kinds[0].get("type") in ("integer", "number"):
        found |= {**kinds[0], "type": [kinds[0]["type"], "null"]}
    else:
        return
    del found["anyOf"]


if __name__ == "__main__":
    for file, schema in made().items():
        if json.loads((SCHEMAS / file).read_text()) != schema:
            (SCHEMAS / file).write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
            print(file)
