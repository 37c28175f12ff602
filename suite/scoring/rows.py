"""Rows of results from units: estimates, counts, coverage, bounds, notes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from suite.errors import PluginError
from suite.journal.documents import MetricResult
from suite.scoring.measures import Columns, Measure
from suite.scoring.stats import means
from suite.scoring.stats.bootstrap import resample, seed_for
from suite.scoring.stats.clusters import grouped, grouped_together, is_binary
from suite.scoring.stats.estimate import Estimate, clip, finite, joined
from suite.scoring.table import ScoreTable
from suite.scoring.units import Scope, Units, units_of

LOW_COVERAGE = 0.95


@dataclass(frozen=True)
class Context:
    """What all metrics of one cell are computed with."""

    table: ScoreTable
    cell: str
    headline: str
    seed: int
    level: float


@dataclass(frozen=True)
class CellSlice:
    """A cell, as {}, or the part of it with a tag, as {tag: category}; and its rows of the table."""

    context: Context
    scope: Scope
    tags: Mapping[str, str]

    def row(
        self, measure: Measure, found: Estimate, units: Units, bounds: tuple[float, float] | None = None
    ) -> MetricResult:
        coverage = units.coverage
        covered = "no sample has this value"
        if coverage is not None:
            covered = f"coverage {coverage:.1%}" if coverage < LOW_COVERAGE else ""
        labels = f"{units.labels} labels where numbers were expected" if units.labels else ""
        return MetricResult(
            name=measure.name,
            slice=dict(self.tags),
            headline=measure.name == self.context.headline and not self.tags,
            value=found.value,
            low=found.low,
            high=found.high,
            level=self.context.level,
            method=found.method,
            n=units.n,
            unscored=units.unscored,
            not_applicable=units.not_applicable,
            coverage=coverage,
            bounds=bounds,
            clusters=found.clusters,
            n_effective=found.n_effective,
            direction=measure.direction,
            note=joined(found.note if coverage is not None else "", covered, labels),
            unit=measure.unit,
        )

    def units(self, measure: Measure) -> Units:
        return units_of(measure, self.scope)

    def mean_row(self, measure: Measure, units: Units, note: str = "") -> MetricResult:
        """The mean of what each unit adds above the line. note: comes first."""
        assert measure.top is not None
        x, limits, own = measure.top(units.columns), measure.range, grouped(units.clusters)
        binary, level = measure.binary and is_binary(x), self.context.level
        found = means.covering_mean(x, own, binary=binary, limits=limits, level=level)
        found = replace(found, note=joined(note, found.note))
        return self.row(measure, found, units, means.bounds_of(x, units.share, units.unscored, limits))

    def ratio_row(self, measure: Measure) -> MetricResult:
        """What units add above the line over what they add below it."""
        assert measure.top is not None and measure.bottom is not None
        units = self.units(measure)
        top, bottom = measure.top(units.columns), measure.bottom(units.columns)
        if float(bottom.sum()):
            own = grouped(units.clusters)
            found = means.covering_ratio(top, bottom, own, measure.range, self.context.level)
        else:
            found = Estimate(None, note=f"the sum of {measure.needs[-1]} is zero" if units.n else "")
        return self.row(measure, found, units)

    def formula_row(self, measure: Measure, draws: int) -> MetricResult:
        """The value of a formula, resampled so many times. Raises PluginError for a formula that fails."""
        held = {"": self.units(measure)}
        found = self.formula_estimate(measure, lambda tables: measure.statistic(tables[""]), held, draws)
        return self.row(measure, found, held[""])

    def formula_estimate(
        self,
        measure: Measure,
        formula: Callable[[Mapping[str, Columns]], float | None],
        held: Mapping[str, Units],
        draws: int,
    ) -> Estimate:
        """A formula's value with its interval. held: units by name of the cell. draws: 0 for no interval.

        Raises PluginError for a formula that fails on the sample itself.
        """
        if not all(units.n for units in held.values()):
            return Estimate(None)
        try:
            whole = {  # as a draw has it, with numbers for clusters
                cell: {**units.columns, "cluster": np.unique(units.clusters, return_inverse=True)[1]}
                for cell, units in held.items()
            }
            value = finite(formula(whole))
        except Exception as error:  # third-party code: anything may come out
            raise PluginError(
                f"the formula of metric {measure.name!r} failed: {type(error).__name__}: {error}"
            ) from error
        if value is None:
            return Estimate(None, note="the formula yields no number here")
        if not draws:
            return Estimate(value)
        tables = {cell: (units.columns, units.clusters) for cell, units in held.items()}
        own, level = (part for pair in sorted(self.tags.items()) for part in pair), self.context.level
        seed = seed_for(self.context.seed, measure.name, *own)
        drawn, note = resample(value, formula, tables, draws, seed, measure.range)
        clusters = len(np.unique(np.concatenate([units.clusters for units in held.values()])))
        point = Estimate(value, level=level, clusters=clusters, note=note)
        if drawn is None:
            return point
        low, high = clip(drawn.at(level), measure.range)
        return replace(point, low=low, high=high, method="cluster-bootstrap")

    def macro_row(self, measure: Measure, whole: Units) -> MetricResult:
        """The mean over slices; counts and coverage are those of the whole. The groups are fixed; why:
        docs/numbers.md, "Macro and micro".
        """
        assert measure.top is not None
        parts = [(label, units_of(measure, part)) for label, part in self.scope.sliced(measure.macro)]
        empty = [label for label, units in parts if not units.n and units.unscored]
        known = [units for _, units in parts if units.n]
        columns = [measure.top(units.columns) for units in known]
        if empty or not known:
            found = Estimate(None, note=f"no score in {', '.join(empty[:5])}" if empty else "")
            bounds = None
        else:
            own, level = grouped_together([units.clusters for units in known]), self.context.level
            binary = measure.binary and all(map(is_binary, columns))
            found = means.covering_macro(columns, own, binary=binary, limits=measure.range, level=level)
            found = replace(found, note=joined(f"macro over {len(columns)} slices", found.note))
            each = zip(columns, known, strict=True)
            limits = [means.bounds_of(x, units.share, units.unscored, measure.range) for x, units in each]
            bounds = means.bounds_of_macro(limits, columns)
        return self.row(measure, replace(found, n_effective=None), replace(whole, labels=0), bounds)
