"""A run's results as a Markdown document."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from suite.blocks import Section
from suite.report import markdown_blocks as draw
from suite.report import matrix
from suite.report.formatting import plain
from suite.report.loading import LoadedRun
from suite.report.showing import plugin_sections
from suite.report.summary import Summary, TaskPart, summarise


def markdown_report(folder: Path, scoring: str = "") -> str:
    """The report as a document. Raises RunError if the folder holds no run."""
    run = LoadedRun(folder, scoring)
    summary = summarise(run)
    return "\n\n".join(paragraphs(run, summary, plugin_sections(run))) + "\n"


def paragraphs(run: LoadedRun, summary: Summary, sections: Sequence[Section]) -> Iterator[str]:
    """Everything in order."""
    yield f"# {draw.escaped(summary.name)}"
    roles = ", ".join(f"{draw.escaped(member)}: {draw.escaped(spec)}" for member, spec in summary.roles)
    scored = f"scoring {draw.escaped(summary.scoring)}" if summary.scoring else "not scored"
    yield f"{roles}; {scored}"
    for remark in summary.remarks:
        text = draw.escaped(remark.text, 2000)
        yield f"> **{text}**" if remark.weight == "warning" else f"> {text}"
    for task in summary.tasks:
        yield from _task(task, summary.level)
    for section in sections:
        yield draw.section(section, 2)
    yield f"## What happened\n\n{draw.grid(matrix.happened_grid(summary.tasks))}"
    if summary.calls:
        calls = {member: dict(counts) for member, counts in summary.calls.items()}
        yield draw.grid(matrix.calls_grid(calls))
    yield "## The run\n\n" + "\n".join(_facts(run))


def _task(task: TaskPart, level: float) -> Iterator[str]:
    yield f"## {draw.escaped(task.name)} (version {task.version})\n\n{draw.escaped(task.title)}"
    yield f"### {draw.escaped(matrix.headline_title(task))}"
    yield draw.grid(matrix.headline_grid(task, level, details=True))
    if lines := matrix.shared_deviations(task):
        yield "With " + "; ".join(map(draw.escaped, lines)) + "."
    listed = [draw.escaped(note) for note in matrix.notes(task)]
    listed += [
        f"left out: {draw.escaped(plain(one.get('parameters', {})))}: {draw.escaped(one.get('reason', ''))}"
        for one in task.skipped
    ]
    if listed:
        yield "\n".join(f"- {line}" for line in listed)
    if task.metric_names:
        yield f"### Further metrics\n\n{draw.grid(matrix.turned(matrix.metrics_grid(task)))}"
    for slices in task.slices:
        grid = matrix.turned(matrix.slice_grid(task, slices))
        yield f"### {draw.escaped(grid.title)}\n\n{draw.grid(grid)}"
    if task.across:
        yield f"### Across cells\n\n{draw.grid(matrix.across_grid(task))}"


def _facts(run: LoadedRun) -> Iterator[str]:
    manifest = run.manifest
    for name in ("suite", "created", "plan_sha256", "seed", "trials", "limit", "prompts", "data", "hardware"):
        if manifest.get(name) is not None:
            yield f"- {name}: {draw.escaped(plain(manifest[name]), 1000)}"
