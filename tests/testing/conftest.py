"""A small task that keeps the contract, and a way to break it in one place."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import suite
from suite.plugins import BUILTIN, catalogue_of
from suite.testing.bench import Bench, Subject


class Knobs(suite.Parameters):
    """Two cells."""

    loud: bool = False


class Good(suite.Task[dict[str, Any], Knobs]):
    """Asks for a word and has a judge say whether it is one."""

    info = suite.TaskInfo(
        name="tried/task",
        version=1,
        title="A word",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score"),
        },
        headline="fine",
        presets={"both": [{"loud": False}, {"loud": True}]},
    )
    metrics = (suite.Rate("fine", by="half"), suite.Mean("length", range=(0, 1000)))

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[dict[str, Any]]]:
        for n in range(12):
            yield suite.Sample(id=f"w{n}", payload={"n": n}, group=f"g{n // 2}", tags={"half": "ab"[n % 2]})

    async def solve(self, sample: suite.Sample[dict[str, Any]], models: suite.Models) -> suite.Output:
        asked = f"Say word {sample.payload['n']}{'!' if self.parameters.loud else '.'}"
        reply = await models.candidate.chat([suite.user(asked)])
        return suite.Output(reply.text, finish=reply.finish)

    async def score(
        self, sample: suite.Sample[dict[str, Any]], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        if not output.text:
            return suite.Score({"fine": False, "length": 0})
        reply = await models.judge.chat([suite.user(f"Is it a word, Yes or No? {output.text}")])
        fine = {"Yes": True, "No": False}.get(reply.text)
        value = suite.Unscored("judge-unparsed") if fine is None else fine
        return suite.Score({"fine": value, "length": len(output.text)})


@pytest.fixture
def good() -> type[Good]:
    """The task that keeps the contract."""
    return Good


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Bench]:
    """A bench for a task class that nobody has installed."""

    def make(task: type[suite.Task[Any, Any]], **more: Any) -> Bench:
        module = ModuleType("suite_tried")
        module.Tried = task  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "suite_tried", module)
        entry = suite.Entry("task", "tried/task", "A word", "suite_tried:Tried")
        plugins = catalogue_of([], (*BUILTIN, entry))
        values = {"parameters": (("", "loud", "false,true"),), **more}
        return Bench(Subject("tried/task", plugins=plugins, **values), tmp_path)

    return make
