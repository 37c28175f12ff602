"""The engines that one pass asks: started together, seated in their roles, closed together."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from suite.data.cache import cache_folder
from suite.journal.journal_file import JournalFile
from suite.journal.records import AttemptRecord
from suite.models.descriptors import places
from suite.models.engine import Surroundings
from suite.models.prices import FREE, rates_of
from suite.run.cache import NEVER, Answering, identity_hash
from suite.run.calls import Desk
from suite.run.role_members import Member
from suite.run.seats import MOST, EngineQueue, MemberSeat


class Engines:
    """The engines of some members, each once. folder: of the run, where their logs go. once: what was
    sent may be billed, so nothing is sent again unseen.

    Entering starts them all and raises the EngineError of the first that cannot; leaving closes them.
    """

    def __init__(
        self,
        members: Sequence[Member],
        folder: Path,
        attempts: JournalFile,
        say: Callable[[str], None],
        *,
        once: bool = False,
    ) -> None:
        self._members = members
        self._logs = folder / "logs"
        self._attempts = attempts
        self._say = say
        self._once = once
        self._all = {id(one.engine): one.engine for one in members}

    async def __aenter__(self) -> "Engines":
        wants = dict.fromkeys(self._all, frozenset[str]())
        for one in self._members:
            wants[id(one.engine)] |= one.chosen
        starts = [
            engine.start(
                Surroundings(
                    self._logs,
                    cache_folder(),
                    self._say,
                    wants[key] or frozenset({"chat"}),
                    partial(self._note, engine.spec.text),
                    self._once,
                )
            )
            for key, engine in self._all.items()
        ]
        try:
            for result in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        await asyncio.gather(*(engine.close() for engine in self._all.values()), return_exceptions=True)

    def _note(self, who: str, what: str, words: str) -> None:
        """Record and show what an engine does otherwise than it was told."""
        self._attempts.append(AttemptRecord(time.time(), "adapted", what, detail=f"{who} {words}"))
        self._say(f"{who} {words}")

    def seats(self, concurrency: int | None, *, cached: bool) -> dict[str, list[MemberSeat]]:
        """Role -> its members, each in line at its engine. cached: replies may come from the cache."""
        most = places(len(self._all), MOST, self._say)
        lines = {key: EngineQueue(engine, concurrency, most) for key, engine in self._all.items()}
        seats: dict[str, list[MemberSeat]] = {}
        for one in self._members:
            engine = one.engine
            known = engine.known_by()
            asked_anew = not cached or one.spec.provider in NEVER or known == "nothing"
            seat = MemberSeat(
                one,
                lines[id(engine)],
                one.spec.text,
                engine.capabilities(),
                None if asked_anew else identity_hash(engine),
                answering=Answering(known == "content"),
                vouched=bool(engine.identity().get("vouched")),
                rates=rates_of(engine.identity()) or FREE,
            )
            seats.setdefault(one.role, []).append(seat)
        return seats

    def count(self, desk: Desk) -> None:
        """Note the engines' own figures (prefix cache) where they have any."""
        for engine in self._all.values():
            if found := engine.counters():
                text = ", ".join(f"{name}={value:g}" for name, value in sorted(found.items()))
                desk.attempt("engine", kind=engine.spec.provider, detail=text)
                self._say(f"{engine.spec.text}: {text}")
