"""What verification leaves: verification.json, per_sample.parquet, and the text for people."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

import suite
from suite.board.bundle.rungs import Findings
from suite.board.bundle.signatures import Signers
from suite.board.bundle.submission import BoardName
from suite.board.define.board import Board
from suite.board.entry import (
    FORMAT,
    PER_SAMPLE,
    REPLIES,
    VERIFICATION,
    AcceptedEntry,
    RungResult,
    Trust,
    Verdict,
    Verification,
    Verifier,
)
from suite.board.verify.child_work import SECONDS, Tell, TimeUp, in_child
from suite.board.verify.ladder import Ladder, VerifyRequest, climb, out_of_time
from suite.board.verify.report_text import report_lines
from suite.board.verify.reproduction import Rerun
from suite.chat import sha256_hex
from suite.errors import ConfigError
from suite.files import write_whole
from suite.journal.document_files import write_json
from suite.run.manifest import now

CANNOT_SHOW = (
    "that the replies came from the model that is named: nobody but the submitter saw it answer "
    "(--rerun asks it again)",
    "that this run is not the best of several: only the submitter's word says how many there were",
    "that the model was not trained on this data, nor shown it by a system behind its endpoint",
    "that a judge really gave a reply that reads as a judge's (--rejudge asks it again)",
    "hardware, cost and times: they are declared, and never ranked",
)
Say = Callable[[str], None]


@dataclass
class VerifiedBundle:
    """What verifying a bundle came to. Numbers are the recomputed ones, never the submitter's."""

    ladder: Ladder
    started: str

    @property
    def verdict(self) -> Verdict:
        """verified | verified_with_warnings | incomplete | rejected."""
        return self.ladder.verdict

    def exit_code(self, *, strict: bool = False) -> int:
        """0 verified, 1 rejected or incomplete; with `strict` also 1 for warnings."""
        good = ("verified",) if strict else ("verified", "verified_with_warnings")
        return 0 if self.verdict in good else 1

    @property
    def trust(self) -> Trust:
        """L0 not verified, or on other samples than the board's; L1 consistent; L2 signed by a known signer,
        too; L3 reproduced by a re-run, signed or not."""
        standing = self.ladder.standing
        if self.exit_code() != 0 or (standing is not None and standing.partial):
            return "L0"
        again = self.ladder.rerun
        if again is not None and again.label == "reproduced":
            return "L3"
        return "L2" if self.ladder.signature is not None and self.ladder.signature.identities else "L1"

    @property
    def per_sample(self) -> bytes:
        """per_sample.parquet; b"" if no column has units."""
        return self.ladder.per_sample

    @cached_property
    def replies(self) -> bytes:
        """replies.parquet; b"" if there are no long replies."""
        digests = self.ladder.replies
        return digests.file(self.ladder.bundle_id) if digests is not None and len(digests) else b""

    @property
    def document(self) -> Verification:
        """The content of verification.json."""
        ladder, board = self.ladder, self.ladder.board
        rungs, plugins = list(ladder.findings.rungs.values()), dict(sorted(ladder.plugins.items()))
        return Verification(
            format=FORMAT,
            bundle_id=ladder.bundle_id,
            board=None if board is None else BoardName(**board.exact_name),
            verifier=Verifier(suite.__version__, platform.python_version(), plugins),
            started=self.started,
            rungs=msgspec.convert(rungs, list[RungResult], from_attributes=True),
            findings=list(ladder.findings),
            verdict=self.verdict,
            kind=ladder.kind,
            differences=ladder.standing.differences if ladder.standing is not None else (),
            trust=self.trust,
            signature=ladder.signature,
            rerun=ladder.rerun,
            rejudge=ladder.rejudge,
            columns=[column.result for column in ladder.columns],
            latency=ladder.latency,
            recomputed=ladder.recomputed,
            per_sample_sha256=sha256_hex(self.per_sample) if self.per_sample else None,
            replies_sha256=sha256_hex(self.replies) if self.replies else None,
            limits_of_this_check=[f"Not shown: {one}." for one in CANNOT_SHOW],
        )

    def write(self, folder: Path) -> None:
        """Write verification.json, per_sample.parquet and replies.parquet."""
        write_json(folder / VERIFICATION, self.document)
        if self.per_sample:
            write_whole(folder / PER_SAMPLE, [self.per_sample])
        if self.replies:
            write_whole(folder / REPLIES, [self.replies])


def verify(
    path: Path,
    *,
    board: Board | None = None,
    data: Mapping[str, str] | None = None,
    most: int = 200,
    again: Rerun | None = None,
    say: Say = lambda _: None,
    others: Sequence[AcceptedEntry] = (),
    signers: Signers | None = None,
    earlier: str = "",
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    work: Callable[[Tell, VerifyRequest], Ladder] = climb,
) -> VerifiedBundle:
    """Verify a bundle (archive or folder), against a board where one is given.

    data: NAME -> file or run that stands for a dataset, as --data. most: findings kept of each code. again:
    samples to ask the model itself. others: the board's entries that were accepted before, oldest first,
    which it is held against. signers: whose keys may sign. earlier: see `asked`. seconds: how long it may
    take, but for asking again, by the clock: it is done in another process then, and what was found until it
    is over is kept (None: as long as it takes, here). work: what climbs. Raises BundleError for no bundle,
    ConfigError for a bad board or no file of signers, and what models raise that cannot be had for the
    re-run.
    """
    if most < 1:
        raise ConfigError(f"--max-findings {most}: at least 1")
    if signers is not None:
        signers.check()
    asked = VerifyRequest(path, board, data or {}, most, again, others, signers, earlier)
    started = now()
    so_far = Ladder(Findings(most), board)

    def hear(told: object) -> None:
        nonlocal so_far
        if isinstance(told, str):
            say(told)
        elif isinstance(told, Ladder):
            so_far = told

    if seconds is None:
        return VerifiedBundle(work(hear, asked), started)
    try:
        found = in_child(work, asked, seconds=seconds, hear=hear, clock=clock)
        assert isinstance(found, Ladder)
    except TimeUp:
        found = so_far
        out_of_time(found, seconds)
    return VerifiedBundle(found, started)


def time_limit(board: Board | None) -> float:
    """Seconds that verifying may take: as the board says, else SECONDS."""
    return (board.limits.verify_seconds if board is not None else None) or SECONDS


def as_text(found: VerifiedBundle) -> list[str]:
    """The lines."""
    return report_lines("as_text", found, CANNOT_SHOW)
