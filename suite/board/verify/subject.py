"""One run of a bundle under verification, and what the rungs have made of it so far."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from suite.board.bundle.rungs import Findings
from suite.board.verify.reply_digests import ReplyCollector
from suite.journal.index import Recorded
from suite.journal.reading import RunReader
from suite.journal.records import CallRecord
from suite.journal.run import Journal
from suite.run.plan import Plan


@dataclass
class VerifiedRun:
    """A run of a bundle. plan: the same plan made from the pinned world, None where that failed. replayed:
    the folder of its replay, None where that did not happen. whole: every work was replayed. there: how many
    of the plan's works have an output. By cell: order: digests of its samples as the data has them; failed:
    of samples that the candidate failed; usual: share of its outputs that are all the same. replies: digests
    of what the candidate replied.
    """

    run_id: str
    folder: Path
    scoring: str
    findings: Findings
    plan: Plan | None = None
    replayed: RunReader | None = None
    whole: bool = False
    there: int = 0
    recomputed: dict[str, Any] = field(default_factory=dict)
    order: "dict[str, array[int]]" = field(default_factory=dict)
    failed: dict[str, set[int]] = field(default_factory=dict)
    usual: dict[str, float] = field(default_factory=dict)
    replies: ReplyCollector = field(default_factory=ReplyCollector)

    @cached_property
    def reader(self) -> RunReader:
        """Its journals."""
        return RunReader(self.folder)

    @cached_property
    def recorded(self) -> Recorded[CallRecord]:
        """The calls of solving, found by id."""
        return self.reader.call_index()

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Its manifest.json."""
        return self.reader.manifest

    @cached_property
    def scoring_journal(self) -> Journal:
        """The journals of its scoring."""
        return self.reader.scoring(self.scoring)

    @cached_property
    def scoring_manifest(self) -> Mapping[str, Any]:
        """The manifest of its scoring."""
        return self.reader.scoring_manifest(self.scoring)

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """Its results.json, as submitted."""
        return self.reader.results(self.scoring)

    @property
    def counting(self) -> tuple[RunReader, str]:
        """(run, scoring) whose scores count: the replay's, where every work was replayed."""
        if self.whole and self.replayed is not None:
            return self.replayed, ""
        return self.reader, self.scoring

    def place(self, file: str = "", field: str = "") -> str:
        """Where in the bundle."""
        return "/".join(filter(None, ("runs", self.run_id, file))) + (f" {field}" if field else "")

    def add(self, code: str, what: str, where: str = "", **rest: Any) -> None:
        """A finding about this run, an error unless told otherwise."""
        self.findings.add(code, what, where or self.place(), **rest)

    def warn(self, code: str, what: str, where: str = "", **sides: Any) -> None:
        """A warning about this run."""
        self.add(code, what, where, severity="warning", **sides)

    def note(self, code: str, what: str, where: str = "", **sides: Any) -> None:
        """A note about this run."""
        self.add(code, what, where, severity="note", **sides)

    def not_run(self, reason: str, *rungs: str) -> None:
        """These rungs cannot be climbed for this run."""
        for rung in rungs:
            self.findings.not_run(rung, f"{self.run_id}: {reason}")
