"""Files of rules for scripted engines: the first rule that fits a request gives the reply.

One JSON object a line (`.jsonl`) or a JSON list (`.json`). A rule without conditions fits everything.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from suite.chat import Finish, Json, Reply, Request, ToolCall, Usage
from suite.data.text_files import TextRow, json_lines, json_rows
from suite.errors import CallFailed, DataError
from suite.models.behaviours import estimated_tokens
from suite.models.engine import Asking


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Conditions, and the reply where they all hold.

    member, group, sample, key, kind: equal to the asking's or the request's. equals: the last message or
    prompt. contains: a part of any text. pattern: a regular expression searched in the last message.
    texts: one reply a trial, in turn, instead of `text`. fail: the kind of a failed call, instead of a reply.
    """

    member: str | None = None
    group: str | None = None
    sample: str | None = None
    key: str | None = None
    kind: str | None = None
    equals: str | None = None
    contains: str | None = None
    pattern: str | None = None
    text: str = ""
    texts: tuple[str, ...] = ()
    finish: Finish | None = None
    scores: tuple[float | None, ...] = ()
    ranking: tuple[tuple[int, float], ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    details: Json = None
    fail: str = ""
    retryable: bool = False

    def fits(self, request: Request, asking: Asking) -> bool:
        """Whether all conditions hold."""
        equal = (
            (self.member, asking.member),
            (self.group, asking.group),
            (self.sample, asking.sample),
            (self.key, asking.key),
            (self.kind, request.kind),
        )
        if any(wanted is not None and wanted != found for wanted, found in equal):
            return False
        if self.equals is not None and self.equals != request.last_text:
            return False
        if self.contains is not None and self.contains not in request.text:
            return False
        return self.pattern is None or re.search(self.pattern, request.last_text) is not None

    def reply(self, request: Request, asking: Asking) -> Reply:
        """The reply of this rule. Raises CallFailed if it says so."""
        if self.fail:
            raise CallFailed(self.fail, "scripted to fail", retryable=self.retryable)
        text = self.texts[asking.trial % len(self.texts)] if self.texts else self.text
        said = text.strip() or self.tool_calls or self.scores or self.ranking
        return Reply(
            text,
            finish=self.finish or ("stop" if said else "empty"),
            usage=Usage(estimated_tokens(request.text), estimated_tokens(text)),
            scores=self.scores,
            ranking=self.ranking,
            tool_calls=self.tool_calls,
            details=self.details,
        )


class Rules:
    """The rules of one file, as a function from requests to replies."""

    def __init__(self, rules: Sequence[Rule], name: str = "rules", sha256: str = "") -> None:
        self.rules = tuple(rules)
        self.name = name
        self.sha256 = sha256

    def __call__(self, request: Request, asking: Asking) -> Reply:
        """The reply of the first rule that fits. Raises CallFailed if none does."""
        for rule in self.rules:
            if rule.fits(request, asking):
                return rule.reply(request, asking)
        raise CallFailed(
            "no-rule",
            f"no rule of {self.name} fits the {request.kind} request of {asking.member} "
            f"for sample {asking.sample or asking.group!r}",
            retryable=False,
        )


def read_rules(path: Path) -> Rules:
    """The rules of a file. Raises DataError naming file and line."""
    rows = json_rows(path) if path.suffix == ".json" else json_lines(path)
    rules = [_rule(path, row) for row in rows]
    return Rules(rules, path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _rule(path: Path, row: TextRow) -> Rule:
    try:
        return msgspec.convert(row.value, Rule)
    except msgspec.ValidationError as error:
        raise DataError(f"{path.name} {row.place} is not a rule: {error}", where=str(path)) from error
