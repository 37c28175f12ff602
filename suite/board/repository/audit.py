"""Checks a board repository: definitions, entries, their files; and verifies every accepted entry again."""

import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from suite.board.bundle import signatures
from suite.board.bundle.bounds import README, SUBMISSION
from suite.board.define.eval_commands import free_roles, open_note
from suite.board.entry import GONE, PER_SAMPLE, RECORD, REPLIES, VERIFICATION, AcceptedEntry, Verification
from suite.board.rank.state import belongs, stale_entries
from suite.board.repository.acceptance import verify_at
from suite.board.repository.remote_bundle import BUNDLE, BUNDLE_FOLDER, REFERENCE, bundle_of
from suite.board.repository.shelves import Shelf, version_number
from suite.board.verify import VerifiedBundle
from suite.board.verify.equality import differences
from suite.errors import SuiteError
from suite.plugins import catalogue

MAY_STAND = {SUBMISSION, VERIFICATION, PER_SAMPLE, REPLIES, RECORD, README, BUNDLE, BUNDLE_FOLDER, REFERENCE}
Say = Callable[[str], None]
Wrong = tuple[str, bool]  # what is wrong with an entry, and whether that is serious


@dataclass(frozen=True)
class Trouble:
    """Something wrong. serious: the board must not be built so."""

    where: str
    what: str
    serious: bool = True


def check_board(
    shelf: Shelf, *, again: bool = True, renew: bool = False, say: Say = lambda _: None
) -> list[Trouble]:
    """All that is wrong with a board. again: verify every entry of the present definition again. renew:
    verify those of earlier definitions for the present one; who passes is written as verified for it.
    """
    found = list(_definition(shelf))
    entries, problems = shelf.read()
    found += [Trouble(one.where.partition("\n")[0], one.what) for one in problems]
    known = {one.id for one in entries}
    traces: dict[str, str] = {}
    for entry in entries:
        found += [Trouble(entry.folder.name, what) for what in _by_itself(entry, known)]
        if trace := entry.record.trace_sha256:
            first = traces.setdefault(trace, entry.folder.name)
            if first != entry.folder.name:
                found.append(Trouble(entry.folder.name, f"the same calls and replies as {first}"))
    if not renew:
        found += [Trouble(*one, serious=False) for one in stale_entries(shelf.board, entries).items()]
    for number, entry in enumerate(entries):
        present, where = belongs(shelf.board, entry), entry.folder.name
        if entry.record.status == "active" and (again if present else renew):
            say(f"verifying {where}")
            look = _again if present else _anew
            found += [Trouble(where, *one) for one in look(entry, shelf, entries[:number])]
    return found


def _definition(shelf: Shelf) -> Iterator[Trouble]:
    try:
        shelf.board.cells(catalogue())
    except SuiteError as error:
        yield Trouble("board.yaml", str(error))
    else:
        for column, roles in free_roles(shelf.board, catalogue()).items():
            yield Trouble(f"board.yaml, {column}", open_note(roles), serious=False)
    for old in shelf.history:
        if version_number(old) >= version_number(shelf.board):
            yield Trouble(f"history/{old.version}.yaml", f"is not older than {shelf.board.version}")


def _by_itself(entry: AcceptedEntry, known: set[str]) -> Iterator[str]:
    """What is wrong with its files and its status. known: ids of the board's entries."""
    for path in sorted(entry.folder.iterdir()):
        if path.name not in MAY_STAND:
            yield f"{path.name[:80]!r} has no place in an entry's folder"
        elif path.is_symlink():
            yield f"{path.name} is a link"
    if entry.per_sample is None and any(one.paired for one in entry.verification.columns):
        yield f"{PER_SAMPLE} is missing"
    record = entry.record
    if record.status == "superseded" and record.by not in known:
        yield "superseded, but by no entry of this board"
    if record.status in GONE and not record.reason:
        yield f"{record.status} without a reason"


def _verified(
    entry: AcceptedEntry, shelf: Shelf, others: Sequence[AcceptedEntry]
) -> Generator[Wrong, None, VerifiedBundle | None]:
    """The entry's bundle verified now; None if that cannot be. others: accepted before it."""
    claimed = entry.submission.board
    with tempfile.TemporaryDirectory(prefix="suite-board-") as scratch:
        try:
            bundle = bundle_of(entry.folder, shelf.board, Path(scratch))
            if bundle is None:
                yield "not verified again: its bundle is not here", False
                return None
            earlier = "" if claimed is None else claimed.definition_sha256
            checked = verify_at(entry.record.accepted, bundle, shelf, others, earlier)
        except SuiteError as error:
            yield str(error), True
            return None
    if checked.document.bundle_id == entry.id:
        return checked
    yield "the bundle beside it is another one", True
    return None


def _anew(entry: AcceptedEntry, shelf: Shelf, others: Sequence[AcceptedEntry]) -> Iterator[Wrong]:
    """The entry verified for the present definition, and written so if it passes."""
    checked = yield from _verified(entry, shelf, others)
    if checked is not None and checked.exit_code() == 0:
        checked.write(entry.folder)
        yield f"verified for version {shelf.board.version}: it is ranked there from now on", False
    elif checked is not None:
        reasons = (one.what for one in checked.findings if one.severity == "error")
        why = next(reasons, checked.verdict.replace("_", " "))
        yield f"stale: not verified for version {shelf.board.version}: {why}; submit it anew", False


def _again(entry: AcceptedEntry, shelf: Shelf, others: Sequence[AcceptedEntry]) -> Iterator[Wrong]:
    """The entry verified again must give the verdict, class and numbers that stand there; what is new beside
    the others is a note.
    """
    checked = yield from _verified(entry, shelf, others)
    if checked is None:
        return
    now = checked.document
    if checked.exit_code() != 0:
        yield f"verified again: {checked.verdict}", True
    yield from _numbers(entry, now)
    yield from _signature(entry, now)
    if entry.per_sample is not None and checked.per_sample != entry.per_sample.read_bytes():
        yield f"{PER_SAMPLE} differs from what verification gives now", False
    if checked.replies and (entry.replies is None or checked.replies != entry.replies.read_bytes()):
        lack = "is missing" if entry.replies is None else "differs from what verification gives now"
        yield f"{REPLIES} {lack}: copies of it may not be found", False
    told = {one.code for one in entry.verification.findings}
    for one in checked.findings:
        if one.rung == "R9" and one.code not in told:
            yield f"now {one.code}: {one.what} ({one.found})", False


def _numbers(entry: AcceptedEntry, now: Verification) -> Iterator[Wrong]:
    """Class and columns must be the same again."""
    for name in ("kind", "columns"):
        mine, theirs = (msgspec.to_builtins(getattr(one, name)) for one in (now, entry.verification))
        if name == "columns":
            for here, there in zip(mine, theirs, strict=False):
                for field in ("latency", "roles"):  # reports of the first release do not have them
                    if not there[field]:
                        here[field] = there[field]
        if first := next(differences(mine, theirs, name), None):
            place, here, there = first
            yield f"{VERIFICATION} says {place} = {there!r}, verified again {here!r}", True


def _signature(entry: AcceptedEntry, now: Verification) -> Iterator[Wrong]:
    """Whoever signed by the board's file of signers, as of the acceptance, must stand there."""
    signed = (one.signature for one in (entry.verification, now))
    before, after = (set(one.identities if one else ()) for one in signed)
    if before and not signatures.available():
        yield "its signature was not checked: no ssh-keygen here", False
    elif before != after:
        said, found = (", ".join(sorted(names)) or "nobody" for names in (before, after))
        yield f"{VERIFICATION} says that {said} signed, verified again {found}", True
