"""suite report: show a run to people, export it for other tools and projects."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from suite.cli.exports import export
from suite.cli.flags import json_flag, say_json, scoring_flag
from suite.cli.pages import page_files, write
from suite.errors import ConfigError


@click.group("report")
def report() -> None:
    """Show a run as text, Markdown or HTML; export it."""


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
    """Show the results of a run."""
    if sum((html is not None, markdown is not None, as_json, bool(sample))) > 1:
        raise ConfigError.of("cli.report.several")
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


report.add_command(export)
