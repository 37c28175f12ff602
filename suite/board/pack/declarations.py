"""What a submitter declares about a model and its runs: flags, a file, and what the manifests already tell.

A file (TOML or YAML) has the fields of submission.json. Whatever can be known is filled in; what is left
open is listed, all of it at once. Not here: the fields' meaning to a board (`docs/bundles.md`).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import suite
from suite.board.bundle.declared_texts import FLAGS, REQUIRED, broken_rules, get
from suite.board.bundle.submission import schema_errors
from suite.compare.loading import ComparedRun
from suite.data import strict_syntax
from suite.errors import ConfigError, unknown

if TYPE_CHECKING:
    from suite.board.define.board_files import Board

_TOP = {"submission_type", "supersedes", "model", "submitter", "created", "disclosure", "terms", "x"}
_SELF_DEPLOYED = ("vllm", "embedded", "transformers")


def known(runs: Sequence[ComparedRun], board: "Board | None") -> dict[str, Any]:
    """The declarations that the runs themselves tell."""
    name, identity = "", {}
    if runs and runs[0].candidate:
        member = runs[0].manifest["roles"]["candidate"][0]
        identity = _identity(member)
        name = identity["name"].rpartition("/")[2]
    provider = str(runs[0].candidate).partition("/")[0] if runs else ""
    datasets = sorted({one.get("entry") or key for run in runs for key, one in run.manifest["data"].items()})
    return {
        "board": None if board is None else board.exact_name,
        "submission_type": "standard",
        "supersedes": None,
        "model": {
            "display_name": name,
            "identity": identity,
            "availability": "unknown",
            "deployment": "self_deployed" if provider in _SELF_DEPLOYED else "unknown",
        },
        "submitter": {},
        "created": ended(runs),
        "suite_version": suite.__version__,
        "disclosure": {"contamination": dict.fromkeys(datasets, "unknown"), "selection": {}, "changes": []},
        "terms": {},
    }


def _identity(member: Mapping[str, Any]) -> dict[str, Any]:
    """Kind, name, revision and weights of a candidate, from its record in a manifest."""
    told = member["identity"]
    provider = told.get("provider") or member["spec"].partition("/")[0]
    name = str(told.get("name") or member["spec"].partition("/")[2].partition("?")[0])
    revision = str(told.get("revision") or "")
    found: dict[str, Any] = {"name": name, "revision": None, "weights_sha256": None}
    if re.fullmatch("[0-9a-f]{40}", revision):
        found["revision"] = revision
    elif re.fullmatch("[0-9a-f]{64}", revision):
        found["weights_sha256"] = revision
    if provider == "openai":
        found["kind"] = "endpoint"
    else:
        found["kind"] = "hub" if "/" in name and found["revision"] else "local"
    return found


def ended(runs: Sequence[ComparedRun]) -> str:
    """When the last of the runs ended, UTC, to the second."""
    latest = max((attempt.at for run in runs for attempt in run.reader.attempts), default=0.0)
    return datetime.fromtimestamp(int(latest), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_file(path: Path) -> dict[str, Any]:
    """The declarations of a TOML or YAML file. Raises ConfigError."""
    try:
        text = strict_syntax.read_text(path)
        value = tomllib.loads(text) if path.suffix == ".toml" else strict_syntax.read_yaml(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    value = _plain(value or {})
    disclosure = value.get("disclosure") if isinstance(value, dict) else None
    if isinstance(disclosure, dict) and isinstance(disclosure.get("references_access"), bool):
        disclosure["references_access"] = "yes" if disclosure["references_access"] else "no"  # YAML's no
    if not isinstance(value, dict):
        raise ConfigError(f"{path.name} holds no declarations", where=str(path))
    for name in value:
        if name not in _TOP:
            raise unknown("declaration", str(name), _TOP, where=str(path))
    return value


def _plain(value: Any) -> Any:
    """Dates as text; fields left empty are left out."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None and one != ""}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if hasattr(value, "isoformat") else value


def merged(base: Any, over: Any) -> Any:
    """`over` over `base`, objects field by field."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), one) for key, one in over.items()}}
    return over


_CELL = {
    "cell": "0" * 12,
    "task": "x",
    "version": 1,
    "parameters": {},
    "score_parameters": {},
    "headline": {"metric": "x", "value": None, "n": 0, "unscored": 0},
}
_RUN = {"run_id": "x", "plan_sha256": "0" * 64, "scoring": "0" * 8, "trace_policy": "full", "cells": [_CELL]}
_FILE = {"path": "README.md", "bytes": 0, "sha256": "0" * 64, "content_bytes": 0, "content_sha256": "0" * 64}
# to hold a part against the schema
_REST = {"format": "suite-submission/1", "runs": [_RUN], "files": [_FILE]}


def problems(declared: Mapping[str, Any]) -> list[str]:
    """What is missing and what is wrong, each with the flag or field to use."""
    flags = {field: flag for flag, (field, _) in FLAGS.items()}
    missing = {field for field in REQUIRED if get(declared, field) in (None, "")}
    found = [
        f"{field} is not declared: --{flags[field]} (or in a file given with --declare)"
        for field in REQUIRED
        if field in missing
    ]
    parents = {field.rpartition(".")[0] for field in missing}
    for field, what, value in schema_errors("submission.v1.json", {**declared, **_REST}, own=True):
        name = field.replace("/", ".")
        lacking = what.startswith("lacks") and name in parents
        if not lacking and name not in missing:
            found.append(f"{name or 'declarations'}: {what} (found {value!r:.80})")
    found += [f"{field.replace('/', '.')}: {what}" for field, what, _ in broken_rules(declared)]
    if declared.get("submission_type") == "custom" and not get(declared, "disclosure.changes"):
        found.append(
            "a custom submission declares its changes: disclosure.changes in a file given with --declare"
        )
    return found
