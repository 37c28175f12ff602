"""Bundled data as a task sees it, models that answer by what they are asked last, whole stages."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

import suite
from suite.testing import ScriptedModel, solve_all, task_data

Answer = Callable[[str], str | suite.Reply]
Rows = list[dict[str, Any]]


@pytest.fixture
def scripted() -> Callable[[str, Answer], ScriptedModel]:
    """A model, by its name and a function of what it is asked last."""
    return lambda member, answer: ScriptedModel(
        lambda request: answer(request.last_text), member, capabilities={"chat"}
    )


@pytest.fixture
def data() -> Callable[..., suite.Data]:
    """The data of a task: its mini data, or rows given by dataset name."""

    def opened(task: suite.AnyTask, **given: Iterable[Mapping[str, object]]) -> suite.Data:
        return task_data(task, given={name.replace("_", "-"): rows for name, rows in given.items()})

    return opened


@pytest.fixture
def run() -> Callable[..., Awaitable[tuple[Rows, dict[str, suite.Score]]]]:
    """Solve and score all samples of a task; returns (rows for the next stage, scores by sample)."""

    async def all_of(
        task: suite.AnyTask, data: suite.Data, **roles: suite.Model | Sequence[suite.Model]
    ) -> tuple[Rows, dict[str, suite.Score]]:
        found = await solve_all(task, data, **roles)
        return [one.row(task) for one in found], {one.sample.id: one.score for one in found}

    return all_of
