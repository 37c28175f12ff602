"""Flat rows as Arrow tables: a column's type is the narrowest that holds all its values."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from suite.chat import text_of
from suite.report.rows import FlatRow, Scalar

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 5_000  # rows of one Parquet row group


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
