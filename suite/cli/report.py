"""suite report: show a run to people, export it for other tools and projects."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from suite.cli.flags import json_flag, output_flag, say_json
from suite.cli.pages import page_files, write
from suite.errors import ConfigError

if TYPE_CHECKING:
    from suite.journal.run import Run
    from suite.report.hub import HubFile

TABLES = ("csv", "jsonl", "parquet")
FORMATS = (*TABLES, "lm-eval", "hub", "eee")


# flag -> the formats that know it
_OWN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("table", "force"), TABLES),
    "raw_cells": ("csv",),
    **dict.fromkeys(("task", "dataset", "task_id", "scale", "source_url", "push", "yes"), ("hub",)),
    **dict.fromkeys(("relationship", "organization", "collection", "model_id"), ("eee",)),
    **dict.fromkeys(("deployment", "availability", "no_samples"), ("eee",)),
}

scoring_flag = click.option(
    "--scoring", default="", metavar="ID", help="Which scoring (default: the newest)."
)


@click.group("report")
def report() -> None:
    """Show a run as text, Markdown or HTML; export it.

    RUN is a run's folder, or its name under runs/.

    \b
    Example:
      suite report show runs/prefeval-classification-…
    """


@report.command()
@click.argument("run")
@scoring_flag
@page_files
@json_flag
@click.option("--details", is_flag=True, help="Also clusters and how each interval was made.")
@click.option("--sample", default="", metavar="ID", help="Show one sample with its calls instead.")
def show(
    run: str,
    scoring: str,
    html: Path | None,
    markdown: Path | None,
    as_json: bool,
    details: bool,
    sample: str,
) -> None:
    """Show the results of a run.

    \b
    Examples:
      suite report show RUN
      suite report show RUN --html report.html
      suite report show RUN --sample travel/3
    """
    if sum((html is not None, markdown is not None, as_json, bool(sample))) > 1:
        raise ConfigError(
            "--html, --markdown, --json and --sample are different things to show", fix="give one of them"
        )
    from suite.journal.document_files import read_bytes
    from suite.journal.run import Run, find_run
    from suite.report.run_facts import run_facts

    folder = find_run(run)
    if as_json:
        found = Run(folder, scoring)
        written = read_bytes(found.judged.folder / "results.json") if found.has_results else b"{}"
        say_json({"what_was_run": run_facts(found), **json.loads(written)})
    elif markdown is not None:
        from suite.report.markdown import markdown_report

        _page(markdown, [markdown_report(folder, scoring)])
    elif html is not None:
        from suite.report.html import html_report
        from suite.report.run_reports import write_html

        if html.name == "-":
            _page(html, html_report(folder, scoring))
        else:
            click.echo(f"wrote {write_html(html, folder, scoring)}")
    elif sample:
        from suite.report.terminal_sample import print_sample

        print_sample(folder, sample, scoring)
    else:
        from suite.report.terminal import print_results

        print_results(folder, scoring, details=details)


def _page(path: Path, pieces: Iterable[str]) -> None:
    write(path, pieces)
    if path.name != "-":
        click.echo(f"wrote {path}")


@report.command("export")
@click.argument("run")
@scoring_flag
@click.option("--to", "kind", type=click.Choice(FORMATS), required=True, help="What to write.")
@output_flag("PATH", "The file of a table; for lm-eval, hub and eee the folder.")
@click.option("--allow-partial", is_flag=True, help="Export a run with pending work too.")
@click.option(
    "--table",
    type=click.Choice(("samples", "values", "results")),
    help="csv, jsonl, parquet: a row a sample (default), a row a value, or a row a number of the results.",
)
@click.option(
    "--raw-cells", is_flag=True, help="csv: do not guard cells that a spreadsheet runs as formulas."
)
@click.option("--force", is_flag=True, help="csv, jsonl, parquet: replace another file that stands there.")
@click.option("--task", metavar="NAME", help="hub: only this task of the run.")
@click.option("--dataset", metavar="OWNER/NAME", help="hub: the benchmark's dataset, if no entry names it.")
@click.option("--task-id", metavar="ID", help="hub: the task in that dataset's eval.yaml.")
@click.option(
    "--scale", type=click.Choice(("proportion", "percent", "as-is")), help="hub: in which numbers it is told."
)
@click.option("--source-url", metavar="URL", help="hub: where more about the run can be read.")
@click.option("--push", metavar="OWNER/MODEL", help="hub: open a pull request there with the files.")
@click.option("--yes", is_flag=True, help="hub: do not ask before the pull request.")
@click.option(
    "--relationship",
    type=click.Choice(("first_party", "third_party", "collaborative", "other")),
    help="eee: yours to the model's maker; required.",
)
@click.option("--organization", metavar="TEXT", help="eee: who ran it; required.")
@click.option("--collection", metavar="NAME", help="eee: folder under data/ (default: the task's family).")
@click.option("--model-id", metavar="DEVELOPER/MODEL", help="eee: the model, where its name does not say it.")
@click.option(
    "--deployment",
    type=click.Choice(("self_deployed", "externally_managed", "unknown")),
    help="eee: who ran the model (default: as the run tells).",
)
@click.option(
    "--availability",
    type=click.Choice(("open_weights", "closed_weights", "unknown")),
    help="eee: of the weights (default: unknown).",
)
@click.option("--no-samples", is_flag=True, help="eee: leave out the samples with their texts.")
def export(run: str, scoring: str, kind: str, output: Path, allow_partial: bool, **options: Any) -> None:
    """Write a run for other tools: a table, or another project's files.

    \b
    Examples:
      suite report export RUN --to parquet -O samples.parquet
      suite report export RUN --to csv --table results -O results.csv
      suite report export RUN --to lm-eval -O folder
      suite report export RUN --to hub -O model-repository
      suite report export RUN --to eee --relationship third_party --organization NAME -O folder
    """
    given = {name: value for name, value in options.items() if value}
    for name in given:
        if kind not in _OWN[name]:
            raise ConfigError(
                f"--{name.replace('_', '-')} means nothing to --to {kind}",
                fix=f"it belongs to --to {' and --to '.join(_OWN[name])}",
            )
    from suite.journal.run import Run, find_run

    loaded = Run(find_run(run), scoring)
    if kind == "hub":
        _hub(loaded, output, allow_partial, given)
    elif kind == "eee":
        _eee(loaded, output, allow_partial, given)
    elif kind == "lm-eval":
        from suite.report.lm_eval import write_lm_eval
        from suite.report.tables import exportable

        exportable(loaded, allow_partial)
        _wrote(write_lm_eval(loaded, output))
        _warn_of_answers(loaded)
    else:
        from suite.report.tables import export_table

        path = export_table(
            loaded,
            kind,
            output,
            table=given.get("table", "samples"),
            allow_partial=allow_partial,
            guard="raw_cells" not in given,
            over="force" in given,
        )
        _wrote([path])
        if given.get("table", "samples") == "samples":
            _warn_of_answers(loaded)


def _warn_of_answers(run: "Run") -> None:
    """Say that answers are in it though a licence holds the questions back: a model may repeat them."""
    from suite.report.rows import withheld

    if closed := ", ".join(withheld(run)):
        click.echo(f"{closed} may not be passed on: questions are left out, but answers may repeat them")


def _wrote(paths: list[Path]) -> None:
    for path in paths:
        click.echo(f"wrote {path}")


def _hub(run: "Run", output: Path, allow_partial: bool, given: Mapping[str, Any]) -> None:
    from suite.report.hub import Benchmark, advice, hub_files, write_hub

    told = [given[name] for name in ("dataset", "task_id", "scale") if name in given]
    if told and len(told) < 3:
        raise ConfigError("--dataset, --task-id and --scale go together", fix="give all three of them")
    files = hub_files(
        run,
        given=Benchmark(*told) if told else None,
        task=given.get("task", ""),
        source_url=given.get("source_url", ""),
        allow_partial=allow_partial,
    )
    _wrote(write_hub(files, output))
    if "push" in given:
        _push(run, files, given["push"], "yes" in given)
    for line in advice("push" in given):
        click.echo(line)


def _push(run: "Run", files: "Sequence[HubFile]", repo: str, sure: bool) -> None:
    from suite.report.hub import push

    click.echo(f"a pull request to {repo} with:")
    for one in files:
        click.echo(f"--- {one.path}\n{one.text}", nl=False)
    if not sure and not click.confirm(f"open it at {repo}?"):
        click.echo("nothing was sent")
        return
    click.echo(f"opened {push(files, repo, run.name)}; it is merged by whoever owns {repo}")


def _eee(run: "Run", output: Path, allow_partial: bool, given: Mapping[str, Any]) -> None:
    from suite.report.eee import Told, write_eee

    for name in ("relationship", "organization"):
        if name not in given:
            raise ConfigError(
                f"--to eee needs --{name}", fix=f"see `suite report export --help` for --{name}"
            )
    told, samples = msgspec.convert(given, Told), "no_samples" not in given
    written = write_eee(run, output, told, samples=samples, allow_partial=allow_partial)
    _wrote(written.paths)
    for line in written.remarks:
        click.echo(line)
