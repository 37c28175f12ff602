"""How to run, and how it went."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from suite.chat import Finish
from suite.errors import CapabilityError, DamagedError, SuiteError
from suite.journal.decisions import Decision
from suite.journal.documents import Results
from suite.run.cache import Reuse
from suite.run.execution import SAME_ERROR_LIMIT
from suite.run.leases import TakenOver
from suite.run.ledger import BudgetSpent
from suite.run.order import Group
from suite.run.progress import ProgressView, Watcher


@dataclass
class Outcome:
    """How a run went. error: what stopped it before its end; its journal holds all that was done."""

    folder: Path
    scoring: str = ""
    results: Results | None = None
    pending: int = 0
    reasons: Mapping[str, int] | None = None
    interrupted: bool = False
    error: SuiteError | None = None
    examples: Mapping[str, str] | None = None  # of each reason, the first in words
    left_over: tuple[str, ...] = ()  # of answers given before: what was not used
    decision: Decision | None = None  # of a rule that may end a run early
    seal: Callable[[], None] | None = None  # to be called after reports; None of what is sealed or not done

    @property
    def continues(self) -> bool:
        """Whether the same command can do what is left: not if a model cannot, a journal is damaged, or
        another process goes on with it."""
        hopeless = self.reasons and set(self.reasons) <= {"unsupported", "not-recorded"}
        final = isinstance(self.error, BudgetSpent | CapabilityError | DamagedError | TakenOver)
        return not final and not hopeless

    @property
    def exit_code(self) -> int:
        """0 done or decided, 1 pending work or a spent budget, 2 stopped by an error, 130 interrupted."""
        if self.interrupted:
            return 130
        if isinstance(self.error, BudgetSpent):
            return 1
        if self.error is not None:
            return 2
        return 1 if self.pending and not (self.decision and self.decision.verdict != "undecided") else 0

    def lines(self, again: str = "the same command") -> Iterator[str]:
        """What somebody who started the run must be told. again: what continues it."""
        yield from (f"! {line}" for line in self.left_over)
        if self.error is not None:
            yield f"stopped: {self.error}"
        if (found := self.decision) is not None:
            yield found.words
            if self.pending and found.verdict != "undecided":
                yield f"{self.pending:,} samples were left out; without --until {again} takes them up"
                return
        if self.pending:
            reasons = ", ".join(f"{kind} {n}" for kind, n in (self.reasons or {}).items())
            yield f"{self.pending} samples are pending{f' ({reasons})' if reasons else ''}"
            yield from (f"  {kind}, for example: {detail}" for kind, detail in (self.examples or {}).items())
            if "task-error" in (self.reasons or {}):
                yield f"the task fails: correct it, and {again} goes on (of a file or class: in another run)"
            if self.continues and {*(self.reasons or ())} != {"task-error"}:
                yield f"{again} continues this run in {self.folder}"


class StopRule(Protocol):
    """May end a run before its plan. What it finds follows from the plan and the journals alone, neither from
    who is fast nor from when it looks. ordered: groups in the order of looks. look: read what is new in a
    run, or its shards; whether no more is needed. Raises RunError for damage."""

    def ordered(self, groups: Iterable[Group]) -> Iterable[Group]: ...
    def look(self, folders: Sequence[Path]) -> bool: ...
    def decision(self) -> Decision: ...


@dataclass
class RunSettings:
    """How to run, beside what: nothing here changes a result, but for `call_seed`."""

    one_engine: bool = False
    cache: bool = True
    reuse: Reuse = "others"  # whose replies the cache gives: of no run, of those of other plans, of all
    level: float = 0.95
    quiet: bool = False
    view: ProgressView | None = None  # who shows the progress, instead of the terminal
    watcher: Watcher | None = None  # who follows it beside
    signals: bool = True
    backoff_s: float = 0.5
    extra_recorded: tuple[Path, ...] = ()  # run folders whose recorded calls are asked first
    errors_allowed: int = SAME_ERROR_LIMIT  # errors of a task before the run stops
    budget: str | None = None  # the most to spend: 20usd, 2Mtokens; None for no end
    until: StopRule | None = None  # what may end the run early
    settle: Mapping[str, Finish] | None = None  # kind of failed call -> the outcome it is on purpose
    command: str = ""  # what began this: a shell line or a call in Python; recorded without its secrets
    another: str = "--new"  # what makes another run in place of a finished one
    command_settings: str = ""  # flags that suite.toml or the environment gave
    call_seed: int | None = None  # other draws for the same requests; None: the plan's seed
