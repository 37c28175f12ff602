"""submission.json: its name, what may stand beside it, and whether it says what it may.

The JSON Schema is `registry/schemas/submission.v1.json`. A schema cannot say everything: dates are
parsed here, and what must be unique is compared. Not here: reading the bytes (`strict_json`), the files that
it lists (`contents`).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from suite.board.bundle.declared_texts import broken_rules, strings
from suite.board.bundle.rungs import Findings
from suite.board.bundle.size_limits import Limits
from suite.data.registry import registry_folder
from suite.report.hostile_text import one_line

FORMAT = "suite-submission/1"
SUBMISSION = "submission.json"
SIGNATURE = "submission.json.sig"
README = "README.md"
JOURNALS = ("outputs", "calls", "blocks", "attempts")
SCORING_JOURNALS = ("scores", "calls", "blocks")
DOCUMENTS = ("manifest.json", "scoring/manifest.json", "scoring/results.json")
RUN_FILES = (
    *DOCUMENTS,
    *(f"{name}.jsonl.zst" for name in JOURNALS),
    *(f"scoring/{name}.jsonl.zst" for name in SCORING_JOURNALS),
)
RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_RUN_PATH = re.compile(
    rf"runs/({RUN_ID.pattern})/({'|'.join(re.escape(name) for name in RUN_FILES)})", re.ASCII
)
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


# A schema's integer may be written 1.0, which a hash or a seed takes for another number than 1.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def run_path(name: str) -> tuple[str, str] | None:
    """(run id, file in its folder) of a listed name, None if it is no run's file."""
    found = _RUN_PATH.fullmatch(name)
    return (found[1], found[2]) if found else None


def allowed(name: str) -> bool:
    """Whether a file of this name may stand in a bundle."""
    return name in (SUBMISSION, SIGNATURE, README) or run_path(name) is not None


def unsafe(name: str) -> str:
    """Why a name must never become a path, "" if it may (whether or not it is allowed here)."""
    if not name or not name.isascii() or any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "is empty, not ASCII, or holds control characters"
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "is absolute"
    if "\\" in name or ":" in name:
        return "holds a backslash or a colon"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return "holds an empty part, '.' or '..'"
        if part.endswith((".", " ")) or _DEVICE.match(part):
            return "means something else on other systems"
    return ""


@cache
def validator(name: str, part: str = "") -> Draft202012Validator:
    """The schema of that file name in registry/schemas, or one of its definitions, ready to use."""
    schema = _anchored(json.loads((registry_folder() / "schemas" / name).read_text("utf-8")))
    if part:
        schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    found: Draft202012Validator = _Validator(schema)
    return found


def _anchored(schema: Any) -> Any:
    """The schema with `$` at the end of patterns meaning the end, as elsewhere: in Python it may stand
    before a last line break."""
    if isinstance(schema, list):
        return [_anchored(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _anchored(one) for key, one in schema.items()}
    if isinstance(pattern := found.get("pattern"), str):
        found["pattern"] = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    return found


def schema_errors(
    name: str, value: Any, most: int = 50, part: str = "", *, own: bool = False
) -> Iterator[tuple[str, str, Any]]:
    """(field, what is wrong, the value there) for what a schema refuses, at most `most`.

    The message names the rule that was broken and never quotes the document. own: the document is the user's
    own, so that its unknown fields may be named as what was found.
    """
    for count, error in enumerate(validator(name, part).iter_errors(value)):
        if count == most:
            return
        field = "/".join(map(str, error.absolute_path))
        found = error.instance
        brief = found[:300] if isinstance(found, str) else type(found).__name__
        if own and error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            brief = ", ".join(one_line(key, 40) for key in found if key not in known)[:300]
        yield (
            field,
            _rule(error.validator, error.validator_value, error.schema),
            found if isinstance(found, int | float | None) else brief,
        )


_KINDS = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false",
          "array": "a list", "object": "a mapping", "null": "empty"}  # fmt: skip
_SAID = {
    "pattern": "must be of the form {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "maxLength": "may have at most {} characters",
    "minLength": "must have at least {} characters",
}


def _rule(rule: Any, value: Any, schema: Mapping[str, Any]) -> str:
    if rule == "additionalProperties":
        known = ", ".join(schema.get("properties", {}))
        return f"holds a field that the format does not have; it has: {known}"
    if rule == "required":
        return f"lacks one of: {', '.join(value)}"
    if rule == "enum":
        shown = (one if isinstance(one, str) else json.dumps(one) for one in value)
        return f"must be one of {', '.join(shown)}"
    if rule == "type":
        return f"must be {' or '.join(_KINDS[one] for one in ([value] if isinstance(value, str) else value))}"
    if rule in _SAID:
        return _SAID[rule].format(json.dumps(value))
    return f"breaks the rule {rule!r}"


def check_submission(found: Any, findings: Findings, limits: Limits) -> bool:
    """Whether a parsed submission.json may be used; what is wrong goes into `findings` (R1)."""
    before = findings.rungs["R1"].errors
    for field, what, value in schema_errors("submission.v1.json", found):
        findings.add("R1.schema", what, f"{SUBMISSION}: {field}", found=value)
    if findings.rungs["R1"].errors > before:
        return False
    for field, text in strings(found):
        if len(text.encode()) > limits.string:
            findings.add("R1.long-string", f"a string is over {limits.string} bytes", field)
    if len(found["runs"]) > limits.runs:
        findings.add("R1.too-many-runs", f"there are more than {limits.runs} runs")
    for name, number in Counter(one["path"] for one in found["files"]).items():
        if number > 1:
            findings.add("R1.listed-twice", "a file is listed more than once", name)
        if not allowed(name) or unsafe(name) or name in (SUBMISSION, SIGNATURE):
            findings.add("R1.path", "a listed file may not stand in a bundle", name)
    for name, number in Counter(one["run_id"] for one in found["runs"]).items():
        if number > 1:
            findings.add("R1.run-twice", "a run id stands more than once", name)
    _check_files_of_runs(found, findings)
    _check_dates(found, findings)
    for field, what, value in broken_rules(found):
        findings.add("R1.declared", what, f"{SUBMISSION}: {field}", found=value)
    return findings.rungs["R1"].errors == before


def _check_files_of_runs(found: Mapping[str, Any], findings: Findings) -> None:
    listed = {one["path"] for one in found["files"]}
    runs = {one["run_id"] for one in found["runs"]}
    for run in runs:
        for name in RUN_FILES:
            if f"runs/{run}/{name}" not in listed:
                findings.add("R1.file-missing", "a run lacks a required file", f"runs/{run}/{name}")
    for name in sorted(listed):
        path = run_path(name)
        if path is not None and path[0] not in runs:
            findings.add("R1.no-such-run", "a file belongs to a run that is not listed", name)
    for one in found["files"]:
        if ("records" in one) != one["path"].endswith(".jsonl.zst"):
            findings.add("R1.schema", "records must be given for journals and only for them", one["path"])


def _check_dates(found: Mapping[str, Any], findings: Findings) -> None:
    try:
        if datetime.fromisoformat(found["created"]).tzinfo is None:
            raise ValueError
    except ValueError:
        findings.add("R1.date", "created is no date with time and zone", found=found["created"])
    released = found["model"].get("release_date")
    if released is not None:
        try:
            date.fromisoformat(released)
        except ValueError:
            findings.add("R1.date", "model.release_date is no date", found=released)
