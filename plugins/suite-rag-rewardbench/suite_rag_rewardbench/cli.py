"""`suite reward-models RUN…`: one table of reward models over all tasks, and how far they agree."""

import json
from collections.abc import Iterator, Sequence

import click

import suite
from suite_rag_rewardbench.sections import ANALYSIS, TASKS, name_of


def headlines(runs: Sequence[suite.Run]) -> suite.Table:
    """One row a model, one column a task: its headline with the interval."""
    rows: dict[str, dict[str, str]] = {}
    for run in runs:
        for cell in run.results.cells:
            if cell.task in TASKS and (found := cell.headline_row) is not None:
                rows.setdefault(name_of(run), {})[cell.task] = _told(found)
    return suite.Table(
        ("model", *TASKS), [(name, *(told.get(task) for task in TASKS)) for name, told in rows.items()]
    )


def _told(found: suite.MetricResult) -> str:
    if found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def lines(table: suite.Table) -> Iterator[str]:
    """A table as aligned text."""
    rows = [tuple(map(str, table.columns)), *(tuple(map(_shown, row)) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _shown(value: suite.Shown) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


@click.command("reward-models")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reward_models(runs: tuple[str, ...], as_json: bool) -> None:
    """Reward models side by side: their headlines, and how often two of them prefer the same answer.

    \b
    Example:
      suite reward-models runs/rag-rewardbench-a runs/rag-rewardbench-b
    """
    opened = [suite.open_run(run) for run in runs]
    for run in opened:
        run.need_scoring()
    tables = [("Headlines", headlines(opened))]
    for section in ANALYSIS(opened):
        if section.title.endswith(": agreement"):
            tables += [(section.title, block) for block in section.blocks if isinstance(block, suite.Table)]
    if as_json:
        told = {
            title: [dict(zip(one.columns, row, strict=True)) for row in one.rows] for title, one in tables
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for title, table in tables:
        click.echo(title)
        for line in lines(table):
            click.echo(f"  {line}")
