"""The tasks that imported scores belong to: one for each kind of value, since that decides the interval.

A cell is one value of one task of another tool: its parameters name tool, task, scorer and filter. What must
be the same for numbers to mean the same (the task's version, the model that graded) is an at-score parameter,
so that `suite compare` refuses others. Nothing can be solved or scored here: the tasks are not installed.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, NoReturn

from pydantic import Field

import suite
from suite_imports.plugin import KINDS


class ImportedQuestion(suite.Payload):
    """What a sample asked, as the log tells it. target: what would be right."""

    question: str
    choices: tuple[str, ...] = ()
    target: tuple[str, ...] = ()


class ImportedParameters(suite.Parameters):
    """Which value of which task of which tool."""

    tool: Literal["inspect", "lm-eval"] = Field("inspect", description="the tool that ran the task")
    task: str = Field("", description="the tool's name of the task or group of tasks")
    scorer: str = Field("", description="the scorer or metric that gave the value")
    filter: str = Field("", description="the filter of answers before it, if any")
    options: str = Field("", description="arguments of the task, as JSON")
    shots: int | None = Field(None, description="examples in the prompt, as far as the log tells")
    version: str = suite.at_score("", description="the tool's version of the task")
    grader: str = suite.at_score("", description="the model that graded, if one did")


class Imported(suite.Task[ImportedQuestion, ImportedParameters]):
    """Scores that another tool gave; `_task` makes one for each kind of value, with its metric."""

    async def open(self, data: suite.Data, tools: suite.Tools) -> NoReturn:  # noqa: ARG002
        """Refuse, before anything is asked. Raises ConfigError."""
        raise _elsewhere("asked or scored")

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[ImportedQuestion]]:  # noqa: ARG002
        """None: they stand in imported runs alone."""
        return ()

    async def solve(self, sample: suite.Sample[ImportedQuestion], models: suite.Models) -> NoReturn:  # noqa: ARG002
        """Refuse. Raises ConfigError."""
        raise _elsewhere("asked")

    async def score(
        self,
        sample: suite.Sample[ImportedQuestion],  # noqa: ARG002
        output: suite.Output,  # noqa: ARG002
        models: suite.Models,  # noqa: ARG002
    ) -> NoReturn:
        """Refuse. Raises ConfigError."""
        raise _elsewhere("scored")

    def show(
        self,
        sample: suite.Sample[ImportedQuestion],
        output: suite.Output,
        score: suite.Score | None,  # noqa: ARG002
    ) -> Iterable[suite.Block]:
        """Question, choices, answer, target."""
        asked = sample.payload
        yield suite.Text(asked.question, "Question")
        if asked.choices:
            yield suite.Text("\n".join(asked.choices), "Choices")
        yield suite.Text(output.text, "Answer")
        if asked.target:
            yield suite.Text("\n".join(asked.target), "Target")


def _elsewhere(what: str) -> suite.ConfigError:
    return suite.ConfigError(
        f"samples of an imported task can't be {what} here: another tool has the task",
        fix="`suite runs import` reads what it logged; `suite judge correct` checks its scores",
    )


def _task(kind: str, metric: suite.Mean, question: str = "") -> type[Imported]:
    """The task of a kind of value. question: what people are asked who check it."""
    info = suite.TaskInfo(
        name=f"imported/{kind}",
        version=1,
        title=f"Imported from another tool: {KINDS[kind]}",
        # whoever scored, people can check it like a judge
        roles={"candidate": suite.Role(), "judge": suite.Role(stage="score", optional=True)},
        headline="score",
        questions={"score": question} if question else {},
        replay="none",
        replay_reason="the task is another tool's, and only what it logged is here",
    )
    metric = replace(
        metric, by="part" if kind.endswith("-parts") else (), about="What the tool's scorer gave."
    )
    name = "Imported" + kind.title().replace("-", "")
    return type(name, (Imported,), {"info": info, "metrics": (metric,)})


_RIGHT, _GOOD = "Is this answer right?", "How good is this answer?"
_RATE, _GRADE = suite.Rate("score"), suite.Mean("score", range=(0.0, 1.0))
_GAIN, _LOSS = suite.Mean("score"), suite.Mean("score", direction="lower")

ImportedRate = _task("rate", _RATE, _RIGHT)
ImportedGrade = _task("grade", _GRADE, _GOOD)
ImportedGain = _task("gain", _GAIN)
ImportedLoss = _task("loss", _LOSS)
ImportedNumber = _task("number", suite.Mean("score", direction="neither"))
ImportedRateParts = _task("rate-parts", _RATE, _RIGHT)
ImportedGradeParts = _task("grade-parts", _GRADE, _GOOD)
ImportedGainParts = _task("gain-parts", _GAIN)
ImportedLossParts = _task("loss-parts", _LOSS)
