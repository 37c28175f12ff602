"""vibechecker/big and vibechecker/live: does code work, and does it follow its instructions?

A sample is a problem; a cell is a protocol and k, the number of instructions. Scoring checks the final
program: each instruction by deterministic verifiers, by strict and by official rules, and the hidden
tests in the sandbox. The headline `joint` counts programs that pass and follow all.
Paper: arXiv 2510.07315 (Vibe Checker; later SWE-IF).
"""

import asyncio
import sys
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

import suite
from suite_vibechecker.conversation import PROMPTS
from suite_vibechecker.environment import Environment, cache_folder, find
from suite_vibechecker.functional import NOT_RUN, Functional
from suite_vibechecker.metrics import METRICS
from suite_vibechecker.parameters import PRESETS, Parameters
from suite_vibechecker.rows import BigRow, LiveRow
from suite_vibechecker.scoring import Answer, items, score
from suite_vibechecker.showing import show
from suite_vibechecker.solving import solve
from suite_vibechecker.vericode import RUFF_VERSION, Item, Verdict, check_many, open_linter, rules_sha256

RowT = TypeVar("RowT", BigRow, LiveRow)
PAPER = "https://arxiv.org/abs/2510.07315"


class _VibeChecker(suite.Task[RowT, Parameters]):
    """What both tasks share; they differ in their rows and the temperature of the paper."""

    temperature: ClassVar[float]
    metrics = METRICS
    prompts = PROMPTS

    @abstractmethod
    def rows(self, data: suite.Data) -> Iterable[RowT]:
        """All problems."""

    def interpreter(self, data: suite.Data) -> Environment:  # noqa: ARG002
        """The Python that runs the tests."""
        return find(self.parameters.interpreter, cache_folder(), ())

    async def open(self, data: suite.Data, tools: suite.Tools) -> Mapping[str, str]:
        """Get the pinned ruff, the sandbox and the tests' interpreter ready; none of it only to solve."""
        if not tools.scoring:
            return {}
        linter = open_linter()

        async def check_batch(batch: Sequence[Item]) -> Sequence[Verdict]:
            return await asyncio.to_thread(check_many, batch, linter=linter)

        self._check = tools.batch("vericode", check_batch, 2000, 50.0)
        environment = self.interpreter(data)
        self._functional = Functional(
            await tools.sandbox(str(environment.python)),
            environment,
            shared_tests=self.parameters.shared_tests,
            seconds=self.parameters.test_seconds,
        )
        return {
            "ruff": RUFF_VERSION,
            "rules_sha256": rules_sha256(),
            "python": ".".join(map(str, sys.version_info[:3])),
            **environment.facts(),
            **self._functional.facts(),
        }

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[RowT]]:
        """Problems with at least k instructions."""
        for row in self.rows(data):
            if len(row.instruction_list) >= self.parameters.k:
                yield suite.Sample(_id_of(row), row, tags=_tags_of(row))

    async def solve(self, sample: suite.Sample[RowT], models: suite.Models) -> suite.Output:
        """One question for k = 0 and single turn, a chain of k edits for multi turn."""
        wanted = self.parameters.temperature
        temperature = self.temperature if wanted is None else wanted
        return await solve(sample.payload, self.parameters, temperature, models.candidate, self.prompts)

    async def score(
        self,
        sample: suite.Sample[RowT],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Check every instruction in both modes, and run the hidden tests."""
        row, answer = sample.payload, Answer.of(output.text, output.finish)
        chosen = row.instruction_list[: self.parameters.k]
        verdicts = await asyncio.gather(*(self._check(item) for item in items(answer, chosen)))
        tests = NOT_RUN if answer.failed else await self._functional(row, answer.code)
        official = await self._functional.official(row, answer.solution, answer.full, answer.code, tests)
        return score(chosen, verdicts[: len(chosen)], verdicts[len(chosen) :], tests, official)

    def show(
        self, sample: suite.Sample[RowT], output: suite.Output, score: suite.Score | None
    ) -> Iterable[suite.Block]:
        """The program with every verifier's findings at their lines."""
        return show(sample.payload.instruction_list[: self.parameters.k], output, score)


def _id_of(row: BigRow | LiveRow) -> str:
    return row.task_id if isinstance(row, BigRow) else row.question_id


def _tags_of(row: BigRow | LiveRow) -> dict[str, str]:
    if isinstance(row, BigRow):
        return {}
    return {"difficulty": row.difficulty, "platform": row.platform, "kind": row.kind}


class Big(_VibeChecker[BigRow]):
    """Problems with unittest classes over many libraries, from BigCodeBench."""

    info = suite.TaskInfo(
        name="vibechecker/big",
        version=2,
        title="Library-heavy code that works and follows instructions",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="joint",
        datasets=("vibechecker-big",),
        mini={"vibechecker-big": "vibechecker-big-mini"},
        paper=PAPER,
        presets=PRESETS,
        sandbox=True,
    )
    temperature = 0.0

    def rows(self, data: suite.Data) -> Iterable[BigRow]:
        """All problems."""
        return data.rows("vibechecker-big", BigRow)

    def references(self, sample: suite.Sample[BigRow]) -> Iterable[str]:
        """The body of the reference solution."""
        return (sample.payload.canonical_solution,)

    def interpreter(self, data: suite.Data) -> Environment:
        """One that has the packages which the problems import."""
        modules = dict.fromkeys(name for row in self.rows(data) for name in row.libraries())
        return find(self.parameters.interpreter, cache_folder(), modules)


class Live(_VibeChecker[LiveRow]):
    """Contest problems by standard input or by a function, from LiveCodeBench."""

    info = suite.TaskInfo(
        name="vibechecker/live",
        version=2,
        title="Contest code that works and follows instructions",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="joint",
        datasets=("vibechecker-live",),
        mini={"vibechecker-live": "vibechecker-live-mini"},
        paper=PAPER,
        presets=PRESETS,
        sandbox=True,
        note="Values are compared as the authors' checker does; scores are not LiveCodeBench's.",
    )
    temperature = 0.2

    def rows(self, data: suite.Data) -> Iterable[LiveRow]:
        """All problems."""
        return data.rows("vibechecker-live", LiveRow)
