"""p values corrected for how many questions were asked.

The family is all p values of one command or of one board table; its size belongs in the results. Sources:
Holm 1979 (the default: no assumption about dependence), Benjamini and Hochberg 1995 (exploration only).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from suite.errors import ConfigError, unknown
from suite.scoring.stats.clusters import floats

Method = Literal["holm", "bh", "bonferroni", "none"]
METHODS: tuple[Method, ...] = ("holm", "bh", "bonferroni", "none")


def adjust(p_values: Sequence[float | None], method: Method = "holm") -> list[float | None]:
    """Corrected p values in the order given. A missing one leaves the family and stays missing.

    Raises ConfigError for a p value outside [0, 1], NotFound for an unknown method.
    """
    if method not in METHODS:
        raise unknown("correction", method, METHODS)
    p = floats(p_values)
    known = np.flatnonzero(~np.isnan(p))
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise ConfigError("a p value lies outside 0 to 1", "adjust")
    m = len(known)
    order = known[np.argsort(p[known], kind="stable")]
    ranked = p[order]
    if method == "holm":
        ranked = np.maximum.accumulate(ranked * (m - np.arange(m)))
    elif method == "bh":
        ranked = np.minimum.accumulate((ranked * m / (1 + np.arange(m)))[::-1])[::-1]
    elif method == "bonferroni":
        ranked = ranked * m
    found: list[float | None] = [None] * len(p)
    for index, value in zip(order, ranked, strict=True):
        found[int(index)] = min(1.0, float(value))
    return found
