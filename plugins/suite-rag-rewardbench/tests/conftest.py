"""The bundled data as the suite reads it, scripted models behind the contract, and metrics as computed."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from suite_rag_rewardbench import __file__ as package

import suite
from suite.data.registry import Registry
from suite.data.view import DataView, FileSource, open_data
from suite.scoring.rating import rate_answers

RowT = TypeVar("RowT")
HERE = Path(package).parent
SHARED = Path(__file__).resolve().parents[3] / "../shared/data/rag_rewardbench"
MINI = {
    "rag-rewardbench": "rag-rewardbench-mini",
    "reward-bench": "reward-bench-mini",
    "pref-test-sets": "pref-test-sets-mini",
    "reward-bench-2": "reward-bench-2-mini",
}
Answer = Callable[[suite.Request], suite.Reply | str]


class Rows:
    """`suite.Data` over rows in memory, for rows that no file of ours should hold."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], part: str = "") -> None:
        self._rows = rows
        self._part = part

    def rows(self, name: str, row: Any, part: str | None = None) -> Iterator[Any]:
        for one in self._rows:
            yield row(**one)

    def file(self, name: str, path: str) -> Path:
        raise NotImplementedError

    def has(self, name: str, part: str | None = None) -> bool:
        return True


class Scripted(suite.Model):
    """A model whose replies a function of the request gives; rates by the suite's own function."""

    def __init__(self, answer: Answer, capabilities: set[str], reference: suite.Model | None) -> None:
        self.member = "candidate"
        self.name = "scripted"
        self.capabilities = self.chosen = frozenset(capabilities)
        self.requests: list[suite.Request] = []
        self._answer = answer
        self._reference = reference

    async def ask(self, request: suite.Request, key: str = "") -> suite.Reply:
        self.requests.append(request)
        found = self._answer(request)
        return suite.Reply(found) if isinstance(found, str) else found

    async def rate_answers(
        self, messages: tuple[suite.Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> suite.Ratings:
        return await rate_answers(self, messages, answers, kind, key, self._reference)


@pytest.fixture(scope="session")
def mini() -> DataView:
    """The bundled data."""
    return open_data(MINI, Registry([HERE / "registry"]), instead=MINI)


@pytest.fixture
def in_memory() -> type[Rows]:
    """Rows in memory."""
    return Rows


@pytest.fixture
def from_file() -> Callable[[str, Path], DataView]:
    """A dataset from a file that somebody gave."""
    return lambda name, path: DataView({name: FileSource(name, path)})


@pytest.fixture
def model() -> Callable[..., Scripted]:
    """A model to script."""

    def make(answer: Answer | str, *capabilities: str, reference: suite.Model | None = None) -> Scripted:
        function = (lambda _: answer) if isinstance(answer, str) else answer
        return Scripted(function, set(capabilities) or {"chat"}, reference)

    return make


@pytest.fixture
def scores(model: Callable[..., Scripted]) -> Callable[..., Scripted]:
    """A classifier that scores each text by a function."""

    def make(score: Callable[[str], float | None], reasons: Sequence[str] = ()) -> Scripted:
        def answer(request: suite.Request) -> suite.Reply:
            found = tuple(score(text) for text in request.texts)
            details = {"tokens": [len(text) for text in request.texts]}
            return suite.Reply(
                scores=found, details=details | ({"reasons": list(reasons)} if reasons else {})
            )

        return model(answer, "rate")

    return make


Run = Callable[..., list[tuple[suite.Sample[Any], suite.Output, suite.Score]]]


@pytest.fixture
def run() -> Run:
    """Solve and score all samples of a task."""

    def go(task: suite.Task[Any, Any], data: Any, model: suite.Model) -> Any:
        models = suite.Models({"candidate": [model]})

        async def all_of() -> list[Any]:
            found = []
            for sample in task.samples(data):
                output = await task.solve(sample, models)
                found.append((sample, output, await task.score(sample, output, models)))
            return found

        return asyncio.run(all_of())

    return go


@pytest.fixture
def compute() -> Callable[..., dict[str, float | None]]:
    """Metrics of solved and scored samples, as the suite computes them: name, or name[category] -> value."""
    from suite.journal.records import OutputRecord, ScoreRecord
    from suite.scoring.computing import compute, wanted
    from suite.scoring.table import TableBuilder

    def go(task: suite.Task[Any, Any], done: Sequence[Any]) -> dict[str, float | None]:
        # intervals are not looked at here: a few draws will do
        metrics = [replace(one, draws=20) if isinstance(one, suite.Custom) else one for one in task.metrics]
        table = TableBuilder(wanted(metrics))
        for s, output, score in done:
            tags = dict(s.tags)
            table.add(
                OutputRecord("c", s.id, 0, s.group, s.cluster, tags, "0" * 64, output),
                ScoreRecord("c", s.id, 0, "0" * 64, score.values, list(score.parts)),
            )
        rows = compute(metrics, task.info.headline, table.build())
        return {
            row.name + (f"[{'/'.join(row.slice.values())}]" if row.slice else ""): row.value for row in rows
        }

    return go


@pytest.fixture
def shared() -> Path:
    """The published tables, where somebody has put them beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the published tables are not beside this checkout")
    return SHARED
