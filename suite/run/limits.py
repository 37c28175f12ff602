"""How much is in flight at one engine: a limit that adapts, and a queue that keeps the plan's order.

Waiting requests of the group opened first go first; within a group, those that share the longest
history with what went before, in first-seen order. The limit doubles until the engine pushes back,
then grows by one a round and halves on 429 or 503.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

CONTINUATION_STEPS = 4  # from a shared reply to the next request of those who waited for it
Place = tuple[int, tuple[int, ...]]  # (order of the group, path in the group's trie)


class Limit:
    """A limit on requests in flight, in [1, most]."""

    def __init__(
        self,
        fixed: int | None = None,
        most: int = 256,
        start: int = 8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.adaptive = fixed is None
        self.most = most if fixed is None else fixed
        self.current = min(start, most) if fixed is None else fixed
        self.resume_at = 0.0
        self._clock = clock
        self._slow_start = True
        self._good = 0
        self._cut_at = -1.0

    def good(self, full: bool) -> None:
        """One reply came; `full` says the limit was reached while it was in flight."""
        if not self.adaptive or not full:
            return
        self._good += 1
        if self._good >= self.current and self.current < self.most:
            self._good = 0
            self.current = min(self.most, self.current * 2 if self._slow_start else self.current + 1)

    def overloaded(self, started: float, retry_after: float | None) -> None:
        """The engine said it has too much to do. Requests sent before the last cut do not cut again."""
        now = self._clock()
        if retry_after is not None:
            self.resume_at = max(self.resume_at, now + min(retry_after, 120.0))
        if self.adaptive and started > self._cut_at:
            self._cut_at = now
            self._slow_start = False
            self._good = 0
            self.current = max(1, self.current // 2)

    def pause(self) -> float:
        """Seconds until the engine wants to be asked again."""
        return max(0.0, self.resume_at - self._clock())


class Slots:
    """Places at one engine, given in the plan's order."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.in_flight = 0
        self._waiting: list[tuple[Place, int, asyncio.Future[None]]] = []
        self._ticket = count()
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return len(self._waiting)

    async def enter(self, place: Place) -> None:
        """Wait for a place; the caller must `leave`."""
        if not self._waiting and self.in_flight < self.limit.current and self.limit.resume_at == 0.0:
            self.in_flight += 1
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, next(self._ticket), future))
        self._grant()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back.

        It is granted a few steps of the loop later, so that whoever goes on from the reply that just came
        is in the queue by then: ready continuations go before new groups.
        """
        self.in_flight -= 1
        if self._waiting and not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._later, CONTINUATION_STEPS)

    def _later(self, steps: int) -> None:
        if steps:
            asyncio.get_running_loop().call_soon(self._later, steps - 1)
        else:
            self._soon = False
            self._grant()

    def _grant(self) -> None:
        pause = self.limit.pause()
        if pause > 0.0:
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(pause, self._wake)
            return
        self.limit.resume_at = 0.0
        while self._waiting and self.in_flight < self.limit.current:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                self.in_flight += 1
                future.set_result(None)

    def _wake(self) -> None:
        self._timer = None
        self._grant()

    def refuse_all(self, error: Callable[[], BaseException]) -> None:
        """Turn everybody who waits away: the run is stopping."""
        waiting, self._waiting = self._waiting, []
        for _, _, future in waiting:
            if not future.done():
                future.set_exception(error())
