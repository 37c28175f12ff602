"""Results as tables: Arrow, pandas, and HTML for a notebook, every text of it escaped."""

import io
from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from suite.blocks import Plot, Section
from suite.comparisons.comparison import Compared
from suite.comparisons.sections import row_data, sections
from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.journal.run import Run
from suite.report.compare_page import print_sections
from suite.report.hostile_text import one_line
from suite.report.html_blocks import Drawer, part
from suite.report.matrix import headline_grid
from suite.report.numbers import counted
from suite.report.rows import FlatRow, scalar
from suite.report.run_facts import fact_lines, run_facts
from suite.report.summary import summarise
from suite.report.tables import arrow_table, shape_of, table_shape

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# column -> field of a result
_METRIC = {
    "metric": "name", "headline": "headline", "slice": "slice", "value": "value", "low": "low",
    "high": "high", "level": "level", "n": "n", "unscored": "unscored", "not_applicable": "not_applicable",
    "coverage": "coverage", "direction": "direction", "unit": "unit", "interval_method": "method",
    "note": "note",
}  # fmt: skip
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
    rows = []
    for task in summarise(run).tasks:
        for cell in task.cells:
            place: FlatRow = {"task": task.name, "version": task.version, "cell": cell.id}
            place["model"] = run.specs("candidate")
            taken = {*place, *_METRIC}
            place |= {_column(name, taken): scalar(value) for name, value in cell.parameters.items()}
            rows += [place | _metric(one) for one in cell.metrics if slices or not one.slice]
    return _table(rows, _METRIC)


def _column(parameter: str, taken: Container[str]) -> str:
    return f"parameter.{parameter}" if parameter in taken else parameter


def _metric(one: MetricResult) -> FlatRow:
    told = {column: getattr(one, field) for column, field in _METRIC.items()}
    return told | {"slice": ", ".join(f"{tag}={value}" for tag, value in one.slice.items())}


def _table(rows: Sequence[FlatRow], last: Iterable[str] = ()) -> "pa.Table":
    """Rows as a table of all their columns, some of them last."""
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in last]
    return arrow_table(shape_of("rows", lambda: iter(rows), [*columns, *last]))


class SampleTable:
    """The samples of a run as a table: one row a sample and trial."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def to_arrow(self) -> "pa.Table":
        """Id, cell, parameters, tags, answer, values and what its calls cost."""
        return arrow_table(table_shape(self._run, "samples"))

    def to_pandas(self) -> "pd.DataFrame":
        """The same as a data frame. Raises ConfigError where pandas is not installed."""
        return to_pandas(self.to_arrow())

    def __repr__(self) -> str:
        return repr(self.to_pandas())

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(max_rows=10, notebook=True))


class RunComparison:
    """Runs compared: what differs, by how much, how surely. found: all of it, typed."""

    def __init__(self, found: Compared) -> None:
        self.found = found

    def to_arrow(self) -> "pa.Table":
        """One row a metric of a pair of cells, named as in the JSON of a comparison: both values, the
        difference with its interval, p, the verdict; the parameters that both share."""
        rows = []
        for row in self.found.rows:
            d = row.found.comparison.difference
            told = row_data(row) | {"difference": d.value, "low": d.low, "high": d.high, "level": d.level}
            told["interval_method"] = d.method
            plain = {name: one for name, one in told.items() if name not in ("parameters", "differing")}
            shared = {_column(name, told): scalar(one) for name, one in row.match.parameters.items()}
            rows.append(msgspec.convert(plain, FlatRow) | shared)
        return _table(rows)

    def to_pandas(self) -> "pd.DataFrame":
        """The same as a data frame. Raises ConfigError where pandas is not installed."""
        return to_pandas(self.to_arrow())

    def __repr__(self) -> str:
        out = io.StringIO()
        print_sections("Comparison", _read(self.found), out)
        return out.getvalue().rstrip("\n")

    def _repr_html_(self) -> str:
        return "".join(map(Drawer().section, _read(self.found)))


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
