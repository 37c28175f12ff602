"""The ladder: every rung of one bundle, in order, as far as each can be climbed; here, or in a process of its
own within the time that it may take.

Nothing of a bundle is executed, imported, rendered or fetched. An error that this code did not foresee is
a finding too: a bundle must not be able to stop its own verification unnoticed.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from suite.board.bundle import signatures
from suite.board.bundle.bounds import MIB, SIGNATURE, SizeLimits
from suite.board.bundle.contents import Bundle, BundleRun, open_bundle
from suite.board.bundle.rungs import Findings, Sides
from suite.board.bundle.signatures import Signature, Signers
from suite.board.define.board import Board
from suite.board.define.parts import DEFAULTS
from suite.board.entry import PER_SAMPLE, AcceptedEntry, RecomputedCell
from suite.board.verify.aggregates import numbers
from suite.board.verify.child_work import SECONDS, Tell, TimeUp, Untimed, in_child
from suite.board.verify.column_results import Want, make_columns, per_sample_file
from suite.board.verify.completeness import complete
from suite.board.verify.deviations import ClassStanding, asked
from suite.board.verify.plausibility import plausible
from suite.board.verify.plausibility.others import Beside, check_others, check_pasted
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.replay import replay
from suite.board.verify.reply_digests import ReplyCollector
from suite.board.verify.reproduction import Reproducer, Rerun
from suite.board.verify.subject import VerifiedRun
from suite.board.verify.verification import REQUIRED, VerifiedBundle
from suite.board.verify.world import same_world
from suite.errors import ConfigError, SuiteError
from suite.journal.run import Run
from suite.plugins import Catalogue, catalogue
from suite.run.manifest import now

# In the order in which they are climbed: for each run, then for all together.
_OF_A_RUN, _OF_ALL = ("R3", "R4", "R6", "R7", "R8", "R9"), ("R5", "R8", "R9")


class VerifyRequest(NamedTuple):
    """What to verify, in a form that reaches another process; see `verify`."""

    path: Path
    board: Board | None = None
    data: Mapping[str, str] = {}
    most: int = 200
    again: Rerun | None = None
    others: Sequence[AcceptedEntry] = ()
    signers: Signers | None = None
    earlier: str = ""


@dataclass
class _Climb:
    """What climbing one bundle needs, and the runs whose rungs were climbed. tell: see `climb`."""

    ladder: VerifiedBundle
    request: VerifyRequest
    tell: Tell
    bundle: Bundle
    scratch: Path
    plugins: Catalogue
    rules: OddRules
    subjects: list[VerifiedRun] = field(default_factory=list)
    replies: ReplyCollector = field(default_factory=ReplyCollector)

    @contextmanager
    def rung(self, rung: str, where: str) -> Iterator[None]:
        """The time of this is a rung's. What raises here is a finding, not the end of the verification."""
        with self.ladder.findings.timing(rung):
            try:
                yield
            except Exception as error:
                told = str(error) if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
                self.ladder.findings.add(f"{rung}.error", where, what="the rung broke off", found=told)


def climb(tell: Tell, request: VerifyRequest) -> VerifiedBundle:
    """The ladder of a bundle: all rungs climbed; the re-run where it is asked for.

    tell: hears in words what is done, of each rung that begins the ladder so far, and when what follows is
    the model's time. Raises BundleError for what is no bundle, SuiteError for what is wrong on this side (the
    board's file).
    """
    ladder = VerifiedBundle(Findings(request.most, lambda: tell(ladder)), request.board)
    try:
        _climb(ladder, request, tell)
    except KeyboardInterrupt:
        tell(ladder)
        raise
    return ladder


def _climb(ladder: VerifiedBundle, request: VerifyRequest, tell: Tell) -> None:
    findings, board = ladder.findings, ladder.board
    limits = SizeLimits(archive=board.limits.bundle_mib * MIB) if board is not None else SizeLimits()
    with ExitStack() as stack:
        bundle = stack.enter_context(open_bundle(request.path, findings, limits))
        if bundle is None:
            findings.not_run("the bundle is not safe to read", *REQUIRED[1:], "R5")
            return
        ladder.bundle_id, ladder.submission = bundle.id, bundle.submission
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="suite-verify-")))
        rules = OddRules(DEFAULTS if board is None else board.thresholds, findings)
        going = _Climb(ladder, request, tell, bundle, scratch, catalogue(), rules)
        for index, run in enumerate(bundle.runs):
            ladder.at, ladder.more = f"runs/{run.entry.run_id}", index + 1 < len(bundle.runs)
            _run(going, run, scratch / f"run-{index}")
        ladder.at, ladder.more = "", False
        _together(going)
        tell(Untimed())
        with findings.timing("R10"):
            ladder.signature = _provenance(bundle, request.signers, findings)
        _again(going)


