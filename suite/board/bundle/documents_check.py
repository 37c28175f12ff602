"""The documents of a run held against each other: identities recomputed, what is said twice compared.

submission.json, manifest.json, scoring/manifest.json and scoring/results.json tell many things twice.
Each must be told alike, and hashes must follow from what they are hashes of. Not here: whether the numbers
follow from the records, or the plan from the pinned world (`verify`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from suite.board.bundle.rungs import Findings
from suite.board.bundle.submission import schema_errors
from suite.chat import canonical_json, sha256_hex
from suite.run.plan import NOT_IDENTITY

SCHEMAS = {
    "manifest.json": "run-manifest.v1.json",
    "scoring/manifest.json": "scoring-manifest.v1.json",
    "scoring/results.json": "results.v1.json",
}
_OF_PLAN = ("format", "seed", "trials", "limit", "shard", "data")
_OF_CELL = ("task", "version", "parameters")


def check_shapes(documents: Mapping[str, Any], base: str, findings: Findings) -> bool:
    """Whether all three documents have their shape (R1)."""
    good = len(documents) == len(SCHEMAS) and all(one is not None for one in documents.values())
    for name, schema in SCHEMAS.items():
        if documents.get(name) is None:
            continue
        for field, what, found in schema_errors(schema, documents[name]):
            findings.add("R1.schema", what, f"{base}{name}: {field}", found=found)
            good = False
    return good


def member_identity(member: Mapping[str, Any], free: Sequence[str] = NOT_IDENTITY) -> dict[str, Any]:
    """Who a member is and how it is asked. free: names of its identity that may differ."""
    identity = {name: value for name, value in member["identity"].items() if name not in free}
    return {"spec": member["spec"], "sampling": member["sampling"], "identity": identity}


def roles_identity(roles: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Member -> what of it belongs to the identity of a plan."""
    return {one["member"]: member_identity(one) for members in roles.values() for one in members}


def check_documents(
    documents: Mapping[str, Any], entry: Mapping[str, Any], base: str, findings: Findings
) -> None:
    """Hold the documents against each other (R2). entry: of the run in submission.json."""
    _Comparing(documents, entry, base, findings).all()


