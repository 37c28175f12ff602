"""What a metric comes to: the records of results.json. Light, so that readers of results need no numpy."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Direction = Literal["higher", "lower", "neither"]


class MetricResult(msgspec.Struct, frozen=True):
    """One number with everything that belongs to it.

    slice: {} for the whole cell, {tag: value} for a part of it. headline: the task's first number.
    value, low, high: None means "there is no such number"; `note` says why. level: of the interval.
    method: how the interval was made, so that a verifier can recompute it.
    n: scored units; unscored, not_applicable: units without a number. coverage: share of the applicable
    that is scored. bounds: the value if all unscored were at one end of the range and at the other, only
    where coverage < 1 and a range is declared. clusters, n_effective: of the interval.
    """

    name: str
    slice: Mapping[str, str]
    headline: bool
    value: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    unscored: int
    not_applicable: int
    coverage: float | None
    bounds: tuple[float, float] | None
    clusters: int | None
    n_effective: float | None
    direction: Direction
    note: str
    unit: str


class AcrossResult(msgspec.Struct, frozen=True):
    """A metric over several cells. cells: its name for a cell -> the cell; parameters: what they share."""

    task: str
    cells: Mapping[str, str]
    parameters: Mapping[str, Any]
    result: MetricResult
