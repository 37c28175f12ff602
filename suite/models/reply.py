"""A reply read out of a completion's body: its text strictly, all that stands beside it as well as it goes.

What has no answer in it, or an error in its place, is a failed call and never an empty answer. What nobody
needs (counts, log-probabilities that were not asked for, odd fields) never costs an answer: it is dropped,
and `Reply.details["mended"]` says so. What is read can be written, packed and verified. Not here: hidden
reasoning inside the text (`reasoning`).
"""

import json
import math
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from suite.chat import Finish, Json, Options, Reply, TokenLogprob, ToolCall, Usage
from suite.errors import CallFailed
from suite.models import peer_json
from suite.models.faults import refusal_of, refused
from suite.models.peer_json import PeerObject, whole_text
from suite.secrets import Scrubber, scrub

_MOST_TOKENS = 10**9  # more is no count of tokens
_LONG_BODY = 4 * 2**20  # bytes from which the record's size is looked at
MOST_RECORDED = 12 * 2**20  # bytes of a reply as JSON; a bundle's line holds 16 MiB
_ENDED: dict[str, list[str]] = tomllib.loads((files(__package__) / "finish_reasons.toml").read_text("utf-8"))
_FILTERED = re.compile(rf"(?:{'|'.join(_ENDED['filtered'])})\b.*", re.IGNORECASE | re.DOTALL)
_SAID = ("text", "content", "thinking", "reasoning", "summary")  # fields of a part that hold its words


def read_reply(body: bytes, scrub: Scrubber | None = None, options: Options | None = None) -> Reply:
    """The reply in a body of status 200, a completion of OpenAI's. options: what was asked, where known.

    Raises CallFailed: bad-json, bad-shape, empty-choices, error-in-body, aborted, too-large, status-N.
    """
    options, scrub = options or Options(), scrub or Scrubber()
    try:
        value, sound = peer_json.read(body)
    except ValueError as error:
        raise peer_json.bad_json(body, error, scrub) from error
    mended = [] if sound else ["the body is no strict JSON in UTF-8"]
    reply = _reply(value, scrub, options, mended)
    if len(body) > _LONG_BODY and (size := len(msgspec.json.encode(reply))) > MOST_RECORDED:
        # the same request gives it again
        raise CallFailed("too-large", f"a reply of {size >> 20} MiB cannot be recorded", retryable=False)
    return reply


def _reply(value: Any, scrub: Scrubber, options: Options, mended: list[str]) -> Reply:
    """The reply in a decoded completion, its first choice. Raises CallFailed, see `read_reply`."""
    choice = _choice(value, scrub)
    if isinstance(choice, Reply):
        return choice
    message = choice.get("message")
    if message is None and isinstance(choice.get("text"), str):
        message = {"content": choice["text"]}
    if not isinstance(message, dict) or not message:
        raise _shape("the choice has no message")
    reason = choice.get("finish_reason")
    ended = reason.strip().lower() if isinstance(reason, str) else ""
    if ended in _ENDED["broken_off"]:
        raise CallFailed("aborted", f"the endpoint broke the answer off ({ended})", retryable=True)
    text, thought, refusal = _content(message.get("content"))
    calls = _tool_calls(message, mended)
    refusal = refusal or _words(message.get("refusal"))
    finish: Finish = "stop"
    if ended != "stop" and filtered(ended):
        finish = "refused"
    elif refusal.strip() and not text.strip():
        finish, text = "refused", refusal
    elif ended in _ENDED["cut"]:
        finish = "length"
    elif not text.strip() and not calls:
        finish = _empty(message, choice, ended)
    usage = _usage(value.get("usage"), options.max_tokens, mended)
    if text and usage.prompt and not usage.completion:
        mended.append("completion_tokens 0 for a text")
        usage = Usage()
    logprobs = _logprobs(choice.get("logprobs"), mended) if options.logprobs is not None else ()
    return Reply(
        text=whole_text(text), finish=finish, usage=usage, tool_calls=calls, logprobs=logprobs,
        reasoning=whole_text(thought or _thought(message)), details={"mended": mended} if mended else None,
        model=_name(value.get("model"), scrub), fingerprint=_name(value.get("system_fingerprint"), scrub),
    )  # fmt: skip


