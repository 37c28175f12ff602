"""Metrics of a few records, and the intervals they are held against."""

import math
from collections.abc import Callable
from typing import Any

from scipy import stats as scipy_stats

from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.computing import compute
from suite.scoring.results import MetricResult
from suite.scoring.table import Table, TableBuilder

Record = tuple[OutputRecord, ScoreRecord]
Make = Callable[..., Record]


def table_of(records: list[Record]) -> Table:
    return TableBuilder().extend(records).build()


def rows_of(metric: Any, records: list[Record], **how: Any) -> dict[Any, MetricResult]:
    """Results by name, or by (name, category) for slices."""
    found = compute([metric], metric.name, table_of(records), **how)
    return {(one.name, *one.slice.values()) if one.slice else one.name: one for one in found}


def wilson(p: float, n: float) -> tuple[float, float]:
    z = float(scipy_stats.norm.ppf(0.975))
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def interval(result: MetricResult) -> tuple[float | None, float | None]:
    return result.low, result.high
