"""suite score: score a run anew (another judge, other at-score parameters), or answers made elsewhere."""

from pathlib import Path

import click
import msgspec

from suite.cli import steps
from suite.cli.flags import PATH, data_flag, output_flag, parameters_flag, tasks_flag
from suite.errors import ConfigError


@click.command("score", cls=steps.RecordedCommand)
@click.argument("run", required=False)
@click.option(
    "--outputs",
    type=PATH,
    metavar="FILE",
    help="Answers made elsewhere: JSON Lines of {sample_id, text}, and call for a sample's 2nd request on.",
)
@tasks_flag("With --outputs: the task they answer. Of a run: the file of its task (./units.py), if it moved.")
@parameters_flag("An at-score parameter (with --outputs: any).")
@click.option("--preset", default="", metavar="NAME", hidden=True)
@click.option("--mini", is_flag=True, help="With --outputs: on the bundled data.")
@data_flag
@click.option("--prompts", type=click.Choice(["own", "official"]), help="Whose prompts (default: the run's).")
@steps.role_flags
@steps.thinking_flag
@output_flag("DIR", "With --outputs: the run's folder (default: runs/…).", required=False)
@steps.run_flags
@click.pass_context
def score(context: click.Context, /, run: str | None, outputs: Path | None, **given: object) -> None:
    """Score a run's outputs again without generating any; every scoring is kept beside the others."""
    if bool(run) == bool(outputs):
        raise ConfigError("name a run, or --outputs FILE with --task", fix="see `suite score --help`")
    flags, models = steps.read(given), steps.parse_roles(given)
    context.exit(_outputs(outputs, flags, models) if outputs else _run(run or "", flags, models))


def _outputs(path: Path, flags: steps.RunFlags, models: dict[str, list[str]]) -> int:
    from suite.parameters import distinguishing
    from suite.plugins import catalogue
    from suite.run.plan import make_plan

    if not path.is_file():
        raise ConfigError(f"no file {path.name}", where=str(path))
    if path.suffix != ".jsonl":
        raise ConfigError.of("cli.score.no-jsonl", path=path)
    if "candidate" in models:
        raise ConfigError("--outputs are the candidate's answers already", fix="leave --model out")
    models["candidate"] = [f"replay/{path}"]
    plan = make_plan(steps.requested(flags, models), plugins=catalogue().with_files(flags.tasks))
    for task in dict.fromkeys(cell.plan.task for cell in plan.cells):
        every = [cell.task.parameters for cell in plan.cells if cell.plan.task == task]
        if len(cells := [one.model_dump(mode="json") for one in every]) > 1:
            values = {name: dict.fromkeys(str(one[name]) for one in cells) for name in distinguishing(cells)}
            first = " ".join(f"-P {name}={next(iter(found))}" for name, found in values.items())
            raise ConfigError(
                f"{path.name} answers one cell of a task, these parameters make {len(cells)} of {task}",
                where="; ".join(f"{name}: {', '.join(found)}" for name, found in values.items()),
                fix=f"choose one, such as {first}",
            )
    return steps.carry_out(plan, flags)


def _run(name: str, flags: steps.RunFlags, models: dict[str, list[str]]) -> int:
    from suite.api.preparation import plan_scoring
    from suite.journal.run import Run, find_run
    from suite.task_files import is_task_file

    named = [one for one in flags.tasks if not is_task_file(one)]
    for flag, value in {"task": named, "mini": flags.mini, "output": flags.output}.items():
        if value:
            raise ConfigError(f"--{flag} goes with --outputs", fix="a run knows its own tasks and data")
    run = Run(find_run(name))
    prompts = flags.prompts or run.manifest.prompts
    request = steps.requested(msgspec.structs.replace(flags, preset="", prompts=prompts), models)
    return steps.carry_out(plan_scoring(run, request, check=flags.here), flags, run.folder)
