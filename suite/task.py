"""The contract a plugin author meets: a task, its samples, outputs and scores.

A task object is one cell: a task with one set of parameters. It is immutable but for what `open`
sets. Only `samples`, `solve` and `score` are required.
"""

import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, get_args, overload

import msgspec
from msgspec.structs import force_setattr

from suite.blocks import Block
from suite.chat import Json
from suite.chat import Output as Output
from suite.parameters import Parameters
from suite.prompts import Prompts
from suite.roles import Models, Role
from suite.scores import Part as Part
from suite.scores import Score as Score
from suite.scores import Unscored as Unscored
from suite.scores import Value as Value

PayloadT = TypeVar("PayloadT")
ParametersT = TypeVar("ParametersT", bound=Parameters)
RowT = TypeVar("RowT")
InT = TypeVar("InT")
OutT = TypeVar("OutT")


class Sample(msgspec.Struct, Generic[PayloadT], frozen=True):
    """One item made ready. `id` never contains a parameter, so cells and runs pair by it.

    payload: what differs between samples; big common material comes from `open`.
    group: samples derived from one item, the unit of order and of call sharing (default: id).
    cluster: for the errors of means only (default: group). tags: slices (topic, tier, …).
    trial, seed: bound by the runner.
    """

    id: str
    payload: PayloadT
    group: str = ""
    cluster: str = ""
    tags: Mapping[str, str] = {}
    trial: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.group:
            force_setattr(self, "group", self.id)
        if not self.cluster:
            force_setattr(self, "cluster", self.group)

    def random(self, name: str) -> random.Random:
        """Randomness from (run seed, group, name): equal in all cells, trials and judges."""
        digest = hashlib.sha256(f"{self.seed}\x1f{self.group}\x1f{name}".encode()).digest()
        return random.Random(int.from_bytes(digest[:8], "big"))


@dataclass(frozen=True, slots=True)
class HubRows:
    """The rows of a dataset on the Hub, in place of a registry entry.

    repo: ORG/NAME. revision: a full commit, since a branch changes. config: default the one that the dataset
    names so.
    """

    repo: str
    revision: str
    split: str = "test"
    config: str = ""


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """Facts about a task.

    name: `family/variant`, or the family alone. version: raised when scores stop being comparable.
    roles: superset over all parameters; default: a candidate that chats. datasets: names of registry entries
    it reads. rows: datasets without an entry, by a name of the task's own: a file of rows (JSONL, JSON, CSV,
    Parquet), its path beginning at the module's folder, or rows on the Hub.
    mini: dataset name -> bundled registry entry that stands in for it under --mini.
    headline: the metric that is shown first. presets: name -> cells, each a mapping of parameters.
    instead: preset -> another one, taken where the models cannot do what its cells need.
    replay: "exact" if solve and score are pure functions of sample, parameters, replies and seeds;
    "none" needs a `replay_reason`. official_prompts: registry entry of published prompt texts.
    scored_reply: "last" where only the candidate's last reply to a sample is scored, so that a text made
    elsewhere may stand for it alone.
    questions: value -> what people are asked who label it, in place of the judge.
    sandbox: whether scoring runs programs in the sandbox, which is then tried before anything is asked.
    comparable: False for data whose scores must not be compared with published ones; `note` says why.
    """

    name: str
    version: int
    title: str
    roles: Mapping[str, Role] = field(default_factory=lambda: {"candidate": Role()})
    headline: str = field(kw_only=True)
    datasets: Sequence[str] = ()
    rows: Mapping[str, str | HubRows] = field(default_factory=dict)
    mini: Mapping[str, str] = field(default_factory=dict)
    paper: str = ""
    presets: Mapping[str, Sequence[Mapping[str, Json]]] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    replay: Literal["exact", "none"] = "exact"
    replay_reason: str = ""
    official_prompts: str = ""
    note: str = ""
    scored_reply: Literal["every", "last"] = "every"
    questions: Mapping[str, str] = field(default_factory=dict)
    sandbox: bool = False

    @property
    def family(self) -> str:
        """The part of the name before the slash: tasks of one family share calls."""
        return self.name.partition("/")[0]


AnySample = Sample[Any]


