"""How long and how much memory it takes to compare two runs of 100,000 samples. Promise: 10 s, 1 GiB.

    python benchmarks/compare.py [--samples N]

Writes two runs of an installed task (prefeval/generation) with made-up values to a temporary folder, compares
them with the command itself in a process of its own, and prints its wall time and peak memory.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite.journal.records import OutputRecord, ScoreRecord, encode
from suite.plugins import catalogue
from suite.run.cells import load_task, make_cell
from suite.scoring.computation import wanted
from suite.task import Output, Value

TASK = "prefeval/generation"
TOPICS = [f"topic-{index}" for index in range(20)]


def write_run(folder: Path, samples: int, share: float, seed: int) -> None:
    """A run whose every value is true for a share of the samples."""
    task, name, plugin = load_task(catalogue(), TASK)
    cell = make_cell(task(task.parameters_type()()), plugin).plan
    values = sorted(wanted(task.metrics).values or ())
    chance = random.Random(seed)
    inner = folder / "scorings" / "one"
    inner.mkdir(parents=True)
    with (folder / "outputs.jsonl").open("wb") as outputs, (inner / "scores.jsonl").open("wb") as scores:
        for index in range(samples):
            sample = f"sample-{index}"
            tags = {"topic": TOPICS[index % 20]}
            text = Output("an answer of a usual length, " * 20)
            outputs.write(encode(OutputRecord(cell.cell, sample, 0, sample, sample, tags, "0" * 64, text)))
            score: dict[str, Value] = {value: chance.random() < share for value in values}
            scores.write(encode(ScoreRecord(cell.cell, sample, 0, "0" * 64, score)))
    described = {
        "cell": cell.cell, "task": name, "version": cell.version, "parameters": cell.parameters,
        "score_parameters": cell.score_parameters, "prompts": "own", "prompts_sha256": cell.prompts_sha256,
        "plugin": plugin, "headline": task.info.headline, "facts": {},
    }  # fmt: skip
    manifest = {
        "format": "suite-run/1", "name": folder.name, "seed": 0, "trials": 1, "cells": [described],
        "data": {},
        "roles": {"candidate": [{"spec": f"made-up/{folder.name}", "sampling": {}}]},
        "counts": {"groups": samples, "groups_taken": samples, "samples": {cell.cell: samples}, "tags": {}},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (inner / "manifest.json").write_text(
        json.dumps({"scoring": "one", "started": "", "cells": [], "roles": {}})
    )
    (inner / "results.json").write_text(json.dumps({"pending": 0}))


def main() -> None:
    """Write, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    samples = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as base:
        for name, share, seed in (("first", 0.61, 1), ("second", 0.6, 2)):
            write_run(Path(base) / name, samples, share, seed)
        start = time.perf_counter()
        command = [sys.executable, "-m", "suite", "compare", "first", "second", "--html", "page.html"]
        done = subprocess.run(command, cwd=base, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, cpu = used.ru_maxrss / 2**20, used.ru_utime + used.ru_stime
    print(done.stdout[:1200] or done.stderr)
    print(
        f"{samples:,} samples a run: {seconds:.1f} s ({cpu:.1f} s of CPU), peak {peak:.2f} GiB, "
        f"exit {done.returncode}"
    )


if __name__ == "__main__":
    main()
