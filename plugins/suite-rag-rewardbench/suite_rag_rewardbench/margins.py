"""Pure statistics of preferences: margins in bins, their calibration, how far two models agree."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of similar margin. expected: mean of sigmoid(|margin|); observed: the better answer's share."""

    n: int
    margin: float
    expected: float
    observed: float


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def histogram(margins: Sequence[float], bins: int = 24) -> list[Point]:
    """(middle, count) of equal bins from the least to the greatest margin, 0 being a border between two."""
    if not margins:
        return []
    low, high = min(*margins, 0.0), max(*margins, 0.0)
    if high - low < 1e-300:  # nothing to divide
        return [(0.0, float(len(margins)))]
    below = round(bins * -low / (high - low))
    below = min(max(below, low < 0), bins - any(one >= 0 for one in margins))
    width = max(-low / below if below else 0.0, high / (bins - below) if bins > below else 0.0)
    counts: dict[int, int] = {}
    for one in margins:
        place = min(max(math.floor(one / width), -below), bins - below - 1)
        counts[place] = counts.get(place, 0) + 1
    return [((i + 0.5) * width, float(counts.get(i, 0))) for i in range(-below, bins - below)]


def calibration(margins: Sequence[float], most: int = 10, least: int = 10) -> list[Bin]:
    """Bins of equal size by |margin|, at most `most`, each of at least `least` pairs. Ties are left out."""
    decided = sorted(((abs(one), one > 0) for one in margins if one != 0), key=lambda pair: pair[0])
    count = min(most, max(len(decided) // least, 1)) if decided else 0
    found = []
    for i in range(count):
        members = decided[i * len(decided) // count : (i + 1) * len(decided) // count]
        n = len(members)
        found.append(
            Bin(
                n,
                sum(size for size, _ in members) / n,
                sum(sigmoid(size) for size, _ in members) / n,
                sum(won for _, won in members) / n,
            )
        )
    return found


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Mean distance of expected and observed over pairs (expected calibration error); None without bins."""
    total = sum(one.n for one in bins)
    return sum(one.n * abs(one.expected - one.observed) for one in bins) / total if total else None


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Two models over the items that both decided. kappa: Cohen's over won, lost, tied; None if undefined."""

    n: int
    same: float
    kappa: float | None
    both: int
    first_only: int
    second_only: int
    neither: int


def agreement(first: Mapping[str, float], second: Mapping[str, float]) -> Pairwise | None:
    """Two models' credits by item, 1 won, 0 lost, between them tied; None if they share no item."""
    common = [name for name in first if name in second]
    if not common:
        return None
    n = len(common)
    pairs = [(_outcome(first[name]), _outcome(second[name])) for name in common]
    same = sum(a == b for a, b in pairs) / n
    chance = sum(
        (sum(a == one for a, _ in pairs) / n) * (sum(b == one for _, b in pairs) / n)
        for one in ("won", "lost", "tied")
    )
    kappa = (same - chance) / (1 - chance) if chance < 1 else None
    won = [(a == "won", b == "won") for a, b in pairs]
    return Pairwise(
        n,
        same,
        kappa,
        won.count((True, True)),
        won.count((True, False)),
        won.count((False, True)),
        won.count((False, False)),
    )


def _outcome(credit: float) -> str:
    return "won" if credit == 1 else "lost" if credit == 0 else "tied"