def _run(going: _Climb, run: BundleRun, scratch: Path) -> None:
    ladder, findings, tell, name = going.ladder, going.ladder.findings, going.tell, run.entry.run_id
    if not run.sound:
        findings.not_run(f"{name}: its files are not sound, see R1 and R2", *_OF_A_RUN)
        return
    subject = VerifiedRun(name, Run(run.folder, run.entry.scoring), findings, going.replies)
    tell(f"{name}: tasks and data")
    with going.rung("R3", name):
        same_world(subject, going.plugins, going.request.data)
    if subject.plan is not None:
        with going.rung("R4", name):
            complete(subject)
        works = subject.plan.all_works
        if subject.there < works // 2:  # so that nobody makes us replay what was never made
            subject.not_run("most of its samples are missing", "R6", "R7")
        else:
            tell(f"{name}: replaying {works} samples")
            with going.rung("R6", name):
                replay(subject, scratch)
        with going.rung("R8", name):
            numbers(subject, run.entry, ladder.level)
        for cell in subject.plan.cells:
            plugin, _, version = cell.plan.plugin.rpartition(" ")
            ladder.plugins[plugin] = version
    with going.rung("R9", name):
        plausible(subject, going.rules, going.bundle.submission.model.parameters_total)
    going.subjects.append(subject)


def _together(going: _Climb) -> None:
    """The rungs of all runs together: beside the board, its columns, beside its other entries."""
    ladder, subjects, submission = going.ladder, going.subjects, going.bundle.submission
    findings, board, others = ladder.findings, ladder.board, going.request.others
    if board is None:
        findings.not_run("no board was given (--board)", "R5")
    else:
        with going.rung("R5", "submission.json"):
            earlier = going.request.earlier
            ladder.standing = asked(board, submission, subjects, findings, going.plugins, earlier)
            _caps(ladder.standing, findings)
    if subjects and not any(subject.run.scoring_manifest.roles for subject in subjects):
        findings.rungs["R7"].remark = "no model was asked while scoring"
    wants = _wants(ladder.standing, subjects)
    with going.rung("R8", "columns"):
        ladder.columns, ladder.latency = make_columns(wants, ladder.level or 0.95)
        ladder.per_sample = per_sample_file(ladder.columns, ladder.bundle_id)
    ladder.recomputed = [
        msgspec.convert({**msgspec.to_builtins(cell), "run_id": subject.run_id}, RecomputedCell)
        for subject in subjects
        for cell in subject.results.values()
    ]
    ladder.digests = going.replies.digests()
    if len(wants) == len(ladder.columns):
        with going.rung("R9", "columns"):
            check_pasted(wants, ladder.columns, going.rules)
    if board is not None and others:
        with findings.timing("R9"):
            results, table = [one.result for one in ladder.columns], going.scratch / PER_SAMPLE
            table.write_bytes(ladder.per_sample)
            own = table if ladder.per_sample else None
            beside = Beside(board, submission, ladder.kind, results, own, ladder.digests, subjects, others)
            check_others(beside, going.rules)


def _caps(standing: ClassStanding, findings: Findings) -> None:
    """The board's caps on unscored samples and on failures of the candidate."""
    for place in (place for column in standing.places.values() for place in column):
        cell = place.subject.results.get(place.cell.id)
        row = None if cell is None else cell.row(place.headline)
        if cell is None or row is None or not cell.scored:
            continue
        caps = place.item.caps
        unscored = row.unscored / max(row.n + row.unscored, 1)
        failed = sum(n for finish, n in cell.finishes.items() if finish != "stop") / cell.scored
        for name, share, cap in (("unscored", unscored, caps.unscored), ("failed", failed, caps.failed)):
            if cap is not None and share > cap:
                where = place.subject.place("scoring/results.json", f"cell {place.cell.id}")
                sides: Sides = {"expected": f"<= {cap:.1%}", "found": f"{share:.1%}"}
                findings.add(f"R4.too-many-{name}", where, **sides)


def _wants(standing: ClassStanding | None, subjects: Sequence[VerifiedRun]) -> list[Want]:
    """The board's columns; without a board one for each cell."""
    if standing is None:
        return [
            Want(f"{cell.plan.task}#{cell.id}", cell.task.info.headline, ((subject, cell),))
            for subject in subjects
            for cell in (subject.plan.cells if subject.plan is not None and subject.recomputed else ())
        ]
    found = []
    for key, places in standing.places.items():
        if places and key not in standing.lacking and all(one.subject.recomputed for one in places):
            cells = tuple((one.subject, one.subject.cell(one.cell.id)) for one in places)
            found.append(Want(key, places[0].headline, cells))
    return found


