"""What every metric has and answers; a new kind is a subclass, in a module of its own."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from suite.errors import ConfigError, PluginError
from suite.journal.documents import Direction, MetricResult
from suite.scoring.measures import Measure, Over, Range, Where

if TYPE_CHECKING:
    from suite.scoring.rows import CellSlice, Context

Names = tuple[frozenset[str], frozenset[str]]  # of values: of samples, of parts


@dataclass(frozen=True, kw_only=True)
class Declared(ABC):
    """What all metrics have.

    name: unique in the task; by default made from the value's. where: only rows with these tags.
    by: a tag or tags; one more row per category of each. direction: which way is better. unit: shown
    behind the number. optional: no row in a cell where no sample has its value. about: a sentence for
    readers of reports, what it means; of no effect on results.
    """

    kind: ClassVar[str]  # see `Measure`

    name: str = ""
    direction: Direction = "higher"
    unit: str = ""
    where: Where = field(default_factory=dict)
    by: str | Sequence[str] = ()
    optional: bool = False
    about: str = field(default="", compare=False)

    @property
    def over(self) -> Over:
        """What it is taken over."""
        return "samples"

    @property
    def range(self) -> Range | None:
        """The ends of its scale, None if it has none."""
        return None

    @property
    def slices(self) -> tuple[str, ...]:
        """The tags to slice by."""
        return tuple(filter(None, (self.by,) if isinstance(self.by, str) else self.by))

    @abstractmethod
    def measures(self) -> tuple[Measure, ...]:
        """Its rows of results, in order."""

    def rows(self) -> tuple[str, ...]:
        """Names of its rows of results."""
        return tuple(one.name for one in self.measures())

    def wants(self) -> Names:
        """Names of the values it reads: (of samples, of parts)."""
        return values_of(self.measures())

    def _named(self, name: str) -> None:
        if not self.name:
            object.__setattr__(self, "name", name)

    def _measure(self, name: str, *needs: str) -> Measure:
        """A row of it, without what is special."""
        return Measure(
            name=name, kind=self.kind, direction=self.direction, unit=self.unit, over=self.over,
            where=self.where, slices=self.slices, needs=needs, range=self.range,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OfOneCell(Declared):
    """A metric of one cell."""

    def results(self, context: "Context") -> Iterator[MetricResult]:
        """Its rows: of the whole first, then of its slices."""
        from suite.scoring.rows import CellSlice
        from suite.scoring.units import scope_of

        scope = scope_of(context.table, context.cell, self.over, self.where)
        for tags, part in scope.slices(self.slices):
            for row in self.compute(CellSlice(context, part, tags)):
                if not self.optional or row.coverage is not None:
                    yield row

    @abstractmethod
    def compute(self, part: "CellSlice") -> Iterator[MetricResult]:
        """Its rows over a part of the cell. Raises PluginError for a formula that fails."""


def values_of(measures: Iterable[Measure]) -> Names:
    """Names of all values that these rows read."""
    needs: dict[Over, set[str]] = {"samples": set(), "parts": set()}
    for one in measures:
        needs[one.over].update(name for name in one.needs if not name.startswith("tag:"))
    return frozenset(needs["samples"]), frozenset(needs["parts"])


def metrics_of(declared: Iterable[object]) -> Iterator[Declared]:
    """A task's metrics. Raises PluginError for what is none."""
    for metric in declared:
        if not isinstance(metric, Declared):
            raise PluginError(f"{type(metric).__name__} is no metric that can be computed")
        yield metric


def rows_of(metrics: Iterable[object]) -> list[Measure]:
    """Every row of a task's metrics, in order."""
    return [one for metric in metrics_of(metrics) for one in metric.measures()]


def row_names(metrics: Iterable[object]) -> tuple[str, ...]:
    """Names of all rows of a task's metrics. Raises ConfigError for a name that occurs twice."""
    names = tuple(one.name for one in rows_of(metrics))
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise ConfigError(f"two metrics yield {twice[0]!r}", fix="give one of them another name: name='…'")
    return names


def measures_of(metrics: Iterable[object]) -> list[Measure]:
    """Every row of a task's metrics that is a number of one model, in order."""
    return [one for one in rows_of(metrics) if one.of_one_model]
