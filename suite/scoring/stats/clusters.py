"""Scores and cluster labels as arrays: what is missing, who belongs together, sums within clusters.

A missing score (None or NaN) is unscored: counted, never filled. A missing cluster label makes the unit a
cluster of its own. Codes follow the sorted labels, so the order of the units does not matter.
"""

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.estimate import joined

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Digests = NDArray[np.uint64]
Array = NDArray[Any]  # of numbers, or of objects
Scores = Sequence[float | None] | Array
Labels = Sequence[Hashable] | Array
FEW_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class Clusters:
    """codes: shape (n,), 0..count-1. count: clusters. unlabelled: units that had no label."""

    codes: Codes
    count: int
    unlabelled: int

    def sums(self, x: Floats) -> Floats:
        """Sum of x within each cluster, shape (count,)."""
        return np.bincount(self.codes, weights=x, minlength=self.count).astype(np.float64, copy=False)

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Units in each cluster, shape (count,)."""
        return np.bincount(self.codes, minlength=self.count)

    @property
    def singletons(self) -> bool:
        """Whether every unit is its own cluster."""
        return self.count == len(self.codes)

    def only(self, keep: NDArray[np.bool_]) -> "Clusters":
        """Of some units; the codes stay, so that some may have none."""
        return Clusters(self.codes[keep], self.count, self.unlabelled)

    def packed(self) -> "Clusters":
        """The same with codes that all occur."""
        found, codes = np.unique(self.codes, return_inverse=True)
        return Clusters(codes.astype(np.intp), len(found), self.unlabelled)


def floats(values: Scores) -> Floats:
    """Values as float64, NaN where there is none (None, NaN, infinite)."""
    found = np.asarray(values, dtype=np.float64) if len(values) else np.zeros(0)
    return np.where(np.isfinite(found), found, np.nan)


def is_binary(x: Floats) -> bool:
    """Whether every value is 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def clusters_of(labels: Labels | None, n: int) -> Clusters:
    """Codes for n cluster labels; None stands for n clusters of one."""
    if labels is None:
        return Clusters(np.arange(n, dtype=np.intp), n, n)
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iuUSb":
        values, codes = np.unique(labels, return_inverse=True)
        return Clusters(codes.astype(np.intp), len(values), 0)
    known = {label for label in labels if label is not None}
    place = {label: code for code, label in enumerate(sorted(known, key=_order))}
    alone = itertools.count(len(place))
    found = [next(alone) if label is None else place[label] for label in labels]
    count = next(alone)
    return Clusters(np.array(found, dtype=np.intp), count, count - len(place))


def grouped(digests: Digests) -> Clusters:
    """The clusters of units; where every unit is its own, nothing is sorted out."""
    ordered = np.sort(digests)
    shared = bool((ordered[1:] == ordered[:-1]).any())
    return clusters_of(digests if shared else None, len(digests))


def grouped_together(digests: Sequence[Digests]) -> list[Clusters]:
    """The clusters of several groups of units, with codes of one table: one may lie in several."""
    whole = clusters_of(np.concatenate(digests), sum(map(len, digests)))
    parts = np.split(whole.codes, np.cumsum([len(one) for one in digests])[:-1])
    return [Clusters(part, whole.count, 0) for part in parts]


def cluster_flags(groups: Clusters) -> str:
    """Remarks on few clusters and on one that outweighs the others."""
    if groups.singletons or groups.count < 2:
        return ""
    biggest = int(groups.sizes.max())
    return joined(
        f"only {groups.count} clusters" if groups.count < FEW_CLUSTERS else "",
        "one cluster holds more than half of the units" if 2 * biggest > len(groups.codes) else "",
    )


def _order(label: Hashable) -> tuple[str, str]:
    return type(label).__name__, label if isinstance(label, str) else repr(label)


def subset(labels: Labels | None, keep: NDArray[np.bool_]) -> Labels | None:
    """The labels of the units kept."""
    if labels is None:
        return None
    if isinstance(labels, np.ndarray):
        return labels[keep]
    return [label for label, kept in zip(labels, keep, strict=True) if kept]
