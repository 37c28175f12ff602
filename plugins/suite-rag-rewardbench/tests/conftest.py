"""The bundled data as a task sees it, reward models to script, samples solved at once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from suite_rag_rewardbench.rag import RagRewardBench
from suite_rag_rewardbench.v1 import RewardBench1
from suite_rag_rewardbench.v2 import RewardBench2

import suite
from suite.testing import ScriptedModel, Solved, solve_all, task_data

TASKS = (RagRewardBench, RewardBench1, RewardBench2)
DATASETS = [name for task in TASKS for name in task.info.datasets]
Answer = Callable[[suite.Request], suite.Reply | str]


@pytest.fixture(scope="session")
def mini() -> suite.Data:
    """The bundled data."""
    return task_data(*TASKS)


@pytest.fixture
def in_memory() -> Callable[[Sequence[Mapping[str, object]]], suite.Data]:
    """Rows in memory, whichever dataset is asked for."""
    return lambda rows: task_data(given=dict.fromkeys(DATASETS, rows))


@pytest.fixture
def model() -> Callable[..., ScriptedModel]:
    """A model to script, which can chat or what is named."""

    def make(answer: Answer | str, *capabilities: str, reference: suite.Model | None = None) -> ScriptedModel:
        return ScriptedModel(answer, capabilities=capabilities or ("chat",), reference=reference)

    return make


@pytest.fixture
def scores() -> Callable[..., ScriptedModel]:
    """A classifier that scores each text by a function."""

    def make(score: Callable[[str], float | None]) -> ScriptedModel:
        def answer(request: suite.Request) -> suite.Reply:
            details = {"tokens": [len(text) for text in request.texts]}
            return suite.Reply(scores=tuple(score(text) for text in request.texts), details=details)

        return ScriptedModel(answer, capabilities=["rate"])

    return make


@pytest.fixture
def run() -> Callable[[suite.AnyTask, suite.Data, suite.Model], Sequence[Solved]]:
    """Solve and score all samples of a task."""
    return lambda task, data, model: asyncio.run(solve_all(task, data, candidate=model))


@pytest.fixture
def shared() -> Path:
    """The published tables, where somebody has put them beside the checkout."""
    folder = Path(__file__).resolve().parents[3] / "../shared/data/rag_rewardbench"
    if not folder.is_dir():
        pytest.skip("the published tables are not beside this checkout")
    return folder
