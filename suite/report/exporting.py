"""A run's samples for other tools: CSV, JSON Lines, Parquet, and lm-evaluation-harness's files.

The same run gives the same bytes. Files are replaced in one step. Not here: reading them back.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from suite.errors import ConfigError, RunError
from suite.report.finish import replace_file
from suite.report.loading import LoadedRun
from suite.report.rows import Columns, Row, columns_of, flat, records

BATCH = 5_000  # rows of one Parquet row group
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_run(
    run: LoadedRun, kind: str, path: Path, *, allow_partial: bool = False, guard: bool = True
) -> list[Path]:
    """Write the samples of a run; the paths written.

    kind: csv | jsonl | parquet | lm-eval (whose `path` is a folder). guard: put an apostrophe before text
    cells of a CSV that a spreadsheet would run as a formula; numbers are never changed.
    Raises ConfigError for a run that was not scored or is not complete (unless `allow_partial`), RunError
    where the file cannot be written.
    """
    if not run.results:
        raise ConfigError(f"run {run.name} has no results to export", fix=f"suite score {run.name}")
    pending = int(run.results.get("pending", 0))
    if pending and not allow_partial:
        raise ConfigError(
            f"run {run.name} has {pending:,} samples without a result",
            fix="finish it, or say --allow-partial",
        )
    if kind == "lm-eval":
        from suite.report.lm_eval import write_lm_eval

        return write_lm_eval(run, path)
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder", fix=f"name a file: -o {path / f'samples.{kind}'}")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot write {path.name[:80]}: {error.strerror}", where=str(path.parent)) from error
    if kind == "csv":
        return [replace_file(path, csv_lines(run, guard))]
    if kind == "jsonl":
        return [replace_file(path, json_lines(run))]
    if kind == "parquet":
        return [write_parquet(run, path)]
    raise ConfigError(f"no export format {kind!r}", fix="csv, jsonl, parquet or lm-eval")


def json_lines(run: LoadedRun) -> Iterator[bytes]:
    """One record a line, as `suite.report.rows.records` describes it."""
    for row in records(run):
        yield msgspec.json.encode(row) + b"\n"


def csv_lines(run: LoadedRun, guard: bool) -> Iterator[str]:
    """UTF-8 with a header, quoted as RFC 4180 says; true and false, an empty cell for what is not there."""
    columns = columns_of(run)
    names = columns.names()
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for row in _with_header(names, (flat(row, columns) for row in records(run))):
        writer.writerow([_csv_cell(value, guard) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _with_header(names: list[str], rows: Iterable[Row]) -> Iterator[list[Any]]:
    yield list(names)
    for row in rows:
        yield [row[name] for name in names]


def _csv_cell(value: Any, guard: bool) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.replace("\0", "\u2400")  # readers of CSV refuse it
        return "'" + text if guard and text.startswith(_FORMULA) else text
    return value


def write_parquet(run: LoadedRun, path: Path) -> Path:
    """One row a sample. A column whose values are all of one kind has that type; mixed ones are text."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigError("Parquet needs pyarrow", fix="pip install pyarrow") from error
    columns = columns_of(run)
    types = _types(run, columns)
    arrow = {"text": pa.string(), "flag": pa.bool_(), "whole": pa.int64(), "number": pa.float64()}
    schema = pa.schema(
        [(name, arrow[types.get(name, "text")]) for name in columns.names()],
        metadata={"format": "suite-samples/1", "plan_sha256": str(run.manifest.get("plan_sha256", ""))},
    )
    part = path.with_name(path.name + ".part")
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in _batches(flat(row, columns) for row in records(run)):
                table = {
                    name: [_typed(row[name], types.get(name, "text")) for row in batch]
                    for name in schema.names
                }
                writer.write_table(pa.table(table, schema=schema))
        part.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path.name}: {error}", where=str(path.parent)) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    held: list[Row] = []
    for row in rows:
        held.append(row)
        if len(held) == BATCH:
            yield held
            held = []
    if held:
        yield held


def _types(run: LoadedRun, columns: Columns) -> dict[str, str]:
    """Column -> text, flag, whole or number: the narrowest that holds all its values."""
    found: dict[str, set[str]] = {}
    for row in records(run):
        for name, value in flat(row, columns).items():
            if value is not None:
                found.setdefault(name, set()).add(_kind(value))
    types = {}
    for name, kinds in found.items():
        if kinds <= {"whole", "number"}:
            types[name] = "number" if "number" in kinds else "whole"
        else:
            types[name] = kinds.pop() if len(kinds) == 1 else "text"
    return types


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "whole" if -(2**63) <= value < 2**63 else "text"
    return "number" if isinstance(value, float) else "text"


def _typed(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "text" and not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    return float(value) if kind == "number" else value
