"""A kind of metric that the suite does not know: one class, and results, progress and comparison work."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

import suite
from suite.comparisons.differences import pair, side
from suite.errors import PluginError
from suite.journal.documents import MetricResult
from suite.scoring.computation import compute, wanted
from suite.scoring.headline import RunningHeadline
from suite.scoring.measures import Measure
from suite.scoring.metrics import Mean
from suite.scoring.metrics.declared import OfOneCell, measures_of, row_names, rows_of
from suite.scoring.rows import CellSlice
from suite.scoring.units import units_of
from tests.scoring.measuring import Make, table_of

SUITE = Path(suite.__file__).parent


@dataclass(frozen=True)
class Above(OfOneCell):
    """The share of samples whose value is above a bar."""

    value: str
    bar: float = 0.5

    kind: ClassVar[str] = "share_above"

    def measures(self) -> tuple[Measure, ...]:
        plain = self._measure(self.name, self.value)
        return (
            replace(plain, top=lambda c: (c[self.value] > self.bar) * 1.0, binary=True, range=(0.0, 1.0)),
        )

    def compute(self, part: CellSlice) -> Iterator[MetricResult]:
        (measure,) = self.measures()
        yield part.mean_row(measure, units_of(measure, part.scope))


def test_one_class_is_computed_shown_on_the_way_and_compared(record: Make) -> None:
    metrics = (Above("grade", name="good", by="topic"), Mean("grade"))
    records = [record(f"s{i}", {"grade": i / 8}, tags={"topic": "ab"[i % 2]}) for i in range(8)]
    assert row_names(metrics) == ("good", "grade")
    assert wanted(metrics).values == {"grade"}
    assert next(one for one in rows_of(metrics) if one.name == "good").ends == (0, 1)
    table = table_of(records)
    rows = [one for one in compute(metrics, "good", table) if one.name == "good"]
    assert [(dict(one.slice), one.value) for one in rows] == [
        ({}, 3 / 8),
        ({"topic": "a"}, 1 / 4),
        ({"topic": "b"}, 2 / 4),
    ]
    assert (rows[0].method, rows[0].headline) == ("beta", True)
    running = RunningHeadline(metrics, "good")
    for output, score in records:
        running.add(score, output)
    so_far: Any = running.value()
    assert (so_far.value, so_far.n) == (3 / 8, 8)
    one = side(measures_of(metrics)[0], table, table.cells[0], ())
    found = pair(measures_of(metrics)[0], one, one, seed=0, level=0.95)
    assert (found.a, found.comparison.difference.value) == (3 / 8, 0)


def test_what_is_no_metric_is_refused() -> None:
    with pytest.raises(PluginError, match="str is no metric"):
        row_names(["kept"])


def test_only_checks_of_plugins_ask_what_kind_a_metric_of_one_cell_is() -> None:
    kind = re.compile(r"isinstance\([^)]*\b(Mean|Rate|Ratio|PassAt|Agreement|WinRate|Custom)\b")
    asking = {path for path in SUITE.rglob("*.py") if kind.search(path.read_text("utf-8"))}
    assert {path.parent.name for path in asking} <= {"testing"}  # the worst value of a rate; quick formulas
