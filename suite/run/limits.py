"""How much is in flight at one engine: a limit that adapts, and a queue that keeps the plan's order.

Waiting requests of the group opened first go first; within a group, those that share the longest
history with what went before, in first-seen order. The limit grows while more requests at once bring more
replies a second, stays where they only wait longer (a server that queues), and is cut on 429, 503, a lost
connection and a time-out. Whoever gave up waiting may still be served: such a request keeps its place.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

from suite.errors import CallFailed

CONTINUATION_STEPS = 4  # from a shared reply to the next request of those who waited for it
Place = tuple[int, tuple[int, ...]]  # (order of the group, path in the group's trie)
DOUBLE, PROBE = 2.0, 1.25  # factors of growth: at the start, and once a limit was found
PAYS = 0.25  # share of the promised gain in replies a second that growth must bring
REST = 10  # rounds until a limit that did not pay is tried again
LOST = frozenset({"reset", "connect", "half-body"})  # connections that a server under load drops
MOST_GHOST_S = 60.0  # how long an abandoned request is assumed to go on


class Limit:
    """A limit on requests in flight, in [1, most]. A round: as many replies as the limit while full."""

    def __init__(
        self,
        fixed: int | None = None,
        most: int = 256,
        start: int = 4,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.adaptive = fixed is None
        self.most = most if fixed is None else min(fixed, most)
        self.current = min(start, most) if fixed is None else self.most
        self.resume_at = 0.0
        self._clock = clock
        self._growth = DOUBLE  # 0: by one a round
        self._rest = self._full = self._replies = self._all = 0
        self._trial: tuple[int, float] | None = None  # the limit before it grew, and replies a second then
        self._missed = False
        self._cut_at = -1.0
        self._since = self._all_since = self._ghosts_until = self._every = 0.0

    def good(self, full: bool, started: float) -> None:
        """One reply came; `full` says the limit was reached while it was in flight."""
        if not self._all:
            self._all_since = started
        self._all += 1
        if self.current >= self.most and not self.adaptive:
            return
        if not self._replies and not self._since:
            self._since = started
        self._replies += 1
        self._full += full
        if self._full >= self.current:
            self._round()

    def _round(self) -> None:
        now = self._clock()
        rate = self._replies / max(now - self._since, 1e-6)
        self._full = self._replies = 0
        self._since = now
        if self._trial is not None:
            before, once = self._trial
            if rate < once * (1 + PAYS * (self.current / before - 1)):
                if self._missed:  # once may be chance
                    self.current, self._trial = before, None
                    self._growth, self._rest = PROBE, REST
                self._missed = not self._missed
                return
        if self._rest:
            self._rest -= 1
        elif self.current < self.most:
            self._trial = (self.current, rate) if self._growth else None
            self._missed = False
            grown = max(self.current + 1, int(self.current * self._growth))
            self.current = min(self.most, grown)

    def failed(self, why: CallFailed, started: float) -> None:
        """A call failed: too much was asked at once, a connection was lost, or it says nothing about that."""
        if why.overload:
            self.overloaded(started, why.retry_after)
        elif why.kind in LOST:
            self.overloaded(started, growth=PROBE)

    def overloaded(self, started: float, retry_after: float | None = None, growth: float = 0.0) -> None:
        """The engine has too much to do. Requests sent before the last cut do not cut again.

        growth: how to go on, by one a round or by a factor that has to pay.
        """
        if retry_after is not None:
            self.resume_at = max(self.resume_at, self._clock() + retry_after)
        if self.adaptive and started > self._cut_at:
            self._cut(self.current // 2, growth)

    def timed_out(self, started: float) -> float:
        """A request got no reply in time: seconds for which it is assumed to go on at the engine.

        What waits in a queue is served one after the other, each in the time between two replies. A number
        that was fixed by hand is cut by this, too: it would only fill the queue again.
        """
        now = self._clock()
        lasted = now - started
        if self._all:
            self._every = (now - self._all_since) / self._all
        every = max(self._every or lasted, 1e-3)
        if started > self._cut_at:
            self._cut(min(self.current // 2, int(lasted / (2 * every))), PROBE)
        wait = min(max(self._ghosts_until - now, 0.0) + every, MOST_GHOST_S)
        self._ghosts_until = now + wait
        return wait

    def _cut(self, to: int, growth: float) -> None:
        self._cut_at = self._since = self._all_since = self._clock()
        self._all = self._full = self._replies = 0
        self._growth, self._rest, self._trial = growth, REST if growth else 0, None
        self.current = max(1, to)

    def pause(self) -> float:
        """Seconds until the engine wants to be asked again."""
        return max(0.0, self.resume_at - self._clock())


class Slots:
    """Places at one engine, given in the plan's order."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.in_flight = 0
        self.when_idle: Callable[[], None] = lambda: None  # a place is free and nobody waits for it
        self._waiting: list[tuple[Place, int, asyncio.Future[None]]] = []
        self._ticket = count()
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False

    @property
    def idle(self) -> bool:
        """Whether a place is free and nobody waits for it."""
        return not self._waiting and self.in_flight < self.limit.current

    @property
    def queued(self) -> int:
        return len(self._waiting)

    def entered(self) -> bool:
        """Take a place if one is free at once; the caller must `leave` then, else `wait`."""
        free = self.idle and self.limit.resume_at == 0.0
        self.in_flight += free
        return free

    async def wait(self, place: Place) -> None:
        """Wait for a place; the caller must `leave`."""
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, next(self._ticket), future))
        self._grant()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:  # else it has none
                self.leave()
            raise

    def leave(self, later_s: float = 0.0) -> None:
        """Give a place back, now or later.

        It is granted a few steps of the loop later, so that whoever goes on from the reply that just came
        is in the queue by then: ready continuations go before new groups.
        """
        if later_s:
            asyncio.get_running_loop().call_later(later_s, self.leave)
            return
        self.in_flight -= 1
        if not self._waiting:
            self.when_idle()
        elif not self._soon:
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
