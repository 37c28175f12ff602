"""How long and how much memory it takes to merge a run of 100,000 samples. Promise: 10 s, 300 MiB.

    python benchmarks/merge.py [--samples N] [--shards N]

Writes the shards of a run of an installed task (prefeval/generation), with a call and a judgement for each
sample, to a temporary folder, and merges them in a process of its own: journals and results, the same again
when nothing is new, and by the command, which writes the reports, too. Prints wall time, CPU, peak memory.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from suite.chat import Reply, Usage, canonical_json, sha256_hex
from suite.journal.document_files import write_json
from suite.journal.documents import (
    CellRecord,
    Hardware,
    RoleMember,
    RunManifest,
    SampleCounts,
    ScoredCell,
    ScoringManifest,
)
from suite.journal.records import (
    AttemptRecord,
    BlockRecord,
    CallRecord,
    OutputRecord,
    Record,
    ScoreRecord,
    block_hash,
    encode,
)
from suite.plugins import catalogue
from suite.run.cells import load_task, make_cell
from suite.run.order import shard_of
from suite.scoring.computation import wanted
from suite.task import Output, Value

TASK, SCORING = "prefeval/generation", "0123abcd"
PROMISED_S, PROMISED_MIB = 10.0, 300
TOPICS = [f"topic-{index}" for index in range(20)]
ASKED, ANSWER = "what would you recommend, and why? " * 12, "an answer of a usual length, " * 20
ALONE = "import sys, pathlib, suite.run.merging as m; m.merge_shards(pathlib.Path(sys.argv[1]))"


def member(role: str) -> RoleMember:
    """Somebody who was asked."""
    return RoleMember(
        member=role, spec=f"made-up/{role}", stage="solve" if role == "candidate" else "score",
        needs=(), capabilities=(), identity={}, limits={}, sampling={},
    )  # fmt: skip


def call(sample: str, role: str, block: str, reply: str, at: float) -> CallRecord:
    """A call of one message."""
    identity, told = sha256_hex(f"{sample} {role}".encode()), Usage(prompt=120, completion=80)
    answer, times = Reply(reply, usage=told), (at, at + 1)
    return CallRecord(id=identity, role=role, group=sample, request=[block], reply=answer, times=times)


def records(index: int, cell: str, values: Mapping[str, Value]) -> Iterator[tuple[str, Record]]:
    """What one sample leaves, each with its file."""
    sample, at = f"sample-{index}", 1.7e9 + index / 100
    asked, judged = f"{index} {ASKED}", f"{index} {ANSWER}"
    for place, role, text, reply in (
        ("", "candidate", asked, ANSWER),
        (f"scorings/{SCORING}/", "judge", judged, "Yes."),
    ):
        made = call(sample, role, block_hash(text.encode()), reply, at)
        yield f"{place}blocks", BlockRecord(made.request[0], "user", text)
        yield f"{place}calls", made
        if not place:
            yield "outputs", OutputRecord(
                cell=cell, sample=sample, tags={"topic": TOPICS[index % 20]}, payload_sha256="0" * 20,
                output=Output(""), calls=[made.id], text_from=made.id,
            )  # fmt: skip
        else:
            yield (
                f"{place}scores",
                ScoreRecord(
                    cell=cell, sample=sample, output_sha256="0" * 20, values=dict(values), calls=[made.id]
                ),
            )


def write_shards(folder: Path, samples: int, shards: int) -> None:
    """The leases of a run, its manifest, and those of its shards."""
    task, plugin = load_task(catalogue(), TASK)
    cell = make_cell(task(task.parameters_type()()), plugin).plan
    record = CellRecord(
        **msgspec.structs.asdict(cell), title="", paper="", headline=task.info.headline, note="",
        replay="exact", swept=(), facts={},
    )  # fmt: skip
    scored = ScoredCell(
        cell=cell.cell, score_parameters=cell.score_parameters, prompts="own",
        prompts_sha256=cell.prompts_sha256, facts={},
    )  # fmt: skip
    names, chance = sorted(wanted(task.metrics).values or ()), random.Random(1)

    def manifest(name: str, shard: tuple[int, int] | None) -> RunManifest:
        plan = {"format": "suite-run/1", "cells": {cell.cell: cell.prompts_sha256}, "shard": shard}
        return RunManifest(
            format="suite-run/1", name=name, suite="", created="2026-01-01T00:00:00+00:00",
            plan_sha256=sha256_hex(canonical_json(plan)), plan=plan, seed=0, trials=1, mini=False, limit=None,
            shard=shard, imported=False, prompts="own", cells=(record,), skipped=(),
            roles={"candidate": (member("candidate"),)}, data={}, versions={},
            counts=SampleCounts(groups=samples, groups_taken=samples, samples={cell.cell: samples}, tags={}),
            hardware=Hardware(cpus=1, memory_gib=None, system="", python="", gpus=()),
        )  # fmt: skip

    folder.mkdir()
    write_json(folder / "manifest.json", manifest(folder.name, None))
    with ExitStack() as stack:
        files: dict[Path, BinaryIO] = {}
        for which in range(shards):
            lease = folder / "shards" / f"{which + 1}-of-{shards}" / "0001"
            (lease / "scorings" / SCORING).mkdir(parents=True)
            whole = manifest(lease.name, (which, shards))
            write_json(lease / "manifest.json", whole)
            write_json(
                lease / "scorings" / SCORING / "manifest.json",
                ScoringManifest(
                    format="suite-scoring/1", scoring=SCORING, started=whole.created, run=lease.name,
                    plan_sha256=whole.plan_sha256, level=0.95, roles={"judge": (member("judge"),)},
                    cells=(scored,),
                ),
            )  # fmt: skip
            start = AttemptRecord(1.7e9 + which, "start")
            (lease / "attempts.jsonl").write_bytes(encode(start))
        for index in range(samples):
            lease = folder / "shards" / f"{shard_of(f'sample-{index}', shards) + 1}-of-{shards}" / "0001"
            values: dict[str, Value] = {name: chance.random() < 0.6 for name in names}
            for name, made in records(index, cell.cell, values):
                path = lease / f"{name}.jsonl"
                if path not in files:
                    files[path] = stack.enter_context(path.open("wb"))
                files[path].write(encode(made))


def main() -> int:
    """Write, merge twice, print; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=8)
    given = parser.parse_args()
    kept = True
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "run"
        write_shards(folder, given.samples, given.shards)
        alone = [sys.executable, "-c", ALONE, str(folder)]
        command = [sys.executable, "-m", "suite", "runs", "merge", str(folder)]
        for what, words in (("merge", alone), ("nothing new", alone), ("with reports", command)):
            if words is command:
                (folder / "merge.json").unlink()
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
            mib = used.ru_maxrss / 2**10
            print(f"{what}: {seconds:.1f} s ({cpu:.1f} s of CPU), peak {mib:.0f} MiB, exit {done.returncode}")
            print(done.stderr, end="")
            kept = kept and (words is command or (cpu <= PROMISED_S and mib <= PROMISED_MIB))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
