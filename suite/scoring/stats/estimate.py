"""The one result type of the arithmetic: a number with its interval and how it was made.

NaN and infinity never get out of here: the type turns them into None, which means "no such number". Light: no
numpy. Not here: how intervals are computed (`means`, `bootstrap`, ...).
"""

import math
from dataclasses import dataclass

Pair = tuple[float, float]
Limits = Pair | None  # of values that have a range


def wilson_at(p: float, n: float, z: float) -> Pair:
    """Wilson's interval (1927) of a share p of n > 0, at a normal quantile; n may be fractional."""
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p <= 0 else max(0.0, middle - half)), (1.0 if p >= 1 else min(1.0, middle + half))


def clip(pair: Pair, value_range: Limits) -> Pair:
    """The interval within the declared range."""
    if value_range is None:
        return pair
    low, high = value_range
    return min(max(pair[0], low), high), max(min(pair[1], high), low)


def finite(value: float | None) -> float | None:
    """A plain finite float, or None."""
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def joined(*notes: str) -> str:
    """Remarks in one line, empty ones left out."""
    return "; ".join(note for note in notes if note)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number with everything that belongs to it.

    value: None if there is none. low, high: bounds of the two-sided interval at `level`, both None if there
    is no interval; `note` says why. method: how the interval was made ("beta", "cluster-beta", "t-unseen",
    "macro-beta", "cluster-bootstrap", ...; "none" where there is none), part of results.json, so that a
    verifier can recompute it. n: scored units. n_unscored: units without a score. clusters: independent
    groups of units behind the interval. n_effective: independent units worth as much as these n.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = "none"
    n: int = 0
    n_unscored: int = 0
    clusters: int | None = None
    n_effective: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Plain finite floats only; an interval has both ends or none."""
        for name in ("value", "low", "high", "n_effective"):
            object.__setattr__(self, name, finite(getattr(self, name)))
        if self.low is None or self.high is None:
            for name in ("low", "high"):
                object.__setattr__(self, name, None)
            object.__setattr__(self, "method", "none")
