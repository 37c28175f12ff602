"""The shards of one run on this machine: a process for each, watched, started again if it dies, shown as one.

A process tells on its standard output how far it is, a line of JSON each second (`ShardReport`); what it says
to people goes on to them. A signal is passed on. A process whose reader is gone stops as if interrupted.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields

import msgspec

from suite.errors import CapabilityError, DamagedError, RunError, SuiteError
from suite.journal.shards import Shard
from suite.models.prices import PER_USD, shown_usd
from suite.roles import Stage
from suite.run.ledger import BudgetSpent
from suite.run.outcome import Outcome
from suite.run.progress import Progress
from suite.run.seats import MemberCost
from suite.run.session import SYNC_EVERY_S, Session

REPORTS = "SUITE_SHARD_REPORTS"  # to a process of a shard: its reader's command, without secrets
RESTARTS = 2
_COSTS = [one.name for one in fields(MemberCost)]
_ERRORS = {one.__name__: one for one in (BudgetSpent, CapabilityError, DamagedError, RunError)}


class ShardReport(msgspec.Struct, tag="shard", forbid_unknown_fields=True):
    """How far a shard is. done: samples, those of before included. ended: the exit code, None before."""

    done: int = 0
    new: int = 0
    reasons: dict[str, int] = {}
    examples: dict[str, str] = {}
    spent: MemberCost = msgspec.field(default_factory=MemberCost)
    ended: int | None = None
    error: tuple[str, str] | None = None  # what kind, and in words


class ShardView:
    """Progress that goes to the reader of a shard's reports."""

    def __init__(self) -> None:
        self._report: Callable[[Outcome | None], ShardReport] = lambda _: ShardReport()
        self._gone: Callable[[], None] | None = None

    def begun(self, session: Session) -> None:
        """From now on there is something to report."""
        progress = session.progress

        def report(outcome: Outcome | None) -> ShardReport:
            tallies = progress.tallies().values()
            spent = MemberCost(*(sum(getattr(one, name) for one in tallies) for name in _COSTS))
            found = ShardReport(progress.finished, progress.new, progress.reasons, progress.examples, spent)
            if outcome is not None:
                found.ended = outcome.exit_code
                found.error = (type(outcome.error).__name__, str(outcome.error)) if outcome.error else None
            return found

        self._report, self._gone = report, session.interrupt

    def show(self, line: str) -> None:
        """Report how far the run is."""
        del line
        self._tell(None)

    def say(self, line: str) -> None:
        """Pass a line on."""
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def ended(self, outcome: Outcome) -> int:
        """Report the end; the exit code."""
        self._tell(outcome)
        return outcome.exit_code

    def _tell(self, outcome: Outcome | None) -> None:
        try:
            sys.stdout.write(msgspec.json.encode(self._report(outcome)).decode() + "\n")
            sys.stdout.flush()
        except OSError:  # nobody reads any more
            stop, self._gone = self._gone, None
            if stop is not None and outcome is None:
                stop()


class ShardProcesses:
    """The processes that work on the shards of a run.

    words: of each one's command, after `suite`. variables: what is added to the environment of each. command:
    what was typed, for the record. progress: of all. stage: the last.
    """

    def __init__(
        self,
        words: Sequence[Sequence[str]],
        variables: Sequence[Mapping[str, str]],
        command: str,
        progress: Progress,
        stage: Stage,
    ) -> None:
        self._words, self._variables, self._command = words, variables, command
        self._progress, self._stage = progress, stage
        self._last = [ShardReport() for _ in words]
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._said: set[str] = set()
        self.interrupted = False

    async def run(self) -> SuiteError | None:
        """Until all have ended. Returns what stopped the first that was stopped."""
        progress = self._progress
        progress.watch(self._tallies, self._at_work)
        with progress, self._passing_on():
            works = asyncio.gather(*(self._worked(which) for which in range(len(self._words))))
            while not (await asyncio.wait([works], timeout=SYNC_EVERY_S))[0]:
                progress.tick()
            found = [error for error in await works if error is not None]
        self._sum()
        return found[0] if found else None

    async def _worked(self, which: int) -> SuiteError | None:
        """One shard, until its process ends by itself or has died too often."""
        shard = Shard(which, len(self._words))
        for start in range(1 + RESTARTS):
            code = await self._process(which)
            report = self._last[which]
            if report.ended is not None:
                return _ERRORS.get(report.error[0], RunError)(report.error[1]) if report.error else None
            if self.interrupted or code == 130:
                self.interrupted = True
                return None
            if code == 2:  # said why: it did not begin
                return RunError(f"shard {shard} could not begin")
            again = start < RESTARTS
            self._progress.warn(
                f"the process of shard {shard} died ({code}){', it is started again' if again else ''}"
            )
        return RunError(f"the process of shard {shard} died {1 + RESTARTS} times")

    async def _process(self, which: int) -> int:
        self._last[which].ended = None
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "suite", *self._words[which],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, REPORTS: self._command, **self._variables[which]},
            limit=2**24,
            start_new_session=True,  # a signal of the terminal reaches it through us alone
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        self._running[which] = process
        try:
            await asyncio.gather(self._read(which, process.stdout), self._read(which, process.stderr))
            return await process.wait()
        finally:
            del self._running[which]
            if process.returncode is None:
                process.kill()

    async def _read(self, which: int, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            try:
                self._last[which] = msgspec.json.decode(line, type=ShardReport)
                self._sum()
            except (msgspec.MsgspecError, ValueError):
                text = line.decode("utf-8", "replace").rstrip()
                if text and text not in self._said:  # what all say is said once
                    self._said.add(text)
                    self._progress.warn(text)

    def _sum(self) -> None:
        progress = self._progress
        progress.counts[self._stage] = sum(one.done for one in self._last)
        progress.new = sum(one.new for one in self._last)
        progress.reasons = sum((Counter(one.reasons) for one in self._last), Counter())
        progress.counts["pending"] = progress.reasons.total()
        for one in self._last:
            progress.examples = one.examples | progress.examples

    def _tallies(self) -> dict[str, MemberCost]:
        return {str(which): one.spent for which, one in enumerate(self._last)}

    def _at_work(self) -> list[str]:
        money = sum(one.spent.money for one in self._last)
        cost = [shown_usd(money / PER_USD)] if money else []
        return [*cost, f"{len(self._running)} of {len(self._words)} shards at work"]

    @contextmanager
    def _passing_on(self) -> Iterator[None]:
        loop, numbers = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self.interrupt)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def interrupt(self) -> None:
        """Let what is in flight end and stop; the second time, drop it."""
        self.interrupted = True
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