def _provenance(bundle: Bundle, signers: Signers | None, findings: Findings) -> Signature | None:
    """R10: whose signature lies beside submission.json; None without one that fits.

    It shows who vouches, never that the content is true, and nothing rests on it but the trust level L2. A
    bundle without a signature, or signed with a key that nobody here knows, is no worse for it; a signature
    that does not fit is an error, since somebody put it there. Raises ConfigError if the file of signers is
    not there.
    """
    if bundle.signature is None or not signatures.available():
        unchecked = "it is signed, and ssh-keygen is not here to check that"
        findings.not_run("it is not signed" if bundle.signature is None else unchecked, "R10")
        return None
    try:
        found = signatures.check(bundle.manifest, bundle.signature, signers)
    except signatures.BadSignature as error:
        findings.add("R10.signature", SIGNATURE, found=str(error))
        return None
    if found.identities:
        findings.ran("R10")
        findings.rungs["R10"].remark = f"signed by {', '.join(found.identities)}"
    else:
        whose = "no line of the file of signers has it and lets it sign this"
        if not signers:
            whose = "no file of signers was given (--signers)"
        findings.not_run(f"signed with {found.key}; {whose}", "R10")
    return found


def out_of_time(ladder: VerifiedBundle, seconds: float) -> None:
    """Say where the time ran out, and which rungs nobody climbed to their end because of that."""
    findings, at = ladder.findings, ladder.findings.at
    told = f"the time limit of {seconds:g} s ran out at {at}"
    findings.add(f"{at}.time-limit", ladder.at, what="the time ran out here", severity="note", found=told)
    if not ladder.bundle_id:
        left = (*REQUIRED[REQUIRED.index(at) :], "R5")
    elif at not in _OF_A_RUN + _OF_ALL:  # between opening it and the first rung of the first run
        left = (*_OF_A_RUN, *_OF_ALL)
    elif ladder.at:
        left = (*_OF_A_RUN[0 if ladder.more else _OF_A_RUN.index(at) :], *_OF_ALL)
    else:
        left = _OF_ALL[_OF_ALL.index(at) :]
    findings.not_run(told, *left, "R10", "R11")


def _again(going: _Climb) -> None:
    ladder, findings, again = going.ladder, going.ladder.findings, going.request.again
    if again is not None:
        cells = None
        if ladder.standing is not None:
            columns = ladder.standing.places.values()
            cells = {(one.subject.run_id, one.cell.id) for column in columns for one in column}
        reproducer = Reproducer(again, ladder.bundle_id, going.plugins, cells)
        with findings.timing("R11"):
            if again.samples:
                going.tell(f"asking the model again for {again.samples} samples")
                ladder.rerun = reproducer.again(going.subjects, going.scratch / "again", findings)
            if again.judged:
                going.tell(f"asking the judge again about {again.judged} samples")
                judged = going.scratch / "judged"
                ladder.rejudge = reproducer.again(going.subjects, judged, findings, judging=True)
    if not findings.rungs["R11"].ran:
        findings.not_run("not asked for (--rerun, --rejudge)", "R11")


def verify(
    path: Path,
    *,
    board: Board | None = None,
    data: Mapping[str, str] | None = None,
    most: int = 200,
    again: Rerun | None = None,
    say: Callable[[str], None] = lambda _: None,
    others: Sequence[AcceptedEntry] = (),
    signers: Signers | None = None,
    earlier: str = "",
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    work: Callable[[Tell, VerifyRequest], VerifiedBundle] = climb,
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
    request = VerifyRequest(path, board, data or {}, most, again, others, signers, earlier)
    started = now()
    so_far = VerifiedBundle(Findings(most), board)

    def hear(told: object) -> None:
        nonlocal so_far
        if isinstance(told, str):
            say(told)
        elif isinstance(told, VerifiedBundle):
            so_far = told

    try:
        if seconds is None:
            hear(work(hear, request))
        else:
            hear(in_child(work, request, seconds=seconds, hear=hear, clock=clock))
    except TimeUp:
        assert seconds is not None
        out_of_time(so_far, seconds)
    so_far.started = started
    return so_far


def time_limit(board: Board | None) -> float:
    """Seconds that verifying may take: as the board says, else SECONDS."""
    return (board.limits.verify_seconds if board is not None else None) or SECONDS
