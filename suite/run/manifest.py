"""The manifests of a run and of its scorings: what was planned, with whom, on what."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from msgspec.structs import asdict

from suite.journal.documents import (
    SCORING_FORMAT,
    CellRecord,
    Facts,
    Hardware,
    RunManifest,
    ScoredCell,
    ScoringManifest,
)
from suite.journal.records import FORMAT
from suite.run.cells import Cell, swept
from suite.run.code import code_record
from suite.run.hardware import hardware
from suite.run.plan import Plan

_ALWAYS = ("suite-eval", "pydantic", "msgspec", "numpy", "scipy", "huggingface_hub", "datasets")
FactsOfCells = Mapping[str, Facts]


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def cell_records(cells: Sequence[Cell], facts: FactsOfCells | None = None) -> list[CellRecord]:
    """What the manifest says of cells. facts: by cell, those that its task gave when it was opened."""
    names, facts, records = swept(cells), facts or {}, []
    for cell in cells:
        info, plan, own = cell.task.info, cell.plan, names[cell.plan.task]
        values = cell.task.parameters.model_dump(mode="json").items()
        record = CellRecord(
            **asdict(plan), title=info.title, paper=info.paper, headline=info.headline, note=info.note,
            replay=info.replay, swept=own, facts=dict(facts.get(cell.id, {})),
            usual={name: one for name, one in values if name in own and name not in plan.parameters},
        )  # fmt: skip
        records.append(record)
    return records


def run_manifest(
    plan: Plan, name: str, facts: FactsOfCells, *, imported: bool = False, other: Hardware | None = None
) -> RunManifest:
    """manifest.json of a run; `facts` by cell. other: hardware, where it is not this machine's."""
    import suite

    asked, plugins = plan.request, {cell.plan.plugin.rpartition(" ")[0] for cell in plan.cells}
    return RunManifest(
        format=FORMAT, name=name, suite=suite.__version__, created=now(),
        plan_sha256=plan.sha256, plan=plan.solve_identity(), shard=plan.shard, imported=imported,
        seed=asked.seed, trials=asked.trials, mini=asked.mini, limit=asked.limit, prompts=asked.prompts,
        cells=cell_records(plan.cells, facts), skipped=plan.skipped, changed_presets=plan.changed_presets,
        roles=plan.filled.record("solve", "both"), data=plan.data_identity, counts=plan.counts,
        code=code_record(plan.cells), versions=versions(plugins), hardware=other or hardware(),
    )  # fmt: skip


def scoring_manifest(
    plan: Plan, name: str, facts: FactsOfCells, run_sha256: str, level: float
) -> ScoringManifest:
    """manifest.json of a scoring."""
    return ScoringManifest(
        format=SCORING_FORMAT, scoring=plan.scoring_id, started=now(), run=name, plan_sha256=run_sha256,
        level=level, roles=plan.filled.record("score", "both"), code=code_record(plan.cells),
        cells=[
            ScoredCell(
                cell=one.cell, score_parameters=one.score_parameters, prompts=one.prompts,
                prompts_sha256=one.prompts_sha256, facts=dict(facts.get(one.cell, {})),
            ) for one in (cell.plan for cell in plan.cells)
        ],
    )  # fmt: skip


def versions(plugins: set[str]) -> dict[str, str]:
    """Versions of what shapes results, by distribution."""
    found = {}
    for name in sorted({*_ALWAYS, *filter(None, plugins)}):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
