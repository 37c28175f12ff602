"""Metrics as declarations: what a task says about its numbers, without computing any.

A declaration names a value of the scores and says its range, direction and unit, what it is taken over,
and how it is sliced. Each becomes one or more rows of results.json (`rows`). Every one may say
`where={tag: value}`. Not here: computing (`computing` and what it calls), so that no numpy is imported.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from suite.errors import ConfigError
from suite.scoring.results import Direction

Range = tuple[float, float]
Where = Mapping[str, str | Sequence[str]]
Over = Literal["samples", "parts"]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What all metrics have.

    name: unique in the task; by default made from the value's. where: only rows with these tags.
    by: a tag or tags; one more row per category of each. direction: which way is better. unit: shown
    behind the number.
    """

    name: str = ""
    direction: Direction = "higher"
    unit: str = ""
    where: Where = field(default_factory=dict)
    by: str | Sequence[str] = ()

    @property
    def slices(self) -> tuple[str, ...]:
        """The tags to slice by."""
        return tuple(filter(None, (self.by,) if isinstance(self.by, str) else self.by))

    def _named(self, name: str) -> None:
        if not self.name:
            object.__setattr__(self, "name", name)

    def rows(self) -> tuple[str, ...]:
        """Names of the rows of results that this metric yields."""
        return (self.name,)

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names of the values it reads: (of samples, of parts)."""
        return frozenset(), frozenset()


def _split(names: Sequence[str], over: Over) -> tuple[frozenset[str], frozenset[str]]:
    kept = frozenset(name for name in names if not name.startswith("tag:"))
    return (kept, frozenset()) if over == "samples" else (frozenset(), kept)


@dataclass(frozen=True)
class Mean(Declared):
    """The mean of a value over samples, or over the parts of all scores.

    range: the ends of the value's scale, for clipping and for bounds; None if it has none.
    average: with one tag in `by`, which of the two totals has the plain name: "micro" (over all units) or
    "macro" (the mean of the slices); the other is beside it as NAME_macro or NAME_micro.
    """

    value: str
    range: Range | None = field(default=None, kw_only=True)
    over: Over = field(default="samples", kw_only=True)
    average: Literal["micro", "macro"] = field(default="micro", kw_only=True)

    binary: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._named(self.value)
        if self.average == "macro" and len(self.slices) != 1:
            raise ConfigError(f"metric {self.name!r}: a macro average needs exactly one tag in `by`")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ConfigError(f"metric {self.name!r}: the range {self.range} is empty")

    @property
    def other(self) -> str:
        """Name of the total that is not the plain one, "" if there is none."""
        if len(self.slices) != 1:
            return ""
        return f"{self.name}_{'micro' if self.average == 'macro' else 'macro'}"

    def rows(self) -> tuple[str, ...]:
        """The metric, and the other average where it is sliced by one tag."""
        return (self.name, self.other) if self.other else (self.name,)

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The value."""
        return _split([self.value], self.over)


@dataclass(frozen=True)
class Rate(Mean):
    """The share of samples (or parts) whose 0/1 value is true."""

    range: Range | None = field(default=(0.0, 1.0), kw_only=True)

    binary: ClassVar[bool] = True


@dataclass(frozen=True)
class Ratio(Declared):
    """Sum of one value over the sum of another ("valid searches per search"), micro.

    A sample counts only if both are there. Interval: by leaving out one cluster at a time, so that the
    denominator is random too. A sum of zero below yields no number.
    """

    top: str
    bottom: str
    range: Range | None = field(default=None, kw_only=True)
    over: Over = field(default="samples", kw_only=True)

    def __post_init__(self) -> None:
        self._named(f"{self.top}_per_{self.bottom}")

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """Both values."""
        return _split([self.top, self.bottom], self.over)


@dataclass(frozen=True)
class PassAt(Declared):
    """Solved in at least one of k trials (pass@k), and with `power` in all of k (pass^k): unbiased.

    Rows: NAME@k and NAME^k. A k above the trials run is refused for the whole metric, with a note.
    Source: Chen et al. 2021 (arXiv 2107.03374) eq. 1; tau-bench (arXiv 2406.12045).
    """

    value: str
    k: Sequence[int] = field(default=(1,), kw_only=True)
    power: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self._named(self.value)
        if not self.k or any(one < 1 for one in self.k):
            raise ConfigError(f"metric {self.name!r}: k must be whole numbers from 1")

    def rows(self) -> tuple[str, ...]:
        """One row for each k, pass@k first."""
        signs = "@^" if self.power else "@"
        return tuple(f"{self.name}{sign}{k}" for sign in signs for k in self.k)

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The value."""
        return _split([self.value], "samples")


COEFFICIENTS: tuple[str, ...] = ("percent", "alpha", "ac1", "cohen", "fleiss", "randolph")


@dataclass(frozen=True)
class Agreement(Declared):
    """How far raters agree on a value; the parts of a sample are its raters, by part id.

    raters: "parts", or a sequence of sample-level value names (a judge's beside a human's).
    scale: nominal for labels and yes/no, ordinal for steps, interval for scores.
    categories: declared by the verdict type, in order; left out, those that occur (a note says so).
    coefficients: rows NAME_percent, NAME_alpha (Krippendorff), NAME_ac1 (Gwet), NAME_cohen (two raters),
    NAME_fleiss (as many raters on every item), NAME_randolph. Sources: `stats.chance_corrected`.
    """

    value: str
    raters: Literal["parts"] | Sequence[str] = field(default="parts", kw_only=True)
    scale: Literal["nominal", "ordinal", "interval"] = field(default="nominal", kw_only=True)
    categories: Sequence[str | float | bool] = field(default=(), kw_only=True)
    coefficients: Sequence[str] = field(default=("percent", "alpha", "ac1"), kw_only=True)

    def __post_init__(self) -> None:
        self._named(self.value)
        for one in self.coefficients:
            if one not in COEFFICIENTS:
                raise ConfigError(f"metric {self.name!r}: no coefficient {one!r}; known: {COEFFICIENTS}")

    def rows(self) -> tuple[str, ...]:
        """One row a coefficient."""
        return tuple(f"{self.name}_{one}" for one in self.coefficients)

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The value of parts, or the values of samples."""
        if self.raters == "parts":
            return _split([self.value], "parts")
        return _split(self.raters, "samples")


