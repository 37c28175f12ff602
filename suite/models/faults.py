"""What an endpoint's refusals mean: the candidate's failure (a reply) or a failed call.

The candidate failed: a prompt beyond the window (`overflow`), a content filter (`refused`). The server's
numbers decide where it gives them, else a row of the table of wordings, which the reply names. Everything
else is a CallFailed, retryable where the same request may succeed later.
"""

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime

import msgspec

from suite.chat import Json, Reply, Usage, text_of
from suite.errors import CallFailed, worded
from suite.models.peer_json import decode, whole_text
from suite.models.wordings import NOTHING, Found, RefusedTokens, Wording, look_up
from suite.secrets import scrub_all

_OVERLOAD = frozenset({429, 503, 529})
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_NOT_THE_PROMPT = frozenset({401, 402, 404, 405, 407, 408, 429})  # a status that speaks of something else
_LONGEST = 300
_MOST = 4000  # characters of an error that are read
_DEEPEST = 5
_SAYING = ("message", "loc", "detail", "msg", "error", "errors", "details", "reason", "param", "metadata",
           "raw", "innererror")  # fmt: skip


class EndpointRefusal(msgspec.Struct, frozen=True):
    """An error body. said: all its words. codes: its code, type and status name. counts: tokens in fields."""

    message: str = ""
    said: str = ""
    codes: tuple[str, ...] = ()
    status: int = 0  # where a gateway puts one into a body of status 200
    counts: RefusedTokens = NOTHING

    def found(self, own: tuple[Wording, ...] = ()) -> Found | None:
        """The row of the table that it fits, with its numbers; fields count before words."""
        found = look_up(self.said, self.codes, own)
        if found is None or self.counts.prompt is None:
            return found
        return found._replace(counts=self.counts)

    @property
    def overflow(self) -> bool:
        """Whether it speaks of a prompt that does not fit."""
        found = self.found()
        return found is not None and found.row.means == "overflow"


def read_refusal(body: bytes, scrub: Callable[[str], str]) -> EndpointRefusal:
    """The error in a body of any shape; the text itself where it is not JSON."""
    try:
        value = decode(body, object)
    except ValueError:
        text = body.decode("utf-8", "replace")
        page = text.lstrip()[:1] == "<"  # a proxy's page, whatever it speaks of
        return EndpointRefusal(_short(text, scrub), "" if page else text[:_MOST])
    return refusal_of(value, scrub)


