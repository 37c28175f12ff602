"""The most tokens that one try of a call can use, known before it is sent; and what it did use.

A byte of the prompt counts as a token, since no tokenizer makes more of it, and what templates and providers
add is allowed for: the marks around a message, a system prompt of their own, instructions for tools and
schemas. New tokens are at most the request's limit, hidden reasoning included.
"""

import msgspec

from suite.chat import Reply, Request, Usage
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


def most_tokens(request: Request, spec: ModelSpec | None = None) -> Usage | None:
    """The most that one try can use; None where the request sets no limit on new tokens.

    spec: its `extra_body` is read, too; where it asks for several choices, all are counted.
    """
    options, texts = request.options, request.texts
    prompt = A_PROMPT + len(request.prompt.encode()) + len(_encode(request.messages))
    prompt += A_MESSAGE * len(request.messages)
    if request.kind in ("rate", "logprobs", "rank"):  # the first two may be sent as one request for each text
        read = prompt * (1 if request.kind == "rank" else len(texts))
        read += sum(len(text.encode()) + A_TEXT for text in texts)
        return Usage(read, len(texts) if request.kind == "logprobs" else 0)
    if options.max_tokens is None:
        return None
    for form in (request.tools, options.json_schema):
        prompt += A_FORM + FORM_TIMES * len(_encode(form)) if form else 0
    extra = spec.options.get("extra_body") if spec is not None else None
    prompt += sum(len(_encode(one)) for one in (options.template, extra) if one)
    counts = [extra.get(name) for name in ("n", "best_of")] if isinstance(extra, dict) else []
    choices = max([1, *(one for one in counts if isinstance(one, int))])
    # servers differ in whether the limit holds for hidden reasoning, too
    thought = options.thinking if isinstance(options.thinking, int) else 0
    return Usage(prompt, (options.max_tokens + thought) * choices)


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