@dataclass(frozen=True)
class WinRate(Declared):
    """How often the candidate beats its opponent: 1 a win, 0 a loss, between them shared.

    Rows: NAME (ties count half), NAME_excluded (wins among decided), NAME_strict (ties are failures),
    NAME_net (wins minus losses). A value above 0.5 is a win, below a loss.
    """

    value: str

    def __post_init__(self) -> None:
        self._named(self.value)

    def rows(self) -> tuple[str, ...]:
        """All readings of a tie."""
        return (self.name, f"{self.name}_excluded", f"{self.name}_strict", f"{self.name}_net")

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The value."""
        return _split([self.value], "samples")


# Columns as formulas see them: name -> numpy array, one entry per unit, trials averaged, all scored.
# Labels and tags ("tag:NAME") are object arrays of str; "cluster" is an integer array that tells the
# clusters of one (re)sample apart.
Columns = Mapping[str, Any]
Formula = Callable[[Columns], float | None]


@dataclass(frozen=True)
class Custom(Declared):
    """Any statistic of some values: a pure function of their columns, None where it does not exist.

    needs: value names and "tag:NAME". Only samples with all needed values are passed.
    interval: "cluster-bootstrap" (2,000 draws of whole clusters) or "none".
    """

    name: str = field(kw_only=False)
    formula: Formula
    needs: Sequence[str] = field(default=(), kw_only=True)
    interval: Literal["cluster-bootstrap", "none"] = field(default="cluster-bootstrap", kw_only=True)
    range: Range | None = field(default=None, kw_only=True)
    over: Over = field(default="samples", kw_only=True)
    draws: int = field(default=2000, kw_only=True)

    def __post_init__(self) -> None:
        if not any(not name.startswith("tag:") for name in self.needs):
            raise ConfigError(f"metric {self.name!r}: `needs` must name at least one value")

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The needed values."""
        return _split(self.needs, self.over)


AcrossFormula = Callable[[Mapping[str, Columns]], float | None]


@dataclass(frozen=True)
class Across(Declared):
    """A statistic over several cells of one task: cells named by the parameters that tell them apart.

    `Across("regression_5", formula, cells={"base": {"k": 0}, "now": {"k": 5}}, needs=("passed",))`:
    the formula gets {"base": columns, "now": columns}. All other parameters must be equal; each
    combination of them gives one result. pair="sample": only samples scored in all these cells, in one
    order; pair="none": each cell's own. Clusters are resampled jointly over the cells.
    """

    name: str = field(kw_only=False)
    function: AcrossFormula
    cells: Mapping[str, Mapping[str, Any]] = field(kw_only=True)
    needs: Sequence[str] = field(default=(), kw_only=True)
    pair: Literal["sample", "none"] = field(default="sample", kw_only=True)
    interval: Literal["cluster-bootstrap", "none"] = field(default="cluster-bootstrap", kw_only=True)
    range: Range | None = field(default=None, kw_only=True)
    draws: int = field(default=2000, kw_only=True)

    def __post_init__(self) -> None:
        if len(self.cells) < 2:
            raise ConfigError(f"metric {self.name!r}: `cells` must name at least two cells")
        if not any(not name.startswith("tag:") for name in self.needs):
            raise ConfigError(f"metric {self.name!r}: `needs` must name at least one value")
        if self.slices:
            raise ConfigError(f"metric {self.name!r}: a metric over cells is sliced by `where`, not by `by`")

    def wants(self) -> tuple[frozenset[str], frozenset[str]]:
        """The needed values."""
        return _split(self.needs, "samples")


def row_names(metrics: Sequence[Any]) -> tuple[str, ...]:
    """Names of all rows of a task's metrics. Raises ConfigError for a name that occurs twice."""
    names: list[str] = []
    for metric in metrics:
        for name in metric.rows():
            if name in names:
                raise ConfigError(
                    f"two metrics yield {name!r}", fix="give one of them another name: name='…'"
                )
            names.append(name)
    return tuple(names)


def wanted_values(metrics: Sequence[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Names of all values that these metrics read: (of samples, of parts)."""
    samples: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    for metric in metrics:
        some, more = metric.wants()
        samples, parts = samples | some, parts | more
    return samples, parts
