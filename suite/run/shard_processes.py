"""The shards of one run on this machine: a process for each, watched, started again if it dies, shown as one.

A process tells on its standard output how far it is, a line of JSON each second (`ShardReport`); what it says
to people goes on to them. A signal is passed on. A process whose reader is gone stops as if interrupted.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import TextIO

import msgspec

from suite.errors import CapabilityError, DamagedError, RunError, SuiteError
from suite.journal.shards import Shard
from suite.roles import Stage
from suite.run.leases import TakenOver
from suite.run.ledger import BudgetSpent
from suite.run.outcome import Outcome
from suite.run.progress import Progress
from suite.run.seats import MemberCost, shown_money
from suite.run.session import SYNC_EVERY_S, Session, interruptible

REPORTS = "SUITE_SHARD_REPORTS"  # to a process of a shard: its reader's command, without secrets
RESTARTS = 2
KILL_AFTER_S = 5.0  # a process that a second interruption does not end, such as one that was stopped
_COSTS = [one.name for one in fields(MemberCost)]
_ERRORS = {one.__name__: one for one in (BudgetSpent, CapabilityError, DamagedError, TakenOver)}
_PIPE = asyncio.subprocess.PIPE
Command = tuple[Sequence[str], Mapping[str, str]]  # its words, and what its environment has more


class ShardReport(msgspec.Struct, tag="shard"):
    """How far a shard is. done: samples, those of before included. ended: the exit code, None before. error:
    what kind, and in words."""

    done: int = 0
    new: int = 0
    reasons: dict[str, int] = {}
    examples: dict[str, str] = {}
    spent: MemberCost = msgspec.field(default_factory=MemberCost)
    ended: int | None = None
    error: tuple[str, str] | None = None


class ShardView:
    """Progress that goes to the reader of a shard's reports."""

    _session: Session | None = None

    def begun(self, session: Session) -> None:
        """From now on there is something to report."""
        self._session = session

    def show(self, _: str) -> None:
        """Report how far the run is."""
        self.tell()

    def say(self, line: str) -> None:
        """Pass a line on."""
        self._put(sys.stderr, line)

    def tell(self, outcome: Outcome | None = None) -> None:
        """Report; the end, where there is an outcome."""
        if (session := self._session) is None:
            return
        progress, tallies = session.progress, session.progress.tallies().values()
        spent = MemberCost(*(sum(getattr(one, name) for one in tallies) for name in _COSTS))
        report = ShardReport(progress.finished, progress.new, progress.reasons, progress.examples, spent)
        if outcome is not None:
            report.ended, error = outcome.exit_code, outcome.error
            report.error = (type(error).__name__, str(error)) if error else None
        self._put(sys.stdout, msgspec.json.encode(report).decode())

    def _put(self, stream: TextIO, line: str) -> None:
        try:
            stream.write(f"{line}\n")
            stream.flush()
        except OSError:  # nobody reads any more
            if self._session is not None and not self._session.interrupted:
                self._session.interrupt()


class ShardProcesses:
    """The processes that work on the shards of a run. commands: words of each, what its environment has more.
    typed: the command of all, for the record. progress: of all. stage: the last."""

    def __init__(self, commands: Sequence[Command], typed: str, progress: Progress, stage: Stage) -> None:
        self._commands, self._typed, self._progress, self._stage = commands, typed, progress, stage
        self._last = [ShardReport() for _ in commands]
        self._running: set[asyncio.subprocess.Process] = set()
        self._said: set[str] = set()
        self.interrupted = False

    async def run(self) -> SuiteError | None:
        """Until all have ended. Returns what stopped the first that was stopped."""
        self._progress.watch(lambda: {str(n): one.spent for n, one in enumerate(self._last)}, self._at_work)
        with self._progress, interruptible(self.interrupt):
            works = asyncio.gather(*map(self._work, range(len(self._commands))))
            while not (await asyncio.wait([works], timeout=SYNC_EVERY_S))[0]:
                self._progress.tick()
        return next(filter(None, works.result()), None)

    async def _work(self, which: int) -> SuiteError | None:
        """One shard, until its process ends by itself or has died too often."""
        shard = Shard(which, len(self._commands))
        for again in (*[", and is started again"] * RESTARTS, ""):
            code, report = await self._process(which), self._last[which]
            if report.ended is not None:
                return _ERRORS.get(report.error[0], RunError)(report.error[1]) if report.error else None
            self.interrupted |= code == 130
            if self.interrupted:
                return None
            if code == 2:  # it said why
                return RunError(f"shard {shard} could not begin")
            self._progress.warn(f"the process of shard {shard} died ({code}){again}")
        return RunError(f"the process of shard {shard} died {1 + RESTARTS} times")

    async def _process(self, which: int) -> int:
        words, variables = self._commands[which]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "suite", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=_PIPE, stderr=_PIPE, limit=2**24,
            env={**os.environ, REPORTS: self._typed, **variables},
            start_new_session=True,  # a signal of the terminal reaches it through us alone
        )  # fmt: skip
        self._running.add(process)
        try:
            streams = [one for one in (process.stdout, process.stderr) if one is not None]
            await asyncio.gather(*(self._read(which, one) for one in streams))
            return await process.wait()
        finally:
            self._running.discard(process)

    async def _read(self, which: int, stream: asyncio.StreamReader) -> None:
        progress = self._progress
        while line := await stream.readline():
            try:
                self._last[which] = msgspec.json.decode(line, type=ShardReport)
            except (msgspec.MsgspecError, ValueError):
                text = line.decode("utf-8", "replace").rstrip()
                if text and text not in self._said:  # what all say is said once
                    self._said.add(text)
                    progress.warn(text)
                continue
            progress.counts[self._stage] = sum(one.done for one in self._last)
            progress.new = sum(one.new for one in self._last)
            progress.reasons = sum((Counter(one.reasons) for one in self._last), Counter())
            progress.counts["pending"] = progress.reasons.total()
            progress.examples = self._last[which].examples | progress.examples

    def _at_work(self) -> list[str]:
        cost = shown_money(one.spent for one in self._last)
        return [*cost, f"{len(self._running)} of {len(self._commands)} shards at work"]

    def interrupt(self) -> None:
        """Let what is in flight end and stop; the second time, drop it, and kill who goes on nevertheless."""
        if self.interrupted:
            asyncio.get_running_loop().call_later(KILL_AFTER_S, self._send, signal.SIGKILL)
        self.interrupted = True
        self._send(signal.SIGINT)

    def _send(self, number: signal.Signals) -> None:
        for process in self._running:
            with suppress(ProcessLookupError):
                process.send_signal(number)
