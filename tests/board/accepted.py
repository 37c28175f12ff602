"""Accepted entries for tests, written as `suite board accept` leaves them, with scores of our own."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from suite.board.define.board import Board, load_board

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \u202eevil\u200b '\"&"


def board(root: Path, columns: int = 3, version: str = "1.0.0", **changes: Any) -> Board:
    """Write boards/b/board.yaml; the board."""
    tasks = [{"task": f"family/task-{i}", "version": 1, "title": f"Task {i}"} for i in range(columns)]
    whole = {"format": "suite-board/1", "id": "b", "version": version, "title": "Board B", "tasks": tasks}
    folder = root / "boards" / "b"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "board.yaml").write_text(yaml.safe_dump({**whole, **changes}), "utf-8")
    (root / "submissions" / "b").mkdir(parents=True, exist_ok=True)
    return load_board(folder)


def scores(number: int, columns: int, samples: int, mean: float) -> np.ndarray:
    """0/1 scores, (columns, samples)."""
    chance = np.random.default_rng(number)
    return (chance.random((columns, samples)) < mean).astype(float)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries, the second over the first."""
    found = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


def entry(
    root: Path,
    made_for: Board,
    number: int,
    values: np.ndarray,
    *,
    bottom: np.ndarray | None = None,
    leave_out: Sequence[str] = (),
    submission: Mapping[str, Any] | None = None,
    verification: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
) -> str:
    """Write one; its bundle id. values, bottom: (columns, samples); the last ones override what is said."""
    name = {"id": made_for.id, "version": made_for.version, "definition_sha256": made_for.sha256}
    told = merged(
        {
            "format": "suite-submission/1",
            "board": name,
            "submission_type": "standard",
            "supersedes": None,
            "model": {
                "display_name": f"Model {number:03d}",
                "organization": f"Lab {number % 5}",
                "identity": {"kind": "hub", "name": f"lab/model-{number}", "revision": "0" * 40},
                "availability": ("open_weights", "closed_weights", "unknown")[number % 3],
                "deployment": "self_deployed",
                "parameters_total": None if number % 4 == 0 else number * 10**9,
            },
            "submitter": {"name": f"Person {number}", "relationship": "third_party"},
            "created": "2026-05-01T12:00:00+00:00",
            "suite_version": "0.1.0",
            "runs": [],
            "files": [],
            "disclosure": {
                "contamination": {item.name: "none_known" for item in made_for.tasks} if number % 2 else {},
                "selection": {"complete_runs": 1 + number % 3, "rule": "first"},
                "changes": [],
                "references_access": "no",
            },
            "terms": {"traces_licence": "CC-BY-4.0"},
        },
        submission or {},
    )
    raw = json.dumps(told, sort_keys=True).encode() + b"\n"
    bundle = hashlib.sha256(raw).hexdigest()
    folder = root / "submissions" / made_for.id / f"model-{number:03d}-{bundle[:12]}"
    folder.mkdir(parents=True)
    (folder / "submission.json").write_bytes(raw)
    under = np.ones_like(values) if bottom is None else bottom
    keys = [item.name for item in made_for.tasks if item.name not in leave_out]
    n = values.shape[1]
    table = pa.table(
        {
            "column": np.repeat(keys, n),
            "cell": np.repeat([f"cell-{key}" for key in keys], n),
            "sample": np.tile([f"{i:016x}" for i in range(n)], len(keys)),
            "cluster": np.tile([f"c{i // 2:04d}" for i in range(n)], len(keys)),
            "stratum": np.tile([""] * n, len(keys)),
            "top": (values * under)[: len(keys)].ravel(),
            "bottom": under[: len(keys)].ravel(),
        }
    )
    pq.write_table(table, folder / "per_sample.parquet")
    columns = []
    for item, top, count in zip(made_for.tasks, values * under, under, strict=True):
        if item.name in leave_out:
            continue
        value = float(top.sum() / count.sum()) if count.sum() else None
        half = 0.0 if value is None else 1.96 * (value * (1 - value) / n) ** 0.5
        columns.append(
            {
                "key": item.name,
                "task": item.task,
                "headline": "correct",
                "value": value,
                "low": None if value is None else value - half,
                "high": None if value is None else value + half,
                "level": 0.95,
                "method": "made",
                "n": int(count.sum()),
                "unscored": int((count == 0).sum()),
                "coverage": float((count > 0).mean()),
                "direction": "higher",
                "unit": "",
                "range": [0, 1],
                "paired": value is not None,
                "cells": [f"cell-{item.name}"],
                "tokens": {"prompt": 1000, "completion": 500},
                "seconds": 1.0,
            }
        )
    checked = merged(
        {
            "format": "suite-verification/1",
            "bundle_id": bundle,
            "board": told["board"],
            "verifier": {"suite": "0.1.0", "python": "3.11.7", "plugins": {}},
            "started": "2026-05-02T00:00:00+00:00",
            "rungs": [
                {
                    "id": f"R{i}",
                    "title": f"question {i}?",
                    "status": "passed",
                    "errors": 0,
                    "warnings": 0,
                    "seconds": 0.1,
                    "reason": "",
                }
                for i in range(11)
            ],
            "findings": [],
            "verdict": "verified",
            "class": "standard",
            "differences": [],
            "trust": "L1",
            "rerun": None,
            "columns": columns,
            "recomputed": [],
            "per_sample_sha256": hashlib.sha256((folder / "per_sample.parquet").read_bytes()).hexdigest(),
            "limits_of_this_check": ["Not shown: where the replies came from."],
        },
        verification or {},
    )
    (folder / "verification.json").write_text(json.dumps(checked))
    accepted = datetime(2026, 5, 3, tzinfo=UTC) + timedelta(hours=number)
    said = {
        "format": "suite-entry/1",
        "bundle_id": bundle,
        "accepted": accepted.isoformat(),
        "status": "active",
    }
    (folder / "entry.yaml").write_text(yaml.safe_dump({**said, **(record or {})}))
    return bundle


