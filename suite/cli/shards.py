"""--shard and --shards: one share of a run in this process, or all of them in processes of this machine."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from suite.cli.flags import say_json, together
from suite.errors import ConfigError
from suite.journal.shards import MOST_SHARDS, Shard, parse_shard

if TYPE_CHECKING:
    from suite.api.preparation import PreparedRun
    from suite.run.outcome import Outcome

_COUNT = click.IntRange(1, MOST_SHARDS)
_AUTO = "One share of the run, from 1; auto: as Slurm, Kubernetes or SUITE_SHARD say."
shard_flags = together(
    click.option(
        "--shards", type=_COUNT, metavar="N", help="N processes of this machine, merged at the end."
    ),
    click.option("--shard", metavar="I/N|auto", help=_AUTO),
)


def named_shard(text: str, environment: Mapping[str, str] = os.environ) -> tuple[Shard, str]:
    """The shard of --shard, and what named it. Raises ConfigError.

    `auto` takes SUITE_SHARD=3/8, a task of a Slurm array, or a pod of an indexed Kubernetes job. SUITE_SHARDS
    is the number of shards where theirs is another: then Slurm's task numbers count from 1, as ours do.
    """
    if text != "auto":
        return parse_shard(text), "--shard"
    if given := environment.get("SUITE_SHARD"):
        return parse_shard(given, "SUITE_SHARD"), "SUITE_SHARD"
    of = environment.get("SUITE_SHARDS", "")
    for name, count, least in (
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "1" if of else "SLURM_ARRAY_TASK_MIN"),
        ("JOB_COMPLETION_INDEX", "JOB_COMPLETION_COUNT", "0"),
    ):
        if name in environment:
            used = [name, *([least] if least in environment else []), "SUITE_SHARDS" if of else count]
            told = [environment.get(one, one) for one in (name, least)] + [of or environment.get(count, "")]
            source = " and ".join(f"{one}={environment[one]}" for one in used if one in environment)
            fix = "export SUITE_SHARDS=N, the number of shards, or give --shard I/N"
            if wrong := [one for one in used if not _whole(environment.get(one, "0"))]:
                raise ConfigError(f"{wrong[0]}={environment[wrong[0]]} is no whole number", fix=fix)
            if not all(map(_whole, told)):
                raise ConfigError(f"{name} names a shard, and nothing says of how many", fix=fix)
            which, number = int(told[0]) - int(told[1]) + 1, int(told[2])
            gaps = "SLURM" in name and not of and environment.get("SLURM_ARRAY_TASK_STEP", "1") != "1"
            if gaps or not 1 <= which <= number:
                fix += "; task numbers then count from 1" if "SLURM" in name else "; the index counts from 0"
                what = f"an array with steps or gaps does not say which of {number} shards this is"
                what = what if "SLURM" in name and not of else f"shard {which} of {number} does not exist"
                raise ConfigError(f"{what} ({source})", fix=fix)
            return parse_shard(f"{which}/{number}", source), name
    what = "--shard auto finds no shard in the environment"
    raise ConfigError(what, "SUITE_SHARD, SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX", "give --shard I/N")


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit()


def whole_done(run: "PreparedRun") -> bool:
    """Whether the run's own journals hold all that was asked for, however it was divided before."""
    from suite.roles import Stage
    from suite.run.run_folder import RunFolder

    stages, plan = [Stage(one) for one in run.stages], run.plan
    scoring = plan.scoring_id if Stage.SCORE in stages else ""
    return RunFolder(plan, run.folder, scoring).all_done(stages)


def work_on_shard(run: "PreparedRun", shard: Shard, *, as_json: bool) -> int:
    """One shard in this process; the exit code. Raises RunError where another process has it."""
    from suite.run.lease_folder import LeaseFolder
    from suite.run.shard_processes import REPORTS, ShardView

    lease = LeaseFolder(run.plan, run.folder, shard, run.stages)
    run = replace(run, plan=lease.plan, lease=lease)
    if (command := os.environ.pop(REPORTS, None)) is not None:
        view = ShardView()
        run = replace(run, settings=replace(run.settings, view=view, command=command))
        outcome = asyncio.run(run.start(view.begun))
        view.tell(outcome)
        return outcome.exit_code
    outcome, works = asyncio.run(run.start()), lease.plan.all_works
    if as_json:
        say_json({"run": str(run.folder), "shard": str(shard), "samples": works, "pending": outcome.pending})
    else:
        click.echo(f"shard {shard}: {works - outcome.pending:,} of {works:,} samples are done")
        click.echo(f"results of all shards: suite runs merge {run.folder}")
    for line in outcome.lines():
        click.echo(line, err=True)
    return outcome.exit_code


def shared_devices(need: int, shards: int) -> list[dict[str, str]]:
    """What is added to the environment of each shard's process, so that it uses GPUs of its own.

    need: GPUs that each takes at least. Raises EngineError where there are too few.
    """
    from suite.models import devices

    if not need:
        return [{} for _ in range(shards)]
    here = devices.visible() or ()
    if cut := devices.hidden(os.environ):
        click.echo(cut, err=True)
    parts = devices.shares(here, shards, max(need, len(here) // shards), f"a run in {shards} shards")
    return [devices.environment_of(part) for part in parts]


def work_in_shards(run: "PreparedRun", shards: int, words: tuple[str, ...]) -> "Outcome":
    """All shards, each in a process of its own, then merged. words: of the command, without the shard.

    Raises ConfigError for a budget too small to divide, EngineError where there are too few GPUs, RunError
    for a folder that is divided otherwise.
    """
    from suite.journal.document_files import read_document
    from suite.journal.documents import Results
    from suite.roles import Stage
    from suite.run.lease_folder import LeaseFolder
    from suite.run.ledger import ledger_of
    from suite.run.merging import merge_shards
    from suite.run.outcome import Outcome
    from suite.run.progress import Progress
    from suite.run.run_folder import RunFolder
    from suite.run.seal import seal
    from suite.run.shard_processes import ShardProcesses

    plan, stages = run.plan, [Stage(one) for one in run.stages]
    LeaseFolder(plan, run.folder, Shard(0, shards), run.stages).check_division()
    members = plan.filled.at("both", *stages)
    ledger_of(run.settings.budget, members, shards)
    own = shared_devices(max((one.engine.devices() for one in members), default=0), shards)
    commands = [((*words, "--shard", f"{which + 1}/{shards}"), some) for which, some in enumerate(own)]
    quiet, watcher = run.settings.quiet, run.settings.watcher
    progress = Progress(plan.cells, plan.all_works, stages, quiet=quiet, watcher=watcher)
    processes = ShardProcesses(commands, run.settings.command, progress, stages[-1])
    error = asyncio.run(processes.run())
    outcome = Outcome(run.folder, plan.scoring_id if Stage.SCORE in stages else "", error=error)
    outcome.reasons, outcome.examples = progress.reasons, progress.examples
    outcome.interrupted, outcome.pending = processes.interrupted, progress.works - progress.finished
    if (run.folder / "manifest.json").exists():
        merge_shards(run.folder, plan.cells)
    if (rule := run.settings.until) is not None and error is None:
        rule.look(RunFolder(plan, run.folder, outcome.scoring).watched())
        outcome.decision = rule.decision()
    results = run.folder / "scorings" / outcome.scoring / "results.json"
    if outcome.scoring and results.exists():
        outcome.results = read_document(results, Results)
        outcome.pending = outcome.results.pending
        outcome.seal = partial(seal, plan, run.folder) if outcome.exit_code == outcome.pending == 0 else None
    return outcome
