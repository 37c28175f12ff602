"""What a submitter declares: the fields and their flags, a file to fill in, and rules for what stands there.

Texts show as they are, addresses lead where they say, dates are real: the rules of a board's titles, held to
every declared text. Light on purpose: the command line reads the table of flags. Not here: what runs tell by
themselves, and whether all is there that must be (`pack.declarations`).
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

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
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")  # letters and marks that show nothing
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.I)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_FIRST_RUN = date(2020, 1, 1)
_FIRST_MODEL = date(2010, 1, 1)
_AHEAD = timedelta(days=2)  # clocks and time zones
PARTS = ("model", "submitter", "disclosure", "terms")


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


def broken_rules(found: Mapping[str, Any], today: date | None = None) -> Iterator[tuple[str, str, Any]]:
    """(field, what is wrong, what stands there) for what is declared in a submission."""
    from suite.board.bundle.submission import strings

    for part in PARTS:
        for field, text in strings(found.get(part) or {}, part):
            if what := hidden(text) or _misleading(text):
                yield field, what, ascii(text)[:200]
    latest = (today or datetime.now(UTC).date()) + _AHEAD
    for field, value, first in (
        ("created", found.get("created"), _FIRST_RUN),
        ("model/release_date", (found.get("model") or {}).get("release_date"), _FIRST_MODEL),
    ):
        try:
            told = date.fromisoformat(str(value)[:10])
        except ValueError:
            continue  # the schema names it
        if not first <= told <= latest:
            yield field, f"is no date between {first} and now", value


def hidden(text: str) -> str:
    """What in a text shows nothing or turns others around, "" if nothing."""
    for one in text:
        kind = unicodedata.category(one)
        if one in _BLANK or (kind in ("Cf", "Cc", "Co", "Zl", "Zp") and one not in "\n\t"):
            name = unicodedata.name(one, f"U+{ord(one):04X}").lower()
            return f"holds a character that cannot be seen ({name})"
    return "" if not text or text.strip() else "is blank"


def _misleading(text: str) -> str:
    """Why an address in a text may lead elsewhere than it seems to, "" if none does."""
    for url in _URL.findall(text):
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return "holds an address that cannot be read"
        if "@" in parts.netloc or "\\" in url:
            return "holds an address with a name before its host"
        if not host.isascii() or "xn--" in host:
            return "holds an address whose host is not written in plain letters"
        if not _HOST.fullmatch(host):
            return "holds an address whose host is no public name"
    return ""
