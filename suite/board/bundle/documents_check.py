"""The documents of a run held against each other: identities recomputed, what is said twice compared.

submission.json, manifest.json, scoring/manifest.json and scoring/results.json tell many things twice.
Each must be told alike, and hashes must follow from what they are hashes of. Not here: whether the numbers
follow from the records, or the plan from the pinned world (`verify`).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from suite.board.bundle.rungs import Findings
from suite.board.bundle.schemas import schema_errors
from suite.board.bundle.submission import SubmittedCell, SubmittedHeadline, SubmittedRun
from suite.chat import Json, canonical_json, sha256_hex
from suite.journal.documents import (
    CellRecord,
    CellResult,
    Results,
    RoleMember,
    RunManifest,
    ScoredCell,
    ScoringManifest,
)
from suite.run.plan import NOT_IDENTITY
from suite.trees import exactly

SCHEMAS = {
    "manifest.json": "run-manifest.v1.json",
    "scoring/manifest.json": "scoring-manifest.v1.json",
    "scoring/results.json": "results.v1.json",
}


class RunDocuments(msgspec.Struct, frozen=True):
    """The three documents of a run, in the order of SCHEMAS."""

    manifest: RunManifest
    scoring: ScoringManifest
    results: Results


def documents_of(values: Mapping[str, Json], base: str, findings: Findings) -> RunDocuments | None:
    """The documents as types, None unless all three have their shape (R1). values: by file name, parsed."""
    before = findings.errors
    found = {name: values.get(name) for name in SCHEMAS}
    for name, value in found.items():
        if value is not None:
            for field, what, there in schema_errors(SCHEMAS[name], value):
                findings.add("R1.schema", f"{base}{name}: {field}", what=what, found=there)
    if findings.errors > before or None in found.values():
        return None
    fields = zip(RunDocuments.__struct_fields__, found.values(), strict=True)
    return msgspec.convert(dict(fields), RunDocuments)


def member_identity(member: RoleMember, free: Sequence[str] = NOT_IDENTITY) -> dict[str, Json]:
    """Who a member is and how it is asked. free: names of its identity that may differ."""
    identity = {name: value for name, value in member.identity.items() if name not in free}
    return {"spec": member.spec, "sampling": member.sampling, "identity": identity}


def roles_identity(roles: Mapping[str, Sequence[RoleMember]]) -> dict[str, Json]:
    """Member -> what of it belongs to the identity of a plan."""
    return {one.member: member_identity(one) for members in roles.values() for one in members}


def check_documents(documents: RunDocuments, entry: SubmittedRun, base: str, findings: Findings) -> None:
    """Hold the documents against each other (R2). entry: of the run in submission.json."""
    for compare in (_manifest, _scoring, _results, _entry):
        for code, where, expected, found in compare(documents, entry):
            if not exactly(expected, found):
                findings.add(f"R2.{code}", base + where, expected=expected, found=found)


Pairs = Iterator[tuple[str, str, object, object]]
"""(code, where, what must stand there, what does) of values that must be equal."""


def _manifest(documents: RunDocuments, _: SubmittedRun) -> Pairs:
    manifest, plan = documents.manifest, documents.manifest.plan
    digest = sha256_hex(canonical_json(plan))
    yield "plan-hash", "manifest.json", digest, manifest.plan_sha256
    told = {name: getattr(manifest, name) for name in ("format", "seed", "trials", "limit", "shard", "data")}
    told["roles"] = roles_identity(manifest.roles)
    told["cells"] = {one.cell: one.prompts_sha256 for one in manifest.cells}
    for name, found in told.items():
        yield "plan-differs", f"manifest.json: {name}", plan[name], found
    seen = set()
    for one in manifest.cells:
        identity: dict[str, Json] = {"task": one.task, "version": one.version, "parameters": one.parameters}
        digest = sha256_hex(canonical_json(identity))[:12]
        yield "cell-id", "manifest.json: cells", digest, one.cell
        if one.cell in seen:
            yield "cell-twice", "manifest.json", "", one.cell
        seen.add(one.cell)
    yield "counts", "manifest.json: counts", sorted(seen), sorted(manifest.counts.samples)


def _scoring(documents: RunDocuments, entry: SubmittedRun) -> Pairs:
    manifest, scoring, where = documents.manifest, documents.scoring, "scoring/manifest.json"
    yield "scoring-differs", where, entry.scoring, scoring.scoring
    yield "scoring-differs/run", f"{where}: run", manifest.name, scoring.run
    yield "scoring-differs/run", f"{where}: plan_sha256", manifest.plan_sha256, scoring.plan_sha256
    here, there = (sorted(one.cell for one in of.cells) for of in (manifest, scoring))
    yield "scoring-differs/cells", where, here, there
    identity: dict[str, Json] = {
        "roles": roles_identity(scoring.roles),
        "cells": {one.cell: [one.prompts_sha256, one.score_parameters] for one in scoring.cells},
    }
    yield "scoring-id", where, sha256_hex(canonical_json(identity))[:8], scoring.scoring


def _results(documents: RunDocuments, entry: SubmittedRun) -> Pairs:
    manifest, results, where = documents.manifest, documents.results, "scoring/results.json"
    yield "results-differ", f"{where}: run", manifest.name, results.run
    yield "results-differ", f"{where}: scoring", entry.scoring, results.scoring
    yield "results-differ", f"{where}: level", documents.scoring.level, results.level
    yield "results-differ", f"{where}: imported", manifest.imported, results.imported
    wanted = {one.cell: one for one in manifest.cells}
    found = {one.cell: one for one in results.cells}
    if len(results.cells) != len(wanted) or set(found) != set(wanted):
        yield "results-differ/cells", where, sorted(wanted), sorted(found)
        return
    scored = {one.cell: one for one in documents.scoring.cells}
    for cell, one in wanted.items():
        sides = {name: getattr(one, name) for name in ("task", "version", "parameters", "headline")}
        for name in ("score_parameters", "prompts"):
            sides[name] = getattr(scored.get(cell), name, None)
        sides["samples"] = manifest.works_of(cell)
        for name, expected in sides.items():
            yield "results-differ/cell", f"{where}: {cell} {name}", expected, getattr(found[cell], name)


def _entry(documents: RunDocuments, entry: SubmittedRun) -> Pairs:
    manifest, where = documents.manifest, "submission.json"
    yield "entry-differs/plan", where, manifest.plan_sha256, entry.plan_sha256
    here, there = [one.cell for one in manifest.cells], [one.cell for one in entry.cells]
    if here != there:
        yield "entry-differs/cells", where, here, there
        return
    scored = {one.cell: one for one in documents.scoring.cells}
    results = {one.cell: one for one in documents.results.cells}
    for one, found in zip(manifest.cells, entry.cells, strict=True):
        expected = entry_cell(one, scored.get(one.cell), results.get(one.cell))
        for name in SubmittedCell.__struct_fields__:
            value, told = getattr(expected, name), getattr(found, name)
            if name == "headline":  # its numbers are held against the records, with all aggregates
                value, told = value.metric, told.metric
            yield "entry-differs", f"{where}: {one.cell} {name}", value, told


def entry_cell(cell: CellRecord, scored: ScoredCell | None, results: CellResult | None) -> SubmittedCell:
    """What submission.json says of a cell, from the three documents of its run."""
    return SubmittedCell(
        cell=cell.cell,
        task=cell.task,
        version=cell.version,
        parameters=cell.parameters,
        score_parameters=(scored or cell).score_parameters,
        headline=headline_of(cell.headline, results),
    )


def headline_of(metric: str, results: CellResult | None) -> SubmittedHeadline:
    """What submission.json says of a cell's first number."""
    row = results.headline_row if results is not None else None
    if row is None:
        return SubmittedHeadline(metric=metric, value=None, n=0, unscored=0)
    return SubmittedHeadline(metric=metric, value=row.value, n=row.n, unscored=row.unscored)
