"""From a plan to a run that can start: its folder, whose cached replies it takes, how it is run.

The command line and the Python calls both go this way, so that the same wishes give the same run.
"""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from suite.api.arguments import settled
from suite.errors import ConfigError
from suite.journal.run import Run
from suite.run.cache import Reuse
from suite.run.executor import Executor
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan
from suite.run.reopen import plan_again
from suite.run.request import AskedRun, EvalRequest
from suite.run.role_members import flag_of
from suite.run.run_folder import RunFolder, choose_folder
from suite.run.session import Session, run_plan


@dataclass(frozen=True)
class PreparedRun:
    """A run that can start, or go on. lease: of a shard, its own folder below."""

    plan: Plan
    folder: Path
    stages: Sequence[str]
    settings: RunSettings
    lease: RunFolder | None = None

    def start(
        self, begun: Callable[[Session], None] = lambda _: None, executor: Executor | None = None
    ) -> Coroutine[Any, Any, Outcome]:
        """Carry it out. begun: takes the session once there is one. executor: who drives it, None: we."""
        if executor is not None and self.settings.until is not None:
            raise ConfigError.of("gates.until.executor", name=executor.name)
        drive = Session.run if executor is None else executor.run
        folder = self.lease or self.folder
        return run_plan(
            self.plan, folder, stages=self.stages, settings=self.settings, begun=begun, drive=drive
        )


def prepare(
    plan: Plan,
    asked: AskedRun,
    settings: RunSettings,
    settle: Iterable[tuple[str, str]],
    *,
    output: Path | None = None,
    folder: Path | None = None,
) -> PreparedRun:
    """The run of a plan. settings: who asks and who watches; the rest is as asked for. settle: see `settled`.

    output: its folder, None for the default one. folder: of a run that is scored again. Raises ConfigError,
    RunError for a folder that holds another plan, or anything that is no run.
    """
    if asked.may_stop_early:
        from suite.gates.early_stop import stop_rule

        settings = replace(settings, until=stop_rule(plan, asked))
    reuse: Reuse = "all" if asked.cache else "none" if asked.new else "others"
    settings = replace(
        settings, cache=asked.cache is not False, reuse=reuse, one_engine=asked.one_engine, level=asked.level,
        budget=asked.budget, settle=settled(settle),
    )  # fmt: skip
    stages = ("score",) if folder else asked.stages
    return PreparedRun(plan, folder or choose_folder(plan, output, asked.new), stages, settings)


def plan_scoring(run: Run, request: EvalRequest, check: bool = True) -> Plan:
    """The plan of another scoring of a run. request: models, options, -P and --data of now. check: whether it
    must be possible on this machine.

    Who is asked in both stages and is not named again gives the recorded replies. Raises SuiteError.
    """
    for role, members in run.manifest.roles.items():
        both = [one for one in members if one.stage == "both"]
        if both and role not in request.models:
            specs = [f"replay/{run.folder}?role={one.member}" for one in both]
            request = replace(request, models={**request.models, role: specs})
        if role in request.models and {one.stage for one in members} == {"solve"}:
            raise ConfigError.of("run.score-role", flag=" ".join(flag_of(role, "…")), role=role, run=run)
    return plan_again(run, request, ("score", "both"), check)
