"""How long it takes to rate 200 models from 1,000,000 votes with 100 resamples. Promise: 60 s on 2 cores.

    python benchmarks/ratings.py [--votes N] [--models K] [--rounds R]

Writes a CSV of made-up votes to a temporary folder, rates it with the command itself in a process of its own,
and prints its wall time, CPU time and peak memory.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def write_votes(path: Path, votes: int, models: int) -> None:
    """Votes of a world with known strengths; a fifth are draws."""
    chance = np.random.default_rng(0)
    strength = chance.normal(size=models)
    a = chance.integers(0, models, votes)
    b = (a + chance.integers(1, models, votes)) % models
    won = chance.random(votes) < 1 / (1 + np.exp(strength[b] - strength[a]))
    winner = np.where(chance.random(votes) < 0.2, "tie", np.where(won, "a", "b"))
    prompts = chance.integers(0, votes // 10 + 1, votes)
    with path.open("w") as file:
        file.write("prompt,a,b,winner\n")
        file.writelines(
            f"q{p},model-{x:03},model-{y:03},{w}\n" for p, x, y, w in zip(prompts, a, b, winner, strict=True)
        )


def main() -> None:
    """Write, rate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        write_votes(Path(base) / "votes.csv", asked.votes, asked.models)
        command = [sys.executable, "-m", "suite", "rate", "votes.csv", "--rounds", str(asked.rounds)]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=base, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(done.stdout[:900] or done.stderr)
    print(
        f"{asked.votes:,} votes, {asked.models} models, {asked.rounds} rounds: {seconds:.1f} s "
        f"({used.ru_utime + used.ru_stime:.1f} s of CPU), peak {used.ru_maxrss / 2**20:.2f} GiB, "
        f"exit {done.returncode}"
    )


if __name__ == "__main__":
    main()
