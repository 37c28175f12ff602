"""Whether corrections by labels are right on average, and how often their intervals hold the truth.

    python benchmarks/labels.py [--runs 2000]

A run of N samples, a judge that is right with some chance and says nothing of one sample in twenty, n labels
shared out as `suite judge label` does. The truth is the share in the world that the samples come from. Bias
is in standard errors of the simulation: beyond 3 would be one.
"""

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.stratified import shared_out, stratified_mean

Floats = NDArray[np.float64]


class World(NamedTuple):
    """share: of yes. hits, rejections: sensitivity and specificity. together: samples in a cluster."""

    samples: int
    labels: int
    share: float
    hits: float
    rejections: float
    together: int = 1


WORLDS = (
    World(400, 60, 0.6, 0.8, 0.9),
    World(400, 60, 0.9, 0.95, 0.9),
    World(400, 30, 0.9, 0.97, 0.95),
    World(400, 60, 0.97, 0.98, 0.6),
    World(400, 60, 0.6, 0.995, 0.995),
    World(200, 100, 0.5, 0.7, 0.7),
    World(1000, 60, 0.3, 0.9, 0.95),
    World(5000, 200, 0.3, 0.9, 0.95),
    World(400, 60, 0.6, 0.8, 0.9, 4),
    World(400, 120, 0.8, 0.9, 0.8, 10),
)


def simulated(world: World, chance: np.random.Generator) -> tuple[float, float, float]:
    """(value, low, high) of one run."""
    n, p = world.samples, world.share
    cluster = np.arange(n) // world.together
    shared = (chance.random(n) < p)[cluster]
    human = np.where(chance.random(n) < 0.5, shared, chance.random(n) < p) * 1.0
    yes = np.where(human == 1, chance.random(n) < world.hits, chance.random(n) >= world.rejections)
    said = np.where(chance.random(n) < 0.05, 2, yes)
    _, strata = np.unique(said, return_inverse=True)
    given = np.full(n, np.nan)
    for code, count in enumerate(shared_out(np.bincount(strata).tolist(), world.labels)):
        chosen = chance.choice(np.flatnonzero(strata == code), count, replace=False)
        given[chosen] = human[chosen]
    judge = np.where(said == 2, 0.0, said * 1.0)
    found = stratified_mean(given, judge, np.ones(n), strata)
    made = found.estimate(clusters_of(cluster, n), 0.95, (0.0, 1.0), share=True)
    assert made.value is not None and made.low is not None and made.high is not None
    return made.value, made.low, made.high


def main() -> None:
    """One line a world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print("samples labels share hits rejections together  held  bias  width  human alone")
    for seed, world in enumerate(WORLDS):
        chance = np.random.default_rng(seed)
        values, low, high = np.array([simulated(world, chance) for _ in range(runs)]).T
        held = ((low <= world.share) & (world.share <= high)).mean()
        bias = (values.mean() - world.share) / (values.std() / np.sqrt(runs))
        alone = 2 * 1.96 * np.sqrt(world.share * (1 - world.share) / world.labels)
        told = " ".join(f"{one:>6}" for one in world)
        print(f"{told}  {held:.1%}  {bias:+.1f}  {(high - low).mean():.3f}  {alone:.3f}", flush=True)


if __name__ == "__main__":
    main()