class Metric(Protocol):
    """A declared metric; the classes are in `suite.scoring.metrics`."""

    @property
    def name(self) -> str:
        """Name of the metric, unique in its task."""

    @property
    def direction(self) -> str:
        """Which way is better: higher, lower or neither."""

    @property
    def slices(self) -> tuple[str, ...]:
        """The tags it is sliced by."""

    def rows(self) -> tuple[str, ...]:
        """Names of the rows of results that it yields."""

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names of the values it reads: (of samples, of parts)."""


class Data(Protocol):
    """The data of a task, by dataset name: verified files, typed rows."""

    @overload
    def rows(self, name: str, row: type[RowT], part: str | None = None) -> Iterator[RowT]:
        """Rows of a dataset (or one part of it), validated, lazily: objects of a pydantic or msgspec model,
        a TypedDict, or dict.
        """

    @overload
    def rows(self, name: str, row: Mapping[str, Json], part: str | None = None) -> Iterator[dict[str, Json]]:
        """The rows themselves, held to a JSON Schema."""

    def file(self, name: str, path: str) -> Path:
        """A verified local file of a dataset."""

    def has(self, name: str, part: str | None = None) -> bool:
        """Whether a dataset (or a part of it) is at hand."""


class Tools(Protocol):
    """What `open` may ask for.

    scoring: whether this process will score; what only scoring needs (the sandbox, verifiers) is left
    closed where it will not, so that a machine without it can still solve.
    """

    scoring: bool

    def batch(
        self,
        name: str,
        function: Callable[[Sequence[InT]], Sequence[OutT] | Awaitable[Sequence[OutT]]],
        size: int = 256,
        wait_ms: float = 20.0,
    ) -> Callable[[InT], Awaitable[OutT]]:
        """Turn a function of many into an awaitable of one; results never depend on the company."""

    async def sandbox(self, python: str = "") -> Any:
        """The sandbox of this run (`suite.Sandbox`), opened on first use.

        python: the interpreter that will run programs ("": the suite's own). It is tried in there first.
        Raises SandboxUnavailable where it does not work, so that no program is blamed for that.
        """

    def folder(self, name: str) -> Path:
        """A cache folder that lasts between runs, for indexes and environments."""


class Task(ABC, Generic[PayloadT, ParametersT]):
    """A benchmark with one set of parameters. `suite plugin check` proves what is promised here."""

    info: ClassVar[TaskInfo]
    metrics: ClassVar[Sequence[Metric]] = ()
    prompts: Prompts = Prompts()

    def __init__(self, parameters: ParametersT) -> None:
        self.parameters = parameters

    @classmethod
    def parameters_type(cls) -> type[Parameters]:
        """The pydantic model of this task's parameters, read from the generic arguments."""
        return next((one for one in cls._arguments() if issubclass(one, Parameters)), Parameters)

    @classmethod
    def payload_type(cls) -> type | None:
        """The type of its samples' payloads, read from the generic arguments; None where it isn't told."""
        return next((one for one in cls._arguments() if not issubclass(one, Parameters)), None)

    @classmethod
    def _arguments(cls) -> Iterator[type]:
        for base in cls.__mro__:
            for generic in getattr(base, "__orig_bases__", ()):
                yield from (one for one in get_args(generic) if isinstance(one, type))

    def roles(self) -> Mapping[str, Role]:
        """The roles these parameters need."""
        return self.info.roles

    def datasets(self) -> Sequence[str]:
        """The datasets these parameters need."""
        return (*self.info.datasets, *self.info.rows)

    async def open(self, data: Data, tools: Tools) -> Mapping[str, str]:  # noqa: ARG002
        """Read common data and get tools ready, once per process. Returns facts for the manifest."""
        return {}

    async def close(self) -> None:
        """Let go of what `open` took."""

    def official_prompts(self, data: Data) -> Prompts:
        """The published prompt texts as a `Prompts("official", …)`, read from `info.official_prompts`."""
        raise NotImplementedError(f"{self.info.name} has no official prompts")

    @abstractmethod
    def samples(self, data: Data) -> Iterable[Sample[PayloadT]]:
        """All samples: lazy, deterministic, groups contiguous, in one relative order over all cells."""

    @abstractmethod
    async def solve(self, sample: Sample[PayloadT], models: Models) -> Output:
        """Put a sample to the candidate."""

    @abstractmethod
    async def score(self, sample: Sample[PayloadT], output: Output, models: Models) -> Score:
        """Judge an output."""

    def references(self, sample: Sample[PayloadT]) -> Iterable[str]:  # noqa: ARG002
        """Whole answers that are right and that no request shows, as texts. Verification looks for them in
        the candidate's replies. Default: none.
        """
        return ()

    def compared(self, output: Output) -> tuple[str, str] | None:  # noqa: ARG002
        """The two answers that a win rate's value compares, for people who label: the one that 1 stands for
        first. Default: None, which is no pair.
        """
        return None

    def show(self, sample: Sample[PayloadT], output: Output, score: Score | None) -> Iterable[Block]:  # noqa: ARG002
        """How a sample is shown in reports, beside its calls. Default: nothing more."""
        return ()


AnyTask = Task[Any, Any]
