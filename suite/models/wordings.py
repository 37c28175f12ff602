"""What servers say when they refuse a request, as data: whose failure it is, and the numbers it names.

The table is `registry/models/failure_wordings.yaml`; plugins add files of that name to the `models/` folder
of their registry, users add patterns by `-o overflow_says=…` and `-o refused_says=…`. The first row that fits
counts: the user's own, then plugins', then the suite's, in which rows for settings, rates and quotas stand
first.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from pydantic import BaseModel, ConfigDict, field_validator

from suite.data import strict_syntax
from suite.errors import ConfigError
from suite.models.weights import registry_file
from suite.plugins import catalogue

FILE = "failure_wordings.yaml"
Meaning = Literal["overflow", "refused", "setting", "rate", "quota"]
# what an answer ended by, where a filter or the model's own safety ended it; servers add a category to it
_FILTERED = re.compile(
    r"(content[_ -]?filter(ed)?|refusal|refused|safety|recitation|sensitive|blocked|block(list|ed_by_\w+)?"
    r"|prohibited_content|spii|guardrail(s|_intervened)?|moderation|flagged|language_not_allowed"
    r"|content_policy(_violation)?|image_safety)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_REFUSES = (
    r"un(?:supported|known|expected|recogni[sz]ed|available)|does ?n[o']t (?:support|allow|accept|take)"
    r"|forbidden|(?:is|are|was|were|can)?n?[o']t (?:be )?(?:currently |yet )?(?:supported|permitted"
    r"|allowed|accepted|available|a? ?valid|compatible|enabled|set|specified|used|request)"
    r"|extra (?:inputs?|fields?)"
    r"|invalid|deprecated|only the default|must be (?:unset|omitted|null|1)|incompatible|no longer"
)


class Wording(BaseModel):
    """One row. says: searched in the message. code: fits the whole of a code; a row with both wants both.

    field: a field of the request; fits a message that refuses it. option: what helps, for people. does: what
    helps, as changes of a dialect.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    means: Meaning
    server: str
    source: str
    seen: Literal["report", "documentation", "source", "knowledge", "user"]
    says: str = ""
    code: str = ""
    field: str = ""
    option: str = ""
    does: dict[str, str | bool] = {}

    @field_validator("says", "code", "field")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        re.compile(value)
        return value

    def fits(self, message: str, codes: tuple[str, ...]) -> re.Match[str] | None:
        """The match that makes it fit, None if it does not."""
        said = re.search(self.says, message, re.IGNORECASE) if self.says else None
        if self.field and said is None:
            said = re.search(_refusing(self.field), message, re.IGNORECASE | re.DOTALL)
        if (self.says or self.field) and said is None:
            return None
        if not self.code:
            return said
        coded = next(filter(None, (re.fullmatch(self.code, one, re.IGNORECASE) for one in codes)), None)
        return coded and (said or coded)


class RefusedTokens(NamedTuple):
    """Tokens as a refusal names them; None where it does not. least: the prompt has at least so many."""

    prompt: int | None = None
    least: int | None = None
    total: int | None = None
    window: int | None = None


NOTHING = RefusedTokens()


class Found(msgspec.Struct, frozen=True):
    """What a refusal says: the row that fits first, and its numbers."""

    row: str
    means: Meaning
    counts: RefusedTokens
    option: str = ""
    does: dict[str, str | bool] = {}


class _WordingsFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    wordings: tuple[Wording, ...]


def read_wordings(path: Path) -> tuple[Wording, ...]:
    """The rows of one file. Raises ConfigError naming it."""
    try:
        return strict_syntax.validated(_WordingsFile, strict_syntax.read_yaml_file(path)).wordings
    except (ValueError, re.error) as error:
        raise ConfigError(f"{path.name} is not a table of wordings: {error}", where=str(path)) from error


@lru_cache(maxsize=1)
def wordings() -> tuple[Wording, ...]:
    """All rows of this installation, plugins' first. Read at the first refusal."""
    brought = [folder / "models" / FILE for folder in catalogue().registry_folders()]
    paths = [*(path for path in brought if path.is_file()), registry_file(f"models/{FILE}")]
    return tuple(row for path in paths for row in read_wordings(path))


def own_wordings(overflow_says: str, refused_says: str) -> tuple[Wording, ...]:
    """The user's rows. Raises ConfigError for a pattern that is none, or fits an empty message."""
    given: tuple[tuple[str, Meaning, str], ...] = (
        ("overflow_says", "overflow", overflow_says),
        ("refused_says", "refused", refused_says),
    )
    found = []
    for option, means, says in given:
        if not says:
            continue
        try:
            empty = re.search(says, "") is not None
        except re.error as error:
            raise ConfigError(f"-o {option}: {says!r} is no pattern: {error}") from error
        if empty:
            raise ConfigError(f"-o {option}: {says!r} fits every message", fix="name words of the message")
        found.append(
            Wording(id=f"-o {option}={says}", means=means, server="", source="", seen="user", says=says)
        )
    return tuple(found)


def look_up(message: str, codes: tuple[str, ...], own: tuple[Wording, ...] = ()) -> Found | None:
    """The first row that fits a refusal, with the numbers of the first row of its meaning that names any."""
    first: Wording | None = None
    for row in (*own, *wordings()):
        if first is not None and (row.means != first.means or not row.says):
            continue
        match = row.fits(message, codes)
        if match is None:
            continue
        first = first or row
        named = {name: int(text) for name, text in match.groupdict().items() if text}
        if named or first.means != "overflow":
            return Found(first.id, first.means, RefusedTokens(**named), first.option, first.does)
    return Found(first.id, first.means, NOTHING) if first else None


@lru_cache(maxsize=64)
def _refusing(field: str) -> str:
    """A pattern for messages that refuse a field of a request, whatever the server's words."""
    name = rf"(?<![\w.])(?:{field})(?!\w)"
    return rf"{name}.{{0,80}}?(?:{_REFUSES})|(?:{_REFUSES}).{{0,80}}?{name}"


def filtered(reason: str) -> bool:
    """Whether a finish reason says that a filter, or the model's own refusal, ended the answer."""
    return _FILTERED.fullmatch(reason.strip()) is not None
