"""suite judge: how far a judge can be trusted, and numbers corrected for what it gets wrong."""

from pathlib import Path

import click
import msgspec

from suite.cli import steps
from suite.cli.flags import FILE, limit_flag, new_run_flags, parameters_flag, seed_flag
from suite.cli.pages import Pages, page_flags, show


@click.group("judge")
def judge() -> None:
    """Judges: audit one, correct its numbers by human labels.

    \b
    Example:
      suite judge audit --judge vllm/Qwen/Qwen3-8B
    """


@judge.command()
@click.option("--judge", "model", required=True, metavar="SPEC", help="The judge: provider/name.")
@click.option(
    "--labels",
    type=FILE,
    help="Pairs with human labels (JSONL: id, question, first, second, human), judged too.",
)
@parameters_flag("A parameter, e.g. max_tokens=2000.", "NAME=VALUE")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="An option of the judge's engine.")
@limit_flag
@seed_flag("Seed of the run.")
@new_run_flags
@steps.run_flags
@click.pass_context
def audit(context: click.Context, /, model: str, labels: Path | None, **given: object) -> None:
    """Measure a judge's biases on built-in questions, and its agreement with people where labels are given.

    The same as `suite eval --task judge-audit/biases --model SPEC`: journaled, resumed by the same command,
    with a report that holds the bias profile.

    \b
    Example:
      suite judge audit --judge embedded/smollm2-135m --limit 4 -P max_tokens=12
      suite judge audit --judge openai/gpt-x --labels labels.jsonl
    """
    from suite.run.plan import make_plan

    flags = msgspec.structs.replace(
        steps.read(given),
        tasks=("judge-audit/biases", *(("judge-audit/labels",) if labels else ())),
        data=(f"labels={labels}",) if labels else (),
    )
    plan = make_plan(steps.requested(flags, {"candidate": [model]}), say=flags.shows, check=not flags.dry_run)
    if not steps.dry(plan, flags):
        context.exit(steps.carry_out(plan, flags))


@judge.command()
@click.argument("labels", type=FILE, metavar="FILE")
@steps.level_flag
@page_flags
def correct(labels: Path, level: float, pages: Pages) -> None:
    """Correct a judge's share of yes by human labels of a random part of the samples.

    FILE is CSV or JSONL with columns judge (yes or no for every sample), human (for some) and cluster.

    \b
    Example:
      suite judge correct labels.csv
    """
    from suite.comparisons.correction import as_data, read_labels, sections
    from suite.comparisons.correction import correct as corrected

    found = corrected(*read_labels(labels), level=level)
    show(labels.name, "Judge", lambda _: sections(found), lambda: as_data(found), pages)
