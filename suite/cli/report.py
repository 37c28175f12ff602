"""suite report: show a run to people; `export`, for other tools, has a file of its own."""

import json
from pathlib import Path

import click

from suite.cli.report_export import export
from suite.errors import ConfigError

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


report.add_command(export)


@report.command()
@click.argument("run")
@scoring_flag
@click.option(
    "--html", "html", type=click.Path(path_type=Path), metavar="PATH", help="Write an HTML report instead."
)
@click.option("--md", "markdown", is_flag=True, help="Print Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print results.json.")
@click.option("--details", is_flag=True, help="Also clusters and how each interval was made.")
@click.option("--sample", default="", metavar="ID", help="Show one sample with its calls instead.")
def show(
    run: str, scoring: str, html: Path | None, markdown: bool, as_json: bool, details: bool, sample: str
) -> None:
    """Show the results of a run.

    \b
    Examples:
      suite report show RUN
      suite report show RUN --html report.html
      suite report show RUN --sample travel/3
    """
    if sum((html is not None, markdown, as_json, bool(sample))) > 1:
        raise ConfigError(
            "--html, --md, --json and --sample are different things to show", fix="give one of them"
        )
    from suite.report.loading import LoadedRun
    from suite.run.sources import find_run

    folder = find_run(run)
    if as_json:
        click.echo(json.dumps(LoadedRun(folder, scoring).results, indent=2, ensure_ascii=False))
    elif markdown:
        from suite.report.markdown import markdown_report

        click.echo(markdown_report(folder, scoring), nl=False)
    elif html is not None:
        from suite.report.finish import replace_file
        from suite.report.html import html_report

        click.echo(f"wrote {replace_file(html, html_report(folder, scoring))}")
    elif sample:
        from suite.report.terminal_sample import print_sample

        print_sample(folder, sample, scoring)
    else:
        from suite.report.terminal import print_results

        print_results(folder, scoring, details=details)
