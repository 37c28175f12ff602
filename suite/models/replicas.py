"""Several engines that are one model, asked as one: servers on GPUs of their own, or several addresses.

A group stays where its prefixes are. Which replica that is says rendezvous hashing: each has its share of
groups, and keeps it when another fails. One that has far more than its share in flight passes calls on to the
next in the group's order, so that none idles (bounded loads).

A server of ours that dies is started once more; an address that gives no replies rests. Meanwhile its groups
go elsewhere. A call that was lost fails as any other, so that the runner notes it and asks again, elsewhere.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from suite.chat import Json, Reply, Request
from suite.errors import CallFailed, EngineError, SuiteError
from suite.journal.run import Run
from suite.models.engine import Asking, Engine, KnownBy, Surroundings, together
from suite.models.server import ServerDied
from suite.models.spec import ModelSpec
from suite.trees import differences

CROWDED = 1.25  # times the even share of calls in flight, from which on a replica passes calls on
MOST_HOMES = 4096  # groups whose place is remembered
IN_A_ROW = 3  # failed calls without a reply between them, after which an address rests
REST_S = 10.0
_LOST = frozenset({"reset", "half-body", "timeout", "status-500", "status-502", "status-504"})


@dataclass(eq=False)
class Replica:
    """One of them. number: from 1. failed: calls since its last reply. outages: times that it went to rest
    since then, rests_until: by the monotonic clock. lost: why it is not asked, until it is back. again: its
    one restart."""

    number: int
    made: Callable[[], Engine]
    engine: Engine
    in_flight: int = 0
    failed: int = 0
    outages: int = 0
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

    def left_over(self, run: Run, member: str) -> str:
        return self._first.left_over(run, member)

    def devices(self) -> int:
        return sum(one.engine.devices() for one in self._replicas)

    def identity(self) -> Mapping[str, Json]:
        """The first one's; `url` has all addresses, in alphabetical order."""
        found = dict(self._first.identity())
        if "url" in found:
            found["url"] = ", ".join(sorted(str(one.engine.identity()["url"]) for one in self._replicas))
        return found

    def known_by(self) -> KnownBy:
        """As far as the least known of them."""
        known = {one.engine.known_by() for one in self._replicas}
        return known.pop() if len(known) == 1 else "nothing"

    def limits(self) -> Mapping[str, int]:
        """The sum of their concurrency, the smallest window."""
        each = [one.engine.limits() for one in self._replicas]
        found = {"replicas": len(each)}
        for name, of in (("concurrency", sum), ("window", min)):
            if values := [one[name] for one in each if name in one]:
                found[name] = of(values)
        return found

    def counters(self) -> Mapping[str, float]:
        """Sums, and how many calls were asked elsewhere since their group's replica had failed."""
        found: dict[str, float] = {"elsewhere": self._elsewhere} if self._elsewhere else {}
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

    def _around_of(self, one: Replica, again: str = "") -> Surroundings:
        """Its surroundings: a log and lines of its own."""
        around, name = self._around, f"replica-{one.number}{again}"
        logs = around.logs if one.number == 1 and not again else around.logs and around.logs / name
        return replace(around, logs=logs, say=lambda line: around.say(f"replica {one.number}: {line}"))

    def _compare(self) -> None:
        """Raises EngineError where they do not tell the same, unless the user vouches for them."""
        here = dict(self._first.identity())
        for other in self._replicas[1:]:
            there = {**other.engine.identity(), "url": here.get("url")}
            for path, a, b in differences(here, there) if not here.get("vouched") else ():
                if path != "url":
                    raise EngineError(
                        f"the addresses of {self.spec.text} are not one model: {path} is {a} and {b}",
                        where=f"{here.get('url')} and {other.engine.identity().get('url')}",
                        fix="name addresses of one model; -o identity=NAME vouches that they are",
                    )

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
        one.failed = one.outages = 0
        return reply

    async def _of(self, group: str) -> Replica:
        """Whom to ask for a group. Raises EngineError if nobody is left."""
        while not (there := [one for one in self._replicas if one.answers]):
            if resting := [one for one in self._replicas if one.lost is None]:
                return min(resting, key=lambda one: one.rests_until)
            starting = [one.again for one in self._replicas if one.again and not one.again.done()]
            if not starting:
                raise self._replicas[0].lost or EngineError(f"no replica of {self.spec.text} is left")
            await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
        most = math.ceil(CROWDED * (1 + sum(one.in_flight for one in there)) / len(there))
        home = self._homes.pop(group, None)
        if home is not None and not (home.answers and home.in_flight < most):
            home = None
        if home is None or len(there) < len(self._replicas):
            order = sorted(self._replicas, key=lambda one: _weight(group, one.number))
            self._elsewhere += not order[0].answers
            home = home or next(one for one in order if one.answers and one.in_flight < most)
        self._homes[group] = home
        if len(self._homes) > MOST_HOMES:
            del self._homes[next(iter(self._homes))]
        return home

    def _failed(self, one: Replica, failed: CallFailed) -> CallFailed:
        """The failure as the runner gets it: what one of several asks to wait for slows nothing down."""
        one.failed += failed.kind in _LOST
        if failed.overload:
            one.rests_until = time.monotonic() + (failed.retry_after or 1.0)
        elif failed.kind == "connect" or one.failed >= IN_A_ROW:
            if not one.outages:
                self._note(f"gets no replies from replica {one.number}: its groups go elsewhere ({failed})")
            one.rests_until = time.monotonic() + REST_S * 2 ** min(one.outages, 5)
            one.outages += 1
            one.failed = 0
        if failed.overload and any(other.answers for other in self._replicas):
            return CallFailed(failed.kind, failed.message, retryable=failed.retryable)
        return failed

    def _died(self, one: Replica, died: ServerDied) -> None:
        one.lost = died
        restarts = self._restarts and one.again is None
        then = "is started again" if restarts else "stays away"
        self._note(f"lost replica {one.number} of {len(self._replicas)}, which {then}")
        self._around.say(str(died))
        if restarts:
            one.again = asyncio.ensure_future(self._restart(one))

    async def _restart(self, one: Replica) -> None:
        await one.engine.close()
        engine = one.made()
        try:
            await engine.start(self._around_of(one, "-again"))
        except SuiteError as error:
            one.lost = error if isinstance(error, EngineError) else one.lost
            self._note(f"could not start replica {one.number} again: {error.what}")
            return
        one.engine, one.lost, one.failed = engine, None, 0
        self._around.say(f"replica {one.number} of {self.spec.text} is back")

    def _note(self, words: str) -> None:
        self._around.note("replica", words)

    async def close(self) -> None:
        """Stop all, and what is just starting. Says how many calls were asked elsewhere."""
        if count := self._elsewhere:
            self._note(f"asked {count:,} call{'s'[: count != 1]} elsewhere, since their replica had failed")
            self._elsewhere = 0
        starting = [one.again for one in self._replicas if one.again]
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        await asyncio.gather(*(one.engine.close() for one in self._replicas), return_exceptions=True)


def _weight(group: str, number: int) -> bytes:
    return hashlib.blake2b(f"{group}\x1f{number}".encode(), digest_size=8).digest()