def repository(root: Path, entries: int = 12, columns: int = 3, samples: int = 60) -> Board:
    """A whole one: entry 1 has a hostile name, 2 is custom, 3 misses a column, 4 was superseded by 5, 6 was
    withdrawn, 7 declares exposure, 8 has unscored samples. The others are plain.
    """
    made = board(root, columns)
    ids: dict[int, str] = {}
    for number in range(entries):
        values = scores(number, columns, samples, 0.3 + 0.5 * number / entries)
        more: dict[str, Any] = {}
        if number == 1:
            more["submission"] = {
                "model": {"display_name": HOSTILE, "organization": HOSTILE, "url": "javascript:alert(1)"},
                "submitter": {"name": HOSTILE, "contact": HOSTILE},
            }
            more["verification"] = {"differences": [HOSTILE], "limits_of_this_check": [HOSTILE]}
        if number == 2:
            changes = [{"what": "prompt", "why": HOSTILE, "url": "javascript:alert(1)"}]
            more["submission"] = {"submission_type": "custom", "disclosure": {"changes": changes}}
            more["verification"] = {"class": "custom", "differences": ["prompts differ"]}
            values[:] = 1.0
        if number == 3:
            more["leave_out"] = [made.tasks[-1].name]
        if number == 5:
            values = np.maximum(scores(4, columns, samples, 0.3 + 0.5 * 4 / entries), values)
            more["submission"] = {"supersedes": ids[4]}
        if number == 6:
            more["record"] = {
                "status": "withdrawn",
                "reason": HOSTILE.replace("\u202e", "").replace("\u200b", ""),
                "status_date": "2026-06-01",
            }
        if number == 7:
            more["submission"] = {"disclosure": {"contamination": {made.tasks[0].name: "train_split"}}}
        if number == 8:
            more["bottom"] = np.ones_like(values)
            more["bottom"][0, :3] = 0.0
        ids[number] = entry(root, made, number, values, **more)
    if 5 in ids:
        path = next((root / "submissions" / "b").glob(f"*{ids[4][:12]}")) / "entry.yaml"
        told = yaml.safe_load(path.read_text())
        told |= {"status": "superseded", "by": ids[5], "status_date": "2026-05-04"}
        path.write_text(yaml.safe_dump(told))
    return made
