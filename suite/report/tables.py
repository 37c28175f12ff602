"""A run as a table for other tools: CSV, JSON Lines, Arrow, Parquet.

Three tables: `samples`, one row a sample with all it was answered; `values` (one row a value) and `results`
(one row a number), tidy ones of fixed columns, which stack: those of many runs can be put below each other.
The same run gives the same bytes. Files are replaced in one step. Not here:
reading them back; other projects' formats (`exporter`).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict

from suite.chat import text_of
from suite.errors import ConfigError
from suite.files import trying
from suite.journal.commands import solving_command
from suite.journal.documents import MetricResult
from suite.journal.run import Run
from suite.report.rows import FlatRow, SampleRow, Scalar, SortKey, columns_of, flat, in_order, records
from suite.report.run_reports import in_place, replace_file
from suite.report.summary import summarise
from suite.task import Unscored, Value

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 5_000  # rows of one Parquet row group
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WHOLE = ["task_version", "trial", "prompt_tokens", "completion_tokens", "n", "unscored", "not_applicable"]
_NUMBERS = ["value", "latency_ms", "lo", "hi", "level", "coverage"]


def _columns(names: str) -> dict[str, str]:
    """Columns in this order, each with its kind."""
    kinds = {**dict.fromkeys(_WHOLE, "whole"), **dict.fromkeys(_NUMBERS, "number"), "headline": "flag"}
    return {name: kinds.get(name, "text") for name in names.split()}


VALUES = _columns(
    "run_id task task_version cell model model_revision sample trial cluster metric value label "
    "unscored_reason output_sha256 prompt_tokens completion_tokens latency_ms judge"
)
RESULTS = _columns(
    "run_id task task_version cell parameters model metric headline slice value lo hi level method n "
    "unscored not_applicable coverage direction unit note suite_version date command"
)


@dataclass(frozen=True)
class Shape:
    """A table's columns and their kinds (text, flag, whole, number), and how to walk its rows again."""

    name: str
    kinds: Mapping[str, str]
    rows: Callable[[], Iterator[FlatRow]]


def shape_of(name: str, rows: Callable[[], Iterator[FlatRow]], columns: Iterable[str]) -> Shape:
    """The shape of rows that must be walked to know the kinds of their columns; an empty one is text."""
    found: dict[str, set[str]] = {}
    for row in rows():
        for column, value in row.items():
            if value is not None:
                found.setdefault(column, set()).add(_kind(value))
    return Shape(name, {column: _narrowest(found.get(column, set())) for column in columns}, rows)


def _narrowest(kinds: set[str]) -> str:
    if kinds and kinds <= {"whole", "number"}:
        return "number" if "number" in kinds else "whole"
    return kinds.pop() if len(kinds) == 1 else "text"


def _kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "whole" if -(2**63) <= value < 2**63 else "text"
    return "number" if isinstance(value, float) else "text"


def _typed(value: Scalar, kind: str) -> Scalar:
    if value is None:
        return None
    if kind == "text":
        return text_of(value)
    return float(value) if kind == "number" else value


def export_table(
    run: Run, kind: str, path: Path, *, table: str = "samples", guard: bool = True, over: bool = True
) -> Path:
    """Write one table of a run; the path written.

    kind: csv | jsonl | parquet. table: samples | values | results. guard: put an apostrophe before text
    cells of a CSV that a spreadsheet would run as a formula; numbers are never changed. over: whether a file
    with other content may be replaced. Raises RunError where the file cannot be written.
    """
    with trying(f"write {path.name[:80]}", path.parent):
        if path.is_dir():
            raise ConfigError(f"{path} is a folder", fix=f"name a file: -O {path / f'{table}.{kind}'}")
        path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "jsonl":
        rows: Iterable[SampleRow | FlatRow] = (
            records(run) if table == "samples" else table_shape(run, table).rows()
        )
        return replace_file(path, (msgspec.json.encode(row) + b"\n" for row in rows), over=over)
    shape = table_shape(run, table)
    if kind == "csv":
        cells = ([row[name] for name in shape.kinds] for row in shape.rows())
        return replace_file(path, csv_lines(chain([list(shape.kinds)], cells), guard), over=over)
    return write_parquet(run, shape, path, over=over)


def table_shape(run: Run, table: str) -> Shape:
    """One of a run's tables: samples | values | results."""
    if table == "values":
        return Shape(table, VALUES, lambda: value_rows(run))
    if table == "results":
        return Shape(table, RESULTS, lambda: result_rows(run))
    columns = columns_of(run)
    return shape_of(table, lambda: (flat(row, columns) for row in records(run)), columns)


