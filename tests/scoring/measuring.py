"""Metrics of a few records, and the intervals they are held against."""

from collections.abc import Callable, Iterable
from typing import Any

from scipy import stats as scipy_stats

from suite.journal.documents import MetricResult
from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.computation import compute
from suite.scoring.table import ScoreTable, TableBuilder, Wanted

Record = tuple[OutputRecord, ScoreRecord]
Make = Callable[..., Record]


def table_of(records: Iterable[Record], wanted: Wanted | None = None) -> ScoreTable:
    builder = TableBuilder(wanted)
    for output, score in records:
        builder.add(output, score)
    return builder.build()


def rows_of(metric: Any, records: list[Record], **how: Any) -> dict[Any, MetricResult]:
    """Results by name, or by (name, category) for slices."""
    found = compute([metric], metric.name, table_of(records), **how)
    return {(one.name, *one.slice.values()) if one.slice else one.name: one for one in found}


def beta(k: int, n: int) -> tuple[float, float]:
    low = float(scipy_stats.beta.ppf(0.025, k + 0.15, n - k + 0.85)) if k else 0.0
    high = float(scipy_stats.beta.ppf(0.975, k + 0.85, n - k + 0.15)) if k < n else 1.0
    return low, high


def interval(result: MetricResult) -> tuple[float | None, float | None]:
    return result.low, result.high
