"""One run of a bundle under verification, and what the rungs have made of it so far."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, NamedTuple, Unpack

from suite.board.bundle.rungs import Findings, Sides
from suite.board.verify.reply_digests import ReplyCollector
from suite.journal.documents import CellResult, Results, RoleMember, RunManifest, ScoringManifest
from suite.journal.run import Journal, Run
from suite.run.cells import Cell
from suite.run.plan import Plan

UNSERVED = frozenset({"scripted", "replay", "lexical"})  # no model takes time to answer


class Half(NamedTuple):
    """What there is of solving, and again of scoring. base: stands before the names of its files."""

    stage: Literal["solve", "score"]
    base: str
    manifest: RunManifest | ScoringManifest
    journal: Journal


@dataclass
class VerifiedRun:
    """A run of a bundle. replies: takes what the candidate replies in any run of the bundle. plan: the same
    plan made from the pinned world, None where that failed. replayed: its replay, None where that did not
    happen. whole: every work was replayed. there: how many of the plan's works have an output. recomputed:
    its results, None where they could not be made. By cell: order: digests of its samples as the data has
    them; failed: of samples that the candidate failed; usual: share of its outputs that are all the same.
    """

    run_id: str
    run: Run
    findings: Findings
    replies: ReplyCollector = field(default_factory=ReplyCollector)
    plan: Plan | None = None
    replayed: Run | None = None
    whole: bool = False
    there: int = 0
    recomputed: Results | None = None
    order: "dict[str, array[int]]" = field(default_factory=dict)
    failed: dict[str, set[int]] = field(default_factory=dict)
    usual: dict[str, float] = field(default_factory=dict)

    @property
    def planned(self) -> Plan:
        """Its plan, for rungs that are climbed only where there is one."""
        assert self.plan is not None
        return self.plan

    @property
    def halves(self) -> tuple[Half, Half]:
        """Of solving and of scoring."""
        return halves(self.run)

    @property
    def members(self) -> Mapping[str, RoleMember]:
        """Member -> its first record in the manifests."""
        found: dict[str, RoleMember] = {}
        for half in self.halves:
            for one in chain.from_iterable(half.manifest.roles.values()):
                found.setdefault(one.member, one)
        return found

    @property
    def counting(self) -> Run:
        """The run whose scores count: the replay, where every work was replayed."""
        return self.replayed if self.whole and self.replayed is not None else self.run

    @property
    def results(self) -> Mapping[str, CellResult]:
        """Its recomputed cells by id; none where they could not be made."""
        return {} if self.recomputed is None else {one.cell: one for one in self.recomputed.cells}

    def cell(self, cell: str) -> Cell:
        return next(one for one in self.planned.cells if one.id == cell)

    def place(self, file: str = "", field: str = "") -> str:
        """Where in the bundle."""
        return "/".join(filter(None, ("runs", self.run_id, file))) + (f" {field}" if field else "")

    def add(self, code: str, where: str = "", *about: object, **told: Unpack[Sides]) -> None:
        """A finding about this run; see `Findings.add`."""
        self.findings.add(code, where or self.place(), *about, **told)

    def not_run(self, reason: str, *rungs: str) -> None:
        """These rungs cannot be climbed for this run."""
        self.findings.not_run(f"{self.run_id}: {reason}", *rungs)


def halves(run: Run) -> tuple[Half, Half]:
    """What a run has of solving and of scoring."""
    solving = Half("solve", "", run.manifest, run.journal)
    return solving, Half("score", "scoring/", run.scoring_manifest, run.judged)


def provider_of(member: RoleMember) -> str:
    """The provider in a member's spec."""
    return member.spec.partition("/")[0]
