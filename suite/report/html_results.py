"""A task's numbers as HTML: headline with its interval drawn, the sweep as a plot, tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from suite.report.formatting import DASH, coverage_text, interval, number, percent, plain, with_unit
from suite.report.html_blocks import EMPTY, Drawer, grid_table
from suite.report.matrix import (
    across_grid,
    headline_title,
    metrics_grid,
    notes,
    shared_deviations,
    slice_grid,
    turned,
)
from suite.report.summary import TaskPart
from suite.report.sweep import sweep_plot
from suite.scoring.results import MetricResult


@dataclass(frozen=True)
class TaskView:
    """What the template shows of a task."""

    part: TaskPart
    headline: Markup
    deviations: Sequence[str]
    notes: Sequence[str]
    plot: Markup
    tables: Sequence[tuple[str, Markup]]
    folded: Sequence[tuple[str, Markup]]  # slices of metrics beside the headline


def task_view(task: TaskPart, level: float, drawer: Drawer) -> TaskView:
    """Everything about a task's numbers."""
    plot = sweep_plot(task, level)
    left_out = [
        f"Left out: {plain(one.get('parameters', {}))}: {one.get('reason', '')}" for one in task.skipped
    ]
    grids = [metrics_grid(task)] if task.metric_names else []
    grids += [slice_grid(task, one) for one in task.slices if one.metric == task.headline]
    grids += [across_grid(task)] if task.across else []
    folded = [slice_grid(task, one) for one in task.slices if one.metric != task.headline]
    return TaskView(
        part=task,
        headline=_hero(task, level) if len(task.cells) == 1 else _table(task, level),
        deviations=shared_deviations(task),
        notes=[*notes(task), *left_out],
        plot=drawer.block(plot) if plot else EMPTY,
        tables=[(grid.title, grid_table(turned(grid))) for grid in grids],
        folded=[(grid.title, grid_table(turned(grid))) for grid in folded],
    )


def _hero(task: TaskPart, level: float) -> Markup:
    head = task.cells[0].headline
    if head is None:
        return Markup("<p>No result yet.</p>")
    facts = [(f"{percent(level)} interval", interval(head.low, head.high))]
    facts += [
        ("n", number(head.n)),
        ("unscored", number(head.unscored)),
        ("coverage (bounds)", coverage_text(head)),
    ]
    if pending := task.cells[0].counts["pending"]:
        facts.append(("pending", number(pending)))
    facts += [("clusters", number(head.clusters)), ("method", head.method)]
    listed = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*fact) for fact in facts)
    return Markup(
        '<div class="hero"><div><span class="name">{}</span><span class="value">{}</span></div>'
        "<dl>{}</dl></div>{}"
    ).format(headline_title(task), with_unit(head.value, head.unit), listed, _bar(head, _ends([head])))


def _table(task: TaskPart, level: float) -> Markup:
    heads = [cell.headline for cell in task.cells]
    ends = _ends([head for head in heads if head])
    pending = any(cell.counts["pending"] for cell in task.cells)
    names = [task.headline, "", f"{percent(level)} interval", "n", "unscored", "coverage (bounds)"]
    names += ["pending"] if pending else []
    names += ["clusters", "method"]
    head_row = Markup("").join(
        [Markup('<th scope="col">{}</th>').format(name) for name in task.swept]
        + [
            Markup('<th scope="col" class="{}">{}</th>').format("n" if name else "bar", name)
            for name in names
        ]
    )
    rows = []
    for cell, head in zip(task.cells, heads, strict=True):
        cells = [Markup("<td>{}</td>").format(plain(value)) for value in cell.values]
        cells.append(
            Markup('<td class="n strong">{}</td>').format(with_unit(head.value, head.unit) if head else DASH)
        )
        cells.append(Markup('<td class="bar">{}</td>').format(_bar(head, ends) if head else EMPTY))
        texts = [DASH] * 4
        if head:
            texts = [
                interval(head.low, head.high),
                number(head.n),
                number(head.unscored),
                coverage_text(head),
            ]
        texts += [number(cell.counts["pending"])] if pending else []
        texts += [number(head.clusters), head.method] if head else [DASH, DASH]
        cells += [Markup('<td class="n">{}</td>').format(text) for text in texts]
        rows.append(Markup("<tr>{}</tr>").format(Markup("").join(cells)))
    return Markup(
        '<p class="dim">{}</p><div class="wide" tabindex="0"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(headline_title(task), head_row, Markup("").join(rows))


def _ends(heads: Sequence[MetricResult]) -> tuple[float, float]:
    """The scale of the bars: 0 to 1 where everything lies in it, else what is needed."""
    values = [end for head in heads for end in (head.value, head.low, head.high) if end is not None]
    if not values or (min(values) >= 0 and max(values) <= 1):
        return 0.0, 1.0
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (low, low + 1)


def _bar(head: MetricResult, ends: tuple[float, float]) -> Markup:
    """The value and its interval on a line; decoration: the numbers stand beside it."""

    def at(value: float) -> str:
        return f"{3 + 138 * (value - ends[0]) / (ends[1] - ends[0]):.1f}"

    if head.value is None:
        return EMPTY
    span = EMPTY
    if head.low is not None and head.high is not None:
        span = Markup('<line class="span" x1="{}" x2="{}" y1="8" y2="8"/>').format(
            at(head.low), at(head.high)
        )
    return Markup(
        '<svg class="bar" viewBox="0 0 144 16" aria-hidden="true" focusable="false">'
        '<line class="track" x1="3" x2="141" y1="8" y2="8"/>{}'
        '<circle class="dot" cx="{}" cy="8" r="3"/></svg>'
    ).format(span, at(head.value))
