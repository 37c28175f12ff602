"""suite eval: run tasks against models and score what they answer."""

import click

from suite.cli import flags, steps


@click.command("eval", cls=steps.RecordedCommand)
@flags.tasks_flag("A task, a family, or a file that holds a task (./units.py); repeat for several.")
@flags.parameters_flag("A parameter; commas sweep.")
@click.option("--preset", default="", metavar="NAME", help="A named list of cells, e.g. paper.")
@click.option("--mini", is_flag=True, help="Small bundled data instead of the full pinned data.")
@flags.limit_flag
@flags.count_flag("--trials", "Repeats of each sample.", default=1)
@flags.seed_flag("Seed of the run.")
@flags.data_flag
@flags.choice_flag("--prompts", of=["own", "official"], text="Whose prompts.")
@steps.role_flags
@steps.thinking_flag
@flags.new_run_flags
@click.option("--solve-only", is_flag=True, help="Stop before scoring; `suite score RUN` does it later.")
@click.option("--one-engine", is_flag=True, help="One model at a time: solve all, then score all.")
@click.option("--until", metavar="POLICY", help="Stop once the claims of this policy are decided.")
@flags.many_flag("--against", of="RUN", text="With --until: a baseline's finished run.")
@click.option("--until-better-than", metavar="RUN", help="Stop once that is decided of the headline.")
@flags.number_flag("--margin", 0, 1e9, "By more than E.", default=0.0, show_default=False, metavar="E")
@steps.run_flags
@click.pass_context
def eval_(context: click.Context, /, **given: object) -> None:
    """Run tasks against models and score what they answer."""
    from suite.plugins import catalogue
    from suite.run.plan import make_plan
    from suite.run.seal import recounted

    asked = steps.read(given)
    request = steps.requested(asked, steps.parse_roles(given))
    plugins = catalogue().with_files(asked.tasks)
    check, stages = asked.here and not asked.dry_run, ("both", *asked.stages)
    plan = make_plan(request, stages=stages, say=asked.shows, plugins=plugins, check=check, count=False)
    plan = recounted(plan, asked.output)
    if not steps.dry(plan, asked):
        context.exit(steps.carry_out(plan, asked))
