"""Engines at work: started and closed together, who sits in a role, how much is in flight, what failed."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from suite.chat import Json, Request
from suite.data.cache import cache_folder
from suite.errors import CallFailed, CapabilityError, EngineError, SuiteError
from suite.journal.journal_file import JournalFile
from suite.journal.records import AttemptRecord
from suite.models.descriptors import places
from suite.models.engine import Engine, Surroundings
from suite.models.faults import SettingRefused
from suite.models.prices import FREE, PER_USD, Rates, rates_of, shown_usd
from suite.models.spec import ModelSpec
from suite.run.cache import NEVER, Answering, identity_hash
from suite.run.limits import Limit, Slots
from suite.run.role_members import Member

PER_REQUEST = frozenset({"not-recorded"})  # says nothing about the endpoint
MOST = 256  # requests in flight at one engine, or at each of its replicas
BROKEN_AFTER = 20  # failed calls in a row, with no reply between them


@dataclass
class MemberCost:
    """What one member cost in this process."""

    calls: int = 0
    cached: int = 0
    recorded: int = 0
    retries: int = 0
    prompt: int = 0
    completion: int = 0
    prefix: int = 0
    money: int = 0  # millionths of a millionth of a dollar


def shown_money(costs: Iterable[MemberCost]) -> list[str]:
    """What members cost together, in words; [] where that is nothing, or no price is known."""
    money = sum(one.money for one in costs)
    return [shown_usd(money / PER_USD)] if money else []


class EngineQueue:
    """One engine and its queue."""

    def __init__(self, engine: Engine, fixed: int | None, most: int = MOST) -> None:
        self.engine = engine
        cap = engine.limits().get("concurrency")
        fixed, count = min(fixed, cap) if fixed and cap else fixed or cap, engine.limits().get("replicas", 1)
        self.limit = Limit(fixed, most * count, start=4 * count)
        self.slots = Slots(self.limit)
        self._failed = self._mute = 0

    def replied(self) -> None:
        self._failed = 0
        self._mute = -1

    def failed(self, failure: CallFailed, again: bool) -> SuiteError | None:
        """A try failed; an error once so much failed that going on is pointless.

        again: it will be tried again. That counts only where there was no reply at all, ever.
        """
        if failure.kind == "unsupported" or (isinstance(failure, SettingRefused) and failure.option):
            return CapabilityError(f"{self.engine.spec.text}: {failure}")  # all its calls would end so
        if failure.kind in PER_REQUEST:
            return None
        self._failed += not again
        if failure.kind == "timeout" and self._mute >= 0:
            self._mute += 1
        most = max(self._failed, self._mute)
        if most < BROKEN_AFTER:
            return None
        return EngineError.of("run.seats.broken", spec=self.engine.spec, calls=most, failure=failure)


@dataclass
class MemberSeat:
    """One member of a role with its line."""

    member: Member
    line: EngineQueue
    name: str
    capabilities: frozenset[str]
    who: bytes | None = None  # hash of its identity; None: its replies are never cached
    tally: MemberCost = field(default_factory=MemberCost)
    answering: Answering = field(default_factory=lambda: Answering(True))
    rates: Rates = FREE  # also where no price is known: then nothing is shown
    vouched: bool = False  # the user says who it is: replies of the same plan are used again, too

    def __post_init__(self) -> None:
        self.tags = self.member.tags
        self.changes = sampling_changes(self.member.spec)


@dataclass
class Engines:
    """The engines of some members, each once. folder: of the run, where their logs go. once: what was
    sent may be billed, so nothing is sent again unseen.

    Entering starts them all and raises the EngineError of the first that cannot; leaving closes them.
    """

    members: Sequence[Member]
    folder: Path
    attempts: JournalFile
    say: Callable[[str], None]
    once: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self._all = {id(one.engine): one.engine for one in self.members}

    async def __aenter__(self) -> "Engines":
        wants = dict.fromkeys(self._all, frozenset[str]())
        for one in self.members:
            wants[id(one.engine)] |= one.chosen
        starts = []
        for key, engine in self._all.items():
            wanted, note = wants[key] or frozenset({"chat"}), partial(self._note, engine.spec.text)
            around = Surroundings(self.folder / "logs", cache_folder(), self.say, wanted, note, self.once)
            starts.append(engine.start(around))
        try:
            for result in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(engine.close() for engine in self._all.values()), return_exceptions=True)

    def _note(self, who: str, what: str, words: str) -> None:
        """Record and show what an engine does otherwise than it was told."""
        self.attempts.append(AttemptRecord(time.time(), "adapted", what, detail=f"{who} {words}"))
        self.say(f"{who} {words}")

    def seats(self, concurrency: int | None, *, cached: bool) -> dict[str, list[MemberSeat]]:
        """Role -> its members, each in line at its engine. cached: replies may come from the cache."""
        most = places(sum(one.limits().get("replicas", 1) for one in self._all.values()), MOST, self.say)
        lines = {key: EngineQueue(engine, concurrency, most) for key, engine in self._all.items()}
        seats: dict[str, list[MemberSeat]] = {}
        for one in self.members:
            engine = one.engine
            known = engine.known_by()
            asked_anew = not cached or one.spec.provider in NEVER or known == "nothing"
            seat = MemberSeat(
                one, lines[id(engine)], one.spec.text, engine.capabilities(),
                None if asked_anew else identity_hash(engine), answering=Answering(known == "content"),
                vouched=bool(engine.identity().get("vouched")), rates=rates_of(engine.identity()) or FREE,
            )  # fmt: skip
            seats.setdefault(one.role, []).append(seat)
        return seats

    def count(self) -> None:
        """Note the engines' own figures (prefix cache) where they have any."""
        for engine in self._all.values():
            if found := engine.counters():
                text = ", ".join(f"{name}={value:g}" for name, value in sorted(found.items()))
                self.attempts.append(AttemptRecord(time.time(), "engine", engine.spec.provider, detail=text))
                self.say(f"{engine.spec.text}: {text}")


def changed(request: Request, changes: dict[str, Json]) -> Request:
    """The request with other sampling options, see `sampling_changes`."""
    if not changes or request.kind not in ("chat", "complete"):
        return request
    if request.kind == "complete":  # a raw prompt has no template that could open a thought
        changes = {name: value for name, value in changes.items() if name != "thinking"}
    options = msgspec.structs.replace(request.options, **changes)
    return msgspec.structs.replace(request, options=options)


def sampling_changes(spec: ModelSpec) -> dict[str, Json]:
    """The options of a request that a spec sets, as `Options` has them."""
    changes = {key: value for key, value in spec.sampling.items() if key != "reasoning_tags"}
    if "stop" in changes:
        stop = [changes["stop"]] if isinstance(changes["stop"], str) else changes["stop"]
        changes["stop"] = tuple(stop) if isinstance(stop, list | tuple) else ()
    for name in ("temperature", "top_p"):
        if isinstance(value := changes.get(name), int | float | str):
            changes[name] = float(value)
    return changes


def jitter(identity: str, attempt: int) -> float:
    """A factor in [0.5, 1) from the call, so that retries spread out and nothing depends on a clock."""
    digest = hashlib.blake2b(f"{identity}\x1f{attempt}".encode(), digest_size=2).digest()
    return 0.5 + int.from_bytes(digest, "big") / 131072