def without_keys(reply: Reply) -> Reply:
    """The reply without the keys that this process read: an endpoint may echo them."""
    return msgspec.json.decode(scrub(msgspec.json.encode(reply).decode()), type=Reply)


def filtered(reason: str) -> bool:
    """Whether a finish reason says that a filter, or the model's own refusal, ended the answer."""
    return _FILTERED.fullmatch(reason.strip()) is not None


def _shape(what: str) -> CallFailed:
    return CallFailed("bad-shape", what, retryable=True)


def _choice(value: Json, scrub: Scrubber) -> PeerObject | Reply:
    """The first choice, or the reply where an error says that the candidate failed."""
    if not isinstance(value, dict):
        raise _shape("the reply is no object")
    choices = value.get("choices")
    if _is_error(value.get("error")) or (choices is None and (value.get("message") or value.get("detail"))):
        return _error(value, scrub)
    if not isinstance(choices, list):
        raise _shape("no choices in the reply")
    if not choices:
        return _blocked(value, scrub)
    choice = choices[0]
    if not isinstance(choice, dict):
        raise _shape("the choice is no object")
    for holder in (choice, choice.get("message")):
        if isinstance(holder, dict) and "error" in holder and _is_error(holder["error"]):
            return _error(holder, scrub)
    return choice


def _blocked(value: PeerObject, scrub: Scrubber) -> Reply:
    """A reply without choices, if it is a filter's: it says so, or it read the prompt and made nothing."""
    usage = _usage(value.get("usage"), None, [])
    told = any(value.get(name) for name in ("prompt_feedback", "promptFeedback", "prompt_filter_results"))
    if not told and (usage.prompt == 0 or usage.completion):
        raise CallFailed("empty-choices", "the reply has no choice", retryable=True)
    details = {"refusal": "the reply has no choice", "row": "no-choices"}
    return Reply(finish="refused", usage=usage, model=_name(value.get("model"), scrub), details=details)


def _is_error(value: object) -> bool:
    """Whether an `error` field says anything: some servers send it empty with good answers."""
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _error(holder: PeerObject, scrub: Scrubber) -> Reply:
    refusal = refusal_of(holder, scrub)
    return refused(refusal.status, {}, refusal)


def _empty(message: PeerObject, choice: PeerObject, ended: str) -> Finish:
    """The ending of a reply without a word. Raises CallFailed unless the model may have ended it so."""
    if "content" not in message and not _thought(message):
        raise _shape("the message has no content")
    if not ended and (message.get("content") is None or choice.get("finish_reason") is not None):
        raise _shape("no text, and nothing says how it ended")
    if ended and ended not in _ENDED["stopped"]:
        raise _shape(f"no text, ended by {ended[:40]!r}")
    return "empty"


def _content(content: object) -> tuple[str, str, str]:
    """(text, reasoning, refusal) of a message's content. Raises CallFailed for what is no text."""
    if content is None or isinstance(content, str):
        return content or "", "", ""
    if not isinstance(content, list):
        raise _shape(f"the content is no text: {str(content)[:40]}")
    text = thought = refusal = ""
    for part in content:
        if not isinstance(part, dict | str):
            raise _shape("a part of the content is no text")
        kind = part.get("type") if isinstance(part, dict) else "text"
        if kind in ("thinking", "reasoning", "redacted_thinking"):
            thought += _words(part)
        elif kind == "refusal" and isinstance(part, dict):
            refusal += _words(part.get("refusal"))
        else:
            text += _words(part)
    return text, thought, refusal


def _words(value: object) -> str:
    """The words in a text, an object that holds them, or a list of such; "" for anything else."""
    return "".join(_walked(value, 0)) if value else ""


