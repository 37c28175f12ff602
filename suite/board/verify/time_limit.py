"""How long verifying one bundle may take, and what stops it when that is over.

A bundle decides how much work its verification is: what cannot be bounded by sizes (a pattern that never
ends on a certain reply, programs in the sandbox, samples that parameters generate) is bounded by time. An
alarm of the operating system interrupts whatever Python runs; it can be set in the main thread only.
Elsewhere time is looked at when a rung begins and while a replay waits.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 1800.0  # by default: some 50 times what 100,000 samples of one request take on two processors
_MORE = 1.0  # seconds in which waits end by themselves, before the alarm
_AGAIN = 10.0  # seconds for cleaning up, before the next alarm


_struck = threading.Event()


class TimeUp(KeyboardInterrupt):
    """The time is over. A KeyboardInterrupt, so that neither a task nor asyncio takes it for an error."""

    def __init__(self) -> None:
        super().__init__()
        _struck.set()


def struck() -> bool:
    """Whether any verification of this process ran out of time: a thread may still work for it, which nobody
    can stop. A process that ends should not wait for that.
    """
    return _struck.is_set()


class Budget:
    """Seconds for one verification, counted from here. clock: seconds that only grow."""

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._over = False

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._end - self._clock())

    def check(self) -> None:
        """Raises TimeUp if none are, until what is counted (`armed`) has ended."""
        if not self._over and self.left <= 0:
            raise TimeUp()

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Raise TimeUp in the middle of this once the time is over, and again while it does not end."""
        if math.isinf(self.seconds) or threading.current_thread() is not threading.main_thread():
            try:
                yield
            finally:
                self._over = True
            return

        def strike(number: int, frame: Any) -> None:  # noqa: ARG001
            if self._over:
                return
            if self.left > 0:  # an alarm of somebody else's
                signal.setitimer(signal.ITIMER_REAL, self.left + _MORE, _AGAIN)
                return
            raise TimeUp()

        before = signal.signal(signal.SIGALRM, strike)
        began = time.monotonic()
        wait, again = signal.setitimer(signal.ITIMER_REAL, self.left + _MORE, _AGAIN)
        try:
            yield
        finally:
            self._over = True
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if wait:  # the alarm that was set before goes on
                signal.setitimer(signal.ITIMER_REAL, max(wait - (time.monotonic() - began), 0.001), again)
