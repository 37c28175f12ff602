"""submission.json as a struct, and whether what stands there may be used.

A JSON Schema cannot say everything: dates are parsed here, what must be unique is compared, declared texts
show as they are, addresses lead where they say. Unknown fields are refused when a bundle is opened. Not here:
the schema at work (`schemas`), the files that it lists (`contents`).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from suite.board.bundle.bounds import README, RUN_FILES, SUBMISSION, SizeLimits, unsafe
from suite.board.bundle.rungs import Findings
from suite.board.bundle.schemas import schema_errors
from suite.chat import Json
from suite.journal.shapes import CellId, Count, Positive, Sha256, TaskName, Time, Values, one_of, shaped

FORMAT = "suite-submission/1"
SCHEMA = "submission.v1.json"
CHANGES = ("prompt", "tools", "orchestration", "judge", "user", "parameters", "sampling", "subset",
           "fine_tuned_for_task", "other")  # fmt: skip

_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")  # letters and marks that show nothing
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.I)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_FIRST_RUN = date(2020, 1, 1)
_FIRST_MODEL = date(2010, 1, 1)
_AHEAD = timedelta(days=2)  # clocks and time zones

_LINE: dict[str, Json] = {
    "minLength": 1,
    "maxLength": 200,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+$",
}
Line = Annotated[str, shaped(**_LINE)]
_TURNS = r"\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069"  # controls, and what turns a text around
Text = Annotated[str, shaped(maxLength=4000, pattern=rf"^[^\u0000-\u0008\u000b-\u001f{_TURNS}]*$")]
_HTTPS = rf"""^https://[^\s"'<>`\\\u0000-\u001f{_TURNS}]+$"""
Https = Annotated[str, shaped(maxLength=500, pattern=_HTTPS)]
Exposure = Annotated[
    str, one_of("none_known", "train_split", "evaluation_data", "synthetic_from_evaluation_data", "unknown")
]


