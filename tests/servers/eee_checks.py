"""What Every Eval Ever's own validator does not look at: that the two files tell the same story."""

import hashlib
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any


def aggregate_of(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The only aggregate below a folder, read."""
    (path,) = folder.glob("data/*/*/*/*.json")
    return path, json.loads(path.read_text("utf-8"))


def rows_of(folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.glob("data/*/*/*/*_samples.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def problems(folder: Path) -> list[str]:
    """Everything that does not agree between an aggregate and its samples."""
    path, aggregate = aggregate_of(folder)
    found = []
    detail = aggregate["detailed_evaluation_results"]
    samples = folder / detail["file_path"]
    if hashlib.sha256(samples.read_bytes()).hexdigest() != detail["checksum"]:
        found.append("checksum")
    if samples.name != f"{path.stem}_samples.jsonl":
        found.append("names")
    rows = rows_of(folder)
    if len(rows) != detail["total_rows"]:
        found.append("total_rows")
    by_result: dict[str, list[dict[str, Any]]] = defaultdict(list)
    seen = set()
    for row in rows:
        by_result[row["evaluation_result_id"]].append(row)
        key = (row["evaluation_result_id"], row["sample_id"], row["metadata"]["trial"])
        if key in seen:
            found.append(f"twice: {key}")
        seen.add(key)
    known = {one["evaluation_result_id"]: one for one in aggregate["evaluation_results"]}
    found += [f"rows of no result: {name}" for name in by_result.keys() - known.keys()]
    for name, one in known.items():
        details = one["score_details"]["details"]
        if "rows" not in details:
            continue
        mine = by_result.get(name, [])
        if len(mine) != int(details["rows"]):
            found.append(f"rows of {name}")
        aggregation = one["metric_config"]["additional_details"]["aggregation"]
        mean = _mean(mine, aggregation)
        if not math.isclose(mean, one["score_details"]["score"], abs_tol=1e-9):
            found.append(f"{name}: {one['score_details']['score']} is not {mean}")
        if len({row["sample_id"] for row in mine}) != one["score_details"]["uncertainty"]["num_samples"]:
            found.append(f"num_samples of {name}")
    return found


def _mean(rows: list[dict[str, Any]], aggregation: str) -> float:
    """The mean over samples of the means over trials; over the categories of a tag where it says so."""
    tag = aggregation.split("'")[1] if "categories of" in aggregation else ""
    slices: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        category = row["metadata"].get(f"tag_{tag}", "") if tag else ""
        slices[category][row["sample_id"]].append(row["evaluation"]["score"])
    means = [
        sum(sum(all_) / len(all_) for all_ in samples.values()) / len(samples) for samples in slices.values()
    ]
    return sum(means) / len(means)
