"""What verifying a bundle came to, and the files that it leaves: verification.json, per_sample.parquet,
replies.parquet; and the text for people.
"""

import platform
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

import suite
from suite.board import entry
from suite.board.bundle.rungs import Findings
from suite.board.bundle.signatures import Signature
from suite.board.bundle.submission import BoardName, Submission
from suite.board.define.board import Board
from suite.board.verify.column_results import VerifiedColumn
from suite.board.verify.deviations import ClassStanding
from suite.board.verify.reply_digests import ReplyDigests
from suite.chat import sha256_hex
from suite.data import strict_syntax
from suite.files import write_whole
from suite.journal.document_files import write_json
from suite.report.text_templates import text_lines

REQUIRED = ("R0", "R1", "R2", "R3", "R4", "R6", "R7", "R8", "R9")
CANNOT_SHOW = strict_syntax.read_table(__package__, "limits.yaml", list[str])


@dataclass
class VerifiedBundle:
    """What verifying a bundle came to. Numbers are the recomputed ones, never the submitter's.

    standing: None without a board. per_sample: per_sample.parquet; b"" if no column has units. plugins:
    distribution -> version here. at: the run that is being climbed. more: whether another follows it.
    """

    findings: Findings
    board: Board | None
    started: str = ""
    bundle_id: str = ""
    submission: Submission | None = None
    standing: ClassStanding | None = None
    columns: list[VerifiedColumn] = field(default_factory=list)
    per_sample: bytes = b""
    recomputed: list[entry.RecomputedCell] = field(default_factory=list)
    plugins: dict[str, str] = field(default_factory=dict)
    rerun: entry.RerunResult | None = None
    rejudge: entry.RerunResult | None = None
    latency: entry.Latency | None = None
    digests: ReplyDigests | None = None
    signature: Signature | None = None
    at: str = ""
    more: bool = False

    def __getstate__(self) -> dict[str, object]:
        """All that a report is made of: tasks stay in the process that has them."""
        return {**vars(self), "standing": self.standing and replace(self.standing, places={})}

    @property
    def level(self) -> float | None:
        """Of the intervals that the board asks for."""
        return None if self.board is None else self.board.uncertainty.level

    @property
    def kind(self) -> entry.Kind:
        """standard | custom: as found for a board, without one as declared."""
        declared = self.submission is not None and self.submission.submission_type == "custom"
        custom = declared if self.standing is None else self.standing.custom
        return "custom" if custom else "standard"

    @property
    def verdict(self) -> entry.Verdict:
        """verified | verified_with_warnings | incomplete | rejected."""
        findings = self.findings
        if findings.errors:
            return "rejected"
        required = [*REQUIRED, *(["R5"] if self.board is not None else [])]
        if any(findings.rungs[name].status == "not_run" for name in required):
            return "incomplete"
        return "verified_with_warnings" if findings.warnings else "verified"

    def exit_code(self, *, strict: bool = False) -> int:
        """0 verified, 1 rejected or incomplete; with `strict` also 1 for warnings."""
        good = ("verified",) if strict else ("verified", "verified_with_warnings")
        return 0 if self.verdict in good else 1

    @property
    def trust(self) -> entry.Trust:
        """L0 not verified, or on other samples than the board's; L1 consistent; L2 signed by a known signer,
        too; L3 reproduced by a re-run, signed or not."""
        standing = self.standing
        if self.exit_code() != 0 or (standing is not None and standing.partial):
            return "L0"
        again = self.rerun
        if again is not None and again.label == "reproduced":
            return "L3"
        return "L2" if self.signature is not None and self.signature.identities else "L1"

    @cached_property
    def replies(self) -> bytes:
        """replies.parquet; b"" if there are no long replies."""
        digests = self.digests
        return digests.file(self.bundle_id) if digests is not None and len(digests) else b""

    @property
    def document(self) -> entry.Verification:
        board = self.board
        rungs, plugins = list(self.findings.rungs.values()), dict(sorted(self.plugins.items()))
        names = ("bundle_id", "started", "verdict", "kind", "trust", "signature", "latency", "recomputed")
        told: dict[str, Any] = {name: getattr(self, name) for name in (*names, "rerun", "rejudge")}
        return entry.Verification(
            **told,
            format=entry.FORMAT,
            board=None if board is None else BoardName(**board.exact_name),
            verifier=entry.Verifier(suite.__version__, platform.python_version(), plugins),
            rungs=msgspec.convert(rungs, list[entry.RungResult], from_attributes=True),
            findings=list(self.findings),
            differences=self.standing.differences if self.standing is not None else (),
            columns=[column.result for column in self.columns],
            per_sample_sha256=sha256_hex(self.per_sample) if self.per_sample else None,
            replies_sha256=sha256_hex(self.replies) if self.replies else None,
            limits_of_this_check=[f"Not shown: {one}." for one in CANNOT_SHOW],
        )

    def write(self, folder: Path) -> None:
        write_json(folder / entry.VERIFICATION, self.document)
        if self.per_sample:
            write_whole(folder / entry.PER_SAMPLE, [self.per_sample])
        if self.replies:
            write_whole(folder / entry.REPLIES, [self.replies])


def as_text(found: VerifiedBundle) -> list[str]:
    """The lines."""
    return text_lines("board/verify/report.j2", "as_text", found, CANNOT_SHOW)
