"""The ladder: every rung of one bundle, in order, as far as each can be climbed.

Nothing of a bundle is executed, imported, rendered or fetched. An error that this code did not foresee is
a finding too: a bundle must not be able to stop its own verification unnoticed.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec

from suite.board.bundle import signatures
from suite.board.bundle.contents import Bundle, open_bundle
from suite.board.bundle.file_names import SIGNATURE
from suite.board.bundle.rungs import Findings
from suite.board.bundle.signatures import Signature, Signers
from suite.board.bundle.size_limits import MIB, SizeLimits
from suite.board.bundle.submission import Submission, SubmittedRun
from suite.board.define.board import Board
from suite.board.define.thresholds import Thresholds
from suite.board.entry.accepted_entry import AcceptedEntry
from suite.board.entry.verification import Kind, Latency, RecomputedCell, Verdict
from suite.board.verify.aggregates import numbers
from suite.board.verify.child_work import Tell, Untimed
from suite.board.verify.column_results import (
    Spent,
    VerifiedColumn,
    Want,
    make_columns,
    result_of,
    whole_latency,
)
from suite.board.verify.completeness import complete
from suite.board.verify.deviations import ClassStanding, asked
from suite.board.verify.live_passes import Rerun, Rerunning
from suite.board.verify.plausibility import plausible
from suite.board.verify.plausibility.others import Beside, check_others, check_pasted
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.replay import replay
from suite.board.verify.reply_digests import ReplyCollector, ReplyDigests
from suite.board.verify.reproduction import rerun
from suite.board.verify.subject import VerifiedRun
from suite.board.verify.world import same_world
from suite.errors import SuiteError
from suite.journal.run import Run
from suite.plugins import Catalogue, catalogue

REQUIRED = ("R0", "R1", "R2", "R3", "R4", "R6", "R7", "R8", "R9")
# In the order in which they are climbed: for each run, then for all together.
_OF_A_RUN, _OF_ALL = ("R3", "R4", "R6", "R7", "R8", "R9"), ("R5", "R8", "R9")


@dataclass
class Ladder:
    """What climbing came to. standing: None without a board. plugins: distribution -> version here.
    others: the board's entries that it is held against. at: the run that is being climbed. more: whether
    another follows it.
    """

    bundle_id: str
    submission: Submission | None
    findings: Findings
    board: Board | None = None
    standing: ClassStanding | None = None
    columns: list[VerifiedColumn] = field(default_factory=list)
    recomputed: list[RecomputedCell] = field(default_factory=list)
    plugins: dict[str, str] = field(default_factory=dict)
    rerun: Rerunning | None = None
    rejudge: Rerunning | None = None
    latency: Latency | None = None
    replies: ReplyDigests | None = None
    others: Sequence[AcceptedEntry] = ()
    signature: Signature | None = None
    at: str = ""
    more: bool = False

    def __getstate__(self) -> dict[str, object]:
        """All that a report is made of: tasks and other entries stay in the process that has them."""
        standing = self.standing and replace(self.standing, places={})
        return {**vars(self), "standing": standing, "others": ()}

    @property
    def kind(self) -> Kind:
        """standard | custom: as found for a board, without one as declared."""
        if self.standing is not None:
            return "custom" if self.standing.custom else "standard"
        custom = self.submission is not None and self.submission.submission_type == "custom"
        return "custom" if custom else "standard"

    @property
    def verdict(self) -> Verdict:
        """verified | verified_with_warnings | incomplete | rejected."""
        findings = self.findings
        if findings.errors:
            return "rejected"
        required = [*REQUIRED, *(["R5"] if self.board is not None else [])]
        if any(findings.rungs[name].status == "not_run" for name in required):
            return "incomplete"
        return "verified_with_warnings" if findings.warnings else "verified"


def climb(
    ladder: Ladder,
    path: Path,
    *,
    data: Mapping[str, str] | None = None,
    again: Rerun | None = None,
    tell: Tell = lambda _: None,
    signers: Signers | None = None,
) -> None:
    """Climb all rungs of a ladder; the re-run where `again` says so.

    data: NAME -> file or run that stands for a dataset, as --data. tell: hears in words what is done, and
    when what follows is the model's time. signers: whose keys may sign. Raises BundleError for what is no
    bundle, SuiteError for what is wrong on this side (the board's file).
    """
    findings, board = ladder.findings, ladder.board
    limits = SizeLimits(archive=board.limits.bundle_mib * MIB) if board is not None else SizeLimits()
    with ExitStack() as stack:
        bundle = stack.enter_context(open_bundle(path, findings, limits))
        if bundle is None:
            for name in (*REQUIRED[1:], "R5"):
                findings.not_run(name, "the bundle is not safe to read")
            return
        ladder.bundle_id, ladder.submission = bundle.id, bundle.submission
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="suite-verify-")))
        plugins = catalogue()
        subjects = _runs(ladder, bundle, scratch, data or {}, plugins, tell)
        tell(Untimed())
        with findings.timing("R10"):
            ladder.signature = _provenance(bundle, signers, findings)
        _again(ladder, subjects, scratch, plugins, again, tell)


def _provenance(bundle: Bundle, signers: Signers | None, findings: Findings) -> Signature | None:
    """R10: whose signature lies beside submission.json; None without one that fits.

    It shows who vouches, never that the content is true, and nothing rests on it but the trust level L2. A
    bundle without a signature, or signed with a key that nobody here knows, is no worse for it; a signature
    that does not fit is an error, since somebody put it there. Raises ConfigError if the file of signers is
    not there.
    """
    if bundle.signature is None:
        findings.not_run("R10", "it is not signed")
        return None
    if not signatures.available():
        findings.not_run("R10", "it is signed, and ssh-keygen is not here to check that")
        return None
    try:
        found = signatures.check(bundle.manifest, bundle.signature, signers)
    except signatures.BadSignature as error:
        what = "the signature is not one of this submission.json"
        findings.add("R10.signature", what, SIGNATURE, found=str(error))
        return None
    if found.identities:
        findings.ran("R10")
        findings.rungs["R10"].remark = f"signed by {', '.join(found.identities)}"
    else:
        whose = (
            "no line of the file of signers has it and lets it sign this"
            if signers
            else "no file of signers was given (--signers)"
        )
        findings.not_run("R10", f"signed with {found.key}; {whose}")
    return found


def out_of_time(ladder: Ladder, seconds: float) -> None:
    """Say where the time ran out, and which rungs nobody climbed to their end because of that."""
    findings, at = ladder.findings, ladder.findings.at
    told = f"the time limit of {seconds:g} s ran out at {at}"
    findings.add(f"{at}.time-limit", "the time ran out here", ladder.at, severity="note", found=told)
    if not ladder.bundle_id:
        left = (*REQUIRED[REQUIRED.index(at) :], "R5")
    elif at not in _OF_A_RUN + _OF_ALL:  # between opening it and the first rung of the first run
        left = (*_OF_A_RUN, *_OF_ALL)
    elif ladder.at:
        left = (*_OF_A_RUN[0 if ladder.more else _OF_A_RUN.index(at) :], *_OF_ALL)
    else:
        left = _OF_ALL[_OF_ALL.index(at) :]
    for name in (*left, "R10", "R11"):
        findings.not_run(name, told)


def _runs(
    ladder: Ladder,
    bundle: Bundle,
    scratch: Path,
    data: Mapping[str, str],
    plugins: Catalogue,
    tell: Tell,
) -> list[VerifiedRun]:
    """All rungs but the re-run; the runs that are sound."""
    findings, board = ladder.findings, ladder.board
    subjects: list[VerifiedRun] = []
    for index, run in enumerate(bundle.runs):
        if not run.sound:
            reason = f"{run.id}: its files are not sound, see R1 and R2"
            for name in _OF_A_RUN:
                findings.not_run(name, reason)
            continue
        ladder.at, ladder.more = f"runs/{run.id}", index + 1 < len(bundle.runs)
        subject = VerifiedRun(run.id, Run(run.folder, run.scoring), findings)
        tell(f"{run.id}: tasks and data")
        parameters, place = bundle.submission.model.parameters_total, scratch / f"run-{index}"
        _one(subject, run.entry, parameters, place, plugins, data, board, tell)
        subjects.append(subject)
        for cell in subject.plan.cells if subject.plan is not None else ():
            name, _, version = cell.plan.plugin.rpartition(" ")
            ladder.plugins[name] = version
    ladder.at, ladder.more = "", False
    _board(ladder, bundle.submission, subjects, plugins)
    if subjects and not any(subject.scoring_manifest.roles for subject in subjects):
        findings.rungs["R7"].remark = "no model was asked while scoring"
    wants = _wants(ladder, subjects)
    with findings.timing("R8"), _foreseen(findings, "R8", "columns"):
        spent: dict[str, Spent] = {}
        ladder.columns = make_columns(wants, board.uncertainty.level if board else 0.95, spent)
        ladder.latency = whole_latency(wants, spent)
    ladder.recomputed = [
        RecomputedCell(
            subject.run_id,
            cell.cell,
            cell.task,
            cell.version,
            cell.parameters,
            cell.score_parameters,
            [msgspec.to_builtins(row) for row in cell.metrics],
        )
        for subject in subjects
        for cell in (subject.recomputed.cells if subject.recomputed is not None else ())
    ]
    _beside(ladder, bundle.submission, wants, subjects)
    return subjects


def _again(
    ladder: Ladder,
    subjects: Sequence[VerifiedRun],
    scratch: Path,
    plugins: Catalogue,
    again: Rerun | None,
    tell: Tell,
) -> None:
    """The re-run, if it was asked for."""
    findings = ladder.findings
    if again is not None:
        with findings.timing("R11"):
            counting = None
            if ladder.standing is not None:
                columns = ladder.standing.places.values()
                counting = {(one.subject.run_id, one.cell.id) for column in columns for one in column}
            ask = partial(rerun, subjects, again, ladder.bundle_id, plugins=plugins, findings=findings)
            if again.samples:
                tell(f"asking the model again for {again.samples} samples")
                ladder.rerun = ask(scratch=scratch / "again", cells=counting)
            if again.judged:
                tell(f"asking the judge again about {again.judged} samples")
                ladder.rejudge = ask(scratch=scratch / "judged", cells=counting, judging=True)
    if not findings.rungs["R11"].ran:
        findings.not_run("R11", "not asked for (--rerun, --rejudge)")


def _one(
    subject: VerifiedRun,
    entry: SubmittedRun,
    parameters: int | None,
    scratch: Path,
    plugins: Catalogue,
    data: Mapping[str, str],
    board: Board | None,
    tell: Tell,
) -> None:
    """The rungs of one run."""
    findings = subject.findings
    with findings.timing("R3"), _foreseen(findings, "R3", subject.run_id):
        same_world(subject, plugins, data)
    if subject.plan is not None:
        with findings.timing("R4"), _foreseen(findings, "R4", subject.run_id):
            complete(subject)
        works = subject.plan.all_works
        if subject.there < works // 2:  # so that nobody makes us replay what was never made
            subject.not_run("most of its samples are missing", "R6", "R7")
        else:
            tell(f"{subject.run_id}: replaying {works} samples")
            with findings.timing("R6"), _foreseen(findings, "R6", subject.run_id):
                replay(subject, scratch)
        with findings.timing("R8"), _foreseen(findings, "R8", subject.run_id):
            numbers(subject, entry, board.uncertainty.level if board is not None else None)
    with findings.timing("R9"), _foreseen(findings, "R9", subject.run_id):
        plausible(subject, board.plausibility if board is not None else {}, parameters)


def _beside(
    ladder: Ladder, submission: Submission, wants: Sequence[Want], subjects: Sequence[VerifiedRun]
) -> None:
    """R9 of the bundle as a whole: its tasks beside each other, and the bundle beside a board's entries."""
    findings, board = ladder.findings, ladder.board
    collector = ReplyCollector()
    for subject in subjects:
        collector.take(subject.replies)
    ladder.replies = collector.digests()
    with findings.timing("R9"):
        if len(wants) == len(ladder.columns):
            with _foreseen(findings, "R9", "columns"):
                thresholds = Thresholds(board.plausibility if board is not None else {})
                check_pasted(wants, ladder.columns, OddRules(thresholds, findings))
        if board is not None and ladder.others:
            mine = Beside(
                board, submission, ladder.kind, ladder.columns, ladder.replies, subjects, ladder.others
            )
            check_others(mine, findings)


def _board(
    ladder: Ladder, submission: Submission, subjects: Sequence[VerifiedRun], plugins: Catalogue
) -> None:
    findings, board = ladder.findings, ladder.board
    if board is None:
        findings.not_run("R5", "no board was given (--board)")
        return
    with findings.timing("R5"), _foreseen(findings, "R5", "submission.json"):
        ladder.standing = asked(board, submission, subjects, findings, plugins)
        _caps(ladder)


def _caps(ladder: Ladder) -> None:
    """The board's caps on unscored samples and on failures of the candidate."""
    standing = ladder.standing
    assert standing is not None
    for places in standing.places.values():
        for place in places:
            caps = place.item.caps
            headline = place.item.headline or place.cell.task.info.headline
            recomputed = place.subject.recomputed
            cells = recomputed.cells if recomputed is not None else ()
            cell = next((one for one in cells if one.cell == place.cell.id), None)
            row = result_of(place.subject, place.cell.id, headline)
            if cell is None or row is None or not cell.scored:
                continue
            unscored = row.unscored / max(row.n + row.unscored, 1)
            failed = sum(n for finish, n in cell.finishes.items() if finish != "stop") / cell.scored
            for name, share, cap in (("unscored", unscored, caps.unscored), ("failed", failed, caps.failed)):
                if cap is not None and share > cap:
                    what = f"more {name} samples than the board allows"
                    where = place.subject.place("scoring/results.json", f"cell {place.cell.id}")
                    ladder.findings.add(
                        f"R4.too-many-{name}", what, where, expected=f"<= {cap:.1%}", found=f"{share:.1%}"
                    )


def _wants(ladder: Ladder, subjects: Sequence[VerifiedRun]) -> list[Want]:
    """The board's columns; without a board one for each cell."""
    if ladder.standing is not None and ladder.board is not None:
        return [
            Want(
                key,
                places[0].item.headline or places[0].cell.task.info.headline,
                tuple((place.subject, place.cell.id, place.cell.plan.task) for place in places),
            )
            for key, places in ladder.standing.places.items()
            if places
            and key not in ladder.standing.lacking
            and all(place.subject.recomputed for place in places)
        ]
    found = []
    for subject in subjects:
        for cell in subject.plan.cells if subject.plan is not None and subject.recomputed else ():
            key = f"{cell.plan.task}#{cell.id}"
            found.append(Want(key, cell.task.info.headline, ((subject, cell.id, cell.plan.task),)))
    return found


@contextmanager
def _foreseen(findings: Findings, rung: str, where: str) -> Iterator[None]:
    """What raises here is a finding, not the end of the verification."""
    try:
        yield
    except SuiteError as error:
        findings.add(f"{rung}.error", "the rung broke off", where, found=str(error))
    except Exception as error:
        findings.add(f"{rung}.error", "the rung broke off", where, found=f"{type(error).__name__}: {error}")
