"""Metrics computed: the one way from a table of scores to the numbers of results.json.

Pure: the same table, declarations, seed and level give the same results, bit for bit, in whatever order
the records were read; so verification and comparison use this very code. Not here: the declarations
(`metrics`), one file per kind of metric (`means`, `passes`, `agreeing`, `formulas`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from suite.errors import PluginError
from suite.journal.records import CellPlan
from suite.scoring.agreeing import agreement_rows
from suite.scoring.formulas import across_rows, custom_rows, ratio_rows
from suite.scoring.means import mean_rows, win_rows
from suite.scoring.metrics import Across, Agreement, Custom, Mean, PassAt, Ratio, WinRate, wanted_values
from suite.scoring.passes import pass_rows
from suite.scoring.results import AcrossResult, MetricResult
from suite.scoring.row import Context, Slice
from suite.scoring.table import Table, Wanted
from suite.scoring.units import Scope, scope_of

_ROWS: tuple[tuple[type, Callable[[Any, Context, Scope, Slice], Iterator[MetricResult]]], ...] = (
    (Mean, mean_rows),
    (Ratio, ratio_rows),
    (PassAt, pass_rows),
    (Agreement, agreement_rows),
    (WinRate, win_rows),
    (Custom, custom_rows),
)


def wanted(metrics: Sequence[Any]) -> Wanted:
    """What a TableBuilder must keep for these metrics, and no more."""
    return Wanted(*wanted_values(metrics))


def compute(
    metrics: Sequence[Any],
    headline: str,
    table: Table,
    *,
    cell: str | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> list[MetricResult]:
    """All rows of one cell, in the order declared: of each metric the whole first, then its slices.

    metrics: declarations; those over cells (`Across`) are left to `compute_across`. headline: name of the
    row that is the task's first number. cell: None for a table of one cell. seed: the run's.
    Raises PluginError for what is no metric and for a formula that fails.
    """
    if cell is None:
        if len(table.cells) > 1:
            raise ValueError(f"the table holds {len(table.cells)} cells: say which one")
        cell = table.cells[0] if table.cells else ""
    context = Context(table, cell, headline, seed, level)
    found: list[MetricResult] = []
    for metric in metrics:
        if isinstance(metric, Across):
            continue
        rows = next((rows for kind, rows in _ROWS if isinstance(metric, kind)), None)
        if rows is None:
            raise PluginError(f"{type(metric).__name__} is no metric that can be computed")
        scope = scope_of(table, cell, getattr(metric, "over", "samples"), metric.where)
        for slice_, part in scope.slices(metric.slices):
            found.extend(rows(metric, context, part, slice_))
    return found


def compute_across(
    metrics: Sequence[Any],
    headline: str,
    table: Table,
    cells: Sequence[CellPlan],
    *,
    seed: int = 0,
    level: float = 0.95,
) -> list[AcrossResult]:
    """All results over cells of one task: for each `Across`, one per set of cells that fits it."""
    context = Context(table, "", headline, seed, level)
    found: list[AcrossResult] = []
    for metric in metrics:
        if isinstance(metric, Across):
            found.extend(across_rows(metric, cells, context))
    return found