class BoardName(msgspec.Struct, frozen=True, kw_only=True):
    """A board's definition, named exactly."""

    id: Annotated[str, shaped(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
    version: Annotated[str, shaped(maxLength=40, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    definition_sha256: Sha256


class ModelIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which model."""

    kind: Annotated[str, one_of("hub", "endpoint", "local")]
    name: Line
    revision: Annotated[str | None, shaped(pattern="^[0-9a-f]{40}$")] = None
    weights_sha256: Sha256 | None = None


class SubmittedModel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The model as declared."""

    display_name: Line
    organization: Line
    identity: ModelIdentity
    availability: Annotated[str, one_of("open_weights", "closed_weights", "unknown")]
    deployment: Annotated[str, one_of("self_deployed", "externally_managed", "unknown")]
    release_date: Annotated[str | None, shaped(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] = None
    parameters_total: Annotated[int | None, shaped(minimum=1)] = None
    parameters_active: Annotated[int | None, shaped(minimum=1)] = None
    licence: Line | None = None
    url: Https | None = None


class Submitter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who submitted. contact is text and never a link."""

    name: Line
    organization: Line | None = None
    contact: Line | None = None
    relationship: Annotated[str, one_of("first_party", "third_party", "collaborative", "other")]


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many whole runs there were, and which one was sent."""

    complete_runs: Positive
    rule: Annotated[str, one_of("only_run", "first", "last", "best", "other")]
    note: Text = ""


class DeclaredChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declared deviation."""

    what: Annotated[str, one_of(*CHANGES)]
    why: Text
    url: Https | UnsetType = UNSET


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """What the submitter says of contamination (by dataset), selection and changes."""

    contamination: Annotated[Mapping[str, Exposure], shaped(maxProperties=200, propertyNames=_LINE)]
    selection: Selection
    changes: Annotated[Sequence[DeclaredChange], shaped(maxItems=50)]
    references_access: Annotated[str, one_of("no", "yes", "unknown")]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Under which terms replies are published."""

    traces_licence: Annotated[str, one_of("CC-BY-4.0", "CC0-1.0", "board-terms")]


class SubmittedHeadline(msgspec.Struct, frozen=True, kw_only=True):
    """The first number of a cell, as submitted."""

    metric: Line
    value: float | None
    n: Count
    unscored: Count


class SubmittedCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of a run."""

    cell: CellId
    task: TaskName
    version: Positive
    parameters: Values
    score_parameters: Values
    headline: SubmittedHeadline


class SubmittedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run with the scoring that is submitted."""

    run_id: Annotated[str, shaped(pattern="^[a-z0-9][a-z0-9._-]{0,79}$")]
    plan_sha256: Sha256
    scoring: Annotated[str, shaped(pattern="^[0-9a-f]{8}$")]
    trace_policy: Annotated[str, shaped(const="full")]
    cells: Annotated[Sequence[SubmittedCell], shaped(minItems=1, maxItems=10000)]


class ListedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle. content: as it was before compression. records: of a journal, and only there."""

    path: Annotated[
        str,
        shaped(
            maxLength=240,
            pattern=r"^(README\.md|runs/[a-z0-9][a-z0-9._-]{0,79}/(manifest\.json"
            r"|(outputs|calls|blocks|attempts)\.jsonl\.zst"
            r"|scoring/(manifest\.json|results\.json|(scores|calls|blocks)\.jsonl\.zst)))$",
        ),
    ]
    bytes: Count
    sha256: Sha256
    content_bytes: Count
    content_sha256: Sha256
    records: Count | UnsetType = UNSET


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """submission.json. x: whatever the submitter adds."""

    format: Annotated[str, shaped(const=FORMAT)]
    board: BoardName | None
    submission_type: Annotated[str, one_of("standard", "custom")]
    supersedes: Sha256 | None = None
    model: SubmittedModel
    submitter: Submitter
    created: Time
    suite_version: Line
    runs: Annotated[Sequence[SubmittedRun], shaped(minItems=1, maxItems=500)]
    files: Annotated[Sequence[ListedFile], shaped(minItems=1, maxItems=5000)]
    disclosure: Disclosure
    terms: Terms
    x: Annotated[Values, shaped(maxProperties=100)] | UnsetType = UNSET


def check_submission(value: Json, findings: Findings, limits: SizeLimits) -> Submission | None:
    """A parsed submission.json, None if it may not be used; what is wrong goes into `findings` (R1)."""
    before = findings.rungs["R1"].errors
    for field, what, there in schema_errors(SCHEMA, value):
        findings.add("R1.schema", f"{SUBMISSION}: {field}", what=what, found=there)
    if findings.rungs["R1"].errors > before:
        return None
    found = msgspec.convert(value, Submission)
    for field, text in strings(value):
        if len(text.encode()) > limits.string:
            findings.add("R1.long-string", field, limits.string)
    _check_files(found, findings)
    for field, what, there in broken_rules(msgspec.convert(value, dict[str, Json])):
        findings.add("R1.declared", f"{SUBMISSION}: {field}", what=what, found=there)
    if (told := found.disclosure.selection).rule == "only_run" and told.complete_runs > 1:
        where = f"{SUBMISSION}: disclosure/selection"
        findings.add("R1.selection", where, severity="note", found=told.complete_runs)
    return found if findings.rungs["R1"].errors == before else None


def _check_files(found: Submission, findings: Findings) -> None:
    for name, number in Counter(one.path for one in found.files).items():
        if number > 1:
            findings.add("R1.listed-twice", name)
        if unsafe(name):
            findings.add("R1.path", name)
    for name, number in Counter(one.run_id for one in found.runs).items():
        if number > 1:
            findings.add("R1.run-twice", name)
    listed = {one.path for one in found.files}
    wanted = {f"runs/{run.run_id}/{name}" for run in found.runs for name in RUN_FILES}
    for name in sorted(wanted - listed):
        findings.add("R1.file-missing", name)
    for name in sorted(listed - wanted - {README}):
        findings.add("R1.no-such-run", name)
    for one in found.files:
        if (one.records is not UNSET) != one.path.endswith(".jsonl.zst"):
            findings.add("R1.schema/records", one.path)


def broken_rules(found: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """(field, what is wrong, what stands there) for what is declared in a submission."""
    for part in ("model", "submitter", "disclosure", "terms"):
        for field, text in strings(found.get(part) or {}, part):
            if what := hidden(text) or _misleading(text):
                yield field, what, ascii(text)[:200]
    model = found.get("model")
    latest = datetime.now(UTC).date() + _AHEAD
    for field, value, first in (
        ("created", found.get("created"), _FIRST_RUN),
        ("model/release_date", model.get("release_date") if isinstance(model, dict) else None, _FIRST_MODEL),
    ):
        try:
            fits = value is None or first <= datetime.fromisoformat(str(value)).date() <= latest
        except ValueError:
            fits = False
        if not fits:
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


def strings(value: Json, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of every string of a JSON value, keys included."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield field, key
            yield from strings(one, f"{field}/{key}" if field else key)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from strings(one, f"{field}/{index}")
