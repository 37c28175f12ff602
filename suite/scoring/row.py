"""One row of results from an estimate and the units it stands on: counts, coverage, bounds, notes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from suite.scoring.metrics import Declared, Range
from suite.scoring.results import MetricResult
from suite.scoring.stats.bootstrap import seed_for
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import clip
from suite.scoring.table import Table
from suite.scoring.units import Units

LOW_COVERAGE = 0.95
Slice = Mapping[str, str]
WHOLE: Slice = {}


class Estimated(NamedTuple):
    """A number with its interval; None means "no such number"."""

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = "none"
    clusters: int | None = None
    n_effective: float | None = None
    note: str = ""


def estimated(found: Estimate, limits: Range | None = None) -> Estimated:
    """From the statistics library, its interval cut to the range."""
    low, high = found.low, found.high
    if limits is not None and low is not None and high is not None:
        low, high = clip((low, high), limits)
    return Estimated(found.value, low, high, found.method, found.clusters, found.n_effective, found.note)


@dataclass(frozen=True)
class Context:
    """What all metrics of one cell are computed with."""

    table: Table
    cell: str
    headline: str
    seed: int
    level: float

    def seed_of(self, name: str, slice_: Slice) -> int:
        """The seed of one row's resampling: from the run's seed, its name and slice."""
        return seed_for(self.seed, name, *(part for pair in sorted(slice_.items()) for part in pair))

    def row(
        self,
        metric: Declared,
        name: str,
        slice_: Slice,
        found: Estimated,
        units: Units,
        bounds: tuple[float, float] | None = None,
    ) -> MetricResult:
        """The result's record."""
        coverage = units.coverage
        notes = [found.note if coverage is not None else "", coverage_note(coverage)]
        if units.labels:
            notes.append(f"{units.labels} labels where numbers were expected")
        return MetricResult(
            name=name,
            slice=dict(slice_),
            headline=name == self.headline and not slice_,
            value=found.value,
            low=found.low,
            high=found.high,
            level=self.level,
            method=found.method,
            n=units.n,
            unscored=units.unscored,
            not_applicable=units.not_applicable,
            coverage=coverage,
            bounds=bounds,
            clusters=found.clusters,
            n_effective=found.n_effective,
            direction=metric.direction,
            note="; ".join(note for note in notes if note),
            unit=metric.unit,
        )


def coverage_note(coverage: float | None) -> str:
    """What to say about a coverage, "" for nothing."""
    if coverage is None:
        return "no sample has this value"
    return f"coverage {coverage:.1%}" if coverage < LOW_COVERAGE else ""


def mean_bounds(units: Units, name: str, limits: Range | None) -> tuple[float, float] | None:
    """The mean if all unscored answers were at the low end, and at the high end, of the range.

    None without a range, or if everything applicable is scored. Source: Manski 2003.
    """
    applicable = units.n + units.unscored
    if limits is None or not applicable or (not units.unscored and units.share is None):
        return None
    share = np.ones(units.n) if units.share is None else units.share
    known = float((units.columns[name] * share).sum())
    missing = applicable - float(share.sum())
    return (known + missing * limits[0]) / applicable, (known + missing * limits[1]) / applicable
