"""Any statistic of the values of one cell, or of several cells of one task, by resampling whole clusters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from suite.chat import Json, canonical_json
from suite.errors import ConfigError
from suite.journal.documents import AcrossResult, MetricResult
from suite.journal.records import CellPlan
from suite.scoring.measures import Columns, Formula, Measure, Over, Range
from suite.scoring.metrics.declared import Declared, OfOneCell

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice, Context

AcrossFormula = Callable[[Mapping[str, Columns]], float | None]


@dataclass(frozen=True, kw_only=True)
class Formulated(Declared):
    """What all formulas have. needs: value names and "tag:NAME". interval: see `Custom`. draws: of it."""

    needs: Sequence[str] = ()
    interval: Literal["cluster-bootstrap", "none"] = "cluster-bootstrap"
    range: Range | None = None
    draws: int = 2000

    kind: ClassVar[str] = "statistic"

    def __post_init__(self) -> None:
        if all(name.startswith("tag:") for name in self.needs):
            raise ConfigError(f"metric {self.name!r}: `needs` must name at least one value")

    @property
    def resamples(self) -> int:
        """How often it is resampled."""
        return 0 if self.interval == "none" else self.draws


@dataclass(frozen=True)
class Custom(Formulated, OfOneCell):
    """Any statistic of some values: a pure function of their columns, None where it does not exist.

    needs: value names and "tag:NAME". Only samples with all needed values are passed.
    interval: "cluster-bootstrap" (2,000 draws of whole clusters) or "none".
    """

    name: str = field(kw_only=False)
    formula: Formula
    over: Over = field(default="samples", kw_only=True)

    def measures(self) -> tuple[Measure, ...]:
        return (replace(self._measure(self.name, *self.needs), formula=self.formula, numbers=False),)

    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        (measure,) = self.measures()
        yield part.formula_row(measure, self.resamples)


@dataclass(frozen=True)
class Across(Formulated):
    """A statistic over several cells of one task: cells named by the parameters that tell them apart.

    `Across("regression_5", formula, cells={"base": {"k": 0}, "now": {"k": 5}}, needs=("passed",))`:
    the formula gets {"base": columns, "now": columns}. All other parameters must be equal; each
    combination of them gives one result. pair="sample": only samples scored in all these cells, in one
    order; pair="none": each cell's own. Clusters are resampled jointly over the cells.
    """

    name: str = field(kw_only=False)
    function: AcrossFormula
    cells: Mapping[str, Mapping[str, object]] = field(kw_only=True)
    pair: Literal["sample", "none"] = field(default="sample", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.cells) < 2:
            raise ConfigError(f"metric {self.name!r}: `cells` must name at least two cells")
        if self.slices:
            raise ConfigError(f"metric {self.name!r}: a metric over cells is sliced by `where`, not by `by`")

    def measures(self) -> tuple[Measure, ...]:
        return (self._measure(self.name, *self.needs),)

    def across(self, context: "Context", cells: Sequence[CellPlan]) -> Iterator[AcrossResult]:
        """One result for each set of cells that differ in the named parameters alone."""
        families: dict[bytes, list[CellPlan]] = {}
        for cell in cells:
            families.setdefault(canonical_json([cell.task, self._shared(cell)]), []).append(cell)
        for family in families.values():
            found = {
                role: next((one for one in family if wanted.items() <= _parameters(one).items()), None)
                for role, wanted in self.cells.items()
            }
            chosen = {role: one for role, one in found.items() if one is not None}
            if len(chosen) == len(self.cells):
                yield self._result(context, chosen)

    def _shared(self, cell: CellPlan) -> dict[str, Json]:
        """The parameters that do not tell its cells apart."""
        named = {name for wanted in self.cells.values() for name in wanted}
        return {name: value for name, value in _parameters(cell).items() if name not in named}

    def _result(self, context: "Context", cells: Mapping[str, CellPlan]) -> AcrossResult:
        from suite.scoring.rows import CellSlice
        from suite.scoring.units import Units, collect, on_common_samples, scope_of

        held = {
            role: collect(scope_of(context.table, one.cell, "samples", self.where), self.needs, numbers=False)
            for role, one in cells.items()
        }
        applicable = max(units.n + units.unscored for units in held.values())
        if self.pair == "sample":
            held = on_common_samples(held)
        first, n = next(iter(held.values())), min(units.n for units in held.values())
        any_cell = next(iter(cells.values()))
        shared, (measure,) = self._shared(any_cell), self.measures()
        whole = scope_of(context.table, any_cell.cell, "samples", self.where)
        tags = {name: str(value) for name, value in shared.items()}
        found = CellSlice(context, whole, tags).formula_estimate(measure, self.function, held, self.resamples)
        counted = Units({}, first.clusters[:n], first.samples[:n], None, applicable - n, 0)
        row = CellSlice(context, whole, {}).row(measure, found, counted)
        return AcrossResult(any_cell.task, {role: one.cell for role, one in cells.items()}, shared, row)


def _parameters(cell: CellPlan) -> dict[str, Json]:
    return {**cell.parameters, **cell.score_parameters}
