"""The manifests of a run and of its scorings: what was planned, with whom, on what."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from suite.journal.records import FORMAT
from suite.run.cells import Cell
from suite.run.code import code_record
from suite.run.hardware import hardware
from suite.run.plan import Counts, Plan

SCORING_FORMAT = "suite-scoring/1"
_ALWAYS = ("suite-eval", "pydantic", "msgspec", "numpy", "scipy", "huggingface_hub", "datasets")
Facts = Mapping[str, Mapping[str, str]]


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def cell_record(cell: Cell, swept: Sequence[str]) -> dict[str, Any]:
    """What the manifest says of a cell, but for the facts that its task gives when it is opened."""
    info = cell.task.info
    return {
        **msgspec.to_builtins(cell.plan),
        "title": info.title,
        "paper": info.paper,
        "headline": info.headline,
        "note": info.note,
        "replay": info.replay,
        "swept": list(swept),
    }


def counts_record(counts: Counts) -> dict[str, Any]:
    """What the manifest says of how much there is, and of how much of it is taken."""
    return {
        "groups": counts.groups,
        "groups_taken": counts.groups_taken,
        "samples": dict(counts.samples),
        "tags": {
            tag: {value: list(both) for value, both in values.items()} for tag, values in counts.tags.items()
        },
    }


def run_manifest(plan: Plan, name: str, facts: Facts, *, imported: bool = False) -> dict[str, Any]:
    """manifest.json of a run; `facts` by cell."""
    import suite

    swept = plan.swept()
    cells = [
        {**cell_record(cell, swept[cell.plan.task]), "facts": dict(facts.get(cell.id, {}))}
        for cell in plan.cells
    ]
    plugins = {cell.plan.plugin.rpartition(" ")[0] for cell in plan.cells}
    return {
        "format": FORMAT,
        "name": name,
        "suite": suite.__version__,
        "created": now(),
        "plan_sha256": plan.sha256,
        "plan": plan.solve_identity(),
        "seed": plan.request.seed,
        "trials": plan.request.trials,
        "mini": plan.request.mini,
        "limit": plan.request.limit,
        "shard": plan.shard,
        "imported": imported,
        "prompts": plan.request.prompts,
        "cells": cells,
        "skipped": [
            {"task": one.task, "parameters": dict(one.parameters), "reason": one.reason}
            for one in plan.skipped
        ],
        "roles": plan.filled.record("solve", "both"),
        "data": {name: dict(one) for name, one in plan.data_identity.items()},
        "counts": counts_record(plan.counts),
        "code": code_record(plan.cells),
        "versions": versions(plugins),
        "hardware": hardware(),
    }


def scoring_manifest(plan: Plan, name: str, facts: Facts, run_sha256: str, level: float) -> dict[str, Any]:
    """manifest.json of a scoring."""
    return {
        "format": SCORING_FORMAT,
        "scoring": plan.scoring_id,
        "started": now(),
        "run": name,
        "plan_sha256": run_sha256,
        "level": level,
        "roles": plan.filled.record("score", "both"),
        "code": code_record(plan.cells),
        "cells": [
            {
                "cell": cell.id,
                "score_parameters": cell.plan.score_parameters,
                "prompts": cell.plan.prompts,
                "prompts_sha256": cell.plan.prompts_sha256,
                "facts": dict(facts.get(cell.id, {})),
            }
            for cell in plan.cells
        ],
    }


def versions(plugins: set[str]) -> dict[str, str]:
    """Versions of what shapes results, by distribution."""
    found = {}
    for name in sorted({*_ALWAYS, *filter(None, plugins)}):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
