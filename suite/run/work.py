"""What is being done: one sample in one stage, the calls that it makes, and what its group shares."""

import asyncio

import msgspec

from suite.chat import Reply, Request, call_id, request_sha256
from suite.errors import CallFailed
from suite.models.engine import Asking
from suite.roles import Stage
from suite.run.cells import AnySample, Cell
from suite.run.limits import Place
from suite.run.order import Trie
from suite.run.seats import MemberSeat, changed


class GroupCalls:
    """What one group's works share: replies by call id, calls that are being asked, the order of requests."""

    __slots__ = ("number", "replies", "trie")

    def __init__(self, number: int, many: bool) -> None:
        self.number = number
        self.replies: dict[str, Reply | ModelCall] = {}
        self.trie = Trie() if many else None

    def place(self, request: Request) -> Place:
        """Where a request stands in the queue: its group first, then the history it shares."""
        return (self.number, self.trie.path(request) if self.trie is not None else ())


class Work(msgspec.Struct, eq=False):
    """One sample of one cell in one trial, in one stage: who asks, what it asked, what failed."""

    stage: Stage
    cell: Cell
    sample: AnySample
    shared: GroupCalls
    calls: dict[str, None] = {}
    nth: dict[str, int] = {}
    last: tuple[str, str] = ("", "")  # id and text of the call that was answered last
    failure: CallFailed | None = None


class ModelCall:
    """One call of a member for a work, made when it is asked; what came of it is filled in.

    id: its identity. reply, times: once there are any; wall-clock seconds since the epoch at start and end.
    attempt: 1 for the first try, 0 of a reply from the cache. kept: when that was asked for, None for one
    that was asked for now. others: there once somebody else waits for the reply, too.
    """

    __slots__ = ("attempt", "id", "kept", "key", "member", "others", "reply", "request", "request_sha256",
                 "seat", "times", "work")  # fmt: skip

    def __init__(self, seat: MemberSeat, work: Work, request: Request, key: str) -> None:
        self.seat = seat
        self.work = work
        self.key = key
        self.member = member = seat.member.member
        self.request = request = changed(request, seat.changes)
        self.request_sha256 = digest = request_sha256(request)
        sample = work.sample
        family = work.cell.task.info.family  # its tasks share calls
        self.id = identity = call_id(family, sample.group, sample.trial, member, key, digest)
        self.reply: Reply
        self.times: tuple[float, float]
        self.attempt = 0
        self.kept: float | None = None
        self.others: asyncio.Future[Reply] | None = None
        if identity not in work.calls:
            work.calls[identity] = None
            work.nth[member] = work.nth.get(member, -1) + 1

    def asking(self, seed: int) -> Asking:
        """What an engine is told of who asks."""
        work, sample, member = self.work, self.work.sample, self.member
        return Asking(
            seed, self.id, member, sample.group, sample.id, sample.trial, self.key, work.nth.get(member),
            work.cell.task.info.scored_reply == "last",
        )  # fmt: skip
