"""What a submitter declares about a model and its runs: flags, a file, and what the manifests already tell.

A file (TOML or YAML) has the fields of submission.json. Whatever can be known is filled in; what is left
open is listed, all of it at once. Not here: rules for what stands in a field (`bundle.submission`), what a
field means to a board (`docs/bundles.md`).
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import suite
from suite.board.bundle.schemas import schema_errors
from suite.board.bundle.submission import broken_rules
from suite.board.define.board import Board
from suite.chat import Json
from suite.data import strict_syntax
from suite.errors import ConfigError, unknown
from suite.journal.documents import RoleMember
from suite.journal.run import Run

_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
# of `suite submit pack`: field of submission.json, help
FLAGS: Mapping[str, tuple[str, str]] = _TABLE["flags"]


def put(declared: dict[str, Json], field: str, value: Json) -> None:
    """Set a field by its dotted name."""
    *folders, last = field.split(".")
    for name in folders:
        inner = declared.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"declaration {name!r} must hold fields", fix=f"{name}: a mapping of fields")
        declared = inner
    declared[last] = value


def get(declared: Mapping[str, Json], field: str) -> Json:
    """A field by its dotted name, None if it is not there."""
    found: Json = declared
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def template(declared: Mapping[str, Json]) -> str:
    """A commented YAML file of all declarations, with what is known filled in."""

    def shown(place: re.Match[str]) -> str:
        value = get(declared, place[1])
        if isinstance(value, Mapping):
            return "".join(f"\n    {json.dumps(name)}: {level}" for name, level in value.items())
        return "" if value in (None, "") else " " + json.dumps(value, ensure_ascii=False)

    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    return re.sub("<([a-z0-9_.]+)>", shown, text)


def known(runs: Sequence[Run], board: Board | None) -> dict[str, Json]:
    """The declarations that the runs themselves tell."""
    name, provider = "", ""
    identity: dict[str, str | None] = {}
    if runs and (member := runs[0].candidate) is not None:
        identity, provider = _identity(member), member.spec.partition("/")[0]
        name = str(identity["name"]).rpartition("/")[2]
    datasets = {str(one.get("entry") or key) for run in runs for key, one in run.manifest.data.items()}
    own = "self_deployed" if provider in _TABLE["self_deployed"] else "unknown"
    model: Json = {"display_name": name, "identity": identity, "availability": "unknown", "deployment": own}
    told: Json = {"contamination": dict.fromkeys(sorted(datasets), "unknown"), "selection": {}, "changes": []}
    return {
        "board": None if board is None else board.exact_name,
        "submission_type": "standard",
        "supersedes": None,
        "model": model,
        "submitter": {},
        "created": ended(runs),
        "suite_version": suite.__version__,
        "disclosure": told,
        "terms": {},
    }


def _identity(member: RoleMember) -> dict[str, str | None]:
    """Kind, name, revision and weights of a candidate, from its record in a manifest."""
    told = member.identity
    provider = told.get("provider") or member.spec.partition("/")[0]
    name = str(told.get("name") or member.spec.partition("/")[2].partition("?")[0])
    revision = str(told.get("revision") or "")
    commit, weights = (revision if re.fullmatch(f"[0-9a-f]{{{n}}}", revision) else None for n in (40, 64))
    kind = "endpoint" if provider == "openai" else "hub" if "/" in name and commit else "local"
    return {"kind": kind, "name": name, "revision": commit, "weights_sha256": weights}


def ended(runs: Sequence[Run]) -> str:
    """When the last of the runs ended, UTC, to the second."""
    latest = max((attempt.at for run in runs for attempt in run.journal.attempts), default=0.0)
    return datetime.fromtimestamp(int(latest), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_file(path: Path) -> dict[str, Json]:
    """The declarations of a TOML or YAML file. Raises ConfigError."""
    try:
        text = strict_syntax.read_text(path)
        value = tomllib.loads(text) if path.suffix == ".toml" else strict_syntax.read_yaml(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    found = _filled(msgspec.to_builtins(value or {}))  # dates as text
    if not isinstance(found, dict):
        raise ConfigError(f"{path.name} holds no declarations", where=str(path))
    disclosure = found.get("disclosure")
    if isinstance(disclosure, dict) and isinstance(disclosure.get("references_access"), bool):
        disclosure["references_access"] = "yes" if disclosure["references_access"] else "no"  # YAML's no
    if more := [str(name) for name in found if name not in _TABLE["top"]]:
        raise unknown("declaration", more[0], _TABLE["top"], where=str(path))
    return found


def _filled(value: object) -> object:
    """A value without the fields that were left empty."""
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items() if one is not None and one != ""}
    return list(map(_filled, value)) if isinstance(value, list) else value


def merged(base: Mapping[str, Json], over: Mapping[str, Json]) -> dict[str, Json]:
    """`over` over `base`, objects field by field."""
    found = dict(base)
    for key, one in over.items():
        below = base.get(key)
        found[key] = merged(below, one) if isinstance(below, dict) and isinstance(one, dict) else one
    return found


_REST: dict[str, Json] = {"format": "suite-submission/1", "runs": [{}], "files": [{}]}  # is made later


def problems(declared: Mapping[str, Json]) -> list[str]:
    """What is missing and what is wrong, each with the flag or field to use."""
    wanted = {FLAGS[flag][0]: flag for flag in _TABLE["required"]}
    missing = {field: flag for field, flag in wanted.items() if get(declared, field) in (None, "")}
    how = "(or in a file given with --declare)"
    found = [f"{field} is not declared: --{flag} {how}" for field, flag in missing.items()]
    parents = {field.rpartition(".")[0] for field in missing}
    seen: set[str] = set()
    for field, what, value in schema_errors("submission.v1.json", {**declared, **_REST}, own=True):
        seen.add(field)
        name = field.replace("/", ".")
        lacking = what.startswith("lacks") and name in parents
        if not lacking and name not in missing and not name.startswith(("runs.", "files.")):
            found.append(f"{name or 'declarations'}: {what} (found {value!r:.80})")
    broken = ((field, what) for field, what, _ in broken_rules(declared) if field not in seen)
    found += [f"{field.replace('/', '.')}: {what}" for field, what in broken]
    runs = get(declared, "disclosure.selection.complete_runs")
    if get(declared, "disclosure.selection.rule") == "only_run" and isinstance(runs, int) and runs > 1:
        which = "--selection-rule first, last, best or other"
        found.append(f"disclosure.selection: {runs} complete runs, so this is not the only run: {which}")
    if declared.get("submission_type") == "custom" and not get(declared, "disclosure.changes"):
        where = "disclosure.changes in a file given with --declare"
        found.append(f"a custom submission declares its changes: {where}")
    return found
