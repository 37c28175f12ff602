"""What a provider is: the options it takes, the specs it can fill, and the engines it makes.

An engine answers requests and nothing else: no retries of its own beyond one connection's repair, no
cache, no journal. A failed call raises `CallFailed`, whose `retryable` the runner obeys. A failure of
the *candidate* (overflow, refusal, empty) is a normal `Reply` with its `finish`.
"""

import asyncio
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from suite.chat import Json, Reply, Request
from suite.errors import EngineError
from suite.journal.run import Run
from suite.models.extras import need
from suite.models.spec import ModelSpec

# a hash or commit of the model; what an endpoint tells of it, to be held against each reply; nothing
KnownBy = Literal["content", "told", "nothing"]
Say = Callable[[str], None]  # shows one line of progress to the person who waits
T = TypeVar("T")

Note = Callable[[str, str], None]  # records and shows what an engine does otherwise: what, in words


def silent(*_: str) -> None:
    """Shows and notes nothing."""


class Asking(msgspec.Struct, frozen=True):
    """Who asks: the identity of a call beyond its request. Engines of real models use `seed` alone;
    replay and scripted engines find their answer by the rest.

    nth: which distinct request of this member for the sample and trial it is, from 0, recorded calls
    counted; None if the asker does not count. last_counts: the task scores the last reply of a sample alone.
    """

    seed: int | None = None
    call: str = ""
    member: str = "candidate"
    group: str = ""
    sample: str = ""
    trial: int = 0
    key: str = ""
    nth: int | None = None
    last_counts: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine may need from the run: where logs go, where caches are, how to show progress.

    wants: the capability alternative the plan chose. once: a request that was lost on its way is a failed
    call, since it may be billed; it is not sent again unseen.
    """

    logs: Path | None = None
    cache: Path | None = None
    say: Say = silent
    wants: frozenset[str] = frozenset({"chat"})
    note: Note = silent
    once: bool = False


def present(**values: T | None) -> dict[str, T]:
    """The values that are not None, in their order."""
    return {name: value for name, value in values.items() if value is not None}


class Engine(ABC):
    """One model that answers. Made at plan time (cheap, nothing started), started once, closed once."""

    _extra = ""  # of the suite, which brings what it needs: see `suite.models.extras`

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    @abstractmethod
    def capabilities(self) -> frozenset[str]:
        """What it can do, known before it starts: chat, complete, logprobs, prompt_logprobs, seed,
        json_schema, tools, rate, rank."""

    @abstractmethod
    def identity(self) -> Mapping[str, Json]:
        """Who answers: provider, name, revision, engine, engine_version, options that shape answers.

        Complete after `start`; JSON; no keys, no machine paths, no URL credentials. `deterministic`
        says whether the same request gives the same reply at temperature 0.
        """

    def check(self) -> None:
        """Look for what this machine lacks: a library, a program, a device, a key. Raises SuiteError.

        Called while a run is planned, before anything else is asked of the engine: touches no network.
        """
        if self._extra:
            need(self._extra)

    def known_by(self) -> KnownBy:
        """How far its identity goes, once started. What is known by nothing is always asked anew."""
        return "content" if self.identity().get("revision") else "nothing"

    def thinks(self, thinking: str | int) -> str:  # noqa: ARG002
        """Why it cannot be told to think so (see `Options.thinking`), "" if it can. Known at plan time."""
        return "it has no option for thinking"

    def limits(self) -> Mapping[str, int]:
        """`concurrency` (a cap, if the engine has one), `window` (tokens, if known), `replicas` (from 2)."""
        return {}

    def devices(self) -> int:
        """GPUs of this machine that it takes once started, as far as its options tell."""
        return 0

    async def start(self, surroundings: Surroundings) -> None:  # noqa: B027
        """Make ready: start a server, open a session. Raises EngineError with the end of its log."""

    @abstractmethod
    async def call(self, request: Request, asking: Asking) -> Reply:
        """Answer one request. Raises CallFailed."""

    async def close(self) -> None:  # noqa: B027
        """Stop what was started. Safe to call twice."""

    def _started(self, part: T | None) -> T:
        """What `start` made. Raises EngineError before it was."""
        if not part:
            raise EngineError(f"{self.spec.text} was asked before it was started")
        return part

    def settings(self) -> Mapping[str, Json] | None:
        """What shapes its answers beside the requests, as far as it is known, once started: names of
        `suite.models.settings.SETTINGS` and more. None for what is no served model."""
        return None

    def counters(self) -> Mapping[str, float]:
        """Figures of the engine itself (prefix cache queries and hits), read at the end of a run."""
        return {}

    def left_over(self, run: Run, member: str) -> str:  # noqa: ARG002
        """Of answers given before: what to say of those that a run did not use, "" if all were."""
        return ""


class Provider(ABC):
    """A way to fill roles, announced as an Entry of kind "provider"."""

    options: Mapping[str, str] = {}  # engine option -> one line of help; unknown options are refused
    open_options: bool = False  # True: any option is passed on (vllm's own flags)
    case: str = ""  # "module:object", a `suite.testing.ProviderCase`: how `suite plugin check` tries it

    @abstractmethod
    def engine(self, spec: ModelSpec) -> Engine:
        """The engine for a spec. Raises NotFound or ConfigError for what it cannot fill."""


def installed(distribution: str) -> str:
    """The version of a distribution, "" if it is not installed."""
    return next((one.version for one in importlib.metadata.distributions(name=distribution)), "")


async def together(work: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """Results in order; the first failure cancels the rest and is raised. One alone needs no task."""
    if len(work) == 1:
        return [await work[0]]
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
