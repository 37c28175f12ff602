"""suite eval: run tasks against models and score what they answer."""

from pathlib import Path
from typing import Any

import click

from suite.cli import running


@click.command("eval")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="A task; repeat for several.")
@click.option(
    "-P", "parameters", multiple=True, metavar="[TASK:]NAME=VALUE", help="A parameter; commas sweep."
)
@click.option("--preset", default="", metavar="NAME", help="A named list of cells, e.g. paper.")
@click.option("--mini", is_flag=True, help="Small bundled data instead of the full pinned data.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N groups, drawn by the seed.")
@click.option(
    "--trials", type=click.IntRange(min=1), default=1, show_default=True, help="Repeats of each sample."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the run.")
@click.option("--data", multiple=True, metavar="NAME=RUN|FILE", help="Fill a dataset from a run or a file.")
@click.option(
    "--prompts",
    type=click.Choice(["own", "official"]),
    default="own",
    show_default=True,
    help="Whose prompts.",
)
@running.role_flags
@running.thinking_flag
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder (default: runs/…)."
)
@click.option("--new", is_flag=True, help="Start another run of the same plan.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--solve-only", is_flag=True, help="Stop before scoring; `suite score RUN` does it later.")
@click.option("--one-engine", is_flag=True, help="One model at a time: solve all, then score all.")
@running.run_flags
@click.pass_context
def eval_(context: click.Context, /, **flags: Any) -> None:
    """Run tasks against models and score what they answer.

    The same command continues a run that was interrupted; a finished one is shown and not repeated.

    \b
    Examples:
      suite eval --task prefeval/classification --mini --model embedded/smollm2-135m
      suite eval --task prefeval/generation -P inter_turns=0,8 --model vllm/Qwen/Qwen3-8B --judge openai/gpt-x
    """
    from suite.run.plan import make_plan
    from suite.run.request import EvalRequest
    from suite.run.session import Settings

    models = running.parse_roles(
        flags["model"], flags["baseline"], flags["judges"], flags["user"], flags["embedder"], flags["roles"]
    )
    request = EvalRequest(
        tasks=flags["tasks"],
        parameters=running.parse_parameters(flags["parameters"]),
        preset=flags["preset"],
        mini=flags["mini"],
        limit=flags["limit"],
        trials=flags["trials"],
        seed=flags["seed"],
        models=models,
        options=running.parse_options(flags["options"], list(models), flags["thinking"]),
        data=running.parse_data(flags["data"]),
        prompts=flags["prompts"],
        concurrency=flags["concurrency"],
        cache=flags["cache"] is not False,
    )
    quiet = flags["quiet"] or flags["as_json"]
    stages = ("solve",) if flags["solve_only"] else ("solve", "score")
    plan = make_plan(request, stages=("both", *stages), say=_silent if quiet else _say)
    if flags["dry_run"]:
        from suite.run.describe import describe, print_plan

        if flags["as_json"]:
            click.echo(describe(plan, as_json=True))
        else:
            print_plan(plan)
        return
    from suite.run.folders import choose_folder

    folder = choose_folder(plan, flags["out"], flags["new"])
    settings = Settings(
        one_engine=flags["one_engine"],
        cache=request.cache,
        reuse="all" if flags["cache"] else "none" if flags["new"] else "others",
        level=flags["level"],
        quiet=flags["quiet"],
        settle=running.parse_settle(flags["settle"]),
    )
    outcome = running.execute(plan, folder, stages, settings)
    context.exit(running.finish(outcome, as_json=flags["as_json"], strict=flags["strict"], stages=stages))


def _say(line: str) -> None:
    click.echo(line, err=True)


def _silent(_: str) -> None:
    """Shows nothing."""
