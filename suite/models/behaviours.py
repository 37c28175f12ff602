"""What scripted engines answer by: built-in behaviours, and files of rules.

A behaviour is a small pure function that answers every kind of request, so that any task can be tried with
it. What looks random comes from the hash of the request and the seed asked with. A file of rules holds one
JSON object a line (`.jsonl`) or a JSON list (`.json`): the first rule that fits a request gives the reply,
and one without conditions fits everything.
"""

import hashlib
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from suite.chat import Finish, Json, Reply, Request, ToolCall, Usage, request_sha256
from suite.data.text_files import json_lines, json_rows
from suite.errors import CallFailed, DataError, worded
from suite.models.engine import Asking
from suite.models.options import EngineOptions
from suite.models.rankings import ranked

WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "jasmine",
    "kettle", "lantern", "meadow", "nectar", "orchard", "pebble", "quartz", "river", "saddle",
    "timber", "upland", "velvet", "willow", "yarrow", "zephyr",
)  # fmt: skip

_OPTION = re.compile(
    r"^\s*(?:[-*>]\s*)?(?:\*\*|option\s+)?(?:\(|<choice>|\[)?([A-Za-z0-9])"
    r"(?:(?:[.):\]]|</choice>)(?:\*\*)?[.:]?(?=\s)|\s[-\u2013\u2014]\s)",
    re.MULTILINE | re.IGNORECASE,
)
_FIRST = ("A", "a", "1", "0")  # what lists of options begin with
NO_OPTIONS = "Yes."  # one token: a limit of one is kept


class Knobs(EngineOptions):
    """What a behaviour can be told."""

    text: str = Field("", description="what `constant` answers")
    state: Finish = Field("refused", description="how `finish` ends: overflow, refused, empty, …")
    words: int = Field(12, ge=0, description="how many words `words` answers")
    format: str = Field("{}", description="how `first-option` and `random-option` write their choice")
    kind: str = Field("scripted", description="kind of the failure of `fail`")
    retryable: bool = Field(False, description="whether the failure of `fail` may be retried")


Behaviour = Callable[[Knobs, Request, Asking], Reply]


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)


def options_in(text: str) -> list[str]:
    """Labels of the last list of options in a text (A, B …, a, b …, 1, 2 …), at least two; letters first."""
    labels = _OPTION.findall(text)
    for first in _FIRST:
        if first in labels:
            start = len(labels) - 1 - labels[::-1].index(first)
            found: list[str] = []
            for label in labels[start:]:
                if label == chr(ord(first) + len(found)):
                    found.append(label)
            if len(found) > 1:
                return found
    return []


def options_of(request: Request) -> list[str]:
    """The options of the newest message that lists any, an assistant turn that is continued included."""
    texts = [request.prompt, *(message.content for message in request.messages)]
    return next((found for text in reversed(texts) if (found := options_in(text))), [])


def _random(request: Request, asking: Asking) -> random.Random:
    warm = (request.options.temperature or 0.0) > 0
    digest = hashlib.sha256(f"{request_sha256(request)}\x1f{asking.seed if warm else ''}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def reply_to(request: Request, text: str, scores: list[float] | None = None) -> Reply:
    """A reply of the request's kind: text for chat and complete, else scores or a ranking by scores."""
    usage = Usage(estimated_tokens(request.text), estimated_tokens(text))
    if request.kind in ("chat", "complete"):
        return Reply(text, finish="stop" if text.strip() else "empty", usage=usage)
    numbers = scores or [0.0] * len(request.texts)
    if request.kind == "rank":
        return Reply(usage=usage, ranking=ranked(numbers, request.options.top))
    return Reply(usage=usage, scores=tuple(numbers))


def _words(knobs: Knobs, request: Request, asking: Asking) -> Reply:
    chance = _random(request, asking)
    text = " ".join(chance.choice(WORDS) for _ in range(knobs.words))
    return reply_to(request, text, [round(chance.gauss(0, 2), 6) for _ in request.texts])


def _first_option(knobs: Knobs, request: Request, _asking: Asking) -> Reply:
    scores = [float(-i) for i in range(len(request.texts))]
    return reply_to(request, _written(knobs, request, lambda labels: labels[0]), scores)


def _random_option(knobs: Knobs, request: Request, asking: Asking) -> Reply:
    chance = _random(request, asking)
    text = _written(knobs, request, chance.choice)
    return reply_to(request, text, [chance.random() for _ in request.texts])


def _written(knobs: Knobs, request: Request, choose: Callable[[list[str]], str]) -> str:
    """The choice among the options. A message that only opens a conversation may have none, for a question
    that follows. Raises CallFailed where any other text request has none: no letter stands for a choice.
    """
    if request.kind not in ("chat", "complete"):
        return ""
    if labels := options_of(request):
        return knobs.format.replace("{}", choose(labels))
    if [message.role for message in request.messages] == ["system", "user"]:
        return NO_OPTIONS
    raise CallFailed("no-options", worded("models.scripted.no-options"), retryable=False)


def _by_length(request: Request, sign: int) -> Reply:
    lengths = [sign * float(len(text)) for text in request.texts]
    return reply_to(request, max(request.texts, key=lambda text: sign * len(text), default=""), lengths)


def _finish(knobs: Knobs, request: Request, _asking: Asking) -> Reply:
    text = request.last_text if knobs.state == "length" else ""
    failed = (None,) * len(request.texts)
    return Reply(text, finish=knobs.state, scores=failed if request.kind in ("rate", "logprobs") else ())


def _fail(knobs: Knobs, _request: Request, _asking: Asking) -> Reply:
    raise CallFailed(knobs.kind, "scripted to fail", retryable=knobs.retryable)


BEHAVIOURS: dict[str, Behaviour] = {
    "echo": lambda _, request, __: reply_to(request, request.last_text),
    "constant": lambda knobs, request, _: reply_to(request, knobs.text),
    "words": _words,
    "first-option": _first_option,
    "random-option": _random_option,
    "longest": lambda _, request, __: _by_length(request, 1),
    "shortest": lambda _, request, __: _by_length(request, -1),
    "schema": lambda _, request, __: reply_to(
        request, msgspec.json.encode(smallest(request.options.json_schema or {})).decode()
    ),
    "finish": _finish,
    "fail": _fail,
}


def smallest(schema: Any) -> Any:  # keywords of a schema may hold anything
    """A small value of a JSON Schema, for schemas without references or combinators beyond anyOf."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for combinator in ("anyOf", "oneOf"):
        if schema.get(combinator):
            return smallest(schema[combinator][0])
    kind = schema.get("type", "object" if "properties" in schema else "null")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        required = schema.get("required", list(schema.get("properties", {})))
        return {name: smallest(schema.get("properties", {}).get(name, {})) for name in required}
    if kind == "array":
        return [smallest(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    plain: dict[str, Json] = {
        "string": "x" * schema.get("minLength", 1),
        "integer": schema.get("minimum", 0),
        "number": schema.get("minimum", 0.0),
        "boolean": False,
    }
    return plain.get(kind)


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
            text, finish=self.finish or ("stop" if said else "empty"),
            usage=Usage(estimated_tokens(request.text), estimated_tokens(text)), scores=self.scores,
            ranking=self.ranking, tool_calls=self.tool_calls, details=self.details,
        )  # fmt: skip


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
        whose = asking.sample or asking.group
        why = worded("models.scripted.no-rule", path=path, request=request, asking=asking, whose=whose)
        raise CallFailed("no-rule", why, retryable=False)

    return answer
