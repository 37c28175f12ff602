"""What servers say when they refuse a request, as data: whose failure it is, and the numbers it names.

The table is `registry/models/failure_wordings.yaml`; plugins add files of that name to the `models/` folder
of their registry, users add patterns by `-o overflow_says=…` and `-o refused_says=…`. The first row that fits
counts: the user's own, then plugins', then the suite's, in which rows for settings, rates and quotas stand
first.
"""

import re
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import Field

from suite.data.entry import Strict
from suite.models.tables import Pattern, read_rows
from suite.plugins import catalogue

Meaning = Literal["overflow", "refused", "setting", "rate", "quota"]
_REFUSES = (
    r"un(?:supported|known|expected|recogni[sz]ed|available)|does ?n[o']t (?:support|allow|accept|take)"
    r"|forbidden|(?:is|are|was|were|can)?n?[o']t (?:be )?(?:currently |yet )?(?:supported|permitted"
    r"|allowed|accepted|available|a? ?valid|compatible|enabled|set|specified|used|request)"
    r"|extra (?:inputs?|fields?)"
    r"|invalid|deprecated|only the default|must be (?:unset|omitted|null|1)|incompatible|no longer"
)


class Wording(Strict):
    """One row. says: searched in the message. code: fits the whole of a code; a row with both wants both.

    field: a field of the request; fits a message that refuses it. option: what helps, for people. does: what
    helps, as changes of a dialect. otherwise: what helps where those are refused, too.
    """

    id: str
    means: Meaning
    server: str
    source: str
    seen: Literal["report", "documentation", "source", "knowledge", "user"]
    says: Pattern = ""
    code: Pattern = ""
    field: Pattern = ""
    option: str = ""
    does: dict[str, str | bool] = Field(default_factory=dict)
    otherwise: str = ""

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

    def of_prompt(self, asked: int | None) -> int | None:
        """The prompt's, told or left of the total. asked: new tokens that are in the total."""
        return self.total - (asked or 0) if self.prompt is None and self.total is not None else self.prompt


NOTHING = RefusedTokens()


class Found(NamedTuple):
    """What a refusal says: the row that fits first, and its numbers."""

    row: Wording
    counts: RefusedTokens = NOTHING


@lru_cache(maxsize=1)
def wordings() -> tuple[Wording, ...]:
    """All rows of this installation, plugins' first. Read at the first refusal."""
    folders = catalogue().registry_folders()
    return tuple(row for _, row in read_rows(Wording, "failure_wordings.yaml", "wordings", folders))


def own_wordings(overflow_says: str, refused_says: str) -> tuple[Wording, ...]:
    """The user's rows."""
    given: dict[Meaning, str] = {"overflow": overflow_says, "refused": refused_says}
    user: dict[str, Any] = {"server": "", "source": "", "seen": "user"}
    return tuple(
        Wording(id=f"-o {means}_says={says}", means=means, says=says, **user)
        for means, says in given.items()
        if says
    )


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
            return Found(first, RefusedTokens(**named))
    return Found(first) if first else None


@lru_cache(maxsize=64)
def _refusing(field: str) -> str:
    """A pattern for messages that refuse a field of a request, whatever the server's words."""
    name = rf"(?<![\w.])(?:{field})(?!\w)"
    return rf"{name}.{{0,80}}?(?:{_REFUSES})|(?:{_REFUSES}).{{0,80}}?{name}"
