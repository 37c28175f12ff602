"""Files of rules for scripted engines: the first rule that fits a request gives the reply.

One JSON object a line (`.jsonl`) or a JSON list (`.json`). A rule without conditions fits everything.
"""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from suite.chat import Finish, Json, Reply, Request, ToolCall, Usage
from suite.data.text_files import json_lines, json_rows
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
        wanted = (self.member, self.group, self.sample, self.key, self.kind, self.equals)
        found = (asking.member, asking.group, asking.sample, asking.key, request.kind, request.last_text)
        if any(one not in (None, other) for one, other in zip(wanted, found, strict=True)):
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


def read_rules(path: Path) -> Callable[[Request, Asking], Reply]:
    """The rules of a file, as a function from requests to replies. Raises DataError naming file and line."""
    rows = json_rows(path) if path.suffix == ".json" else json_lines(path)
    rules = []
    for row in rows:
        try:
            rules.append(msgspec.convert(row.value, Rule))
        except msgspec.ValidationError as error:
            raise DataError(f"{path.name} {row.place} is not a rule: {error}", where=str(path)) from error

    def answer(request: Request, asking: Asking) -> Reply:
        if rule := next((rule for rule in rules if rule.fits(request, asking)), None):
            return rule.reply(request, asking)
        raise CallFailed(
            "no-rule",
            f"no rule of {path.name} fits the {request.kind} request of {asking.member} "
            f"for sample {asking.sample or asking.group!r}",
            retryable=False,
        )

    return answer
