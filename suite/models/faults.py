"""What an endpoint's refusals mean: the candidate's failure (a reply) or a failed call.

The candidate failed: a prompt beyond the window (`overflow`), a content filter (`refused`). Everything
else is a CallFailed, retryable where the same request may succeed later.
"""

import math
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from suite.chat import Reply, Usage
from suite.errors import CallFailed
from suite.models.secrets import Scrubber

_OVERLOAD = frozenset({429, 503, 529})
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_OVERFLOW_CODES = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
)
_OVERFLOW = re.compile(
    r"maximum (context|model|sequence) length|context (length|window|size)|max_model_len|max_total_tokens"
    r"|max_seq_len|(prompt|input|request) (is )?too (long|large)|too many (input )?tokens"
    r"|longer than the maximum",
    re.IGNORECASE,
)
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation"})
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_LONGEST = 300


class Refusal(msgspec.Struct, frozen=True):
    """An error body, whatever its dialect."""

    message: str = ""
    code: str = ""
    kind: str = ""
    status: int = 0  # where a gateway puts one into a body of status 200
    prompt_tokens: int = 0

    @property
    def overflow(self) -> bool:
        """Whether it says that the prompt does not fit."""
        codes = {self.code.lower(), self.kind.lower()}
        return bool(codes & _OVERFLOW_CODES) or _OVERFLOW.search(self.message) is not None

    @property
    def filtered(self) -> bool:
        """Whether a content filter refused the prompt."""
        return bool({self.code.lower(), self.kind.lower()} & _FILTER_CODES)


def read_refusal(body: bytes, scrub: Scrubber) -> Refusal:
    """The error in a body of any shape; the text itself where it is not JSON."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refusal(_short(body.decode("utf-8", "replace"), scrub))
    return refusal_of(value, scrub)


def refusal_of(value: Any, scrub: Scrubber) -> Refusal:
    """The error in a decoded body: {"error": {...}}, {"error": "..."}, {"detail": ...}, {"message": ...}."""
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        return Refusal(_short(_text(error), scrub))
    message = next((error[name] for name in ("message", "detail", "msg") if error.get(name)), error)
    code = error.get("code")
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else 0
    status = number if 400 <= number < 600 else 0
    tokens = error.get("n_prompt_tokens")
    return Refusal(
        message=_short(_text(message), scrub),
        code=str(code or ""),
        kind=str(error.get("type") or ""),
        status=status,
        prompt_tokens=tokens if isinstance(tokens, int) else 0,
    )


def refused(
    status: int, headers: Mapping[str, str], refusal: Refusal, clock: Callable[[], float] = time.time
) -> Reply:
    """The reply where the candidate failed. Raises CallFailed for everything else.

    status: of the HTTP reply, or the one inside a body of status 200 (0 if it has none).
    """
    if status in (400, 413, 422, 0) and refusal.overflow:
        return Reply(finish="overflow", usage=Usage(prompt=refusal.prompt_tokens), details=_details(refusal))
    if refusal.filtered:
        return Reply(finish="refused", details=_details(refusal))
    if status == 0:
        raise CallFailed("error-in-body", refusal.message, retryable=True)
    quota = bool({refusal.code.lower(), refusal.kind.lower()} & _QUOTA) or status == 402
    if quota:
        raise CallFailed("quota", refusal.message, retryable=False)
    overload = status in _OVERLOAD
    raise CallFailed(
        f"status-{status}",
        refusal.message,
        retryable=status in _RETRYABLE,
        retry_after=retry_after(headers, clock) if overload else None,
        overload=overload,
    )


def retry_after(headers: Mapping[str, str], clock: Callable[[], float] = time.time) -> float | None:
    """Seconds the endpoint asks us to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.

    headers: names in lower case.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = (headers.get(name) or "").strip()
        if not text:
            continue
        try:
            seconds = float(text) * scale
        except ValueError:
            try:
                seconds = parsedate_to_datetime(text).timestamp() - clock()
            except (TypeError, ValueError, OverflowError):
                continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def _details(refusal: Refusal) -> dict[str, str]:
    return {"refusal": refusal.message} if refusal.message else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _short(text: str, scrub: Scrubber) -> str:
    line = scrub(" ".join(text.split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
