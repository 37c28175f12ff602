"""A pull request to a board repository: it adds one new entry's folder and nothing else, and is commented on.

Reads Git objects only (`diff-tree`, `cat-file`): nothing of the head is ever checked out, so no link,
attribute, filter or hook of it can act. The report that is shown as a comment is hostile: whoever sent the
pull request could have written it. It is bounded, held to its shape, and shown as text inside one block of
code. Not here: whether the submission is any good (`verify`).
"""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from suite.board.bundle.bounds import MIB, README, allowed
from suite.board.entry import FOLDER, SUBMISSION, Verification, read_bytes
from suite.board.repository.remote_bundle import BUNDLE, BUNDLE_FOLDER, REFERENCE
from suite.errors import ConfigError, DataError
from suite.report.hostile_text import one_line
from suite.report.markdown import fence
from suite.report.text_templates import text_lines

MOST_FILES = 2010
LARGEST = {SUBMISSION: MIB, REFERENCE: 64 * 1024, README: 64 * 1024, BUNDLE: 5 * MIB}
LARGEST_TOTAL = 6 * MIB
_INSIDE = re.compile(rf"submissions/[a-z0-9][a-z0-9._-]{{0,63}}/{FOLDER.pattern}/.+", re.DOTALL)
_LFS = b"version https://git-lfs"
_SHA = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
MOST_LINES = 60
MOST_CHARACTERS = 20_000


@dataclass(frozen=True)
class Change:
    """One changed path. mode: of the head, "100644" for a plain file. status: A, M, D, T."""

    path: str
    mode: str
    blob: str
    status: str


@dataclass(frozen=True)
class Checked:
    """What a pull request is. folder: of the new entry, "" unless it may be looked at further."""

    folder: str
    board: str
    problems: tuple[str, ...]


def check_pull_request(root: Path, base: str, head: str) -> Checked:
    """Hold the changes between the common ancestor of base and head against the rules.

    Raises ConfigError where Git, the repository or a commit is not there.
    """
    base, head = _commit(root, base), _commit(root, head)
    ancestor = _git(root, "merge-base", base, head).decode().strip()
    changes = list(_changes(root, ancestor, head))
    problems = list(_problems(root, base, changes))
    if problems:
        return Checked("", "", tuple(problems))
    parts = changes[0].path.split("/")  # all are of one folder, or that were a problem
    return Checked("/".join(parts[:3]), parts[1], ())


def _problems(root: Path, base: str, changes: list[Change]) -> Iterator[str]:
    if not changes:
        yield "it changes nothing"
        return
    if len(changes) > MOST_FILES:
        yield f"it changes {len(changes):,} files, at most {MOST_FILES:,} are looked at"
        return
    outside = [one for one in changes if not _INSIDE.fullmatch(one.path)]
    for one in outside[:20]:
        yield f"{_shown(one.path)}: outside of submissions/BOARD/NAME-12HEX/, the only place for a submission"
    for one in changes:
        if wrong := _wrong(one):
            yield f"{_shown(one.path)}: {wrong}"
    if outside:
        return
    folders = sorted({"/".join(one.path.split("/")[:3]) for one in changes})
    if len(folders) > 1:
        yield f"it changes {len(folders)} folders, not one: {', '.join(map(_shown, folders[:5]))}"
        return
    yield from _folder(root, base, folders[0], changes)


def _wrong(one: Change) -> str:
    """What is wrong with a change by itself, "" if nothing."""
    if one.status != "A":
        verb = {"M": "changed", "D": "removed", "T": "turned into something else"}.get(one.status, "touched")
        return f"{verb}: a submission only adds files"
    kinds = {"120000": "a symbolic link", "160000": "a submodule", "100755": "executable"}
    if one.mode != "100644":
        return f"{kinds.get(one.mode, f'of mode {one.mode}')}: only plain files are taken"
    rest = "/".join(one.path.split("/")[3:])
    if rest.split("/")[-1].startswith(".git"):
        return "a file of Git's own settings"
    folder, _, inner = rest.partition("/")
    known = rest in LARGEST or (folder == BUNDLE_FOLDER and allowed(inner))
    if _INSIDE.fullmatch(one.path) and not known:
        return "no such file belongs to a submission (verification.json and others are written by the board)"
    return ""


