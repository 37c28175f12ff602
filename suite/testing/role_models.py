"""Models outside a run, behind the same contract as in one; and samples solved and scored with them."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from suite.chat import Message, Reply, Request
from suite.data.rows import Raw
from suite.journal.records import OutputRecord, ScoreRecord
from suite.models.engine import Asking, Engine, Provider, Surroundings
from suite.models.options import CAPABILITIES
from suite.models.scripted import ScriptedEngine
from suite.models.spec import parse_spec
from suite.plugins import catalogue
from suite.roles import Model, Models, Ratings
from suite.run.sources import output_row
from suite.run.tools import RunTools
from suite.scoring.answer_ratings import rate_answers
from suite.scoring.computation import compute, wanted
from suite.scoring.metrics import Custom
from suite.scoring.table import TableBuilder
from suite.task import AnySample, AnyTask, Data, Output, Score

Answer = Callable[[Request], Reply | str]


class EngineModel(Model):
    """One member of a role, for tests of `solve` and `score`.

    member: "candidate", "judge", "judge/2". chosen: the alternative of the role's needs that the plan chose;
    by default all that the engine can do. reference: the model that `logp_reference` compares with.
    requests, keys: what it was asked so far.
    """

    def __init__(
        self,
        engine: Engine,
        member: str = "candidate",
        *,
        chosen: Iterable[str] | None = None,
        reference: Model | None = None,
    ) -> None:
        self.member = member
        self.name = engine.spec.text
        self.capabilities = engine.capabilities()
        self.chosen = self.capabilities if chosen is None else frozenset(chosen)
        self.requests: list[Request] = []
        self.keys: list[str] = []
        self._engine = engine
        self._reference = reference

    @property
    def asked(self) -> list[str]:
        """The last message (or the prompt) of each request, as text."""
        return [one.last_text for one in self.requests]

    async def ask(self, request: Request, key: str = "") -> Reply:
        """The engine's reply. Raises CallFailed, also where the request asks for what it cannot do."""
        self.requests.append(request)
        self.keys.append(key)
        return await self._engine.call(request, Asking(seed=1, member=self.member, key=key))

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        """By the suite's own function, as in a run."""
        return await rate_answers(self, messages, answers, kind, key, self._reference)


class ScriptedModel(EngineModel):
    """A model whose answers a function gives.

    answer: a function of the request, a text for every request, or replies that are given in turn. A text
    without a word is an empty reply, as from any engine; a function may raise `suite.CallFailed`.
    capabilities: what it can do; by default everything. The rest is as in EngineModel.
    """

    def __init__(
        self,
        answer: Answer | str | Sequence[Reply | str],
        member: str = "candidate",
        *,
        capabilities: Iterable[str] = CAPABILITIES,
        chosen: Iterable[str] | None = None,
        reference: Model | None = None,
    ) -> None:
        engine = ScriptedEngine(_function(answer), capabilities=frozenset(capabilities))
        super().__init__(engine, member, chosen=chosen, reference=reference)
        self.name = member


@asynccontextmanager
async def open_model(spec: str, member: str = "candidate", **options: object) -> AsyncIterator[EngineModel]:
    """The model that a spec names, started, and closed in the end. options: as `-o` gives them.

    Raises NotFound or ConfigError for what its provider cannot fill, EngineError where it does not start.
    """
    read = parse_spec(spec, [(name, str(value)) for name, value in options.items()])
    provider: Provider = catalogue().load("provider", read.provider)
    engine = provider.engine(read)
    await engine.start(Surroundings())
    try:
        yield EngineModel(engine, member)
    finally:
        await engine.close()


def _function(answer: Answer | str | Sequence[Reply | str]) -> Callable[[Request, Asking], Reply | str]:
    if isinstance(answer, str):
        return lambda _request, _asking: answer
    if callable(answer):
        return lambda request, _asking: answer(request)
    replies = iter(answer)
    return lambda _request, _asking: next(replies)


_FOLDER = Path(tempfile.gettempdir()) / "suite-testing"
_CELL = "cell"
_UNKNOWN = "0" * 64  # hashes that nothing here reads


class Solved(NamedTuple):
    """A sample with its output and the score of it."""

    sample: AnySample
    output: Output
    score: Score

    def row(self, task: AnyTask, model: str = "scripted") -> Raw:
        """The output as a row for the next stage, as `--data NAME=RUN` gives it. model: of the candidate."""
        parameters = task.parameters.solve_values()
        return output_row(_record(self), self.output.text, task.info.name, parameters, model)


def task_tools(folder: Path = _FOLDER) -> RunTools:
    """What `open` may ask for, as in a run. folder: where the folders are made that last between runs."""
    return RunTools(folder)


async def solve_all(task: AnyTask, data: Data, **roles: Model | Sequence[Model]) -> list[Solved]:
    """Open a task, solve and score all of its samples one after the other, close it.

    roles: who fills them, as `candidate=ScriptedModel(...)`; several members are a panel.
    """
    models = Models({name: [one] if isinstance(one, Model) else one for name, one in roles.items()})
    with tempfile.TemporaryDirectory(prefix="suite-solve-") as folder:
        tools = task_tools(Path(folder))
        try:
            await task.open(data, tools)
            found = []
            for sample in task.samples(data):
                output = await task.solve(sample, models)
                found.append(Solved(sample, output, await task.score(sample, output, models)))
            return found
        finally:
            await task.close()
            await tools.close()


def metrics_of(task: AnyTask, solved: Iterable[Solved]) -> dict[str, float | None]:
    """The task's metrics of these scores: name, or name[slice] -> value. Intervals are left out."""
    metrics = [replace(one, interval="none") if isinstance(one, Custom) else one for one in task.metrics]
    table = TableBuilder(wanted(metrics))
    for one in solved:
        of, values, parts = one.sample, dict(one.score.values), list(one.score.parts)
        score = ScoreRecord(
            cell=_CELL, sample=of.id, trial=of.trial, output_sha256=_UNKNOWN, values=values, parts=parts
        )
        table.add(_record(one), score)
    rows = compute(metrics, task.info.headline, table.build())
    return {one.name + (f"[{'/'.join(one.slice.values())}]" if one.slice else ""): one.value for one in rows}


def _record(solved: Solved) -> OutputRecord:
    one = solved.sample
    return OutputRecord(
        cell=_CELL, sample=one.id, trial=one.trial, group=one.group, cluster=one.cluster, tags=dict(one.tags),
        payload_sha256=_UNKNOWN, output=solved.output,
    )  # fmt: skip
