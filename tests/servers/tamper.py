"""A bundle folder opened for forgery: its records as objects, and a seal that makes it agree with itself.

`Forged` reads one run of a bundle. `reseal` does what a careful forger would: request hashes, call ids,
output hashes, checksums, plan hash, counts and (unless told not to) all results from the forged scores,
then every file's hashes.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from msgspec import convert, to_builtins
from sealing import seal

from suite.board.bundle import frames
from suite.board.bundle.documents_check import entry_cell, roles_identity
from suite.chat import call_id, canonical_json, request_sha256, sha256_hex
from suite.journal.blocks import BlockReader
from suite.journal.documents import CellRecord, CellResult, Roles, ScoredCell
from suite.journal.records import (
    AttemptRecord,
    BlockRecord,
    CallRecord,
    OutputRecord,
    ScoreRecord,
    encode,
    whole,
)
from suite.journal.run import Run
from suite.plugins import catalogue
from suite.run.cells import load_task
from suite.run.records import output_sha256
from suite.run.results import make_results
from suite.task import Output

KINDS: dict[str, type[Any]] = {
    "outputs": OutputRecord,
    "calls": CallRecord,
    "blocks": BlockRecord,
    "attempts": AttemptRecord,
    "scoring/calls": CallRecord,
    "scoring/blocks": BlockRecord,
    "scoring/scores": ScoreRecord,
}


class Forged:
    """One run of a bundle folder, all in memory."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        (self.folder,) = (bundle / "runs").iterdir()
        self.submission: dict[str, Any] = json.loads((bundle / "submission.json").read_text())
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        self.scoring: dict[str, Any] = json.loads((self.folder / "scoring/manifest.json").read_text())
        self.results: dict[str, Any] = json.loads((self.folder / "scoring/results.json").read_text())
        self.files = {name: self.read(name) for name in KINDS}

    @property
    def entry(self) -> dict[str, Any]:
        """The run in submission.json."""
        found: dict[str, Any] = self.submission["runs"][0]
        return found

    @property
    def outputs(self) -> list[OutputRecord]:
        return self.files["outputs"]

    @property
    def scores(self) -> list[ScoreRecord]:
        return self.files["scoring/scores"]

    @property
    def calls(self) -> list[CallRecord]:
        return self.files["calls"]

    @property
    def judged(self) -> list[CallRecord]:
        return self.files["scoring/calls"]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl.zst"

    def text(self, name: str) -> bytes:
        """The bytes of a journal."""
        return zstandard.decompress(self.path(name).read_bytes())

    def put(self, name: str, body: bytes) -> None:
        """Write the bytes of a journal."""
        self.path(name).write_bytes(frames.compress(body))

    def read(self, name: str) -> list[Any]:
        decoder = msgspec.json.Decoder(KINDS[name])
        return [whole(decoder.decode(line)) for line in self.text(name).splitlines()]

    def output_text(self, record: OutputRecord) -> str:
        """An output's text, from its call where it was left out."""
        if not record.text_from:
            return record.output.text
        return next(call.reply.text for call in self.calls if call.id == record.text_from)

    def score_of(self, output: OutputRecord) -> ScoreRecord:
        key = (output.cell, output.sample, output.trial)
        return next(one for one in self.scores if (one.cell, one.sample, one.trial) == key)

    def write(self) -> None:
        """All documents and journals as they stand here."""
        for name, records in self.files.items():
            self.put(name, b"".join(encode(one) for one in records))
        self._json("manifest.json", self.manifest)
        self._json("scoring/manifest.json", self.scoring)
        self._json("scoring/results.json", self.results)

    def _json(self, name: str, value: Any) -> None:
        (self.folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")

    def save(self) -> str:
        """Write everything and the envelope, with true file hashes; nothing else is made to agree."""
        self.write()
        (self.bundle / "submission.json").write_bytes(canonical_json(self.submission) + b"\n")
        return seal(self.bundle)

    def reseal(self, *, identities: bool = True, numbers: bool = True) -> str:
        """Make the bundle agree with itself.

        identities: of requests, calls, outputs and the plan. numbers: counts and results.
        """
        if identities:
            self._identities()
        if numbers:
            self._numbers()
        return self.save()

    def _identities(self) -> None:
        renamed: dict[str, str] = {}
        family = self.manifest["cells"][0]["task"].partition("/")[0]
        with tempfile.TemporaryDirectory() as name:
            for stage in ("", "scoring/"):
                path = Path(name) / f"{stage.strip('/')}blocks.jsonl"
                path.write_bytes(b"".join(encode(one) for one in self.files[f"{stage}blocks"]))
                blocks = BlockReader(path)
                for call in self.files[f"{stage}calls"]:
                    call.request_sha256 = request_sha256(blocks.request(call))
                    new = call_id(family, call.group, call.trial, call.role, call.key, call.request_sha256)
                    renamed[call.id] = new
                    call.id = new
        for output in self.outputs:
            output.calls = [renamed.get(one, one) for one in output.calls]
            output.text_from = renamed.get(output.text_from, output.text_from)
        for attempt in self.files["attempts"]:
            attempt.call = renamed.get(attempt.call, attempt.call)
        by_key = {(one.cell, one.sample, one.trial): one for one in self.outputs}
        for score in self.scores:
            score.calls = [renamed.get(one, one) for one in score.calls]
            judged = by_key.get((score.cell, score.sample, score.trial))
            if judged is not None:
                filled = Output(self.output_text(judged), judged.output.data, judged.output.finish)
                score.output_sha256 = output_sha256(filled)
        self._plan()
        self.manifest["plan_sha256"] = sha256_hex(canonical_json(self.manifest["plan"]))
        self.scoring["plan_sha256"] = self.entry["plan_sha256"] = self.manifest["plan_sha256"]

    def _plan(self) -> None:
        """The plan from the manifest's other fields, and cells by their parameters' hashes."""
        renamed = {}
        for cell in self.manifest["cells"]:
            identity = {name: cell[name] for name in ("task", "version", "parameters")}
            renamed[cell["cell"]] = cell["cell"] = sha256_hex(canonical_json(identity))[:12]
        renamed = dict(zip([one["cell"] for one in self.scoring["cells"]], renamed.values(), strict=True))
        for one in self.scoring["cells"]:
            one["cell"] = renamed[one["cell"]]
        for record in (*self.outputs, *self.scores, *self.files["attempts"]):
            record.cell = renamed.get(record.cell, record.cell)
        counts = self.manifest["counts"]
        counts["samples"] = {renamed.get(cell, cell): n for cell, n in counts["samples"].items()}
        plan = self.manifest["plan"]
        plan["cells"] = {one["cell"]: one["prompts_sha256"] for one in self.manifest["cells"]}
        plan["roles"] = roles_identity(convert(self.manifest["roles"], Roles))
        for name in ("seed", "trials", "limit", "shard", "data"):
            plan[name] = self.manifest[name]

        cells = {
            one["cell"]: [one["prompts_sha256"], one["score_parameters"]] for one in self.scoring["cells"]
        }
        identity = {"roles": roles_identity(convert(self.scoring["roles"], Roles)), "cells": cells}
        name = sha256_hex(canonical_json(identity))[:8]
        self.scoring["scoring"] = self.entry["scoring"] = self.results["scoring"] = name

    def _numbers(self) -> None:
        counts: dict[str, int] = {cell["cell"]: 0 for cell in self.manifest["cells"]}
        for output in self.outputs:
            counts[output.cell] += 1
        trials = max([self.manifest["trials"], *(one.trial + 1 for one in self.outputs)])
        self.manifest["counts"]["samples"] = {cell: -(-n // trials) for cell, n in counts.items()}
        self.results = self.recomputed()
        self.envelope()

    def recomputed(self) -> dict[str, Any]:
        """results.json from the records as they stand."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            scoring = folder / "scorings" / self.entry["scoring"]
            scoring.mkdir(parents=True)
            for journal, records in self.files.items():
                stage, _, file = journal.rpartition("/")
                body = b"".join(encode(one) for one in records)
                ((scoring if stage else folder) / f"{file}.jsonl").write_bytes(body)
            whole = {**self.manifest, "seed": int(self.manifest["seed"])}  # a forged 0.0 changes no number
            (folder / "manifest.json").write_text(json.dumps(whole))
            (scoring / "manifest.json").write_text(json.dumps(self.scoring))
            metrics = {
                cell["task"]: load_task(catalogue(), cell["task"])[0].metrics
                for cell in self.manifest["cells"]
            }
            made = make_results(Run(folder, self.entry["scoring"]), metrics, level=self.scoring["level"])
            found: dict[str, Any] = to_builtins(made)
            return found

    def envelope(self) -> None:
        """The run's entry in submission.json from the documents."""
        scored = {one["cell"]: one for one in self.scoring["cells"]}
        results = {one["cell"]: one for one in self.results["cells"]}
        self.entry["cells"] = [
            to_builtins(
                entry_cell(
                    convert(one, CellRecord),
                    convert(scored[one["cell"]], ScoredCell),
                    convert(results[one["cell"]], CellResult),
                )
            )
            for one in self.manifest["cells"]
        ]

    def add_block(self, stage: str, record: BlockRecord) -> None:
        """A new body."""
        self.files[f"{stage}blocks"].append(record)

    def prune(self) -> None:
        """Drop calls that nobody names, and bodies that no call needs."""
        judged: list[OutputRecord | ScoreRecord] = [*self.outputs, *self.scores]
        named = {call for one in judged for call in one.calls}
        for stage in ("", "scoring/"):
            self.files[f"{stage}calls"] = [one for one in self.files[f"{stage}calls"] if one.id in named]
        self.prune_blocks()

    def prune_blocks(self) -> None:
        """Drop bodies that no call needs."""
        for stage in ("", "scoring/"):
            calls = self.files[f"{stage}calls"]
            used = {one for call in calls for one in (*call.request, *call.texts, call.prompt, call.tools)}
            for block in self.files[f"{stage}blocks"]:
                if block.list is not None and block.sha256 in used:
                    used.update(block.list)
            self.files[f"{stage}blocks"] = [one for one in self.files[f"{stage}blocks"] if one.sha256 in used]
