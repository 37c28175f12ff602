"""Metrics computed: the one way from a table of scores to the numbers of results.json.

Pure: the same table, declarations, seed and level give the same results, bit for bit, in whatever order
the records were read; so verification and comparison use this very code. What a kind of metric does is its
own affair (`metrics`).
"""

from collections.abc import Iterable, Sequence

from suite.journal.documents import AcrossResult, MetricResult
from suite.journal.records import CellPlan
from suite.scoring.metrics.declared import OfOneCell, metrics_of, rows_of, values_of
from suite.scoring.metrics.formulas import Across
from suite.scoring.rows import Context
from suite.scoring.table import ScoreTable, Wanted


def wanted(metrics: Iterable[object]) -> Wanted:
    """What a TableBuilder must keep for these metrics, and no more."""
    return Wanted(*values_of(rows_of(metrics)))


def compute(
    metrics: Iterable[object],
    headline: str,
    table: ScoreTable,
    *,
    cell: str | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> list[MetricResult]:
    """All rows of one cell, in the order declared: of each metric the whole first, then its slices.

    metrics: declarations; those over cells are left to `compute_across`. headline: name of the row that is
    the task's first number. cell: None for a table of one cell. seed: the run's.
    Raises PluginError for what is no metric and for a formula that fails.
    """
    if cell is None:
        if len(table.cells) > 1:
            raise ValueError(f"the table holds {len(table.cells)} cells: say which one")
        cell = table.cells[0] if table.cells else ""
    context = Context(table, cell, headline, seed, level)
    own = [one for one in metrics_of(metrics) if isinstance(one, OfOneCell)]
    return [row for metric in own for row in metric.results(context)]


def compute_across(
    metrics: Iterable[object],
    headline: str,
    table: ScoreTable,
    cells: Sequence[CellPlan],
    *,
    seed: int = 0,
    level: float = 0.95,
) -> list[AcrossResult]:
    """All results over cells of one task: for each metric over cells, one per set of cells that fits it."""
    context = Context(table, "", headline, seed, level)
    own = [one for one in metrics_of(metrics) if isinstance(one, Across)]
    return [one for metric in own for one in metric.across(context, cells)]
