"""Several engines that are one model, asked as one: servers on GPUs of their own, or several addresses.

A group stays where its prefixes are: rendezvous hashing gives each replica a share of groups, which it keeps
when another fails. One that has far more than its share in flight passes calls on to the next in a group's
order, so that none idles (bounded loads). A server of ours that dies is started once more; an address that
gives no replies rests, and gets calls again once it answers as the same model. A call that fails for what
speaks of the server and not of the request goes to the runner, which notes it and asks again, elsewhere.
"""

import asyncio
import math
import re
import time
from collections import deque
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
REST_S = 10.0  # after which it is asked who it is, then for one reply
ALONE_S = 1.0  # the same where no other answers
_OF_SERVER = re.compile(  # kinds of failures that say nothing of the request
    "connect|tls|reset|half-body|timeout|bad-http|bad-json|bad-shape|empty-choices|error-in-body|aborted|quota"
    "|status-(40[1-57]|[35]..)"
)


@dataclass(eq=False)
class Replica:
    """One of them. number: from 1. failed: calls since its last reply. rests_until: by the monotonic clock.
    why: what it last failed with. look: the look at it before it gets calls. lost: why it is not asked, until
    it is back. again: its one restart. elsewhere: calls of its groups that others got. told: of its rest."""

    number: int
    made: Callable[[], Engine]
    engine: Engine
    in_flight: int = 0
    failed: int = 0
    rests_until: float = 0.0
    why: CallFailed | None = None
    started: bool = True
    look: "asyncio.Task[None] | None" = None
    lost: EngineError | None = None
    again: "asyncio.Task[None] | None" = None
    elsewhere: int = 0
    told: str = ""

    @property
    def rests(self) -> bool:
        return time.monotonic() < self.rests_until

    @property
    def out(self) -> bool:
        """Whether it has to be looked at before it gets calls."""
        return self.failed >= IN_A_ROW

    @property
    def answers(self) -> bool:
        return self.lost is None and not self.out and not self.rests

    def takes(self, most: float) -> bool:
        """Whether there is room for a call; one that was out, or nearly, gets one at a time."""
        return self.answers and self.in_flight < (1 if self.failed == IN_A_ROW - 1 else most)

    @property
    def name(self) -> str:
        url = self.engine.identity().get("url")
        return f"replica {self.number} ({url})" if url else f"replica {self.number}"


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
        self._attached = "url" in self._first.identity()
        self._each = self._first.limits().get("concurrency", math.inf)  # most in flight at one of them
        self._queue: deque[asyncio.Future[None]] = deque()
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
        for name in dict.fromkeys(name for one in each for name in one):
            found[name] = (min if name == "window" else sum)(one[name] for one in each if name in one)
        return found

    def counters(self) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for one in self._replicas:
            for name, value in one.engine.counters().items():
                found[name] = found.get(name, 0.0) + value
        return found

    async def start(self, surroundings: Surroundings) -> None:
        """Start all, side by side. Raises EngineError if one of ours cannot, if no address answers, or if
        they are not one model."""
        self._around = surroundings
        if self._attached:
            surroundings.say(f"{self.spec.text} at {self.identity()['url']}")
        try:
            await together([self._begin(one) for one in self._replicas])
            there = [one for one in self._replicas if one.started]
            if not there:
                raise self._replicas[0].lost or EngineError(f"no replica of {self.spec.text} is left")
            self._first = there[0].engine
            for one in self._replicas:
                if one.started:
                    self._compare(one.engine)
                else:
                    one.failed, one.rests_until, one.told = IN_A_ROW, time.monotonic() + REST_S, str(one.lost)
                    self._around.note("replica", f"starts without {one.name}: {one.why}")
                    one.lost = None
        except BaseException:
            await self.close()
            raise

    async def _begin(self, one: Replica) -> None:
        try:
            await one.engine.start(self._around_of(one))
        except EngineError as error:
            if not self._attached or not isinstance(error.__cause__, CallFailed):
                raise
            one.started, one.lost, one.why = False, error, error.__cause__

    def _around_of(self, one: Replica) -> Surroundings:
        """Its surroundings, with a log of its own; the first alone says how it goes."""
        around, again = self._around, "-again" if one.again else ""
        if self._attached:
            return replace(around, say=silent)
        if one.number == 1 and not again:
            return around
        return replace(around, logs=around.logs and around.logs / f"replica-{one.number}{again}", say=silent)

    def _compare(self, engine: Engine) -> None:
        """Raises EngineError where it does not tell the same as the first, unless the user vouches for it."""
        here, other = ({**one.identity(), "url": ""} for one in (self._first, engine))
        for path, a, b in () if here.get("vouched") else differences(here, other):
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
            raise self._failed(one, failed, asking.group) from failed
        finally:
            one.in_flight -= 1
            self._admit(1)
        if one.failed:
            one.failed, one.rests_until, one.told = 0, 0.0, ""
            self._admit(len(self._queue))
        return reply

    async def _of(self, group: str) -> Replica:
        """Whom to ask for a group, once it has room. Raises CallFailed, or EngineError if nobody is left."""
        while True:
            for one in self._replicas:
                if one.out and one.lost is None and not one.rests and (not one.look or one.look.done()):
                    one.look = asyncio.ensure_future(self._look(one))
            if there := [one for one in self._replicas if one.answers]:
                found = self._home(group, there)
                if found is None:
                    await self._place()
            else:
                found = await self._nobody()
            if found:
                return found

    async def _nobody(self) -> Replica | None:
        """Where no replica answers: one to ask all the same, or None once another look pays."""
        if coming := self._coming():
            await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            why = next((one.why for one in self._replicas if one.why and one.lost is None), None)
            if why and not self._coming() and not any(one.answers for one in self._replicas):
                raise why
            return None
        resting = [one for one in self._replicas if one.lost is None]
        if not resting:
            raise self._replicas[-1].lost or EngineError(f"no replica of {self.spec.text} is left")
        soonest = min(resting, key=lambda one: one.rests_until)
        if not soonest.out:  # busy
            if soonest.in_flight < self._each:
                return soonest
            await self._place()
        elif soonest.why and not any(one.why and one.why.retryable for one in resting):
            raise soonest.why
        else:
            await asyncio.sleep(soonest.rests_until - time.monotonic())
        return None

    def _coming(self) -> "list[asyncio.Task[None]]":
        """What may bring back replicas just now."""
        tasks = [task for one in self._replicas for task in (one.look, one.again)]
        return [task for task in tasks if task and not task.done()]

    async def _place(self) -> None:
        """Wait until somebody has room."""
        self._queue.append(place := asyncio.get_running_loop().create_future())
        await place

    def _home(self, group: str, there: Sequence[Replica]) -> Replica | None:
        """Who of those that answer has a group's prefixes, else the next in its order; None: all are full."""
        even = math.ceil(CROWDED * (1 + sum(one.in_flight for one in there)) / len(there))
        home = self._homes.pop(group, None)
        if home is not None and not home.takes(min(even, self._each)):
            home = None
        if home is None or any(one.failed or one.lost for one in self._replicas):
            own, *_ = order = sorted(self._replicas, key=lambda r: sha256_hex(f"{group} {r.number}".encode()))
            for most in (min(even, self._each), self._each):
                home = home or next((one for one in order if one.takes(most)), None)
            if home is None:
                return None
            own.elsewhere += home is not own and bool(own.lost or own.failed)
        self._homes[group] = home
        if len(self._homes) > MOST_HOMES:
            del self._homes[next(iter(self._homes))]
        return home

    def _admit(self, count: int) -> None:
        """Let some of those that wait for a place look again."""
        while count and self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                count -= 1

    def _failed(self, one: Replica, failed: CallFailed, group: str) -> CallFailed:
        """The failure as the runner gets it: what another may do better is tried again, and slows nothing."""
        others = [other for other in self._replicas if other is not one and other.answers]
        of_server = bool(_OF_SERVER.fullmatch(failed.kind))
        if of_server and (others or not failed.overload):
            one.failed += IN_A_ROW if failed.kind == "connect" else 1
            one.why = failed
        elif not failed.overload:
            return failed
        if one.out:
            one.rests_until = time.monotonic() + (REST_S if others else ALONE_S)
            self._admit(len(self._queue))
            if others and not one.told:
                one.told = str(failed)
                self._around.note("replica", f"gives groups of {one.name} to others: {failed}")
        elif failed.overload:
            one.rests_until = time.monotonic() + (failed.retry_after or 1.0)
        if not others:
            return failed
        self._homes[group] = min(others, key=lambda other: other.in_flight)
        return CallFailed(failed.kind, failed.message, retryable=True)

    async def _look(self, one: Replica) -> None:
        """Ask an address that rested who it is: as the model that it was it gets a call, else it rests."""
        fresh = one.made() if self._attached else None
        try:
            if fresh:
                await fresh.start(self._around_of(one))
                self._compare(fresh)
        except (SuiteError, CallFailed) as error:
            others = any(other.answers for other in self._replicas)
            one.rests_until = time.monotonic() + (REST_S if others else ALONE_S)
            gone = isinstance(error, CallFailed) or isinstance(error.__cause__, CallFailed)
            if not gone and one.told != str(error):
                one.told = str(error)
                self._around.note("replica", f"does not ask {one.name}, which came back as another: {error}")
        else:
            if fresh and not one.started:
                one.engine, fresh, one.started = fresh, None, True
            one.failed, one.rests_until = IN_A_ROW - 1, 0.0
        finally:
            if fresh:
                await fresh.close()
            self._admit(len(self._queue))

    def _died(self, one: Replica, died: ServerDied) -> None:
        one.lost = died
        self._admit(len(self._queue))
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
        self._admit(len(self._queue))

    async def close(self) -> None:
        """Stop all, and what is just starting. Says how many calls were asked elsewhere."""
        for one in self._replicas:
            if one.elsewhere:
                told = f"asked others {one.elsewhere:,} times, for groups of {one.name}, which failed"
                self._around.note("replica", told)
                one.elsewhere = 0
        starting = self._coming()
        for task in starting:
            task.cancel()
        closing = [one.engine.close() for one in self._replicas]
        await asyncio.gather(*starting, *closing, return_exceptions=True)
