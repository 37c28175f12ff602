"""How long an endpoint asks us to wait, whatever the header and the notation; not how long we do."""

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

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
        seconds = _span(text) if _PARTS.match(text) else _date(text, clock)
    else:
        when = number / 1000 if number >= _EPOCH_MS else number
        seconds = when - clock() if when >= _EPOCH_S else number * scale
    return max(0.0, seconds) if seconds is not None and math.isfinite(seconds) else None


def _span(text: str) -> float | None:
    whole = "".join(found[0] for found in _PARTS.finditer(text)) == text
    return sum(float(number) * _UNITS[unit] for number, unit in _PARTS.findall(text)) if whole else None


def _date(text: str, clock: Callable[[], float]) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read(text).timestamp() - clock()
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def _used_up(name: str, headers: Mapping[str, str]) -> bool:
    if not _RESET.fullmatch(name):
        return False
    left = headers.get(name.replace("reset", "remaining"), "0")
    try:
        return float(left) <= 0
    except ValueError:
        return True
