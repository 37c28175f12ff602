"""Run folders written as the runner writes them, of a small task with every kind of metric."""

import json
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from suite.chat import canonical_json, sha256_hex
from suite.hookspecs import Entry
from suite.journal.records import OutputRecord, ScoreRecord, encode
from suite.parameters import Parameters
from suite.plugins import Catalogue, catalogue_of
from suite.roles import Role
from suite.scoring.metrics import Agreement, Custom, Mean, PassAt, Rate, Ratio, WinRate
from suite.task import Metric, Output, Part, Task, TaskInfo


class TinyParameters(Parameters):
    turns: int = 0


def _share(columns: Mapping[str, Any]) -> float | None:
    x = columns["grade"]
    return float((x > 0.5).mean()) if len(x) else None


class Tiny(Task[None, TinyParameters]):
    info = TaskInfo("tiny/one", version=1, title="A tiny task", roles={"candidate": Role()}, headline="kept")
    metrics: ClassVar[Sequence[Metric]] = (
        Rate("kept"),
        Mean("grade", range=(0, 1), by="topic"),
        Mean("cost", direction="lower"),
        Ratio("hits", "tries"),
        WinRate("win"),
        PassAt("kept", k=(1, 2), power=True, name="solved"),
        Custom("good", _share, needs=("grade",)),
        Rate("followed", over="parts"),
        Agreement("kept", raters=("kept", "kept_too"), name="raters"),
    )

    def samples(self, data: Any) -> Any:
        return []

    async def solve(self, sample: Any, models: Any) -> None:
        raise NotImplementedError

    async def score(self, sample: Any, output: Any, models: Any) -> None:
        raise NotImplementedError


class Macro(Tiny):
    info = TaskInfo("tiny/macro", version=1, title="Another", roles={"candidate": Role()}, headline="grade")
    metrics = (Mean("grade", range=(0, 1), by="topic", average="macro"),)


@pytest.fixture(scope="session")
def plugins() -> Catalogue:
    module = types.ModuleType("tiny_compared_tasks")
    vars(module).update(Tiny=Tiny, Macro=Macro)
    sys.modules[module.__name__] = module
    entries = [
        Entry("task", "tiny/one", "A tiny task", "tiny_compared_tasks:Tiny"),
        Entry("task", "tiny/macro", "Another", "tiny_compared_tasks:Macro"),
    ]
    return catalogue_of([], entries)


def members(roles: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Members as a manifest has them, of their specs and what else is told of them."""
    common = {"stage": "solve", "needs": [], "capabilities": [], "identity": {}, "limits": {}, "sampling": {}}
    return {
        role: [{"member": f"{role}/{n}" if n > 1 else role, **common, **one} for n, one in enumerate(each, 1)]
        for role, each in roles.items()
    }


Scores = Callable[[int, int], Mapping[str, Any]]  # of (sample, trial)


def cell_of(task: str, parameters: Mapping[str, Any]) -> str:
    return sha256_hex(canonical_json({"task": task, "version": 1, "parameters": dict(parameters)}))[:12]


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """A factory of run folders: one cell for each of `cells` (task, parameters, scores)."""

    def make(
        name: str,
        scores: Scores | None = None,
        *,
        n: int = 40,
        trials: int = 1,
        task: str = "tiny/one",
        cells: list[tuple[str, dict[str, Any], Scores]] | None = None,
        clusters: Callable[[int], str] | None = None,
        samples: range | None = None,
        scored: bool = True,
        scoring: Mapping[str, Any] | None = None,
        **manifest: Any,
    ) -> Path:
        folder = tmp_path / name
        planned = cells or [(task, {"turns": 0}, scores)]
        inner = folder / "scorings" / "first"
        inner.mkdir(parents=True)
        plans = []
        with (folder / "outputs.jsonl").open("wb") as outputs, (inner / "scores.jsonl").open("wb") as judged:
            for which, parameters, of in planned:
                cell = cell_of(which, parameters)
                plans.append(
                    {"cell": cell, "task": which, "version": 1, "parameters": parameters,
                     "score_parameters": {}, "prompts": "own", "prompts_sha256": "0" * 64, "plugin": "tiny 1",
                     "headline": "kept" if which == "tiny/one" else "grade", "facts": {}, "title": which,
                     "paper": "", "note": "", "replay": "exact", "swept": []}
                )  # fmt: skip
                for index in samples or range(n):
                    for trial in range(trials):
                        values = dict(of(index, trial))
                        parts = values.pop("parts", [])
                        sample = f"s{index}"
                        cluster = clusters(index) if clusters else sample
                        tags = {"topic": "abc"[index % 3]}
                        outputs.write(
                            encode(
                                OutputRecord(
                                    cell=cell, sample=sample, trial=trial, group=sample, cluster=cluster,
                                    tags=tags, payload_sha256="0" * 64,
                                    output=Output(f"{name} says {index} <b>\x1b[31m"),
                                )
                            )
                        )  # fmt: skip
                        score = {
                            "cell": cell,
                            "sample": sample,
                            "trial": trial,
                            "values": values,
                            "parts": parts,
                        }
                        judged.write(encode(ScoreRecord(output_sha256="0" * 64, **score)))
        written = {
            "format": "suite-run/1", "name": name, "suite": "0.1.0", "plan_sha256": "0" * 64, "seed": 0,
            "trials": trials, "limit": None, "imported": False, "cells": plans, "prompts": "own",
            "created": "2026-01-01T00:00:00Z", "mini": False, "shard": None, "skipped": [], "versions": {},
            "data": {"tiny": {"entry": "tiny", "revision": "a" * 40, "files": {"x": "1" * 64}}},
            "counts": {"groups": n, "groups_taken": n, "samples": {}, "tags": {}},
            "hardware": {"cpus": 1, "memory_gib": None, "system": "", "python": "", "gpus": []}, **manifest,
            "roles": members(manifest.get("roles", {"candidate": [{"spec": f"scripted/{name}"}]})),
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(written))
        judging = {
            "format": "suite-scoring/1", "scoring": "first", "started": "2026-01-01", "run": name,
            "plan_sha256": "0" * 64, "level": 0.95, **(scoring or {}),
            "roles": members((scoring or {}).get("roles", {})),
            "cells": [
                {key: one[key] for key in ("cell", "score_parameters", "prompts", "prompts_sha256", "facts")}
                for one in plans
            ],
        }  # fmt: skip
        results = {
            "format": "suite-results/1", "run": name, "scoring": "first", "level": 0.95, "complete": True,
            "pending": 0, "imported": False, "cells": [], "across": [], "calls": {}, "seconds": 0,
            "coverage": {"groups": {"taken": n, "all": n}, "tags": {}},
        }  # fmt: skip
        if scored:
            (inner / "manifest.json").write_text(json.dumps(judging))
            (inner / "results.json").write_text(json.dumps(results))
        return folder

    return make


def everything(index: int, trial: int = 0, *, shift: int = 0) -> dict[str, Any]:
    """A score with all values of the tiny task."""
    x = (index * 7 + trial * 3 + shift) % 10
    return {
        "kept": x > 3, "kept_too": x > 4, "grade": x / 9, "cost": float(x), "hits": x % 3, "tries": 3,
        "win": (x % 5) / 4, "parts": [Part("one", {"followed": x > 2}), Part("two", {"followed": x > 6})],
    }  # fmt: skip


@pytest.fixture
def score_all() -> Callable[..., Scores]:
    """A factory of score functions."""
    return lambda shift=0: lambda index, trial: everything(index, trial, shift=shift)