def refusal_of(value: object, scrub: Callable[[str], str]) -> EndpointRefusal:
    """The error in a decoded body: {"error": {...}}, {"error": "..."}, {"detail": ...}, {"message": ...}.

    A list of one error, and what a gateway quotes (`metadata.raw`, `innererror`), are looked into.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        beside = {**value, "error": ""} if isinstance(value, dict) else {}
        words = " ".join([*_words(error), *_words(beside)])[:_MOST]
        return EndpointRefusal(_short(text_of(error), scrub), words, _codes(beside))
    message = next((error[name] for name in ("message", "detail", "msg") if error.get(name)), error)
    code = error.get("code")
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else 0
    tokens, window = (_count(error.get(name)) for name in ("n_prompt_tokens", "n_ctx"))
    counts, status = RefusedTokens(prompt=tokens, window=window), number if 400 <= number < 600 else 0
    words = " ".join(_words(error))[:_MOST]
    return EndpointRefusal(_short(text_of(message), scrub), words, _codes(error), status, counts)


def _codes(error: dict[str, Json]) -> tuple[str, ...]:
    """What names the kind of an error, here and in the error inside it."""
    inner = error.get("innererror") or error.get("inner_error")
    found = [error.get(name) for name in ("code", "type", "status", "error_type", "__type", "reason")]
    found += [inner.get("code")] if isinstance(inner, dict) else []
    return tuple(str(one) for one in found if isinstance(one, str | int) and not isinstance(one, bool))


def _words(value: object, depth: int = 0) -> Iterator[str]:
    """What an error says, and what it quotes of the server behind it. Not what it echoes of the request."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < _DEEPEST:
        for one in value:
            yield from _words(one, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        for name in _SAYING:
            if name in value:
                yield from _words(value[name], depth + 1)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def refused(
    status: int,
    headers: Mapping[str, str],
    refusal: EndpointRefusal,
    *,
    own: tuple[Wording, ...] = (),
    asked: int | None = None,
) -> Reply:
    """The reply where the candidate failed. Raises CallFailed for everything else.

    status: of the HTTP reply, or the one inside a body of status 200 (0 if it has none).
    asked: new tokens that the request asked for, None where it left that to the server.
    """
    found = refusal.found(own)
    means = found.row.means if found and status not in _NOT_THE_PROMPT else ""
    if found and means == "refused":
        return Reply(finish="refused", details=_details(refusal, found))
    if found and means == "overflow" and status != 403:
        if fits(found.counts, asked):
            raise TooMuchAsked(refusal.message, asked, found.counts)
        prompt = found.counts.prompt or found.counts.least or 0
        return Reply(finish="overflow", usage=Usage(prompt=prompt), details=_details(refusal, found))
    raise _failure(status, headers, refusal, found)


def refused_reply(status: int, headers: Mapping[str, str], body: bytes, asked: int | None = None) -> Reply:
    """What an error over HTTP is: the reply where the candidate failed (overflow, refused).

    asked: most new tokens that were asked for. Raises CallFailed for everything else.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    return refused(status, lower, read_refusal(body, scrub_all), asked=asked)


def fits(counts: RefusedTokens, asked: int | None) -> bool:
    """Whether the prompt fits by the server's own numbers: what was asked for on top is then a setting."""
    prompt, window = counts.of_prompt(asked), counts.window
    if asked is not None and asked < 1:
        return True
    if prompt is not None and window is not None:
        return prompt < window
    return window is not None and asked is not None and asked >= window


class TooMuchAsked(CallFailed):
    """The prompt fits, but not with the new tokens that were asked for. room: what is left, 0 if unknown."""

    def __init__(self, said: str, asked: int | None, counts: RefusedTokens = NOTHING) -> None:
        window, prompt = counts.window, counts.of_prompt(asked)
        self.room = window - prompt if window is not None and prompt is not None else 0
        numbers = f"the prompt of {prompt:,} tokens fits the window of {window:,}; " if self.room else ""
        wanted = f"{asked:,}" if asked is not None else "the server's usual number of"
        option = f"-o max_tokens={self.room}, or less," if self.room else "a smaller -o max_tokens"
        why = worded("models.faults.too-much", numbers=numbers, wanted=wanted, option=option, said=said)
        super().__init__("max-tokens", why, retryable=False)


class SettingRefused(CallFailed):
    """A field of the request is refused. option: what helps. does: the same as changes of a dialect.

    in_vain: those were made, and refused.
    """

    def __init__(self, said: str, wording: Wording, in_vain: bool = False) -> None:
        option = (in_vain and wording.otherwise) or wording.option
        help_ = f"; {option} helps (for another role -o ROLE.…)" if option else ""
        super().__init__("setting", f"a setting of ours is refused: {said}{help_}", retryable=False)
        self.said, self.wording = said, wording
        self.row, self.option, self.does = wording.id, option, wording.does


def _failure(
    status: int, headers: Mapping[str, str], refusal: EndpointRefusal, found: Found | None
) -> CallFailed:
    """The failed call of a refusal that is nobody's answer."""
    means = found.row.means if found else ""
    if means == "quota" or status == 402:
        return CallFailed("quota", refusal.message, retryable=False)
    if status == 0:
        return CallFailed("error-in-body", refusal.message, retryable=True)
    odd = status in (404, 415, 500, 501)
    if found and means == "setting" and (status in (400, 413, 422) or (odd and found.row.does)):
        return SettingRefused(refusal.message, found.row)
    overload = status in _OVERLOAD or means == "rate"
    kind, again = f"status-{status}", status in _RETRYABLE or means == "rate"
    after = retry_after(headers, limited=status == 429) if overload else None
    return CallFailed(kind, refusal.message, retryable=again, retry_after=after, overload=overload)


def _details(refusal: EndpointRefusal, found: Found) -> dict[str, Json]:
    """What is recorded with the reply: the server's words and numbers, and the row that read them."""
    numbers = {name: value for name, value in found.counts._asdict().items() if value is not None}
    return {"refusal": refusal.message, "row": found.row.id, **numbers}


def _short(text: str, scrub: Callable[[str], str]) -> str:
    line = scrub(whole_text(" ".join(text.split())))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


_RESET = re.compile(r"(?:x-|[a-z]+-)?ratelimit-(?:(\w+)-)?reset(?:-(\w+))?")
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EPOCH_S, _EPOCH_MS = 1e9, 1e12  # numbers from here on are times, not spans


def retry_after(
    headers: Mapping[str, str], clock: Callable[[], float] = time.time, *, limited: bool = False
) -> float | None:
    """Seconds to wait, at least 0: of `retry-after-ms`, `Retry-After`, or of when a limit is reset.

    headers: names in lower case. limited: whether the reply says that a rate is used up (429): only then do
    the `x-ratelimit-reset` headers count, the longest of those whose `remaining` is not above 0.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        found = wait(headers.get(name) or "", clock, scale)
        if found is not None:
            return found
    resets = [wait(text, clock) for name, text in headers.items() if limited and _used_up(name, headers)]
    return max((one for one in resets if one is not None), default=None)


def wait(text: str, clock: Callable[[], float], scale: float = 1.0) -> float | None:
    """Seconds of `30`, `6m0s`, an HTTP or ISO date, a time in (milli)seconds since 1970; None of all else."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        parts = [] if _PARTS.sub("", text) else _PARTS.findall(text)
        spans = [float(number) * _UNITS[unit] for number, unit in parts]
        seconds = sum(spans) if spans else _date(text, clock)
    else:
        when = number / 1000 if number >= _EPOCH_MS else number
        seconds = when - clock() if when >= _EPOCH_S else number * scale
    return max(0.0, seconds) if seconds is not None and math.isfinite(seconds) else None


def _date(text: str, clock: Callable[[], float]) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(TypeError, ValueError, OverflowError):
            return read(text).timestamp() - clock()
    return None


def _used_up(name: str, headers: Mapping[str, str]) -> bool:
    if not _RESET.fullmatch(name):
        return False
    with suppress(ValueError):
        return float(headers.get(name.replace("reset", "remaining"), "0")) <= 0
    return True
