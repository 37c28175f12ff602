"""What the Hub answered, whatever class of error its client made of it: the HTTP status decides the advice.

The client hides a refused token and a rate limit behind errors of its own cache; the answer is their cause.
"""

import os
import re
from typing import NamedTuple

from suite.errors import causes

_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class StatusWords(NamedTuple):
    """A status of the Hub in words: what is wrong, and what to do."""

    status: int
    what: str
    fix: str


def told(error: BaseException) -> StatusWords | None:
    """The Hub's answer below an error, in words; None if it did not answer, or with none of these."""
    for one in causes(error):
        response = getattr(one, "response", None)
        status = getattr(response, "status_code", None)
        if isinstance(status, int) and status >= 400:
            headers = {str(k).lower(): str(v) for k, v in getattr(response, "headers", {}).items()}
            return _words(status, headers)
    return None


def _words(status: int, headers: dict[str, str]) -> StatusWords | None:
    variable = next((name for name in _TOKENS if os.environ.get(name)), "")
    token = f"the token in {variable}" if variable else "the stored token (`hf auth login`)"
    if status == 401:
        unset = f"unset {variable}" if variable else "`hf auth logout`"
        what = f"the Hub refuses {token} (401)"
        fix = (
            f"make a new one at https://huggingface.co/settings/tokens; for what is public, {unset} is enough"
        )
    elif status == 403:
        what = "the Hub forbids this (403)"
        fix = f"accept the terms on the repository's page, or give {token} the rights it lacks"
    elif status == 429:
        better = "" if variable else "set HF_TOKEN, which has a higher limit, or "
        what = "the Hub limits the rate of requests (429)"
        fix = f"{better}wait {_wait(headers)} and try again"
    elif status >= 500:
        other = ", or see whether HF_ENDPOINT is a Hub" if os.environ.get("HF_ENDPOINT") else ""
        what, fix = f"the Hub answers with an error of its own ({status})", f"try again later{other}"
    else:
        return None
    return StatusWords(status, what, fix)


def _wait(headers: dict[str, str]) -> str:
    """How long the Hub asks to wait: `Retry-After`, or the `t` of `RateLimit`."""
    seconds = re.fullmatch(r"\s*(\d+)\s*", headers.get("retry-after", "")) or re.search(
        r"\bt=(\d+)", headers.get("ratelimit", "")
    )
    return f"{int(seconds[1])} s" if seconds else "some minutes"
