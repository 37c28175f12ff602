"""What a run waits for: calls in flight, pauses before retries, and how both are told."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from suite.errors import CallFailed

LONG_S = 10.0  # a reply that takes no longer is not worth a word
MOST_WAIT_S = 300.0  # what asks for more ends as pending: the same command asks again, later


class Waits:
    """Calls in flight, by id, with their start (monotonic clock); pauses, with their end (wall clock)."""

    def __init__(self) -> None:
        self.open: dict[str, float] = {}
        self._pauses: dict[object, tuple[float, str]] = {}

    @contextmanager
    def pausing(self, seconds: float, why: CallFailed) -> Iterator[None]:
        """For as long as one call waits before its next try."""
        key = object()
        self._pauses[key] = (time.time() + seconds, reason(why))
        try:
            yield
        finally:
            del self._pauses[key]

    def shown(self) -> list[str]:
        """What to say of it now, [] if nothing has to be said."""
        found = []
        if self._pauses:
            until, why = min(self._pauses.values())
            found.append(f"{len(self._pauses)} waiting, {why}, next try {clock(until)}")
        oldest = next(iter(self.open.values()), None)
        asked = 0.0 if oldest is None else time.monotonic() - oldest
        if asked >= LONG_S:
            found.append(f"{len(self.open)} asked, no reply yet for {asked:.0f} s")
        return found


def reason(failed: CallFailed) -> str:
    """A failure in a few words: `429 Rate limit exceeded: …`."""
    words = f"{failed.kind.removeprefix('status-')} {failed.message}".strip()
    return words if len(words) <= 100 else words[:99] + "…"


def clock(when: float) -> str:
    """A time of day as the person who waits has it, with the day where it is another one."""
    there, here = time.localtime(when), time.localtime()
    form = "%H:%M:%S" if when - time.time() < 120 else "%H:%M"
    return time.strftime(form if there[:3] == here[:3] else "%Y-%m-%d %H:%M", there)


def too_long(failed: CallFailed) -> CallFailed:
    """The failure of a call whose endpoint asks to wait for longer than a run does: pending, by `quota`."""
    until = clock(time.time() + min(failed.retry_after or 0.0, 10 * 365 * 86400.0))
    return CallFailed(
        "quota",
        f"{reason(failed)}; the endpoint asks to wait until {until}: run the same command then",
        retryable=False,
    )
