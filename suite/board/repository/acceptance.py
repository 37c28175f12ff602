"""Takes a bundle into a board repository: verify, refuse what is there already, write the entry's folder.

A bundle that was re-labelled with another model's name has the same calls and replies as the first one: the
set of the candidate's calls with their replies is hashed, whatever anything is called, and held against the
board's. `place` writes the folder as a pull request brings it, with what a submitter may write and no more.
Not here: changes that come as pull requests (`pull_request`), the ladder itself (`verify`).
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from suite.board.bundle.bounds import MIB, README
from suite.board.bundle.contents import open_bundle
from suite.board.bundle.rungs import Findings
from suite.board.bundle.submission import BoardName, Submission
from suite.board.define.board import Board
from suite.board.entry import RECORD, SUBMISSION, AcceptedEntry, EntryRecord, read_entry, write_record
from suite.board.repository.remote_bundle import BUNDLE, BUNDLE_FOLDER, bundle_of, check_urls, write_reference
from suite.board.repository.shelves import Shelf, open_repository
from suite.board.verify import VerifiedBundle, time_limit, verify
from suite.board.verify.child_work import SECONDS, Tell, TimeUp, in_child
from suite.chat import canonical_json
from suite.data import strict_syntax
from suite.errors import BundleError, ConfigError, SuiteError
from suite.files import own_folder, write_whole
from suite.journal.run import Run
from suite.report.hostile_text import one_line

KEPT = 5 * MIB  # largest bundle that is kept beside its entry


@dataclass(frozen=True)
class Accepted:
    """What came of it. folder: the entry's, None if it was not accepted; reasons say why. verification: None
    if it did not come to that, since what was brought cannot be used.
    """

    verification: VerifiedBundle | None
    folder: Path | None
    reasons: tuple[str, ...] = ()


def accept(
    bundle: Path,
    root: Path,
    *,
    board: str = "",
    urls: Sequence[str] = (),
    when: datetime | None = None,
    into: Path | None = None,
) -> Accepted:
    """Verify a bundle and add it to the repository at `root`.

    urls: where the bundle lies, for one that is too large to be kept in the repository. when: time of
    acceptance (default: now). into: the folder that a pull request brought, with the bundle or a reference to
    it. Raises BundleError for no bundle, ConfigError for a wrong board, a missing address or one that the
    board does not fetch from, or a folder that exists or is named after another bundle.
    """
    opened = open_submission(bundle)
    shelf = shelf_for(root, board, opened.submission.board)
    if into is None:
        _check_place(bundle, urls, shelf.board)
    entries = shelf.entries()
    moment = when or datetime.now(UTC)
    checked = verify_at(moment, bundle, shelf, entries)
    if checked.exit_code() != 0:
        return Accepted(checked, None, (f"verification: {checked.verdict.replace('_', ' ')}",))
    old = next((one for one in entries if one.id == opened.submission.supersedes), None)
    if reasons := [*_there(entries, opened), *_may_not_supersede(old, opened, checked)]:
        return Accepted(checked, None, tuple(reasons))
    folder = into or shelf.submissions / opened.folder
    if into is None and folder.exists():
        raise ConfigError.of("board.accept.no-entry", folder=folder)
    if folder.name[-12:] != opened.id[:12] or folder.resolve().parent != shelf.submissions.resolve():
        raise ConfigError.of("board.accept.misplaced", folder=folder, bundle=opened.id[:12])
    folder.parent.mkdir(parents=True, exist_ok=True)
    own_folder(folder)
    _bring(folder, opened)
    checked.write(folder)
    if into is None:
        _keep_bundle(bundle, folder, urls)
    record = EntryRecord(bundle_id=opened.id, accepted=moment, trace_sha256=opened.trace)
    write_record(folder / RECORD, record)
    try:
        read_entry(folder)  # what was written can be read
    except SuiteError:
        (folder / RECORD).unlink()  # it is no entry
        raise
    if old is not None:
        changed = {"status": "superseded", "by": opened.id, "status_date": moment.date()}
        write_record(old.folder / RECORD, old.record.model_copy(update=changed))
    return Accepted(checked, folder)


def verify_at(
    when: datetime, bundle: Path, shelf: Shelf, others: Sequence[AcceptedEntry], earlier: str = ""
) -> VerifiedBundle:
    """Verify a bundle as the board does at a moment, beside entries that it has."""
    board, signers, limit = shelf.board, shelf.signers_at(when), time_limit(shelf.board)
    return verify(bundle, board=board, others=others, signers=signers, seconds=limit, earlier=earlier)


def accept_new(root: Path, say: Callable[[str], None] = lambda _: None) -> list[tuple[Path, Accepted]]:
    """Accept every folder that pull requests brought and that has no record yet: (folder, what came of it).

    One that cannot be used, for whatever reason, does not keep the others away. Raises ConfigError for a
    repository that cannot be used at all.
    """
    found = []
    for shelf in open_repository(root):
        for folder in sorted(one for one in shelf.submissions.glob("*") if one.is_dir()):
            if (folder / RECORD).exists():
                continue
            say(f"verifying {folder.name}")
            try:
                found.append((folder, _accept_folder(folder, root, shelf)))
            except Exception as error:  # whatever it is, it came with this folder
                name = "" if isinstance(error, SuiteError) else f"{type(error).__name__}: "
                found.append((folder, Accepted(None, None, (f"{name}{error}",))))
    return found


def _accept_folder(folder: Path, root: Path, shelf: Shelf) -> Accepted:
    if folder.is_symlink():
        raise ConfigError(f"{folder.name} is a link", str(folder), "bring the folder itself")
    if links := [one.name for one in sorted(folder.iterdir()) if one.is_symlink()]:  # to write through
        raise ConfigError(f"{folder.name} holds a link", one_line(links[0], 80), "bring plain files")
    with tempfile.TemporaryDirectory(prefix="suite-board-") as scratch:
        bundle = bundle_of(folder, shelf.board, Path(scratch))
        if bundle is None:
            raise ConfigError(f"{folder.name} has no bundle", str(folder), "bundle.suite.zip, or a reference")
        return accept(bundle, root, board=shelf.board.id, into=folder)


@dataclass(frozen=True)
class Opened:
    """What is needed of a bundle. raw: its submission.json. trace: see `trace_sha256`."""

    id: str
    raw: bytes
    readme: str
    submission: Submission
    trace: str

    @property
    def folder(self) -> str:
        """Name of its folder on a board."""
        slug = re.sub("[^a-z0-9]+", "-", self.submission.model.display_name.casefold()).strip("-")[:48]
        return f"{slug or 'entry'}-{self.id[:12]}"


def open_submission(path: Path) -> Opened:
    """Open a bundle within the usual time. Raises BundleError if it is not safe to read."""
    try:
        found = in_child(_open, path, seconds=SECONDS)
    except TimeUp as error:
        raise BundleError.of("board.accept.time", path=path, seconds=SECONDS) from error
    assert isinstance(found, Opened)
    return found


def _open(_: Tell, path: Path) -> Opened:
    with open_bundle(path, Findings()) as bundle:
        if bundle is None:
            raise BundleError(f"{path.name} is not safe to read", fix=f"suite submit verify {path.name}")
        raw = bundle.manifest
        if canonical_json(strict_syntax.read_exact(raw)) + b"\n" != raw:
            raise BundleError.of("board.accept.not-canonical", path=path)
        trace = trace_sha256([Run(run.folder) for run in bundle.runs])
        return Opened(bundle.id, raw, bundle.readme, bundle.submission, trace)


def trace_sha256(runs: Sequence[Run]) -> str:
    """SHA-256 over the sorted digests of the candidate's (call, reply): the same for a re-labelled bundle.

    A call's id names its request, never a model; the reply's text is taken without usage and times.
    """
    digests = {
        hashlib.sha256(canonical_json([call.id, call.reply.text, list(call.reply.scores)])).digest()
        for run in runs
        for call in run.journal.calls
        if call.role == "candidate"
    }
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def shelf_for(root: Path, board: str, named: BoardName | None) -> Shelf:
    """The board of a repository that a bundle names. Raises ConfigError, NotFound."""
    shelves = open_repository(root, board)
    if named is None:
        raise ConfigError("the bundle is for no board", fix="pack it for one: `suite submit pack --board …`")
    for shelf in shelves:
        if shelf.board.id == named.id:
            return shelf
    known = ", ".join(shelf.board.id for shelf in shelves)
    raise ConfigError(f"the bundle is for the board {one_line(named.id, 80)!r}", where=f"here: {known}")


def _there(entries: Sequence[AcceptedEntry], opened: Opened) -> Iterator[str]:
    """Why it is on the board already."""
    for one in entries:
        if one.id == opened.id:
            yield f"this very bundle is on the board: {one.folder.name}"
        elif one.record.trace_sha256 == opened.trace:
            yield f"the same calls and replies are on the board: {one.folder.name}"


def _may_not_supersede(old: AcceptedEntry | None, opened: Opened, checked: VerifiedBundle) -> Iterator[str]:
    """Why it may not replace the entry that it names: another's, one that is gone, or one that was signed and
    that none of its signers replaces.
    """
    named = opened.submission.supersedes
    if not named:
        return
    if old is None:
        yield f"it supersedes {named[:12]}, which is not on this board"
        return
    if old.submission.submitter.name != opened.submission.submitter.name:
        yield f"it supersedes {old.folder.name}, which somebody else submitted"
    elif old.record.status != "active":
        yield f"it supersedes {old.folder.name}, which is {old.record.status}"
    signers = old.verification.signature.identities if old.verification.signature is not None else []
    mine = checked.signature
    if signers and (mine is None or not set(mine.identities) & set(signers)):
        yield f"it supersedes {old.folder.name}, which {', '.join(signers)} signed, and is not signed by them"


def _bring(folder: Path, opened: Opened) -> None:
    write_whole(folder / SUBMISSION, [opened.raw])
    if opened.readme:
        write_whole(folder / README, [opened.readme.encode()])


def _check_place(bundle: Path, urls: Sequence[str], board: Board) -> None:
    """Raises ConfigError for addresses that the board does not fetch from or that are of no archive, and for
    a bundle that is too large to be kept and lies nowhere else.
    """
    check_urls(urls, board.hosts)
    if urls and bundle.is_dir():
        raise ConfigError("--bundle-url is the address of an archive, not of a folder", str(bundle))
    if (size := _size(bundle)) > KEPT and not urls:
        raise ConfigError.of("board.accept.too-big", size=size / MIB, most=KEPT // MIB)


def _keep_bundle(bundle: Path, folder: Path, urls: Sequence[str]) -> None:
    """Put a bundle into its folder, up to KEPT bytes, and where it lies, if that is said."""
    kept = _size(bundle) <= KEPT
    if kept and bundle.is_dir():
        shutil.copytree(bundle, folder / BUNDLE_FOLDER)
    elif kept:
        with bundle.open("rb") as file:
            write_whole(folder / BUNDLE, iter(lambda: file.read(MIB), b""))
    if urls:
        write_reference(folder, bundle, urls)


def _size(bundle: Path) -> int:
    if bundle.is_dir():
        return sum(one.stat().st_size for one in bundle.rglob("*") if one.is_file())
    return bundle.stat().st_size


def withdraw(folder: Path, status: str, reason: str, when: datetime | None = None) -> None:
    """Mark an entry; it leaves the ranking and its page keeps the reason, and those before it.

    Raises DataError, and ConfigError for no reason or a status that it has already.
    """
    entry = read_entry(folder)
    if not reason.strip():
        raise ConfigError("a reason is needed", fix="say why: it stays on the entry's page")
    before = entry.record
    if before.status == status:
        raise ConfigError.of("board.accept.status", folder=folder, status=status, before=before)
    if before.reason:
        reason = f"{reason} (before, {before.status} on {before.status_date}: {before.reason})"
    changed = {"status": status, "reason": reason, "status_date": (when or datetime.now(UTC)).date()}
    record = EntryRecord.model_validate({**entry.record.model_dump(), **changed})
    write_record(folder / RECORD, record)


def place(bundle: Path, root: Path, *, urls: Sequence[str] = ()) -> Path:
    """Write the folder of a submission into a clone of the board's repository; the folder.

    urls: where the bundle lies, needed for one that is too large to be kept. Raises BundleError for no
    bundle, ConfigError for another board's, an address that the board does not fetch from, or a folder that
    exists.
    """
    opened = open_submission(bundle)
    shelf = shelf_for(root, "", opened.submission.board)
    folder = shelf.submissions / opened.folder
    if folder.exists():
        known = "it is on the board" if (folder / RECORD).exists() else "remove it to write it anew"
        raise ConfigError(f"{folder.name} exists", where=str(folder), fix=known)
    _check_place(bundle, urls, shelf.board)
    folder.mkdir(parents=True)
    try:
        _bring(folder, opened)
        _keep_bundle(bundle, folder, urls)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder
