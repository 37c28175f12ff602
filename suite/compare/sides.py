"""The units of one cell, by id, to be laid beside another's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.scoring.measures import Measure
from suite.scoring.stats.bootstrap import Columns
from suite.scoring.stats.clusters import Digests
from suite.scoring.table import ScoreTable
from suite.scoring.units import Scope, scope_of, unit_ids, units_of


@dataclass(frozen=True)
class Side:
    """One cell's units. every, every_cluster: all units of the cell, sorted by id, with their clusters. ids,
    columns: the scored ones, sorted by id.
    """

    every: Digests
    every_cluster: Digests
    ids: Digests
    columns: Columns


def scope(measure: Measure, table: ScoreTable, cell: str) -> Scope:
    """The rows that a measure speaks of."""
    return scope_of(table, cell, measure.over, measure.where)


def side(measure: Measure, table: ScoreTable, cell: str, tags: Sequence[str]) -> Side:
    """The units of a cell, with their tags as columns "tag:NAME"."""
    rows = scope(measure, table, cell)
    every, first = np.unique(unit_ids(rows), return_index=True)
    clusters = table.cluster[rows.samples()][first]
    units = units_of(measure, rows, [f"tag:{tag}" for tag in tags])
    ids = units.samples if units.ids is None else units.ids
    order = np.argsort(ids, kind="stable")
    return Side(every, clusters, ids[order], {name: one[order] for name, one in units.columns.items()})
