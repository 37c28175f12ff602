"""suite eval: run tasks against models and score what they answer."""

import click

from suite.cli import steps
from suite.cli.flags import (
    NumberRange,
    choice_flag,
    data_flag,
    limit_flag,
    new_run_flags,
    parameters_flag,
    seed_flag,
    tasks_flag,
)


@click.command("eval", cls=steps.RecordedCommand)
@tasks_flag("A task, a family, or a file that holds a task (./units.py); repeat for several.")
@parameters_flag("A parameter; commas sweep.")
@click.option("--preset", default="", metavar="NAME", help="A named list of cells, e.g. paper.")
@click.option("--mini", is_flag=True, help="Small bundled data instead of the full pinned data.")
@limit_flag
@click.option(
    "--trials", type=click.IntRange(min=1), default=1, show_default=True, help="Repeats of each sample."
)
@seed_flag("Seed of the run.")
@data_flag
@choice_flag("--prompts", of=["own", "official"], text="Whose prompts.")
@steps.role_flags
@steps.thinking_flag
@new_run_flags
@click.option("--solve-only", is_flag=True, help="Stop before scoring; `suite score RUN` does it later.")
@click.option("--one-engine", is_flag=True, help="One model at a time: solve all, then score all.")
@click.option("--until", metavar="POLICY", help="Stop once the claims of this policy are decided.")
@click.option("--against", multiple=True, metavar="RUN", help="With --until: a baseline's finished run.")
@click.option("--until-better-than", metavar="RUN", help="Stop once that is decided of the headline.")
@click.option("--margin", type=NumberRange(0, 1e9), default=0.0, metavar="E", help="By more than E.")
@steps.run_flags
@click.pass_context
def eval_(context: click.Context, /, **given: object) -> None:
    """Run tasks against models and score what they answer."""
    from suite.plugins import catalogue
    from suite.run.plan import make_plan
    from suite.run.seal import recounted

    flags = steps.read(given)
    request = steps.requested(flags, steps.parse_roles(given))
    plugins = catalogue().with_files(flags.tasks)
    check, stages = flags.here and not flags.dry_run, ("both", *flags.stages)
    plan = make_plan(request, stages=stages, say=flags.shows, plugins=plugins, check=check, count=False)
    plan = recounted(plan, flags.output)
    if steps.dry(plan, flags):
        return
    context.exit(steps.carry_out(plan, flags))