def _folder(root: Path, base: str, folder: str, changes: list[Change]) -> Iterator[str]:
    board = folder.split("/")[1]
    if not _exists(root, f"{base}:boards/{board}/board.yaml"):
        yield f"there is no board {_shown(board)}"
    if _exists(root, f"{base}:{folder}"):
        yield f"{folder}: exists already; a new submission has a new bundle, and so a new folder"
    names = {"/".join(one.path.split("/")[3:]): one for one in changes}
    if SUBMISSION not in names:
        yield f"{folder}: {SUBMISSION} is missing"
    forms = {name.partition("/")[0] for name in names} & {REFERENCE, BUNDLE, BUNDLE_FOLDER}
    if not forms:
        yield f"{folder}: neither {BUNDLE}, {BUNDLE_FOLDER}/ nor {REFERENCE} is there"
    if len(forms) > 1:  # one would be verified, the other shown
        yield f"{folder}: the bundle is there in several forms ({', '.join(sorted(forms))}): give one"
    total = 0
    for name, one in names.items():
        if not _SHA.fullmatch(one.blob) or one.mode != "100644":
            continue
        size = int(_git(root, "cat-file", "-s", one.blob))
        total += size
        most = LARGEST.get(name, LARGEST_TOTAL)
        if size > most:
            yield f"{_shown(one.path)}: {size:,} bytes, at most {most:,}"
        elif size < 1024 and _git(root, "cat-file", "blob", one.blob).startswith(_LFS):
            yield f"{_shown(one.path)}: a pointer of Git LFS, not the file itself"
    if total > LARGEST_TOTAL:
        yield f"{folder}: {total:,} bytes in all, at most {LARGEST_TOTAL:,}; say in {REFERENCE} where it lies"
    found = names.get(SUBMISSION)
    if found is not None and found.mode == "100644":
        raw = _git(root, "cat-file", "blob", found.blob)
        digest = hashlib.sha256(raw).hexdigest()[:12]
        if digest != folder[-12:]:
            yield f"{folder}: named {folder[-12:]}, but its {SUBMISSION} has the SHA-256 {digest}…"


def _changes(root: Path, base: str, head: str) -> Iterator[Change]:
    raw = _git(root, "diff-tree", "-r", "-z", "--no-renames", "--full-index", base, head)
    parts = raw.split(b"\0")
    for meta, path in zip(parts[0::2], parts[1::2], strict=False):
        if not meta:
            continue
        _, mode, _, blob, status = meta.decode("ascii").lstrip(":").split(" ")
        yield Change(path.decode("utf-8", "surrogateescape"), mode, blob, status[:1])


def _shown(path: str) -> str:
    return one_line(path, 120)


def _commit(root: Path, name: str) -> str:
    """The commit of a name. Raises ConfigError."""
    if name.startswith("-"):
        raise ConfigError(f"{name[:80]!r} is no commit")
    _git(root, "rev-parse", "--git-dir")  # else the folder is what is wrong, not the name
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except ConfigError as error:
        raise ConfigError.of("board.pull-request.no-commit", name=name[:80], root=root) from error
    return found.decode().strip()


def _exists(root: Path, name: str) -> bool:
    try:
        _git(root, "cat-file", "-e", name)
    except ConfigError:
        return False
    return True


def _git(root: Path, *arguments: str) -> bytes:
    """Run Git on objects only: no hooks, no monitor, nothing lazily fetched, no user's settings."""
    command = ["git", "--no-replace-objects", "--no-pager", "-C", str(root)]
    for one in ("core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.allow=never"):
        command += ["-c", one]
    environment = {
        **os.environ,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            [*command, *arguments], capture_output=True, env=environment, check=False, timeout=120
        )
    except FileNotFoundError as error:
        raise ConfigError("git is not installed", fix="install git") from error
    if done.returncode != 0:
        said = one_line(done.stderr.decode("utf-8", "replace"), 200)
        raise ConfigError(f"git {arguments[0]} failed: {said or 'no such commit or object'}", where=str(root))
    return done.stdout


def comment(path: Path) -> str:
    """Markdown. Raises DataError for a report that is none."""
    try:
        found = msgspec.json.decode(read_bytes(path), type=Verification)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataError("this is no verification report", where=str(path)) from error
    lines = text_lines("board/verify/report.j2", "comment", found, MOST_LINES)
    block = fence("\n".join(lines)[:MOST_CHARACTERS], "text", MOST_CHARACTERS)
    return f"Verification of this pull request, to be repeated after a merge:\n\n{block}\n"
