"""The one way from a task to a model: identified by content, recorded once, retried, cached, replayed.

Within one group and trial the same request to the same member is one call, whoever asks. A recorded call
is never asked again: resume, re-score and replay are this lookup. A call that fails for good raises
CallFailed and marks its work item, so that it stays pending even if a task swallows the exception.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from suite.chat import Finish, Message, Reply, Request, call_id, call_seed, request_sha256
from suite.errors import CallFailed, EngineError, SuiteError
from suite.journal.index import Recorded
from suite.journal.records import AttemptRecord, CallRecord
from suite.journal.writing import JournalFile
from suite.models.base import Asking
from suite.roles import Model, Models, Ratings
from suite.run.cache import ResponseCache, cache_key
from suite.run.limits import Place
from suite.run.order import Trie
from suite.run.seats import Seat, jitter
from suite.run.sink import Asked, Sink

TRIES = 6
TRIES_OVERLOADED = 12  # about four minutes at the usual waits
LONGEST_WAIT = 60  # times the first wait


class Stopped(BaseException):
    """The run is stopping: no new request is sent. Not an Exception, so that no task swallows it."""


class GroupCalls:
    """What one group's works share: replies by call id, and the order of its requests."""

    __slots__ = ("number", "replies", "trie")

    def __init__(self, number: int, many: bool) -> None:
        self.number = number
        self.replies: dict[str, Reply | _InFlight] = {}
        self.trie = Trie() if many else None

    def place(self, request: Request) -> Place:
        """Where a request stands in the queue: its group first, then the history it shares."""
        return (self.number, self.trie.path(request) if self.trie is not None else ())


@dataclass(slots=True, eq=False)
class Work:
    """One sample of one cell in one trial, in one stage: who asks, what it asked, what failed."""

    desk: "Desk"
    sink: Sink
    shared: GroupCalls
    family: str
    cell: str
    group: str
    sample: str
    trial: int
    last_counts: bool = False
    calls: dict[str, None] = field(default_factory=dict)
    nth: dict[str, int] = field(default_factory=dict)
    last: tuple[str, str] = ("", "")  # id and text of the call that was answered last
    failure: CallFailed | None = None

    def models(self) -> Models:
        """The models of the run, asking for this work."""
        return WorkModels(self)


class WorkModels(Models):
    """Models made when they are asked for."""

    __slots__ = ("_work",)

    def __init__(self, work: Work) -> None:
        self._work = work

    def all(self, role: str) -> tuple[Model, ...]:
        """All members of a role, () if nobody fills it."""
        return tuple([TracedModel(seat, self._work) for seat in self._work.desk.seats.get(role, ())])


class _InFlight:
    """A call that is being asked; `future` is there once somebody else waits for it."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: asyncio.Future[Reply] | None = None


class TracedModel(Model):
    """A member as a task sees it."""

    __slots__ = ("_seat", "_work", "capabilities", "chosen", "member", "name")

    def __init__(self, seat: Seat, work: Work) -> None:
        self._seat = seat
        self._work = work
        self.member = seat.member.member
        self.name = seat.name
        self.capabilities = seat.capabilities
        self.chosen = seat.member.chosen

    async def ask(self, request: Request, key: str = "") -> Reply:
        """The reply to a request: recorded if it is known, else asked and recorded."""
        return await self._work.desk.ask(self._seat, self._work, request, key)

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        """As the model's kind does it."""
        from suite.scoring.rating import rate_answers

        references = self._work.desk.seats.get("reference", ())
        reference = TracedModel(references[0], self._work) if references else None
        return await rate_answers(self, messages, answers, kind, key, reference)


