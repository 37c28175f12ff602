"""How often a run that stops when its claim is decided is wrong, and how many samples it saves.

    python benchmarks/sequential.py [--runs 10000]

Worlds of paired scores with a known difference, looked at after every cluster, by the functions that
`suite eval --until` uses. Promises: at most 5 % of runs without a difference end with a verdict; of 2,000
samples with 20 % discordant and a difference of five points, half are saved at the median.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.sequential import Wager

Floats = NDArray[np.float64]
AT_ONCE = 50  # looks


class World(NamedTuple):
    """samples: of a plan. difference: true. draw: values of one side or of pairs. limits: of these.
    threshold: what is claimed to be exceeded. together: samples of a cluster, alike with chance 1/2.
    """

    name: str
    samples: int
    difference: float
    draw: Callable[[np.random.Generator, tuple[int, ...], float], Floats]
    limits: tuple[float, float] = (-1.0, 1.0)
    threshold: float = 0.0
    together: int = 1


def pairs(discordant: float) -> Callable[[np.random.Generator, tuple[int, ...], float], Floats]:
    """Differences of right and wrong, so many of them not 0."""

    def draw(chance: np.random.Generator, shape: tuple[int, ...], difference: float) -> Floats:
        x, better = chance.random(shape), (discordant + difference) / 2
        return np.asarray((x < better) * 1.0 - ((x >= better) & (x < discordant)), dtype=np.float64)

    return draw


def graded(chance: np.random.Generator, shape: tuple[int, ...], difference: float) -> Floats:
    """Differences of grades from 0 to 1, most of them small, with a long tail on one side."""
    found = chance.beta(0.3, 3.0, shape)
    return np.clip(found - 0.3 / 3.3 + difference, -1, 1)


def share(chance: np.random.Generator, shape: tuple[int, ...], difference: float) -> Floats:
    """Right or wrong of one side: nearly always right, so that the mean's spread shows late."""
    return (chance.random(shape) < 0.97 + difference).astype(np.float64)


WORLDS = (
    World("pairs, 20 % discordant", 2000, 0.0, pairs(0.2)),
    World("pairs, 20 % discordant", 2000, 0.02, pairs(0.2)),
    World("pairs, 20 % discordant", 2000, 0.05, pairs(0.2)),
    World("pairs, 20 % discordant", 2000, -0.05, pairs(0.2)),
    World("pairs, 2 % discordant", 200, 0.0, pairs(0.02)),
    World("pairs, 20 % discordant, clusters of 5", 2000, 0.0, pairs(0.2), together=5),
    World("pairs, 20 % discordant, clusters of 5", 2000, 0.05, pairs(0.2), together=5),
    World("no worse by a point, a point worse", 2000, -0.01, pairs(0.05), threshold=-0.01),
    World("no worse by a point, as good", 2000, 0.0, pairs(0.05), threshold=-0.01),
    World("grades with a tail", 500, 0.0, graded),
    World("at least 0.97, is 0.97", 1000, 0.0, share, (0.0, 1.0), 0.97),
    World("at least 0.90, is 0.97", 1000, 0.0, share, (0.0, 1.0), 0.90),
)


def looks(world: World, runs: int, chance: np.random.Generator) -> Iterator[Floats]:
    """Means of blocks above the lowest value, of many runs side by side, some looks at a time."""
    low, left = world.limits[0], world.samples // world.together
    while left > 0:
        shape = (runs, min(AT_ONCE, left), world.together)
        own = world.draw(chance, shape, world.difference)
        shared = world.draw(chance, (*shape[:2], 1), world.difference)
        values = np.where(chance.random(shape) < 0.5, shared, own) if world.together > 1 else own
        yield np.asarray((values - low).mean(axis=2), dtype=np.float64)
        left -= AT_ONCE


def stopped(world: World, runs: int, seed: int, alpha: float = 0.05) -> tuple[Floats, Floats]:
    """(1 for a pass, -1 for a fail, 0; samples until then) of each run."""
    low, high = world.limits
    planned, chance = world.samples // world.together, np.random.default_rng(seed)
    bets = [Wager(one, planned, (runs,)) for one in (world.threshold - low, high - world.threshold)]
    verdict, after, done = np.zeros(runs), np.full(runs, float(world.samples)), 0
    for above in looks(world, runs, chance):
        sizes = np.ones_like(above)
        for bet, sign, seen in zip(bets, (1, -1), (above, (high - low) - above), strict=True):
            reached = bet.after(seen, sizes) >= 2 / alpha
            now, first = reached.any(axis=1), (done + reached.argmax(axis=1) + 1) * world.together
            new = now & ((verdict == 0) | (first < after))
            verdict, after = np.where(new, sign, verdict), np.where(new, first, after)
        done += above.shape[1]
    return verdict, after


def main() -> None:
    """Print a line for each world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    runs, at_once = parser.parse_args().runs, 1000
    print(
        "| world | samples | true difference | pass | fail | samples at the median |\n| --- "
        + "| --- " * 5
        + "|"
    )
    for number, world in enumerate(WORLDS):
        parts = [
            stopped(world, at_once, seed) for seed in range(number * 1000, number * 1000 + runs // at_once)
        ]
        verdict, after = (np.concatenate(one) for one in zip(*parts, strict=True))
        shown = f"{(verdict > 0).mean():.3f} | {(verdict < 0).mean():.3f} | {np.median(after):,.0f}"
        print(f"| {world.name} | {world.samples:,} | {world.difference:g} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
