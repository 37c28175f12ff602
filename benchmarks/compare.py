"""How long and how much memory it takes to compare two runs of 100,000 samples. Promise: 10 s, 1 GiB.

    python benchmarks/compare.py [--samples N]

Writes two runs of an installed task (prefeval/generation) with made-up values to a temporary folder, compares
them with the command itself in a process of its own, and prints its wall time and peak memory.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from suite.journal.document_files import write_json
from suite.journal.documents import (
    CellRecord,
    Hardware,
    RoleMember,
    RunManifest,
    SampleCounts,
    ScoringManifest,
)
from suite.journal.records import OutputRecord, ScoreRecord, encode
from suite.plugins import catalogue
from suite.run.cells import load_task, make_cell
from suite.scoring.computation import wanted
from suite.task import Output, Value

TASK = "prefeval/generation"
TOPICS = [f"topic-{index}" for index in range(20)]


def write_run(folder: Path, samples: int, share: float, seed: int) -> None:
    """A run whose every value is true for a share of the samples."""
    task, plugin = load_task(catalogue(), TASK)
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
            output = OutputRecord(
                cell=cell.cell, sample=sample, tags=tags, payload_sha256="0" * 64, output=text
            )
            outputs.write(encode(output))
            score: dict[str, Value] = {value: chance.random() < share for value in values}
            made = ScoreRecord(cell=cell.cell, sample=sample, output_sha256="0" * 64, values=score)
            scores.write(encode(made))
    record = CellRecord(
        **msgspec.structs.asdict(cell), title="", paper="", headline=task.info.headline, note="",
        replay="exact", swept=(), facts={},
    )  # fmt: skip
    candidate = RoleMember(
        member="candidate", spec=f"made-up/{folder.name}", stage="solve", needs=(), capabilities=(),
        identity={}, limits={}, sampling={},
    )  # fmt: skip
    manifest = RunManifest(
        format="suite-run/1", name=folder.name, suite="", created="", plan_sha256="0" * 64, seed=0, trials=1,
        mini=False, limit=None, shard=None, imported=False, prompts="own", cells=(record,), skipped=(),
        roles={"candidate": (candidate,)}, data={}, versions={},
        counts=SampleCounts(groups=samples, groups_taken=samples, samples={cell.cell: samples}, tags={}),
        hardware=Hardware(cpus=1, memory_gib=None, system="", python="", gpus=()),
    )  # fmt: skip
    write_json(folder / "manifest.json", manifest)
    write_json(
        inner / "manifest.json",
        ScoringManifest(
            format="suite-scoring/1", scoring="one", started="", run=folder.name, plan_sha256="0" * 64,
            level=0.95, roles={}, cells=(),
        ),
    )  # fmt: skip


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
