"""The one way from a task to a model: identified by content, recorded once, retried, cached, replayed.

Within one group and trial the same request to the same member is one call, whoever asks. A recorded call
is never asked again: resume, re-score and replay are this lookup. A call that fails for good raises
CallFailed and marks its work item, so that it stays pending even if a task swallows the exception. What is
waited for, calls in flight and pauses before retries, is told (`Waits`).
"""

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field

from suite.chat import Finish, Message, Reply, Request, call_seed
from suite.errors import CallFailed, EngineError, RunError, SuiteError
from suite.journal.index import Recorded
from suite.journal.journal_file import JournalFile
from suite.journal.records import AttemptRecord, CallRecord, OutputRecord
from suite.models.prices import FREE
from suite.models.reasoning import separated
from suite.roles import Model, Models, Ratings, Stage
from suite.run.cache import ResponseCache, cache_key
from suite.run.ledger import Ledger, Reservation
from suite.run.seats import MemberCost, MemberSeat, jitter
from suite.run.sink import Sink
from suite.run.work import ModelCall, Work

TRIES = 6
TRIES_OVERLOADED = 12  # about four minutes at the usual waits
LONGEST_WAIT = 60  # times the first wait
LONG_S = 10.0  # a reply that takes no longer is not worth a word
MOST_WAIT_S = 300.0  # what asks for more ends as pending: the same command asks again, later


class Stopped(BaseException):
    """The run is stopping: no new request is sent. Not an Exception, so that no task swallows it."""


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
    why = f"{reason(failed)}; the endpoint asks to wait until {until}: run the same command then"
    return CallFailed("quota", why, retryable=False)


class WorkModels(Models):
    """The models of the run, asking for one work; each is made when it is asked for."""

    __slots__ = ("_desk", "_work")

    def __init__(self, desk: "Desk", work: Work) -> None:
        self._desk = desk
        self._work = work

    def all(self, role: str) -> tuple[Model, ...]:
        return tuple([TracedModel(self._desk, seat, self._work) for seat in self._desk.seats.get(role, ())])


class TracedModel(Model):
    """A member as a task sees it."""

    __slots__ = ("_desk", "_seat", "_work", "capabilities", "chosen", "member", "name")

    def __init__(self, desk: "Desk", seat: MemberSeat, work: Work) -> None:
        self._desk = desk
        self._seat = seat
        self._work = work
        self.member = seat.member.member
        self.name = seat.name
        self.capabilities = seat.capabilities
        self.chosen = seat.member.chosen

    def ask(self, request: Request, key: str = "") -> Coroutine[None, None, Reply]:
        return self._desk.ask(ModelCall(self._seat, self._work, request, key))

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        from suite.scoring.answer_ratings import rate_answers

        references = self._desk.seats.get("reference", ())
        reference = TracedModel(self._desk, references[0], self._work) if references else None
        return await rate_answers(self, messages, answers, kind, key, reference)


