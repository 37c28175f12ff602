"""Tables as exporters: CSV, JSON Lines, Parquet. Light; `tables` writes them."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from suite.report.exporter import Export, Exporter, ExportOptions

if TYPE_CHECKING:
    from suite.report.exported_run import ExportedRun


class TableOptions(ExportOptions):
    """Of every table."""

    table: Literal["samples", "values", "results"] = "samples"
    """a row a sample (default), a row a value, or a row a number of the results."""
    force: bool = False
    """replace another file that stands there."""


class CsvOptions(TableOptions):
    """Of a table for spreadsheets, too."""

    raw_cells: bool = False
    """do not guard cells that a spreadsheet runs as formulas."""


TableOptionsT = TypeVar("TableOptionsT", bound=TableOptions)


class TableExporter(Exporter[TableOptionsT]):
    """One file with one table."""

    output = "PATH"
    kind: ClassVar[str]

    def write(self, run: "ExportedRun", output: Path) -> Export:
        """The table, and what to know of answers in it."""
        from suite.report.tables import export_table

        given = self.options
        guard = not getattr(given, "raw_cells", False)
        path = export_table(run, self.kind, output, table=given.table, guard=guard, over=given.force)
        return Export([path], run.withheld_remarks if given.table == "samples" else ())


class CsvExporter(TableExporter[CsvOptions]):
    """Comma-separated values."""

    kind = "csv"


class JsonLinesExporter(TableExporter[TableOptions]):
    """A JSON object a line."""

    kind = "jsonl"


class ParquetExporter(TableExporter[TableOptions]):
    """Columns with types."""

    kind = "parquet"
