"""The built-in behaviours of scripted engines: small pure functions of the request.

Each answers every kind of request, so that any task can be tried with it. What looks random comes from
the hash of the request and the seed asked with.
"""

import hashlib
import random
import re
from collections.abc import Callable
from typing import Any

import msgspec
from pydantic import Field

from suite.chat import Finish, Json, Reply, Request, Usage, request_sha256
from suite.errors import CallFailed
from suite.models.engine import Asking
from suite.models.options import EngineOptions
from suite.models.rankings import ranked

# fmt: off
WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "jasmine",
    "kettle", "lantern", "meadow", "nectar", "orchard", "pebble", "quartz", "river", "saddle",
    "timber", "upland", "velvet", "willow", "yarrow", "zephyr",
)
# fmt: on

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
    """Labels of the last list of options in a text ("A.", "(b)", "1)", "<choice>A</choice>"), at least two.

    A list goes A, B, C …, or a, b …, or 1, 2 …; letters are preferred to numbers.
    """
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
    raise CallFailed(
        "no-options",
        "the request lists no options to choose from (such as A. …, B. …), so nothing can be chosen",
        retryable=False,
    )


def _by_length(request: Request, sign: int) -> Reply:
    lengths = [sign * float(len(text)) for text in request.texts]
    return reply_to(request, max(request.texts, key=lambda text: sign * len(text), default=""), lengths)


def _schema(_: Knobs, request: Request, _asking: Asking) -> Reply:
    value = smallest(request.options.json_schema or {})
    return reply_to(request, msgspec.json.encode(value).decode())


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
    "schema": _schema,
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
