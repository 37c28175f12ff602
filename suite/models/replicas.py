"""Several engines that are one model, asked as one: servers on GPUs of their own, or several addresses.

A group stays where its prefixes are: rendezvous hashing gives each replica a share of groups, which it keeps
when another fails. One that has far more than its share in flight passes calls on to the next in a group's
order, so that none idles (bounded loads). A server of ours that dies is started once more; an address that
gives no replies rests. A lost call fails as any other: the runner notes it and asks again, elsewhere.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from suite.chat import Json, Reply, Request, sha256_hex
from suite.errors import CallFailed, EngineError, SuiteError
from suite.models.engine import Asking, Engine, KnownBy, Surroundings, silent, together
from suite.models.server import ServerDied
from suite.models.spec import ModelSpec
from suite.trees import differences

CROWDED = 1.25  # times the even share of calls in flight, from which on a replica passes calls on
MOST_HOMES = 4096  # groups whose place is remembered
IN_A_ROW = 3  # failed calls without a reply between them, after which an address rests
REST_S = 10.0  # after which one call tries
_LOST = frozenset({"reset", "half-body", "timeout", "status-500", "status-502", "status-504"})


@dataclass(eq=False)
class Replica:
    """One of them. number: from 1. failed: calls since its last reply. rests_until: by the monotonic clock.
    lost: why it is not asked, until it is back. again: its one restart."""

    number: int
    made: Callable[[], Engine]
    engine: Engine
    in_flight: int = 0
    failed: int = 0
    rests_until: float = 0.0
    lost: EngineError | None = None
    again: "asyncio.Task[None] | None" = None

    @property
    def answers(self) -> bool:
        return self.lost is None and not (self.rests_until and time.monotonic() < self.rests_until)


def replicated(spec: ModelSpec, made: Sequence[Callable[[], Engine]], *, restarts: int = 0) -> Engine:
    """The engine of a spec that one or several engines answer for. restarts: 0 or 1, of each that dies."""
    return ReplicatedEngine(spec, made, restarts=restarts) if len(made) > 1 else made[0]()


class ReplicatedEngine(Engine):
    """Engines of one model behind one. Who it is does not depend on how many there are."""

    def __init__(self, spec: ModelSpec, made: Sequence[Callable[[], Engine]], *, restarts: int = 0) -> None:
        super().__init__(spec)
        self._replicas = [Replica(n, one, one()) for n, one in enumerate(made, 1)]
        self._first = self._replicas[0].engine
        self._restarts = restarts
        self._homes: dict[str, Replica] = {}
        self._elsewhere = 0  # calls of groups whose own replica had failed
        self._around = Surroundings()

    def check(self) -> None:
        self._first.check()

    def capabilities(self) -> frozenset[str]:
        return self._first.capabilities()

    def thinks(self, thinking: str | int) -> str:
        return self._first.thinks(thinking)

    def settings(self) -> Mapping[str, Json] | None:
        return self._first.settings()

    def devices(self) -> int:
        return sum(one.engine.devices() for one in self._replicas)

    def identity(self) -> Mapping[str, Json]:
        """The first one's; `url` has all addresses, in alphabetical order."""
        found = dict(self._first.identity())
        if "url" in found:
            found["url"] = ", ".join(sorted(str(one.engine.identity()["url"]) for one in self._replicas))
        return found

    def known_by(self) -> KnownBy:
        return self._first.known_by()

    def limits(self) -> Mapping[str, int]:
        """The sum of their concurrency, the smallest window."""
        each = [one.engine.limits() for one in self._replicas]
        found = {"replicas": len(each)}
        for name in each[0]:
            found[name] = (min if name == "window" else sum)(one[name] for one in each if name in one)
        return found

    def counters(self) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for one in self._replicas:
            for name, value in one.engine.counters().items():
                found[name] = found.get(name, 0.0) + value
        return found

    async def start(self, surroundings: Surroundings) -> None:
        """Start all, side by side. Raises EngineError if one cannot, or if they are not one model."""
        self._around = surroundings
        try:
            await together([one.engine.start(self._around_of(one)) for one in self._replicas])
            self._compare()
        except BaseException:
            await self.close()
            raise

    def _around_of(self, one: Replica) -> Surroundings:
        """Its surroundings, with a log of its own; the first alone says how it goes."""
        around, again = self._around, "-again" if one.again else ""
        if one.number == 1 and not again:
            return around
        return replace(around, logs=around.logs and around.logs / f"replica-{one.number}{again}", say=silent)

    def _compare(self) -> None:
        """Raises EngineError where they do not tell the same, unless the user vouches for them."""
        here, *others = ({**one.engine.identity(), "url": ""} for one in self._replicas)
        for path, a, b in (d for one in others if not here.get("vouched") for d in differences(here, one)):
            about = {"spec": self.spec, "path": path, "a": a, "b": b}
            raise EngineError.of("models.replicas.differ", **about)

    async def call(self, request: Request, asking: Asking) -> Reply:
        """Answer one request. Raises CallFailed, or EngineError once all servers of ours are gone."""
        one = await self._of(asking.group)
        engine = one.engine
        one.in_flight += 1
        try:
            reply = await engine.call(request, asking)
        except ServerDied as died:
            if engine is one.engine and one.lost is None:
                self._died(one, died)
            raise CallFailed("replica", f"replica {one.number} died", retryable=True) from died
        except CallFailed as failed:
            raise self._failed(one, failed) from failed
        finally:
            one.in_flight -= 1
        one.failed = 0
        return reply

    async def _of(self, group: str) -> Replica:
        """Whom to ask for a group. Raises EngineError if nobody is left."""
        while not (there := [one for one in self._replicas if one.answers]):
            if resting := [one for one in self._replicas if one.lost is None]:
                return min(resting, key=lambda one: one.rests_until)
            starting = [one.again for one in self._replicas if one.again and not one.again.done()]
            if not starting:
                raise self._replicas[-1].lost or EngineError(f"no replica of {self.spec.text} is left")
            await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
        most = math.ceil(CROWDED * (1 + sum(one.in_flight for one in there)) / len(there))
        home = self._homes.pop(group, None)
        if home is not None and not (home.answers and home.in_flight < most):
            home = None
        if home is None or len(there) < len(self._replicas):
            own, *_ = order = sorted(self._replicas, key=lambda r: sha256_hex(f"{group} {r.number}".encode()))
            home = home or next(one for one in order if one.answers and one.in_flight < most)
            self._elsewhere += home is not own and (own.lost is not None or own.failed >= IN_A_ROW)
        self._homes[group] = home
        if len(self._homes) > MOST_HOMES:
            del self._homes[next(iter(self._homes))]
        return home

    def _failed(self, one: Replica, failed: CallFailed) -> CallFailed:
        """The failure as the runner gets it: what one of several asks to wait for slows nothing down."""
        before, wait = one.failed, failed.retry_after or 1.0
        one.failed += IN_A_ROW if failed.kind == "connect" else failed.kind in _LOST
        if not failed.overload:
            if one.failed < IN_A_ROW:
                return failed
            wait = REST_S
            if before < IN_A_ROW:
                self._around.note("replica", f"gives groups of replica {one.number} to others: {failed}")
        one.rests_until = time.monotonic() + wait
        if not failed.overload or not any(other.answers for other in self._replicas):
            return failed
        return CallFailed(failed.kind, failed.message, retryable=failed.retryable)

    def _died(self, one: Replica, died: ServerDied) -> None:
        one.lost = died
        restarts = self._restarts and one.again is None
        then = "is started again" if restarts else "stays away"
        self._around.note("replica", f"lost replica {one.number} of {len(self._replicas)}, which {then}")
        self._around.say(str(died))
        if restarts:
            one.again = asyncio.ensure_future(self._restart(one))

    async def _restart(self, one: Replica) -> None:
        await one.engine.close()
        one.engine = one.made()
        try:
            await one.engine.start(self._around_of(one))
        except SuiteError as error:
            one.lost = error if isinstance(error, EngineError) else one.lost
            self._around.note("replica", f"could not start replica {one.number} again: {error.what}")
        else:
            one.lost, one.failed = None, 0

    async def close(self) -> None:
        """Stop all, and what is just starting. Says how many calls were asked elsewhere."""
        if count := self._elsewhere:
            self._around.note("replica", f"asked others {count:,} times, for groups of a replica that failed")
            self._elsewhere = 0
        starting = [one.again for one in self._replicas if one.again]
        for task in starting:
            task.cancel()
        closing = [one.engine.close() for one in self._replicas]
        await asyncio.gather(*starting, *closing, return_exceptions=True)
