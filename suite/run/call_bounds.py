"""The most tokens that one try of a call can use, known before it is sent; and what it did use.

A byte of the prompt counts as a token, since no tokenizer makes more of it, and what templates and providers
add is allowed for: the marks around a message, a system prompt of their own, instructions for tools and
schemas. New tokens are at most the request's limit, hidden reasoning included.
"""

from collections.abc import Mapping

import msgspec

from suite.chat import Json, Reply, Request, Usage
from suite.errors import CallFailed
from suite.models.spec import ModelSpec

A_PROMPT, A_MESSAGE, A_TEXT = 256, 32, 32  # tokens that a template adds
A_FORM = 1024  # tokens that a provider adds where tools or a schema are given
FORM_TIMES = 2  # how often longer their rendering may be than their JSON
# of a request that was never sent, or that was turned away before it was read
NOT_BILLED = frozenset({"connect", "tls", "unsupported", "not-recorded"}) | {
    f"status-{status}" for status in (401, 402, 403, 404, 405, 407, 429)
}

_encode = msgspec.json.Encoder().encode


def most_tokens(request: Request, extra: Mapping[str, Json] | None = None) -> Usage | None:
    """The most that one try can use; None where the request sets no limit on new tokens.

    extra: fields added to every request (extra_body); where they ask for several choices, all are counted.
    """
    options = request.options
    if request.kind in ("rate", "logprobs", "rank"):
        return _of_texts(request)
    if options.max_tokens is None:
        return None
    prompt = A_PROMPT + len(request.prompt.encode()) + _conversation(request)
    for form in (request.tools, options.json_schema):
        if form:
            prompt += A_FORM + FORM_TIMES * len(_encode(form))
    prompt += len(_encode(options.template)) if options.template else 0
    prompt += len(_encode(extra)) if extra else 0
    new = options.max_tokens
    if isinstance(options.thinking, int):  # servers differ in whether the limit holds for it, too
        new += options.thinking
    counts = [one for name in ("n", "best_of") if isinstance(one := (extra or {}).get(name), int)]
    return Usage(prompt, new * max([1, *counts]))


def added_fields(spec: ModelSpec) -> Mapping[str, Json] | None:
    """The fields that a spec adds to every request."""
    extra = spec.options.get("extra_body")
    return extra if isinstance(extra, dict) else None


def _conversation(request: Request) -> int:
    return len(_encode(request.messages)) + A_MESSAGE * len(request.messages)


def _of_texts(request: Request) -> Usage:
    """Of a request that the engine may send as one for each text."""
    texts = sum(len(text.encode()) + A_TEXT for text in request.texts)
    prompt = len(request.prompt.encode()) + A_PROMPT
    if request.kind == "rank":
        return Usage(prompt + texts)
    each = prompt + _conversation(request)
    return Usage(each * len(request.texts) + texts, len(request.texts) if request.kind == "logprobs" else 0)


def used_tokens(request: Request, heard: Reply | CallFailed | None) -> Usage | None:
    """What a try used; None where nothing tells, so that it may have been the most.

    heard: its reply, its failure, None of one that was dropped.
    """
    if isinstance(heard, CallFailed):
        alone = request.kind in ("chat", "complete")  # else other requests of the same try were answered
        return Usage() if alone and heard.kind in NOT_BILLED else None
    if heard is None or not heard.usage.prompt:
        return None
    usage = heard.usage
    if request.kind in ("rate", "logprobs"):
        details = heard.details if isinstance(heard.details, dict) else {}
        each = details.get("tokens")
        if isinstance(each, list) and not all(each):  # of some nothing is told
            return None
        return Usage(usage.prompt, max(usage.completion, len(request.texts) * (request.kind == "logprobs")))
    said = heard.text or heard.reasoning or heard.tool_calls
    return None if said and not usage.completion and request.kind != "rank" else usage
