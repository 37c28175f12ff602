"""The documents of a run held against each other: identities recomputed, what is said twice compared.

submission.json, manifest.json, scoring/manifest.json and scoring/results.json tell many things twice.
Each must be told alike, and hashes must follow from what they are hashes of. Not here: whether the numbers
follow from the records, or the plan from the pinned world (`verify`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

SCHEMAS = {
    "manifest.json": "run-manifest.v1.json",
    "scoring/manifest.json": "scoring-manifest.v1.json",
    "scoring/results.json": "results.v1.json",
}


@dataclass(frozen=True)
class RunDocuments:
    """The three documents of a run."""

    manifest: RunManifest
    scoring: ScoringManifest
    results: Results


def documents_of(values: Mapping[str, Json], base: str, findings: Findings) -> RunDocuments | None:
    """The documents as types, None unless all three have their shape (R1). values: by file name, parsed."""
    good = len(values) == len(SCHEMAS) and all(one is not None for one in values.values())
    for name, schema in SCHEMAS.items():
        if values.get(name) is None:
            continue
        for field, what, found in schema_errors(schema, values[name]):
            findings.add("R1.schema", what, f"{base}{name}: {field}", found=found)
            good = False
    if not good:
        return None
    manifest, scoring, results = (values[name] for name in SCHEMAS)
    return RunDocuments(
        msgspec.convert(manifest, RunManifest),
        msgspec.convert(scoring, ScoringManifest),
        msgspec.convert(results, Results),
    )


def member_identity(member: RoleMember, free: Sequence[str] = NOT_IDENTITY) -> dict[str, Json]:
    """Who a member is and how it is asked. free: names of its identity that may differ."""
    identity = {name: value for name, value in member.identity.items() if name not in free}
    return {"spec": member.spec, "sampling": member.sampling, "identity": identity}


def roles_identity(roles: Mapping[str, Sequence[RoleMember]]) -> dict[str, Json]:
    """Member -> what of it belongs to the identity of a plan."""
    return {one.member: member_identity(one) for members in roles.values() for one in members}


def check_documents(documents: RunDocuments, entry: SubmittedRun, base: str, findings: Findings) -> None:
    """Hold the documents against each other (R2). entry: of the run in submission.json."""
    _Comparing(documents, entry, base, findings).all()


class _Comparing:
    def __init__(self, documents: RunDocuments, entry: SubmittedRun, base: str, findings: Findings) -> None:
        self.manifest, self.scoring, self.results = documents.manifest, documents.scoring, documents.results
        self.entry, self.base, self.findings = entry, base, findings
        self.scored = {one.cell: one for one in self.scoring.cells}

    def equal(self, code: str, what: str, where: str, expected: Json, found: Json) -> None:
        """Note two values that differ. NaN cannot occur; 1 and 1.0 are one number, 1 and true are not."""
        if not _same(expected, found):
            self.findings.add(f"R2.{code}", what, self.base + where, expected=expected, found=found)

    def all(self) -> None:
        """Every comparison."""
        self._plan()
        self._manifest_cells()
        self._scoring()
        self._results()
        self._entry()

    def _plan(self) -> None:
        manifest, plan = self.manifest, self.manifest.plan
        digest = sha256_hex(canonical_json(plan))
        self.equal("plan-hash", "the plan has another hash", "manifest.json", digest, manifest.plan_sha256)
        shard = None if manifest.shard is None else list(manifest.shard)
        what = "the manifest and its plan differ"
        told: dict[str, Json] = {
            "format": manifest.format,
            "seed": manifest.seed,
            "trials": manifest.trials,
            "limit": manifest.limit,
            "shard": shard,
            "data": manifest.data,
            "roles": roles_identity(manifest.roles),
            "cells": {one.cell: one.prompts_sha256 for one in manifest.cells},
        }
        for name, found in told.items():
            self.equal("plan-differs", what, f"manifest.json: {name}", plan[name], found)

    def _manifest_cells(self) -> None:
        seen = set()
        for one in self.manifest.cells:
            identity: dict[str, Json] = {
                "task": one.task,
                "version": one.version,
                "parameters": one.parameters,
            }
            digest = sha256_hex(canonical_json(identity))[:12]
            self.equal("cell-id", "a cell has another id", "manifest.json: cells", digest, one.cell)
            if one.cell in seen:
                where = self.base + "manifest.json"
                self.findings.add("R2.cell-twice", "a cell stands twice", where, found=one.cell)
            seen.add(one.cell)
        counted = sorted(self.manifest.counts.samples)
        what = "samples are counted of other cells"
        self.equal("counts", what, "manifest.json: counts", sorted(seen), counted)

    def _scoring(self) -> None:
        scoring, where, plan = self.scoring, "scoring/manifest.json", "plan_sha256"
        here, there = (sorted(one.cell for one in of.cells) for of in (self.manifest, scoring))
        for what, place, expected, found in (
            ("it is another scoring", "", self.entry.scoring, scoring.scoring),
            ("it belongs to another run", ": run", self.manifest.name, scoring.run),
            ("it belongs to another run", f": {plan}", self.manifest.plan_sha256, scoring.plan_sha256),
            ("it has other cells than the run", "", here, there),
        ):
            self.equal("scoring-differs", what, where + place, expected, found)
        identity: dict[str, Json] = {
            "roles": roles_identity(scoring.roles),
            "cells": {one.cell: [one.prompts_sha256, one.score_parameters] for one in scoring.cells},
        }
        digest = sha256_hex(canonical_json(identity))[:8]
        self.equal("scoring-id", "the scoring has another id", where, digest, scoring.scoring)

    def _results(self) -> None:
        results, where = self.results, "scoring/results.json"
        about: tuple[tuple[str, Json, Json], ...] = (
            ("run", self.manifest.name, results.run),
            ("scoring", self.entry.scoring, results.scoring),
            ("level", self.scoring.level, results.level),
            ("imported", self.manifest.imported, results.imported),
        )
        for name, expected, told in about:
            self.equal("results-differ", "results are of another run", f"{where}: {name}", expected, told)
        wanted = {one.cell: one for one in self.manifest.cells}
        found = {one.cell: one for one in results.cells}
        if len(results.cells) != len(wanted) or set(found) != set(wanted):
            self.equal("results-differ", "results have other cells", where, sorted(wanted), sorted(found))
            return
        what = "results differ from the manifest"
        samples = self.manifest.counts.samples
        for cell, one in wanted.items():
            row, scored = found[cell], self.scored.get(cell)
            sides: tuple[tuple[str, Json, Json], ...] = (
                ("task", one.task, row.task),
                ("version", one.version, row.version),
                ("parameters", one.parameters, row.parameters),
                ("headline", one.headline, row.headline),
                (
                    "score_parameters",
                    None if scored is None else scored.score_parameters,
                    row.score_parameters,
                ),
                ("prompts", None if scored is None else scored.prompts, row.prompts),
                ("samples", samples.get(cell, 0) * self.manifest.trials, row.samples),
            )
            for name, expected, told in sides:
                self.equal("results-differ", what, f"{where}: {cell} {name}", expected, told)

    def _entry(self) -> None:
        entry, where = self.entry, "submission.json"
        plan = self.manifest.plan_sha256
        self.equal("entry-differs", "it names another plan", where, plan, entry.plan_sha256)
        results = {one.cell: one for one in self.results.cells}
        cells = self.manifest.cells
        wanted = [entry_cell(one, self.scored.get(one.cell), results.get(one.cell)) for one in cells]
        here, there = [one.cell for one in cells], [one.cell for one in entry.cells]
        if here != there:
            self.equal("entry-differs", "it names other cells", where, here, there)
            return
        what = "submission.json differs from the run"
        for expected, found in zip(wanted, entry.cells, strict=True):
            for name in SubmittedCell.__struct_fields__:
                value, told = getattr(expected, name), getattr(found, name)
                if name == "headline":  # its numbers are held against the records, with all aggregates
                    value, told = value.metric, told.metric
                self.equal("entry-differs", what, f"{where}: {expected.cell} {name}", value, told)


def entry_cell(cell: CellRecord, scored: ScoredCell | None, results: CellResult | None) -> SubmittedCell:
    """What submission.json says of a cell, from the three documents of its run."""
    row = results.headline_row if results is not None else None
    return SubmittedCell(
        cell=cell.cell,
        task=cell.task,
        version=cell.version,
        parameters=cell.parameters,
        score_parameters=cell.score_parameters if scored is None else scored.score_parameters,
        headline=SubmittedHeadline(
            metric=cell.headline,
            value=None if row is None else row.value,
            n=0 if row is None else row.n,
            unscored=0 if row is None else row.unscored,
        ),
    )


def _same(a: Json, b: Json) -> bool:
    """Equal as JSON: numbers by value, true and 1 apart."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)
