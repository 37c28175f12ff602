"""Results as tables: Arrow, pandas, and HTML for a notebook, every text of it escaped."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from suite.blocks import Plot, Section
from suite.chat import Json
from suite.comparisons.comparison import Compared
from suite.comparisons.sections import sections
from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.journal.run import Run
from suite.report.arrow import arrow_table, shape_of
from suite.report.compare_page import print_sections
from suite.report.hostile_text import one_line
from suite.report.html_blocks import Drawer, part
from suite.report.matrix import headline_grid
from suite.report.numbers import counted
from suite.report.rows import FlatRow, scalar
from suite.report.run_facts import fact_lines, run_facts
from suite.report.summary import summarise
from suite.report.tables import table_shape

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_FIRST = ("task", "version", "cell", "model")
_METRIC = ("metric", "headline", "slice", "value", "low", "high", "level", "n", "unscored")
_LAST = ("not_applicable", "coverage", "direction", "unit", "interval_method", "note")
MOST_CELLS = 20  # of a task, in a repr
_READ = ("Runs", "Headline", "Other metrics")  # sections of a comparison that a notebook shows


def to_pandas(table: "pa.Table") -> "pd.DataFrame":
    """A table of Arrow as a data frame. Raises ConfigError where pandas is not installed."""
    try:
        import pandas as pd  # noqa: F401
    except ImportError as error:
        raise ConfigError("a data frame needs pandas", fix="pip install pandas") from error
    return table.to_pandas()


def metric_table(run: Run, *, slices: bool = False) -> "pa.Table":
    """One row a metric of a cell, the cell's parameters as columns. slices: also rows of parts of a cell.

    A parameter that is named like another column stands as parameter.NAME.
    """
    rows = [*_metric_rows(run, slices)]
    parameters = dict.fromkeys(name for row in rows for name in row if name not in _METRIC + _LAST)
    columns = [*dict.fromkeys([*_FIRST, *parameters]), *_METRIC, *_LAST]
    return arrow_table(shape_of("metrics", lambda: iter(rows), columns))


def _metric_rows(run: Run, slices: bool) -> Iterator[FlatRow]:
    summary = summarise(run)
    model = ", ".join(one.spec for one in run.roles.get("candidate", ()))
    for task in summary.tasks:
        for cell in task.cells:
            place: FlatRow = {"task": task.name, "version": task.version, "cell": cell.id, "model": model}
            place |= parameter_columns(cell.parameters)
            yield from (place | _metric(one) for one in cell.metrics if slices or not one.slice)


def parameter_columns(parameters: Mapping[str, Json]) -> FlatRow:
    """Parameters as columns of a flat table."""
    taken = {*_FIRST, *_METRIC, *_LAST, *_PAIR}
    return {f"parameter.{name}" if name in taken else name: scalar(one) for name, one in parameters.items()}


def _metric(one: MetricResult) -> FlatRow:
    told = msgspec.structs.asdict(one)
    told |= {"metric": one.name, "interval_method": one.method}
    told |= {"slice": ", ".join(f"{tag}={value}" for tag, value in one.slice.items())}
    return {name: told[name] for name in (*_METRIC, *_LAST)}


def sample_table(run: Run) -> "pa.Table":
    """One row a sample and trial: its id, cell, answer, values, what its calls cost."""
    return arrow_table(table_shape(run, "samples"))


_PAIR = (
    "a", "b", "task", "metric", "headline", "value_a", "value_b", "difference", "low", "high", "level", "p",
    "p_corrected", "verdict", "equivalent", "units", "only_a", "only_b", "direction",
    "interval_method", "note",
)  # fmt: skip


def comparison_table(found: Compared) -> "pa.Table":
    """One row a metric of a pair of cells: both values, the difference with its interval, p, verdict."""
    rows: list[FlatRow] = []
    for row in found.rows:
        one, d = row.found.comparison, row.found.comparison.difference
        told: FlatRow = {"a": row.a, "b": row.b, "task": row.match.task, "metric": row.measure.name}
        told |= {"headline": row.headline, "value_a": row.found.a, "value_b": row.found.b}
        told |= {
            "difference": d.value,
            "low": d.low,
            "high": d.high,
            "level": d.level,
            "interval_method": d.method,
        }
        told |= {
            "interval_method": d.method,
            "p": one.p,
            "p_corrected": row.corrected,
            "verdict": row.verdict,
        }
        told |= {"equivalent": row.equivalent, "units": one.n_common, "only_a": row.found.only_a}
        told |= {"only_b": row.found.only_b, "direction": row.measure.direction, "note": row.found.note}
        rows.append(told | parameter_columns(row.match.parameters))
    parameters = dict.fromkeys(name for row in rows for name in row if name not in _PAIR)
    columns = [*_PAIR[:3], *parameters, *_PAIR[3:]]
    return arrow_table(shape_of("comparisons", lambda: iter(rows), columns))


def comparison_text(found: Compared) -> str:
    """A comparison to read."""
    out = io.StringIO()
    print_sections("Comparison", _read(found), file=out)
    return out.getvalue().rstrip("\n")


def comparison_html(found: Compared) -> Markup:
    """The same for a notebook."""
    return Markup("").join(map(Drawer().section, _read(found)))


def _read(found: Compared) -> list[Section]:
    """What is read at once: no plots, no slices, no samples."""
    return [
        Section(one.title, tuple(block for block in one.blocks if not isinstance(block, Plot)))
        for one in sections(found, compact=True)
        if one.title in _READ
    ]


def summary_text(run: Run, pending: int, told: Iterable[str]) -> str:
    """A run on a few lines: its state, the headline of every cell."""
    summary = summarise(run)
    lines = [f"{type(run).__name__} {summary.name}: {state_of(run, pending)}"]
    for task in summary.tasks:
        grid = headline_grid(task, summary.level)
        lines.append(f"  {task.name}: {grid.title}")
        pairs = (zip(grid.columns, row, strict=True) for row in grid.rows[:MOST_CELLS])
        lines += ["    " + ", ".join(f"{name} {one}" for name, one in row) for row in pairs]
        if len(grid.rows) > MOST_CELLS:
            lines.append(f"    {len(grid.rows) - MOST_CELLS} more cells")
    indents = ((line[: len(line) - len(line.lstrip())], line) for line in (*lines, *told))
    return "\n".join(indent + one_line(line, 400) for indent, line in indents)


def summary_html(run: Run, pending: int, told: Iterable[str]) -> Markup:
    """A run for a notebook: its state, what was run, what a reader must know, the headline of every cell."""
    summary = summarise(run)
    warned = (f"! {one.text}" for one in summary.remarks if one.weight == "warning")
    drawn = [part("body", line) for line in (f"{summary.name}: {state_of(run, pending)}", *warned, *told)]
    drawn.insert(1, part("definitions", list(fact_lines(run_facts(run)))))
    for task in summary.tasks:
        drawn.append(part("body", f"{task.name}: {task.title}"))
        drawn.append(part("names_and_numbers", headline_grid(task, summary.level)))
    return Markup("").join(drawn)


def state_of(run: Run, pending: int) -> str:
    """Whether the run is finished, in words."""
    works = run.manifest.all_works
    if pending:
        return f"{pending:,} of {counted(works, 'sample')} pending"
    return counted(works, "sample") + ("" if run.scoring else ", not scored yet")
