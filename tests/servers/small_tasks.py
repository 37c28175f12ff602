"""Small real tasks for tests of the runner, and a few lines to run them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

import suite
from suite.data.cache import Cache
from suite.journal.documents import Results
from suite.journal.run import Journal
from suite.models.scripted import ScriptedEngine
from suite.plugins import BUILTIN, Catalogue, catalogue_of
from suite.run.cells import Cell, make_cell
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest
from suite.run.run_folder import RunFolder
from suite.run.session import run_plan


class Word(suite.Payload):
    """One item."""

    word: str


class SpellParameters(suite.Parameters):
    """turns: words put before the question. style: how it is asked. grace: at score."""

    turns: int = 0
    style: Literal["plain", "polite"] = "plain"
    grace: bool = suite.at_score(False)


class Spell(suite.Task[Word, SpellParameters]):
    """Two requests a sample, the first shared by all cells; a judge if one sits."""

    info = suite.TaskInfo(
        name="words/spell",
        version=1,
        title="Say a word back",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score", optional=True),
        },
        headline="said",
    )
    metrics = (suite.Rate("said", by="half"), suite.Mean("length"))
    words: int = 12

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Word]]:
        for index in range(self.words):
            yield suite.Sample(
                f"w{index}", Word(word=f"word{index}"), tags={"half": "first" if index < 6 else "second"}
            )

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        told = suite.user(f"Remember {sample.payload.word}.")
        first = await models.candidate.chat([told], max_tokens=20)
        history = [told, suite.assistant(first.text or "-")]
        for turn in range(self.parameters.turns):
            history += [suite.user(f"Talk about {turn}."), suite.assistant(f"That was {turn}.")]
        ask = "Please say it." if self.parameters.style == "polite" else "Say it."
        reply = await models.candidate.chat([*history, suite.user(ask)], max_tokens=50)
        return suite.Output(reply.text, finish=reply.finish)

    async def score(
        self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        values: dict[str, Any] = {"said": "e" in output.text, "length": float(len(output.text))}
        if models.all("judge"):
            verdict = await models.judge.chat([suite.user(f"Is this fine? {output.text}")], max_tokens=5)
            if verdict.text == "cannot tell":
                values["said"] = suite.Unscored("unparsed", verdict.text)
            else:
                values["said"] = "a" in verdict.text or self.parameters.grace
        return suite.Score(values)


class Many(Spell):
    """As many samples as asked, one request each."""

    info = suite.TaskInfo(
        "words/many", 1, "Many words", {"candidate": suite.Role(needs={"chat"})}, headline="said"
    )
    words = 400

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        reply = await models.candidate.chat([suite.user(f"Say {sample.payload.word}.")], max_tokens=50)
        return suite.Output(reply.text, finish=reply.finish)


def cells(task: type[suite.Task[Any, Any]] = Spell, *parameters: dict[str, Any]) -> list[Cell]:
    """Cells of a task, one for each set of parameters."""
    kind = task.parameters_type()
    return [make_cell(task(kind.model_validate(one)), "tests 0") for one in parameters or ({},)]


def bare_catalogue() -> Catalogue:
    """The suite's own providers and no plugin."""
    return catalogue_of([], BUILTIN)


def plan_of(
    models: Mapping[str, str | Sequence[str]], made: Sequence[Cell] | None = None, **request: Any
) -> Plan:
    """A plan; the cells are those of Spell unless given."""
    named = {role: [one] if isinstance(one, str) else list(one) for role, one in models.items()}
    return make_plan(
        EvalRequest((), models=named, **request),
        plugins=bare_catalogue(),
        cells=made if made is not None else cells(),
        cache=Cache(),
        stages=request.pop("stages", ()),
    )


def scripted(function: Callable[..., Any], plan: Plan, role: str = "candidate") -> ScriptedEngine:
    """Put a function in the place of a role's engine; returns the engine, which counts its calls."""
    engine = ScriptedEngine(function)
    for member in plan.filled.of(role):
        object.__setattr__(member, "engine", engine)
    return engine


async def run(plan: Plan, folder: Path | RunFolder, **settings: Any) -> Outcome:
    """Run a plan without signals, progress or waiting."""
    stages = settings.pop("stages", ("solve", "score"))
    chosen = RunSettings(**{"quiet": True, "signals": False, "backoff_s": 0.001, "cache": False, **settings})
    return await run_plan(plan, folder, stages=stages, settings=chosen)


def without_times(results: Results | None) -> Results:
    """Results but for what a clock shows."""
    assert results is not None
    return replace(results, seconds=0)


def pending_reasons(folder: Path) -> list[tuple[str, str]]:
    """(stage, kind) of every work that was left pending."""
    return [(one.stage, one.kind) for one in Journal(folder).attempts if one.event == "pending"]
