"""`suite.evaluate` and its like: arguments in, a run with its results out.

Each works where the command of the same name works, and gives the same folders, journals and reports.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

from suite.api.arguments import Arguments, call_text, read_arguments, scoped, swept
from suite.api.background import BackgroundRun, Screen
from suite.api.preparation import PreparedRun, plan_scoring, prepare
from suite.api.tables import RunComparison, SampleTable, metric_table, summary_html, summary_text, to_pandas
from suite.comparisons.comparison import ComparisonWanted, Correction, compare_runs
from suite.errors import RunError, SuiteError
from suite.journal.run import Run, find_run, open_run
from suite.plugins import catalogue
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import make_plan
from suite.run.seal import recounted
from suite.task import AnyTask, Task

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

P = ParamSpec("P")
TaskLike = str | Path | type[AnyTask]
RunLike = str | Path | Run
_Awaitable = Coroutine[Any, Any, "Evaluation"]
_Awaited = Callable[..., _Awaitable]


class Evaluation(Run):
    """A run with one scoring, as `suite.evaluate`, `suite.score` and `suite.load` return it.

    Beside what `Run` has: its results as tables, and how the call that made it ended. error: what stopped
    that call before the end, None if nothing did.
    """

    def __init__(self, folder: Path, scoring: str = "", outcome: Outcome | None = None) -> None:
        super().__init__(folder, scoring)
        self.error: SuiteError | None = outcome.error if outcome else None
        self._outcome = outcome

    @property
    def pending(self) -> int:
        """Samples that are not finished: the same call takes them up again."""
        if self._outcome or self.has_results:
            return self._outcome.pending if self._outcome else self.results.pending
        done = sum(1 for _ in (self.scores() if self.scoring else self.outputs()))
        return max(self.manifest.all_works - done, 0)

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why samples are pending after this call: kind of failure -> how many."""
        return (self._outcome.reasons if self._outcome else None) or {}

    def to_arrow(self, *, slices: bool = False) -> "pa.Table":
        """One row a metric of a cell, the parameters as columns. slices: also metrics of parts of a cell."""
        return metric_table(self, slices=slices)

    def to_pandas(self, *, slices: bool = False) -> "pd.DataFrame":
        """The same as a data frame. Raises ConfigError where pandas is not installed."""
        return to_pandas(self.to_arrow(slices=slices))

    def samples(self) -> SampleTable:
        """Its samples as a table."""
        return SampleTable(self)

    def __repr__(self) -> str:
        return summary_text(self, self.pending, self._told())

    def _repr_html_(self) -> str:
        return str(summary_html(self, self.pending, self._told()))

    def _told(self) -> list[str]:
        return [*self._outcome.lines("the same call")] if self._outcome else []


def evaluate(
    task: TaskLike | Sequence[TaskLike], *,
    model: str | None = None, judge: str | Sequence[str] | None = None, baseline: str | None = None,
    user: str | None = None, embedder: str | None = None,
    roles: Mapping[str, str | Sequence[str]] | None = None,
    options: Mapping[str, object] | None = None, parameters: Mapping[str, object] | None = None,
    preset: str = "", mini: bool = False, limit: int | None = None, trials: int = 1, seed: int = 0,
    data: Mapping[str, object] | None = None, prompts: Literal["own", "official"] = "own",
    thinking: str | int | None = None, concurrency: int | None = None, cache: bool | None = None,
    level: float = 0.95, budget: str | None = None, settle: Mapping[str, str] | None = None,
    until: str | None = None, against: Sequence[str] = (), until_better_than: str | None = None,
    output: str | Path | None = None, new: bool = False, solve_only: bool = False, one_engine: bool = False,
    margin: float = 0.0, progress: bool | None = None,
) -> Evaluation:  # fmt: skip
    """Run tasks against models and score what they answer, like `suite eval` with the flags of these names.

    The same call continues a run that was interrupted; a finished one is returned and not repeated.

    task: a name, a family, a file (`./units.py`, `./units.py:Units`), a task class, or several of these.
    model, judge, baseline, user, embedder: specs, `provider/name`; several judges are a panel. roles: others.
    options: of engines, "key" of the candidate's, "ROLE.key" of another's.
    parameters: name -> value; a list sweeps; "TASK:name" is of one task. data: dataset name -> a file, a run,
    or rows. budget: what it may cost at most, as "20usd" or "2Mtokens". progress: False shows nothing.

    Raises SuiteError for what the command refuses, and where no sample could be run; KeyboardInterrupt once
    an interrupted run has closed down. A run with pending samples is returned and says so.
    """
    asked = read_arguments(given := dict(locals()))
    screen = Screen(asked.progress)
    run = _evaluation(asked, _settings(screen, evaluate, given), screen.say)
    return _made(run, BackgroundRun(run, screen).wait())


