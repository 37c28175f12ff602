"""The fields that a submitter declares: their flags, which must be given, and a file to fill in.

Light on purpose: the command line reads the table of flags. Not here: what runs tell by themselves, and
whether what is declared is good (`declaring`).
"""

import json
from collections.abc import Mapping
from typing import Any

# flag -> (field of submission.json, help); the flags of `suite submit pack`
FLAGS: dict[str, tuple[str, str]] = {
    "display-name": ("model.display_name", "How the model is called in tables (default: from the runs)."),
    "organization": ("model.organization", "Who made the model."),
    "availability": ("model.availability", "open_weights, closed_weights or unknown."),
    "deployment": ("model.deployment", "self_deployed, externally_managed or unknown."),
    "licence": ("model.licence", "The model's licence, as text."),
    "url": ("model.url", "Where the model is described, https."),
    "submitter": ("submitter.name", "Who submits."),
    "contact": ("submitter.contact", "How to reach the submitter, as text; it is published."),
    "relationship": ("submitter.relationship", "first_party, third_party, collaborative or other."),
    "type": ("submission_type", "standard: as the board asks; custom: with declared changes."),
    "selection-rule": ("disclosure.selection.rule", "Which run: only_run, first, last, best or other."),
    "complete-runs": ("disclosure.selection.complete_runs", "How many complete runs there were, with this."),
    "references-access": (
        "disclosure.references_access",
        "Whether the model could see reference answers: no, yes or unknown.",
    ),
    "traces-licence": (
        "terms.traces_licence",
        "Under which terms replies are published: CC-BY-4.0, CC0-1.0 or board-terms.",
    ),
    "supersedes": ("supersedes", "Id of the bundle that this one replaces."),
    "created": ("created", "Date and time that the bundle states (default: when the last run ended)."),
}
REQUIRED = (
    "model.display_name",
    "model.organization",
    "submitter.name",
    "submitter.relationship",
    "disclosure.selection.rule",
    "disclosure.selection.complete_runs",
    "disclosure.references_access",
    "terms.traces_licence",
)


def put(declared: dict[str, Any], field: str, value: Any) -> None:
    """Set a field by its dotted name."""
    *folders, last = field.split(".")
    for name in folders:
        declared = declared.setdefault(name, {})
    declared[last] = value


def get(declared: Mapping[str, Any], field: str) -> Any:
    """A field by its dotted name, None if it is not there."""
    found: Any = declared
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def template(declared: Mapping[str, Any]) -> str:
    """A commented YAML file of all declarations, with what is known filled in."""

    def shown(field: str) -> str:
        value = get(declared, field)
        return "" if value in (None, "") else " " + json.dumps(value, ensure_ascii=False)

    lines = [
        "# Declarations of a submission: fill in, then `suite submit pack RUN… --declare THIS-FILE`.",
        "# Everything here is published. Fields left empty are left out; those marked * must be given.",
        f"submission_type:{shown('submission_type')}  # standard, or custom with changes below",
        "supersedes:  # id of the bundle that this one replaces",
        "model:",
    ]
    for name, note in _MODEL:
        if f"model.{name}" == "model.identity":
            lines.append("  identity:  # as the runs recorded it")
            lines += [
                f"    {key}:{shown(f'model.identity.{key}')}"
                for key in ("kind", "name", "revision", "weights_sha256")
            ]
        else:
            lines.append(f"  {name}:{shown(f'model.{name}')}  # {note}")
    lines += ["submitter:", *(f"  {name}:  # {note}" for name, note in _SUBMITTER), "disclosure:"]
    lines += ["  contamination:  # per dataset: none_known, train_split, evaluation_data,"]
    lines += ["                  # synthetic_from_evaluation_data, unknown"]
    levels = get(declared, "disclosure.contamination") or {}
    lines += [f"    {json.dumps(name)}: {level}" for name, level in levels.items()]
    lines += [
        "  selection:",
        "    rule:  # * which run this is: only_run, first, last, best, other",
        "    complete_runs:  # * how many complete runs there were, this one included",
        "    note:",
        "  changes: []  # of a custom submission: [{what: prompt, why: …, url: https://…}]",
        "  references_access:  # * whether the model could see reference answers: no, yes, unknown",
        "terms:",
        "  traces_licence:  # * of the replies: CC-BY-4.0, CC0-1.0, board-terms",
    ]
    return "\n".join(lines) + "\n"


_MODEL = (
    ("display_name", "* how it is called in tables"),
    ("organization", "* who made it"),
    ("identity", ""),
    ("availability", "open_weights, closed_weights, unknown"),
    ("deployment", "self_deployed, externally_managed, unknown"),
    ("release_date", "2026-01-31"),
    ("parameters_total", "a count, for example 7000000000; leave empty if not known"),
    ("parameters_active", "of a mixture of experts"),
    ("licence", "as text"),
    ("url", "https://…"),
)
_SUBMITTER = (
    ("name", "* who submits"),
    ("organization", "whom for"),
    ("contact", "how to be reached, as text; it is published"),
    ("relationship", "* to the model: first_party, third_party, collaborative, other"),
)
