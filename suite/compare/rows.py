"""The rows of a comparison: one measure of one pair of cells, and its slices."""

from dataclasses import dataclass

from suite.compare.comparability import Match
from suite.compare.differences import Paired, SliceDifference
from suite.scoring.measures import Measure


@dataclass(frozen=True)
class MeasureRow:
    """One measure of one pair of cells. corrected: its p within its family. verdict: for headlines."""

    a: str
    b: str
    match: Match
    measure: Measure
    headline: bool
    found: Paired
    corrected: float | None = None
    verdict: str = ""
    equivalent: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class SliceRow:
    """One slice of one row. corrected: by Benjamini-Hochberg over all slices."""

    row: MeasureRow
    found: SliceDifference
    corrected: float | None