@dataclass(eq=False)
class Desk:
    """All calls of one run in this process. sinks: where the calls of each stage go. recorded: journals asked
    first. settle: kind of failure -> what the user says it is."""

    seed: int
    seats: Mapping[str, Sequence[MemberSeat]]
    attempts: JournalFile
    _: KW_ONLY
    sinks: Mapping[Stage, Sink]
    recorded: Sequence[Recorded[CallRecord]] = ()
    cache: ResponseCache | None = None
    backoff_s: float = 0.5
    settle: Mapping[str, Finish] = field(default_factory=dict)
    ledger: Ledger | None = None

    def __post_init__(self) -> None:
        self.stopped: SuiteError | None = None
        self.stopping = False
        self.waits = Waits()
        self.recorded = [one for one in self.recorded if len(one)]
        self._stop_event = asyncio.Event()

    @property
    def costs(self) -> dict[str, MemberCost]:
        """What each member cost in this process."""
        return {seat.member.member: seat.tally for one in self.seats.values() for seat in one}

    def stop(self, why: SuiteError | None = None) -> None:
        """Send nothing more; what is in flight may end."""
        self.stopping = True
        self._stop_event.set()
        self.stopped = self.stopped or why
        for seats in self.seats.values():
            for seat in seats:
                seat.line.slots.refuse_all(Stopped)
        if self.ledger is not None:
            self.ledger.refuse_all(Stopped)

    def attempt(
        self,
        event: str,
        work: Work | None = None,
        *,
        kind: str = "",
        call: str = "",
        role: str = "",
        detail: str = "",
    ) -> None:
        """Note what happened on the way, without content."""
        record = AttemptRecord(time.time(), event, kind, call=call, role=role, detail=detail)
        if work is not None:
            record.cell, record.sample, record.trial = work.cell.id, work.sample.id, work.sample.trial
            record.stage = work.stage
        self.attempts.append(record)

    async def ask(self, call: ModelCall) -> Reply:
        """See TracedModel.ask. Raises CallFailed, Stopped."""
        work, identity = call.work, call.id
        replies = work.shared.replies
        found = replies.get(identity)
        if found is None:
            replies[identity] = call
            try:
                reply = replies[identity] = await self._get(call)
            except BaseException as error:
                del replies[identity]
                if call.others is not None:
                    lost = isinstance(error, asyncio.CancelledError)
                    call.others.set_exception(Stopped() if lost else error)
                    call.others.exception()  # whoever waits gets it; nobody need
                if isinstance(error, CallFailed):
                    work.failure = error
                raise
            if call.others is not None:
                call.others.set_result(reply)
        elif isinstance(found, Reply):
            reply = found
        else:
            if found.others is None:
                found.others = asyncio.get_running_loop().create_future()
            try:
                reply = await asyncio.shield(found.others)
            except CallFailed as failure:
                work.failure = failure
                raise
        work.last = (identity, reply.text)
        return reply

    def _known(self, identity: str) -> Reply | None:
        """The reply of a recorded call."""
        for one in self.recorded:
            if (record := one.find(identity)) is not None:
                return record.reply
        return None

    def text(self, output: OutputRecord) -> str:
        """The text of an output that stands in a reply alone. Raises RunError."""
        if (found := self._known(output.text_from)) is None:
            raise RunError.of("run.no-call", output=output)
        return found.text

    async def _get(self, call: ModelCall) -> Reply:
        seat = call.seat
        if (known := self._known(call.id)) is not None:
            seat.tally.recorded += 1
            return known
        seed = call_seed(self.seed, call.id)
        if self.cache is None or seat.who is None:
            return self._recorded(call, await self._ask_engine(call, seed))
        store = cache_key(seat.who, call.request, call.request_sha256, call.work.sample.trial, call.key, seed)
        kept = self.cache.get(store, vouched=seat.vouched)
        if kept is not None and await seat.answering.gave(kept.reply):
            now = time.time()
            call.times, call.kept = (now, now), kept.at
            return self._recorded(call, kept.reply)
        try:
            written = await self._ask_engine(call, seed)
            seat.answering.heard(written)
        finally:
            seat.answering.asked()
        reply = self._recorded(call, written)
        settled = isinstance(reply.details, dict) and "settled" in reply.details
        if seat.answering.one and not settled:
            self.cache.put(store, written)  # as it was written: how it is read may change
        return reply

    def _recorded(self, call: ModelCall, written: Reply) -> Reply:
        """The reply as its task gets it, written and counted."""
        seat = call.seat
        call.reply = reply = separated(written, seat.tags)
        tally, usage = seat.tally, reply.usage
        tally.calls += 1
        tally.prompt += usage.prompt
        tally.completion += usage.completion
        tally.prefix += usage.cached
        if call.kept is not None:
            tally.cached += 1
        elif seat.rates is not FREE:
            tally.money += seat.rates.cost(usage)
        self.sinks[call.work.stage].call(call)
        return reply

    async def _ask_engine(self, call: ModelCall, seed: int) -> Reply:
        """The reply as the engine wrote it; when it was asked for and at which try goes into the call."""
        line = call.seat.line
        slots, limit = line.slots, line.limit
        place = call.work.shared.place(call.request)
        asking = call.asking(seed)
        open_calls = self.waits.open
        first, overloads = time.time(), 0
        while True:
            if self.stopping:
                raise Stopped
            if not slots.entered():
                await slots.wait(place)
            held = None if self.ledger is None else await self._reserved(call)
            heard: Reply | CallFailed | None = None
            call.attempt += 1
            started, monotonic = time.time(), time.monotonic()
            open_calls[call.id] = monotonic
            goes_on = 0.0
            try:
                full = slots.in_flight >= limit.current
                heard = reply = await line.engine.call(call.request, asking)
                limit.good(full, monotonic)
                line.replied()
                call.times = (started, time.time())
                return reply
            except CallFailed as failure:
                heard = failed = failure
                if failed.kind == "timeout":
                    goes_on = limit.timed_out(monotonic)
            except EngineError as error:
                self.stop(error)
                raise CallFailed("engine", str(error), retryable=False) from error
            finally:
                del open_calls[call.id]
                if self.ledger is not None and held is not None:
                    self.ledger.settle(held, heard)
                slots.leave(goes_on)
            if (failed.retry_after or 0.0) > MOST_WAIT_S:
                failed = too_long(failed)
            overloads += failed.overload
            limit.failed(failed, monotonic)
            if not self._goes_on(call, failed, overloads):
                break
            step = overloads if failed.overload else call.attempt - overloads
            wait = self.backoff_s * min(LONGEST_WAIT, 2 ** (step - 1)) * jitter(call.id, call.attempt)
            await self._pause(max(wait, failed.retry_after or 0.0), failed)
        if (finish := self.settle.get(failed.kind)) is None:
            raise failed
        call.times, call.attempt = (first, time.time()), 1
        return Reply(
            finish=finish, details={"refusal": failed.message[:300], "settled": f"{failed.kind}={finish}"}
        )

    async def _reserved(self, call: ModelCall) -> Reservation | None:
        """What the next try may cost, set aside. Where the budget has no room for it, the run stops."""
        ledger, slots = self.ledger, call.seat.line.slots
        assert ledger is not None
        try:
            return await ledger.reserve(call)
        except BaseException as error:
            slots.leave()
            if isinstance(error, SuiteError):
                self.stop(error)
                raise Stopped from error
            raise

    def _goes_on(self, call: ModelCall, failed: CallFailed, overloads: int) -> bool:
        """Whether a call that failed is tried again; noted either way. Stops a run whose engine is broken."""
        tries = call.attempt - overloads
        again = failed.retryable and overloads < TRIES_OVERLOADED and tries < TRIES
        broken = None if failed.kind in self.settle else call.seat.line.failed(failed, again)
        if broken is not None and not self.stopping:
            self.stop(broken)
        again = again and broken is None
        call.seat.tally.retries += again
        self.attempt(
            "retry" if again else "error", call.work, kind=failed.kind, call=call.id, role=call.member,
            detail=failed.message[:300],
        )  # fmt: skip
        return again

    async def _pause(self, seconds: float, why: CallFailed) -> None:
        """Wait before a retry; a run that stops does not wait for it."""
        with contextlib.suppress(TimeoutError), self.waits.pausing(seconds, why):
            await asyncio.wait_for(self._stop_event.wait(), seconds)