class _Comparing:
    def __init__(
        self, documents: Mapping[str, Any], entry: Mapping[str, Any], base: str, findings: Findings
    ) -> None:
        self.manifest = documents["manifest.json"]
        self.scoring = documents["scoring/manifest.json"]
        self.results = documents["scoring/results.json"]
        self.entry, self.base, self.findings = entry, base, findings

    def equal(self, code: str, what: str, where: str, expected: Any, found: Any) -> None:
        """Note two values that differ. NaN cannot occur; 1 and 1.0 are one number, 1 and true are not."""
        if canonical_json(expected) != canonical_json(found) and not _same(expected, found):
            self.findings.add(f"R2.{code}", what, self.base + where, expected=expected, found=found)

    def all(self) -> None:
        """Every comparison."""
        self._plan()
        self._manifest_cells()
        self._scoring()
        self._results()
        self._entry()

    def _plan(self) -> None:
        manifest, plan = self.manifest, self.manifest["plan"]
        digest = sha256_hex(canonical_json(plan))
        self.equal("plan-hash", "the plan has another hash", "manifest.json", digest, manifest["plan_sha256"])
        cells = {one["cell"]: one["prompts_sha256"] for one in manifest["cells"]}
        told = {name: manifest[name] for name in _OF_PLAN}
        what = "the manifest and its plan differ"
        for name, found in {**told, "roles": roles_identity(manifest["roles"]), "cells": cells}.items():
            self.equal("plan-differs", what, f"manifest.json: {name}", plan[name], found)

    def _manifest_cells(self) -> None:
        seen = set()
        for one in self.manifest["cells"]:
            identity = {name: one[name] for name in _OF_CELL}
            digest = sha256_hex(canonical_json(identity))[:12]
            self.equal("cell-id", "a cell has another id", "manifest.json: cells", digest, one["cell"])
            if one["cell"] in seen:
                where = self.base + "manifest.json"
                self.findings.add("R2.cell-twice", "a cell stands twice", where, found=one["cell"])
            seen.add(one["cell"])
        counted = sorted(self.manifest["counts"]["samples"])
        what = "samples are counted of other cells"
        self.equal("counts", what, "manifest.json: counts", sorted(seen), counted)

    def _scoring(self) -> None:
        scoring, where, plan = self.scoring, "scoring/manifest.json", "plan_sha256"
        for what, place, expected, found in (
            ("it is another scoring", "", self.entry["scoring"], scoring["scoring"]),
            ("it belongs to another run", ": run", self.manifest["name"], scoring["run"]),
            ("it belongs to another run", f": {plan}", self.manifest[plan], scoring[plan]),
            ("it has other cells than the run", "", sorted(_ids(self.manifest)), sorted(_ids(scoring))),
        ):
            self.equal("scoring-differs", what, where + place, expected, found)
        identity = {
            "roles": roles_identity(scoring["roles"]),
            "cells": {
                one["cell"]: [one["prompts_sha256"], one["score_parameters"]] for one in scoring["cells"]
            },
        }
        digest = sha256_hex(canonical_json(identity))[:8]
        self.equal("scoring-id", "the scoring has another id", where, digest, scoring["scoring"])

    def _results(self) -> None:
        results, where = self.results, "scoring/results.json"
        for name, expected in (
            ("run", self.manifest["name"]),
            ("scoring", self.entry["scoring"]),
            ("level", self.scoring["level"]),
            ("imported", self.manifest["imported"]),
        ):
            what = "results are of another run"
            self.equal("results-differ", what, f"{where}: {name}", expected, results[name])
        scored = {one["cell"]: one for one in self.scoring["cells"]}
        wanted = {
            one["cell"]: [
                *(one[name] for name in (*_OF_CELL, "headline")),
                scored.get(one["cell"], {}).get("score_parameters"),
                scored.get(one["cell"], {}).get("prompts"),
                self.manifest["counts"]["samples"].get(one["cell"], 0) * self.manifest["trials"],
            ]
            for one in self.manifest["cells"]
        }
        names = (*_OF_CELL, "headline", "score_parameters", "prompts", "samples")
        found = {one["cell"]: [one[name] for name in names] for one in results["cells"]}
        if len(results["cells"]) != len(wanted) or set(found) != set(wanted):
            self.equal("results-differ", "results have other cells", where, sorted(wanted), sorted(found))
            return
        what = "results differ from the manifest"
        for cell, values in wanted.items():
            for name, expected, told in zip(names, values, found[cell], strict=True):
                self.equal("results-differ", what, f"{where}: {cell} {name}", expected, told)

    def _entry(self) -> None:
        entry, where = self.entry, "submission.json"
        plan = self.manifest["plan_sha256"]
        self.equal("entry-differs", "it names another plan", where, plan, entry["plan_sha256"])
        scored = {one["cell"]: one for one in self.scoring["cells"]}
        results = {one["cell"]: one for one in self.results["cells"]}
        wanted = [
            entry_cell(one, scored.get(one["cell"], {}), results.get(one["cell"], {}))
            for one in self.manifest["cells"]
        ]
        if _ids(entry) != _ids(self.manifest):
            self.equal("entry-differs", "it names other cells", where, _ids(self.manifest), _ids(entry))
            return
        what = "submission.json differs from the run"
        for expected, found in zip(wanted, entry["cells"], strict=True):
            for name, value in expected.items():
                told = found[name]
                if name == "headline":  # its numbers are held against the records, with all aggregates
                    value, told = value["metric"], told["metric"]  # noqa: PLW2901
                self.equal("entry-differs", what, f"{where}: {expected['cell']} {name}", value, told)


def _ids(document: Mapping[str, Any]) -> list[str]:
    return [one["cell"] for one in document["cells"]]


def entry_cell(
    cell: Mapping[str, Any], scored: Mapping[str, Any], results: Mapping[str, Any]
) -> dict[str, Any]:
    """What submission.json says of a cell, from the three documents of its run."""
    row = next((one for one in results.get("metrics", ()) if one["headline"]), None)
    return {
        "cell": cell["cell"],
        "task": cell["task"],
        "version": cell["version"],
        "parameters": cell["parameters"],
        "score_parameters": scored.get("score_parameters", cell["score_parameters"]),
        "headline": {
            "metric": cell["headline"],
            "value": None if row is None else row["value"],
            "n": 0 if row is None else row["n"],
            "unscored": 0 if row is None else row["unscored"],
        },
    }


def _same(a: Any, b: Any) -> bool:
    """Equal as JSON: numbers by value, true and 1 apart."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)