def _walked(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < 8 and isinstance(value, list):
        for one in value:
            yield from _walked(one, depth + 1)
    elif depth < 8 and isinstance(value, dict):
        yield from next((found for name in _SAID if (found := [*_walked(value.get(name), depth + 1)])), ())


def _thought(message: PeerObject) -> str:
    """What the endpoint separated as reasoning, under whichever of its usual names."""
    names = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
    return next((found for name in names if (found := _words(message.get(name)))), "")


def _tool_calls(message: PeerObject, mended: list[str]) -> tuple[ToolCall, ...]:
    given = message.get("tool_calls") or []
    if isinstance(given, dict):
        given = [given]
    if not given and isinstance(message.get("function_call"), dict):
        given = [{"function": message["function_call"]}]
    found = []
    for one in given if isinstance(given, list) else []:
        function = one.get("function") if isinstance(one, dict) else None
        if not isinstance(function, dict):
            mended.append("a tool call without a function")
            continue
        identity = one.get("id") if isinstance(one.get("id"), str | int) else ""
        arguments = function.get("arguments", "")
        if not isinstance(arguments, str | None):
            arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        texts = (_words(function.get("name")), arguments or "", str(identity))
        found.append(ToolCall(*map(whole_text, texts)))
    return tuple(found)


def _name(value: object, scrub: Scrubber) -> str:
    """What an endpoint says of itself. It may echo a key."""
    return _scrubbed(value, scrub) if isinstance(value, str) else ""


@lru_cache(maxsize=64)
def _scrubbed(name: str, scrub: Scrubber) -> str:
    return scrub(whole_text(name))[:200]


def _usage(value: object, most: int | None, mended: list[str]) -> Usage:
    """The counts that can be counts; none of them where the main ones cannot. Some servers count hidden
    reasoning in the total alone; it is written like the rest, and billed like it.
    """
    usage = value if isinstance(value, dict) else {}
    read, wrote = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    prompt = _count(usage, "prompt_tokens", mended)
    new = _count(usage, "completion_tokens", mended)
    cached = _count(read, "cached_tokens", mended)
    thought = _count(wrote, "reasoning_tokens", mended)
    if prompt is None or new is None:
        return Usage()
    hidden = max((_count(usage, "total_tokens", []) or 0) - prompt - new, 0) if prompt else 0
    new += hidden
    if cached and cached > prompt:  # billed like the rest: what was cached is not known
        mended.append(f"cached_tokens {cached} of {prompt} prompt_tokens")
        cached = 0
    cached, thought = cached or 0, min(max(thought or 0, hidden), new)
    if most is not None and new - thought > most:  # servers differ in whether reasoning counts
        mended.append(f"completion_tokens {new}, where {most} were allowed")
        return Usage()
    return Usage(prompt, new, cached, thought)


def prompt_tokens(usage: object) -> int:
    """The prompt's tokens in a `usage` of any shape, 0 where it tells none."""
    return _count(usage, "prompt_tokens", []) or 0


def _count(holder: object, name: str, mended: list[str]) -> int | None:
    """A number of tokens; 0 where there is none, None where it is no such number."""
    value = holder.get(name) if isinstance(holder, dict) else None
    if value is None:
        return 0
    if type(value) in (int, float) and 0 <= value <= _MOST_TOKENS:
        return int(value)
    mended.append(f"{name} {str(value)[:24]}")
    return None


def _logprobs(value: Any, mended: list[str]) -> tuple[TokenLogprob, ...]:
    """Token log-probabilities in the chat form (`content`) or the completions form (`tokens`).

    Numbers that are none (NaN, infinite, null) leave none at all: the others would be taken for all.
    Raises CallFailed for what cannot be read, since they were asked for.
    """
    if not value:
        return ()
    try:
        found = _token_logprobs(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _shape(f"unreadable log-probabilities: {error!r:.200}") from error
    if all(math.isfinite(one.logprob) for one in found):
        return found
    mended.append("log-probabilities that are no numbers")
    return ()


def _token_logprobs(value: PeerObject) -> tuple[TokenLogprob, ...]:
    rows = value.get("content")
    if rows is None:
        each = value.get("top_logprobs") or [None] * len(value["tokens"])
        whole = zip(value["tokens"], value["token_logprobs"], each, strict=True)
        rows = [{"token": token, "logprob": number, "top_logprobs": tops} for token, number, tops in whole]
    return tuple(TokenLogprob(*_entry(one), _tops(one.get("top_logprobs"))) for one in rows)


def _tops(value: Any) -> tuple[tuple[str, float], ...]:
    rows = [{"token": name, "logprob": n} for name, n in value.items()] if isinstance(value, dict) else value
    return tuple(one for one in map(_entry, rows or ()) if math.isfinite(one[1]))


def _entry(value: PeerObject) -> tuple[str, float]:
    number = value["logprob"]
    return whole_text(value["token"]), math.nan if number is None else float(number)
