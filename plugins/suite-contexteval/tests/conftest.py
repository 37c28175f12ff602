"""Bundled data as a task sees it, and a model that answers by a function."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from suite_contexteval import __file__ as package

import suite
from suite.data.cache import Cache
from suite.data.registry import Registry
from suite.data.rows import Raw, RowPlace
from suite.data.view import DataView, Source, obtain

ROOT = Path(package).parent
REAL = Path(__file__).parents[4] / "shared/data/contexteval"


class Rows:
    """Rows given in memory, as a run or a file gives them."""

    def __init__(self, rows: Iterable[Raw]) -> None:
        self._rows = list(rows)

    def parts(self) -> tuple[str, ...]:
        return ()

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        for number, row in enumerate(self._rows):
            yield RowPlace("rows", "rows", number), row

    def path(self, path: str) -> Path:
        raise suite.DataError(f"no file {path}")

    def identity(self) -> Mapping[str, Any]:
        return {}


class Scripted(suite.Model):
    """A model that answers by a function of what it is asked last, and keeps what it was asked."""

    def __init__(self, member: str, answer: Callable[[str], str | suite.Reply]) -> None:
        self.member = self.name = member
        self.capabilities = self.chosen = frozenset({"chat"})
        self.answer = answer
        self.asked: list[suite.Request] = []

    @property
    def prompts(self) -> list[str]:
        """The last message of each request."""
        return [one.messages[-1].content for one in self.asked]

    async def ask(self, request: suite.Request, key: str = "") -> suite.Reply:
        self.asked.append(request)
        found = self.answer(request.messages[-1].content)
        return found if isinstance(found, suite.Reply) else suite.Reply(found)

    async def rate_answers(
        self, messages: tuple[suite.Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> suite.Ratings:
        raise NotImplementedError


class NoTools:
    """Nothing to open."""


@pytest.fixture
def scripted() -> type[Scripted]:
    """A model to script."""
    return Scripted


@pytest.fixture
def data(tmp_path: Path) -> Callable[..., DataView]:
    """The data of a task: its mini data, or rows given by dataset name."""
    registry = Registry([ROOT / "registry"])

    def opened(task: Any, **given: Iterable[Raw]) -> DataView:
        sources: dict[str, Source] = {name.replace("_", "-"): Rows(rows) for name, rows in given.items()}
        for name in task.datasets():
            if name not in sources:
                sources[name] = obtain(task.info.mini[name], registry, Cache(tmp_path))
        return DataView(sources)

    return opened


def row_of(sample: suite.Sample[Any], output: suite.Output, task: Any) -> Raw:
    """An output as the next stage reads it from a finished run."""
    return {
        "sample_id": sample.id,
        "group": sample.group,
        "cluster": sample.cluster,
        "tags": dict(sample.tags),
        "text": output.text,
        "data": output.data,
        "finish": output.finish,
        "task": task.info.name,
        "parameters": task.parameters.solve_values(),
        "model": "scripted",
        "trial": 0,
    }


@pytest.fixture
def run() -> Callable[..., Awaitable[list[Raw]]]:
    """Solve and score all samples of a task; returns (rows for the next stage, scores by sample)."""

    async def all_of(task: Any, data: DataView, **roles: suite.Model | Sequence[suite.Model]) -> Any:
        models = suite.Models(
            {name: [one] if isinstance(one, suite.Model) else one for name, one in roles.items()}
        )
        await task.open(data, NoTools())
        rows, scores = [], {}
        for sample in task.samples(data):
            output = await task.solve(sample, models)
            scores[sample.id] = await task.score(sample, output, models)
            rows.append(row_of(sample, output, task))
        return rows, scores

    return all_of