def csv_lines(rows: Iterable[Iterable[Scalar]], guard: bool) -> Iterator[str]:
    """UTF-8, quoted as RFC 4180 says; true and false, an empty cell for what is not there."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for cells in rows:
        writer.writerow([csv_cell(value, guard) for value in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def csv_cell(value: Scalar, guard: bool) -> Scalar:
    """A value as a cell. guard: an apostrophe before text that a spreadsheet would run as a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.replace("\0", "\u2400")  # readers of CSV refuse it
        return "'" + text if guard and text.startswith(_FORMULA) else text
    return value


def write_parquet(run: Run, shape: Shape, path: Path, *, over: bool = True) -> Path:
    """A table as Parquet, its format, the plan's hash and the suite's version in the file's metadata."""
    import pyarrow.parquet as pq

    told = {
        "format": f"suite-{shape.name}/1",
        "plan_sha256": run.manifest.plan_sha256,
        "suite_version": run.manifest.suite,
        "command": solving_command(run.folder).command,
    }
    schema = arrow_schema(shape, told)
    with in_place(path, over=over) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in arrow_batches(shape, schema):
            writer.write_table(batch)
    return path


def arrow_schema(shape: Shape, metadata: Mapping[str, str] | None = None) -> "pa.Schema":
    """The schema of a table."""
    import pyarrow as pa

    arrow = {"text": pa.string(), "flag": pa.bool_(), "whole": pa.int64(), "number": pa.float64()}
    return pa.schema([(name, arrow[kind]) for name, kind in shape.kinds.items()], metadata=metadata)


def arrow_batches(shape: Shape, schema: "pa.Schema") -> "Iterator[pa.Table]":
    """The rows as tables of a few thousand, lazily."""
    import pyarrow as pa

    rows = shape.rows()
    while batch := list(islice(rows, BATCH)):
        columns = {name: [_typed(row.get(name), kind) for row in batch] for name, kind in shape.kinds.items()}
        yield pa.table(columns, schema=schema)


def arrow_table(shape: Shape) -> "pa.Table":
    """The whole table."""
    import pyarrow as pa

    schema = arrow_schema(shape)
    return pa.concat_tables([schema.empty_table(), *arrow_batches(shape, schema)])


def value_rows(run: Run) -> Iterator[FlatRow]:
    """One row a named value of a sample and trial, by task, cell, sample, trial, name.

    value: 1.0 and 0.0 for true and false; None where the value is unscored, not applicable or a label.
    label: a value that is text. A sample that was not scored has no row.
    """

    def made() -> Iterator[tuple[SortKey, FlatRow]]:
        for one in records(run):
            for name, value in (one.values or {}).items():
                yield (one.task, one.cell, one.sample, one.trial, name), _value_row(one, name, value)

    return in_order(made(), dict[str, Scalar])


def _value_row(one: SampleRow, name: str, value: Value) -> FlatRow:
    told: FlatRow = {
        **asdict(one),
        **asdict(one.usage),
        "run_id": one.run,
        "task_version": one.version,
        "metric": name,
        "value": None if value is None or isinstance(value, str | Unscored) else float(value),
        "label": value if isinstance(value, str) else None,
        "unscored_reason": value.reason if isinstance(value, Unscored) else None,
    }
    return {column: told[column] for column in VALUES}


def result_rows(run: Run) -> Iterator[FlatRow]:
    """One row a row of results.json, by task; metrics over several cells last, with the names of these."""
    summary = summarise(run)
    common: FlatRow = {
        "run_id": run.name,
        "model": run.specs("candidate"),
        "suite_version": run.manifest.suite,
        "date": run.manifest.created,
        "command": solving_command(run.folder).command,
    }
    for task in sorted(summary.tasks, key=lambda one: one.name):
        place = {**common, "task": task.name, "task_version": task.version}
        for cell in task.cells:
            for one in cell.metrics:
                yield _result_row({**place, "cell": cell.id, "parameters": cell.label}, one)
        for over in task.across:
            cells = " ".join(f"{name}={cell}" for name, cell in over.cells.items())
            yield _result_row({**place, "cell": cells, "parameters": ""}, over.result)


def _result_row(place: FlatRow, one: MetricResult) -> FlatRow:
    found = {
        **msgspec.to_builtins(one),
        **place,
        "metric": one.name,
        "slice": ", ".join(f"{tag}={value}" for tag, value in one.slice.items()),
        "lo": one.low,
        "hi": one.high,
    }
    return {name: found[name] for name in RESULTS}