def _taking_arguments_of(call: Callable[P, Evaluation]) -> Callable[[_Awaited], Callable[P, _Awaitable]]:
    return lambda function: wraps(call, assigned=())(function)


@_taking_arguments_of(evaluate)
async def aevaluate(*arguments: object, **named: object) -> Evaluation:
    """`evaluate` to be awaited, with its arguments. Cancelling it drops what is in flight; the run stays."""
    bound = inspect.signature(evaluate).bind(*arguments, **named)
    bound.apply_defaults()
    asked = read_arguments(bound.arguments)
    screen = Screen(asked.progress)
    settings = _settings(screen, aevaluate, bound.arguments)
    run = await asyncio.to_thread(_evaluation, asked, settings, screen.say)
    return _made(run, await BackgroundRun(run, screen).wait_async())


def _evaluation(asked: Arguments, settings: RunSettings, say: Callable[[str], None]) -> PreparedRun:
    classes = (one for one in asked.tasks if isinstance(one, type) and issubclass(one, Task))
    plugins = catalogue().with_classes(classes)
    request = asked.whole(swept(asked.parameters or {}))
    plugins = plugins.with_files(request.tasks)
    plan = make_plan(request, stages=("both", *asked.stages), say=say, plugins=plugins, count=False)
    place = None if asked.output is None else Path(asked.output)
    return prepare(recounted(plan, place), asked, settings, (asked.settle or {}).items(), output=place)


def score(
    run: RunLike, *,
    judge: str | Sequence[str] | None = None, baseline: str | None = None, user: str | None = None,
    embedder: str | None = None, roles: Mapping[str, str | Sequence[str]] | None = None,
    options: Mapping[str, object] | None = None, parameters: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None, prompts: Literal["own", "official"] | None = None,
    concurrency: int | None = None, cache: bool | None = None, level: float = 0.95,
    budget: str | None = None, settle: Mapping[str, str] | None = None, progress: bool | None = None,
) -> Evaluation:  # fmt: skip
    """Score a run's outputs again without generating any, as `suite score` does; earlier scorings stay.

    parameters: at-score parameters, each one value. prompts: None takes the run's. Raises as `evaluate`.
    """
    asked = read_arguments(given := dict(locals()))
    screen = Screen(asked.progress)
    opened = Run(run.folder if isinstance(run, Run) else find_run(run))
    request = asked.whole(scoped(asked.parameters or {}))
    plan = plan_scoring(opened, replace(request, prompts=asked.prompts or opened.manifest.prompts))
    settings, kinds = _settings(screen, score, given), (asked.settle or {}).items()
    made = prepare(plan, asked, settings, kinds, folder=opened.folder)
    return _made(made, BackgroundRun(made, screen).wait())


def compare(
    *runs: RunLike, metric: str | Sequence[str] = (), against: RunLike = "", alpha: float = 0.0,
    level: float = 0.0, correction: Correction = "holm", margin: float | None = None, anyway: bool = False,
    examples: int = 5,
) -> RunComparison:  # fmt: skip
    """Compare runs sample by sample, as `suite compare` does with the flags of these names.

    alpha, level: 0.05 and 0.95 where neither is given. Raises SuiteError for runs that are not comparable.
    """
    wanted = ComparisonWanted(
        (metric,) if isinstance(metric, str) else tuple(metric),
        against.name if isinstance(against, Run) else str(against),
        alpha, level, correction, margin, anyway, examples,
    )  # fmt: skip
    return RunComparison(compare_runs([_place(one) for one in runs], wanted))


def load(run: RunLike) -> Evaluation:
    """A run, finished or not, by its folder or its name under runs/; RUN@SCORING takes an older scoring.

    Raises NotFound, RunError.
    """
    found = run if isinstance(run, Run) else open_run(run)
    return Evaluation(found.folder, found.scoring)


def _place(run: RunLike) -> str:
    if isinstance(run, Run):
        return f"{run.folder}@{run.scoring}" if run.scoring else str(run.folder)
    return str(run)


def _settings(screen: Screen, call: Callable[..., object], given: Mapping[str, object]) -> RunSettings:
    """Who asks, and who watches."""
    view, command = screen if screen.in_notebook else None, call_text(call, given)
    return RunSettings(quiet=screen.off, view=view, command=command, another="new=True")


def _made(run: PreparedRun, outcome: Outcome) -> Evaluation:
    """The run as its caller gets it. Raises what stopped it where no sample could be run."""
    found = Evaluation(run.folder, outcome.scoring if outcome.results else "", outcome)
    began = found.journal.outputs if "solve" in run.stages else found.judged.scores
    if outcome.pending and next(iter(began), None) is None:
        what, *more = outcome.lines("the same call")
        raise outcome.error or RunError(what, "\n  ".join(more[:-1]), more[-1] if more else "")
    return found
