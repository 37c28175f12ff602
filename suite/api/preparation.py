"""From a plan to a run that can start: its folder, whose cached replies it takes, how it is run.

The command line and the Python calls both go this way, so that the same wishes give the same run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from suite.journal.run import Run
from suite.run.cache import Reuse
from suite.run.folders import choose_folder
from suite.run.outcome import RunSettings
from suite.run.plan import Plan
from suite.run.reopen import plan_again
from suite.run.request import EvalRequest

SOLVE_AND_SCORE = ("solve", "score")


@dataclass(frozen=True)
class PreparedRun:
    """A run that can start, or go on: `run_plan` takes all of it."""

    plan: Plan
    folder: Path
    stages: Sequence[str]
    settings: RunSettings


def prepare(
    plan: Plan,
    settings: RunSettings,
    stages: Sequence[str] = SOLVE_AND_SCORE,
    *,
    output: Path | None = None,
    new: bool = False,
    cache: bool | None = None,
    folder: Path | None = None,
) -> PreparedRun:
    """The run of a plan. settings: how to run, but for the cache. output: its folder, None for the default
    one. new: another run of the same plan. cache: take replies of every run (True), of none (False), of runs
    of other plans (None). folder: of a run that is scored again; else it is chosen.

    Raises RunError for a folder that holds another plan, or anything that is no run.
    """
    reuse: Reuse = "all" if cache else "none" if new else "others"
    settings = replace(settings, cache=cache is not False, reuse=reuse)
    return PreparedRun(plan, folder or choose_folder(plan, output, new), stages, settings)


def plan_scoring(run: Run, request: EvalRequest) -> Plan:
    """The plan of another scoring of a run. request: models, options, -P and --data of now.

    Who is asked in both stages and is not named again gives the recorded replies. Raises SuiteError.
    """
    for role, members in run.manifest.roles.items():
        both = [one for one in members if one.stage == "both"]
        if both and role not in request.models:
            specs = [f"replay/{run.folder}?role={one.member}" for one in both]
            request = replace(request, models={**request.models, role: specs})
    return plan_again(run, request, stages=("score", "both"))
