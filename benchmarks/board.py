"""How long a board takes to build: synthetic accepted entries, written as `suite board accept` leaves them.

    python benchmarks/board.py --entries 1000 --columns 20 --samples 300

Prints the seconds of a whole build, the peak memory, and the bytes of the first page with all that it loads.
"""

import argparse
import hashlib
import json
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from suite.board.define.board import Board, load_board
from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.chat import Json

Floats = NDArray[np.float64]
Columns = dict[str, pa.Array]


def definition(columns: int) -> dict[str, Json]:
    """A board of that many columns."""
    return {
        "format": "suite-board/1",
        "id": "bench",
        "version": "1.0.0",
        "title": "A board for measuring",
        "tasks": [{"task": f"family/task-{i}", "version": 1} for i in range(columns)],
    }


def make(folder: Path, entries: int, columns: int, samples: int) -> None:
    """A repository with entries of shared difficulty: logistic scores, two strata, clusters of three."""
    chance = np.random.default_rng(0)
    board_folder = folder / "boards" / "bench"
    board_folder.mkdir(parents=True)
    (board_folder / "board.yaml").write_text(yaml.safe_dump(definition(columns)))
    board = load_board(board_folder)
    keys = [item.name for item in board.tasks]
    cells = [hashlib.sha256(key.encode()).hexdigest()[:12] for key in keys]
    stratum = np.array(["easy", "hard"])[np.arange(samples) // 3 % 2]
    order = np.lexsort((np.arange(samples), stratum))
    labels = {
        "column": np.repeat(keys, samples),
        "cell": np.repeat(cells, samples),
        "sample": np.tile(np.array([f"item-{i:05d}" for i in range(samples)])[order], columns),
        "cluster": np.tile(np.array([f"text-{i // 3:05d}" for i in range(samples)])[order], columns),
        "stratum": np.tile(stratum[order], columns),
    }
    arrays = {name: pa.array(values.tolist(), pa.string()) for name, values in labels.items()}
    for name in ("column", "cell", "stratum"):
        arrays[name] = arrays[name].dictionary_encode()
    hard = chance.normal(0, 1.5, (columns, samples))
    for number in range(entries):
        skill = chance.normal(0, 0.7) + chance.normal(0, 0.3, (columns, 1))
        scores = (chance.random((columns, samples)) < 1 / (1 + np.exp(hard - skill))).astype(float)[:, order]
        entry(folder, board, number, scores, stratum[order], arrays)


def entry(
    folder: Path, board: Board, number: int, scores: Floats, stratum: NDArray[np.str_], arrays: Columns
) -> None:
    """One accepted entry. scores: (columns, samples)."""
    name = board.id, board.version, board.sha256
    submission: dict[str, Json] = {
        "format": "suite-submission/1",
        "board": dict(zip(("id", "version", "definition_sha256"), name, strict=True)),
        "submission_type": "standard",
        "supersedes": None,
        "model": {
            "display_name": f"Model {number:04d} {'Instruct' if number % 3 else 'Base'}",
            "organization": f"Laboratory {number % 37}",
            "identity": {"kind": "hub", "name": f"lab-{number % 37}/model-{number}", "revision": "0" * 40},
            "availability": ("open_weights", "closed_weights", "unknown")[number % 3],
            "deployment": "self_deployed",
            "release_date": "2026-03-01",
            "parameters_total": (number % 70 + 1) * 10**9,
            "licence": "Apache-2.0",
        },
        "submitter": {"name": f"Person {number % 90}", "relationship": "third_party"},
        "created": "2026-05-01T12:00:00+00:00",
        "suite_version": "0.1.0",
        "runs": [],
        "files": [],
        "disclosure": {
            "contamination": {item.name: "none_known" for item in board.tasks},
            "selection": {"complete_runs": number % 3 + 1, "rule": "first"},
            "changes": [],
            "references_access": "no",
        },
        "terms": {"traces_licence": "CC-BY-4.0"},
    }
    raw = json.dumps(submission, sort_keys=True).encode() + b"\n"
    bundle = hashlib.sha256(raw).hexdigest()
    target = folder / "submissions" / board.id / f"model-{number:04d}-{bundle[:12]}"
    target.mkdir(parents=True)
    (target / "submission.json").write_bytes(raw)
    table = pa.table({**arrays, "top": scores.ravel(), "bottom": np.ones(scores.size)})
    pq.write_table(table, target / "per_sample.parquet", compression="zstd")
    written = hashlib.sha256((target / "per_sample.parquet").read_bytes()).hexdigest()
    columns = []
    for item, cell, row in zip(board.tasks, dict.fromkeys(arrays["cell"].to_pylist()), scores, strict=True):
        value = float(np.mean([row[stratum == one].mean() for one in ("easy", "hard")]))
        half = 1.96 * float(row.std()) / len(row) ** 0.5
        columns.append(
            {
                "key": item.name, "task": item.task, "headline": "correct", "value": value,
                "low": value - half, "high": value + half, "level": 0.95, "method": "made",
                "n": len(row), "unscored": 0, "coverage": 1.0, "direction": "higher", "unit": "",
                "range": [0, 1], "paired": True, "cells": [cell],
                "tokens": {"prompt": 1000, "completion": 500}, "seconds": 1.0,
            }
        )  # fmt: skip
    rungs = [{"id": f"R{i}", "title": "", "status": "passed", "errors": 0, "warnings": 0} for i in range(10)]
    verification = {
        "format": "suite-verification/1", "bundle_id": bundle, "board": submission["board"],
        "verifier": {"suite": "0.1.0"}, "started": "2026-05-02T00:00:00+00:00", "rungs": rungs,
        "findings": [], "verdict": "verified", "class": "standard", "differences": [], "trust": "L1",
        "columns": columns, "recomputed": [], "per_sample_sha256": written, "limits_of_this_check": [],
    }  # fmt: skip
    (target / "verification.json").write_text(json.dumps(verification))
    accepted = datetime(2026, 5, 3, tzinfo=UTC) + timedelta(minutes=number)
    record = {"format": "suite-entry/1", "bundle_id": bundle, "accepted": accepted.isoformat()}
    (target / "entry.yaml").write_text(yaml.safe_dump({**record, "status": "active"}))


def main() -> None:
    """Make, build, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--keep", type=Path, help="leave repository and site in this folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        if not (folder / "boards").is_dir():
            make(folder, given.entries, given.columns, given.samples)
        start, busy = time.perf_counter(), time.process_time()
        built = build_site(open_repository(folder), folder / "site")
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        site = folder / "site"
        first = sum(
            (site / name).stat().st_size for name in ("index.html", "assets/board.css", "assets/board.js")
        )
        whole = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{built.entries} entries x {given.columns} columns x {given.samples} samples")
        print(f"build            {seconds:8.1f} s, {busy:.1f} s of CPU, peak {peak:,.0f} MiB")
        print(f"first page       {first / 1000:8.0f} kB with its style and script")
        print(f"all rows         {(site / 'rows.js').stat().st_size / 1000:8.0f} kB, loaded when asked for")
        print(f"whole site       {whole / 1e6:8.0f} MB, {built.pages} pages")


if __name__ == "__main__":
    main()
