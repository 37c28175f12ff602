"""What verification leaves: verification.json, per_sample.parquet, and the text for people."""

import io
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import suite
from suite.board.budget import SECONDS, Budget
from suite.board.definition import Board
from suite.board.entry import PER_SAMPLE, REPLIES, Entry
from suite.board.findings import RUNGS, Finding
from suite.board.signatures import Signers
from suite.board.verify.again import Rerun
from suite.board.verify.ladder import Ladder, Say, climb
from suite.chat import sha256_hex
from suite.errors import ConfigError
from suite.files import write_whole
from suite.journal.writing import write_json
from suite.run.manifest import now

FORMAT = "suite-verification/1"
CANNOT_SHOW = (
    "that the replies came from the model that is named: nobody but the submitter saw it answer "
    "(--rerun asks it again)",
    "that this run is not the best of several: only the submitter's word says how many there were",
    "that the model was not trained on this data, nor shown it by a system behind its endpoint",
    "that a judge really gave a reply that reads as a judge's (--rejudge asks it again)",
    "hardware, cost and times: they are declared, and never ranked",
)


@dataclass
class Verification:
    """A verified bundle. Numbers are the recomputed ones, never the submitter's."""

    ladder: Ladder
    started: str

    @property
    def verdict(self) -> str:
        """verified | verified_with_warnings | incomplete | rejected."""
        return self.ladder.verdict

    def exit_code(self, *, strict: bool = False) -> int:
        """0 verified, 1 rejected or incomplete; with `strict` also 1 for warnings."""
        good = ("verified",) if strict else ("verified", "verified_with_warnings")
        return 0 if self.verdict in good else 1

    @property
    def trust(self) -> str:
        """L0 not verified, or on other samples than the board's; L1 consistent; L2 signed by a known signer,
        too; L3 reproduced by a re-run, signed or not."""
        standing = self.ladder.standing
        if self.exit_code() != 0 or (standing is not None and standing.partial):
            return "L0"
        again = self.ladder.rerun
        if again is not None and again.label == "reproduced":
            return "L3"
        return "L2" if self.ladder.signature is not None and self.ladder.signature.identities else "L1"

    @cached_property
    def per_sample(self) -> bytes:
        """per_sample.parquet; b"" if no column has units."""
        return _parquet(self.ladder)

    @cached_property
    def replies(self) -> bytes:
        """replies.parquet; b"" if there are no long replies."""
        digests = self.ladder.replies
        return digests.file(self.ladder.bundle_id) if digests is not None and len(digests) else b""

    @property
    def data(self) -> dict[str, Any]:
        """The content of verification.json."""
        ladder, board = self.ladder, self.ladder.board
        findings = ladder.findings
        standing = ladder.standing
        return {
            "format": FORMAT,
            "bundle_id": ladder.bundle_id,
            "board": None
            if board is None
            else {"id": board.id, "version": board.version, "definition_sha256": board.sha256},
            "verifier": {
                "suite": suite.__version__,
                "python": platform.python_version(),
                "plugins": dict(sorted(ladder.plugins.items())),
            },
            "started": self.started,
            "rungs": [
                {
                    "id": rung.id,
                    "title": RUNGS[rung.id],
                    "status": rung.status,
                    "errors": rung.errors,
                    "warnings": rung.warnings,
                    "seconds": round(rung.seconds, 3),
                    "reason": rung.reason,
                }
                for rung in findings.rungs.values()
            ],
            "findings": [_plain(one) for one in findings],
            "verdict": self.verdict,
            "class": ladder.kind,
            "differences": list(standing.differences) if standing is not None else [],
            "trust": self.trust,
            "signature": None if ladder.signature is None else asdict(ladder.signature),
            "rerun": ladder.rerun.data if ladder.rerun is not None else None,
            "rejudge": ladder.rejudge.data if ladder.rejudge is not None else None,
            "columns": [column.data for column in ladder.columns],
            "latency": ladder.latency,
            "recomputed": ladder.recomputed,
            "per_sample_sha256": sha256_hex(self.per_sample) if self.per_sample else None,
            "replies_sha256": sha256_hex(self.replies) if self.replies else None,
            "limits_of_this_check": [f"Not shown: {one}." for one in CANNOT_SHOW],
        }

    def write(self, folder: Path) -> None:
        """Write verification.json, per_sample.parquet and replies.parquet."""
        write_json(folder / "verification.json", self.data)
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
    others: Sequence[Entry] = (),
    signers: Signers | None = None,
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Verification:
    """Verify a bundle (archive or folder), against a board where one is given.

    data: NAME -> file or run that stands for a dataset, as --data. most: findings kept of each code.
    again: samples to ask the model itself. others: the board's entries that were accepted before, oldest
    first, which it is held against. signers: whose keys may sign. seconds: how long it may take, but for
    asking again (None: as the board says, else SECONDS). clock: what they are counted by. Raises BundleError
    for what is no bundle, ConfigError for a bad board or no file of signers, and what models raise that
    cannot be had for the re-run.
    """
    if most < 1:
        raise ConfigError(f"--max-findings {most}: at least 1")
    if signers is not None:
        signers.check()
    started = now()
    if seconds is None:
        seconds = (board.limits.verify_seconds if board is not None else None) or SECONDS
    budget = Budget(seconds, clock)
    climbed = climb(
        path, board, data=data, most=most, again=again, say=say, budget=budget, others=others, signers=signers
    )
    return Verification(climbed, started)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "what": finding.what,
        "where": finding.where,
        "sample": finding.sample,
        "expected": finding.expected,
        "found": finding.found,
    }


def _parquet(ladder: Ladder) -> bytes:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("column", "cell", "sample", "cluster", "stratum", "top", "bottom")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for column in sorted(ladder.columns, key=lambda one: str(one.data["key"])):
        for units in sorted(column.units, key=lambda one: one.cell):
            order = np.lexsort((units.sample, units.stratum.astype(str))).tolist()
            columns["column"] += [column.data["key"]] * len(order)
            columns["cell"] += [units.cell] * len(order)
            columns["sample"] += [f"{int(units.sample[i]):016x}" for i in order]
            columns["cluster"] += [f"{int(units.cluster[i]):016x}" for i in order]
            columns["stratum"] += [str(units.stratum[i]) for i in order]
            columns["top"] += [float(units.top[i]) for i in order]
            columns["bottom"] += [float(units.bottom[i]) for i in order]
    if not columns["column"]:
        return b""
    text = pa.dictionary(pa.int32(), pa.string())
    table = pa.table(
        {
            "column": pa.array(columns["column"]).cast(text),
            "cell": pa.array(columns["cell"]).cast(text),
            "sample": pa.array(columns["sample"], pa.string()),
            "cluster": pa.array(columns["cluster"], pa.string()),
            "stratum": pa.array(columns["stratum"]).cast(text),
            "top": pa.array(columns["top"], pa.float64()),
            "bottom": pa.array(columns["bottom"], pa.float64()),
        }
    )
    table = table.replace_schema_metadata({"format": "suite-per-sample/1", "bundle_id": ladder.bundle_id})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