class Desk:
    """All calls of one run in this process. recorded: journals asked first. strict: nothing is asked anew."""

    def __init__(
        self,
        seed: int,
        seats: Mapping[str, Sequence[Seat]],
        attempts: JournalFile,
        recorded: Iterable[Recorded[CallRecord]] = (),
        cache: ResponseCache | None = None,
        backoff_s: float = 0.5,
        settle: Mapping[str, Finish] | None = None,
    ) -> None:
        self.seats = {role: tuple(members) for role, members in seats.items()}
        self.recorded = [one for one in recorded if len(one)]
        self.stopped: SuiteError | None = None
        self.stopping = False
        self.waits = Waits()
        self._stop_event = asyncio.Event()
        self._seed = seed
        self._attempts = attempts
        self._cache = cache
        self._backoff_s = backoff_s
        self._settle = dict(settle or {})  # kind of failure -> what the user says it is

    def stop(self, why: SuiteError | None = None) -> None:
        """Send nothing more; what is in flight may end."""
        self.stopping = True
        self._stop_event.set()
        self.stopped = self.stopped or why
        for seats in self.seats.values():
            for seat in seats:
                seat.line.slots.refuse_all(Stopped)

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
            record.cell, record.sample, record.trial = work.cell, work.sample, work.trial
            record.stage = work.sink.stage
        self._attempts.append(record)

    async def ask(self, seat: Seat, work: Work, request: Request, key: str) -> Reply:
        """See TracedModel.ask. Raises CallFailed, Stopped."""
        request = seat.overridden(request)
        request_hash = request_sha256(request)
        member = seat.member.member
        identity = call_id(work.family, work.group, work.trial, member, key, request_hash)
        call = Asked(identity, member, work.group, work.trial, key, request, request_hash)
        if identity not in work.calls:
            work.calls[identity] = None
            work.nth[member] = work.nth.get(member, -1) + 1
        replies = work.shared.replies
        found = replies.get(identity)
        if found is None:
            replies[identity] = asked = _InFlight()
            try:
                reply = await self._get(seat, work, call)
            except BaseException as error:
                del replies[identity]
                if asked.future is not None:
                    lost = isinstance(error, asyncio.CancelledError)
                    asked.future.set_exception(Stopped() if lost else error)
                    asked.future.exception()  # whoever waits gets it; nobody need
                if isinstance(error, CallFailed):
                    work.failure = error
                raise
            replies[identity] = reply
            if asked.future is not None:
                asked.future.set_result(reply)
        elif isinstance(found, Reply):
            reply = found
        else:
            if found.future is None:
                found.future = asyncio.get_running_loop().create_future()
            try:
                reply = await asyncio.shield(found.future)
            except CallFailed as failure:
                work.failure = failure
                raise
        work.last = (identity, reply.text)
        return reply

    async def _get(self, seat: Seat, work: Work, asked: Asked) -> Reply:
        for one in self.recorded:
            call = one.find(asked.identity)
            if call is not None:
                seat.tally.recorded += 1
                return call.reply
        seed = call_seed(self._seed, asked.identity)
        store = b""
        if self._cache is not None and seat.who is not None:
            request, sha256 = asked.request, asked.request_sha256
            store = cache_key(seat.who, request, sha256, asked.trial, asked.key, seed)
            kept = self._cache.get(store, vouched=seat.vouched)
            if kept is not None and await seat.answering.gave(kept.reply):
                reply = seat.separated(kept.reply)
                now = time.time()
                self._record(seat, work, asked, reply, (now, now), 0, kept.at)
                return reply
        started = time.time()
        try:
            written, times, attempt = await self._ask_engine(seat, work, asked, seed)
            seat.answering.heard(written)
        except CallFailed as failed:
            if failed.kind not in self._settle:
                raise
            written, times, attempt = self._settled(failed), (started, time.time()), 1
        finally:
            seat.answering.asked()
        reply = seat.separated(written)
        self._record(seat, work, asked, reply, times, attempt, None)
        settled = isinstance(reply.details, dict) and "settled" in reply.details
        if store and self._cache is not None and seat.answering.one and not settled:
            self._cache.put(store, written)  # as it was written: how it is read may change
        return reply

    def _record(
        self,
        seat: Seat,
        work: Work,
        asked: Asked,
        reply: Reply,
        times: tuple[float, float],
        attempt: int,
        kept: float | None,
    ) -> None:
        """kept: when a reply from the cache was asked for, None for one that was asked for now."""
        tally, usage = seat.tally, reply.usage
        tally.calls += 1
        tally.cached += kept is not None
        tally.prompt += usage.prompt
        tally.completion += usage.completion
        tally.prefix += usage.cached
        work.sink.call(asked, reply, times, attempt, kept)

    async def _ask_engine(
        self, seat: Seat, work: Work, asked: Asked, seed: int
    ) -> tuple[Reply, tuple[float, float], int]:
        line = seat.line
        slots, limit = line.slots, line.limit
        identity, member, group, trial, key, request, _ = asked
        place = work.shared.place(request)
        nth = work.nth.get(member)
        asking = Asking(seed, identity, member, group, work.sample, trial, key, nth, work.last_counts)
        open_calls = self.waits.open
        attempt = overloads = 0
        while True:
            if self.stopping:
                raise Stopped
            await slots.enter(place)
            attempt += 1
            started, monotonic = time.time(), time.monotonic()
            open_calls[identity] = monotonic
            goes_on = 0.0
            try:
                full = slots.in_flight >= limit.current
                reply = await line.engine.call(request, asking)
                limit.good(full, monotonic)
                line.replied()
                return reply, (started, time.time()), attempt
            except CallFailed as failure:
                failed = failure
                if failed.kind == "timeout":
                    goes_on = limit.timed_out(monotonic)
            except EngineError as error:
                self.stop(error)
                raise CallFailed("engine", str(error), retryable=False) from error
            finally:
                del open_calls[identity]
                slots.leave(goes_on)
            if (failed.retry_after or 0.0) > MOST_WAIT_S:
                failed = too_long(failed)
            overloads += failed.overload
            limit.failed(failed, monotonic)
            again = failed.retryable and overloads < TRIES_OVERLOADED and attempt - overloads < TRIES
            detail = failed.message[:300]
            broken = None if failed.kind in self._settle else line.failed(failed, again)
            if broken is not None and not self.stopping:
                self.stop(broken)
            if broken is not None or not again:
                self.attempt("error", work, kind=failed.kind, call=identity, role=member, detail=detail)
                raise failed
            seat.tally.retries += 1
            self.attempt("retry", work, kind=failed.kind, call=identity, role=member, detail=detail)
            step = overloads if failed.overload else attempt - overloads
            wait = self._backoff_s * min(LONGEST_WAIT, 2 ** (step - 1)) * jitter(identity, attempt)
            await self._pause(max(wait, failed.retry_after or 0.0), failed)

    def _settled(self, failed: CallFailed) -> Reply:
        """The outcome that a failure for good is by --settle."""
        finish = self._settle[failed.kind]
        told = {"refusal": failed.message[:300], "settled": f"{failed.kind}={finish}"}
        return Reply(finish=finish, details=told)

    async def _pause(self, seconds: float, why: CallFailed) -> None:
        """Wait before a retry; a run that stops does not wait for it."""
        with contextlib.suppress(TimeoutError), self.waits.pausing(seconds, why):
            await asyncio.wait_for(self._stop_event.wait(), seconds)


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
