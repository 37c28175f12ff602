"""suite runs: what has been run, how far it got, and results that were made elsewhere."""

from pathlib import Path

import click

from suite.cli.flags import PATH, json_flag, output_flag, say_json


@click.group("runs")
def runs() -> None:
    """List runs, show one, import results made elsewhere.

    \b
    Example:
      suite runs list
    """


@runs.command("list")
@click.option(
    "--dir",
    "folder",
    type=PATH,
    default=Path("runs"),
    show_default=True,
    metavar="DIR",
    help="The folder that holds the runs.",
)
@json_flag
def list_(folder: Path, as_json: bool) -> None:
    """All runs in a folder, and how far each got.

    \b
    Example:
      suite runs list --dir runs --json
    """
    from suite.report.run_list import list_runs, runs_grid

    records = list(list_runs(folder))
    if as_json:
        say_json(records)
    elif not records:
        click.echo(f"no runs in {folder}")
    else:
        from suite.report.terminal import print_grid

        print_grid(runs_grid(records))


@runs.command()
@click.argument("run")
@json_flag
def show(run: str, as_json: bool) -> None:
    """State, roles and scorings of a run, and why work is pending.

    \b
    Example:
      suite runs show prefeval-classification-…
    """
    from suite.journal.run import find_run

    _show(find_run(run), as_json)


def _show(folder: Path, as_json: bool) -> None:
    from suite.journal.run import Run
    from suite.report.run_list import show_run, told

    record = show_run(Run(folder))
    if as_json:
        say_json(record)
    else:
        for line in told(record):
            click.echo(line)


@runs.command("import")
@click.argument("path", type=PATH)
@click.option("--from", "importer", required=True, metavar="NAME", help="Whose format: an importer's name.")
@output_flag("DIR", "The run's folder.")
@click.option("--model", default="", metavar="NAME", help="The candidate, where the files tell of several.")
@json_flag
def import_(path: Path, importer: str, output: Path, model: str, as_json: bool) -> None:
    """Make a run of result files that were made elsewhere. It is marked as imported, and stays so.

    \b
    Example:
      suite runs import results/ --from prefeval -O runs/upstream-mistral
    """
    from suite.report.imports import import_run
    from suite.report.run_reports import write_reports

    folder = import_run(importer, path, output, model=model, say=lambda text: click.echo(text, err=True))
    write_reports(output)
    _show(folder, as_json)
