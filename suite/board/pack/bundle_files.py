"""Making a bundle: run folders and declarations in, the files of a bundle out, the same bytes each time.

Signing puts a signature into a bundle, archive or folder, that is whole otherwise. Not here: what makes a run
unfit to be submitted (`wish`), declarations (`declarations`), secrets (`private_data`), the archive's
bytes (`bundle.archive`), OpenSSH's part (`bundle.signatures`).
"""

import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import UNSET

from suite.board.bundle import archive, frames, signatures
from suite.board.bundle.bounds import README, RUN_FILES, SIGNATURE, SUBMISSION, SizeLimits, allowed, place_of
from suite.board.bundle.contents import source_of
from suite.board.bundle.documents_check import entry_cell
from suite.board.bundle.rungs import Findings
from suite.board.bundle.submission import FORMAT, ListedFile, Submission, SubmittedRun
from suite.chat import canonical_json, sha256_hex
from suite.errors import BundleError
from suite.files import open_regular, replacing, trying, write_whole
from suite.journal.run import Run
from suite.journal.shapes import Values


def files_of(folder: Path) -> dict[str, Path]:
    """Name in the bundle -> file, for every file of a bundle folder. Raises BundleError for others."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not allowed(name):
                raise BundleError("a file may not stand in a bundle", where=name, fix="take it out")
            found[name] = path
    return found


def listing(folder: Path) -> list[ListedFile]:
    """`files` of submission.json: every file but itself and its signature, by name."""
    found = []
    for name, path in sorted(files_of(folder).items()):
        if name in (SUBMISSION, SIGNATURE):
            continue
        raw = path.read_bytes()
        size, digest = len(raw), sha256_hex(raw)
        inner, plain, lines = frames.facts(path) if name.endswith(".zst") else (size, digest, UNSET)
        found.append(
            ListedFile(
                path=name, bytes=size, sha256=digest, content_bytes=inner, content_sha256=plain, records=lines
            )
        )
    return found


def write_archive(folder: Path, to: Path) -> None:
    """Write a bundle folder as `.suite.zip`: at once, or not at all. Raises BundleError."""
    _write({name: partial(open_regular, path) for name, path in files_of(folder).items()}, to)


def _write(files: Mapping[str, Callable[[], BinaryIO]], to: Path) -> None:
    with trying(f"write {to.name}", to.parent, kind=BundleError), replacing(to) as file:
        archive.write(files, file)


def run_id(run: Run) -> str:
    """Name of a run in a bundle: its tasks' families and the first 12 digits of its plan's hash."""
    families = list(dict.fromkeys(cell.task.partition("/")[0] for cell in run.manifest.cells))
    name = families[0] if len(families) == 1 else f"{len(families)}-families"
    return f"{name[:60]}-{run.manifest.plan_sha256[:12]}"


def _entry(run: Run) -> SubmittedRun:
    scored, results = run.scored_cells, {one.cell: one for one in run.results.cells}
    return SubmittedRun(
        run_id=run_id(run),
        plan_sha256=run.manifest.plan_sha256,
        scoring=run.scoring,
        trace_policy="full",
        cells=[entry_cell(one, scored[one.cell], results[one.cell]) for one in run.manifest.cells],
    )


def sources(run: Run) -> dict[str, Path]:
    """Name of a file in the run's folder of a bundle -> the file that it is made of."""
    return {name: run.folder / place_of(name, run.scoring) for name in RUN_FILES}


def stage(
    runs: Sequence[Run], declared: Values, readme: bytes, folder: Path
) -> tuple[str, Sequence[ListedFile]]:
    """Write the files of a bundle into an empty folder; returns the bundle's id and its files.

    declared: submission.json but for format, runs and files; it fits the schema.
    """
    for run in runs:
        for name, source in sources(run).items():
            to = folder / "runs" / run_id(run) / name
            to.parent.mkdir(parents=True, exist_ok=True)
            if not name.endswith(".zst"):
                shutil.copyfile(source, to)
            elif source.exists():
                frames.compress_file(source, to)
            else:
                to.write_bytes(frames.compress(b""))
    if readme:
        (folder / README).write_bytes(readme)
    entries = sorted(map(_entry, runs), key=lambda one: one.run_id)
    whole = {**declared, "format": FORMAT, "runs": entries, "files": listing(folder)}
    submission = msgspec.convert(whole, Submission, from_attributes=True)
    body = canonical_json(msgspec.to_builtins(submission)) + b"\n"
    write_whole(folder / SUBMISSION, [body])
    return sha256_hex(body), submission.files


def sign_bundle(path: Path, key: Path, *, replace: bool = False) -> signatures.Signature:
    """Sign a bundle's submission.json and put the signature beside it. The bundle's id stays as it is.

    An archive is written anew, at once or not at all. Raises BundleError for what is no bundle or is signed
    already (without `replace`), ConfigError for a key that cannot be used.
    """
    with closing(source_of(path)) as source:
        findings = Findings(1)
        if not source.scan(findings, SizeLimits()):
            first = findings.kept[0]
            raise BundleError(f"{path.name} is no safe bundle: {first.what}", where=first.where)
        if SUBMISSION not in source.sizes:
            raise BundleError(f"{path.name} holds no bundle: it has no {SUBMISSION}", where=str(path))
        if SIGNATURE in source.sizes and not replace:
            raise BundleError.of("board.signatures.signed-already")
        with source.open(SUBMISSION) as file:
            message = file.read()
        signature = signatures.sign(message, key)
        found = signatures.check(message, signature)
        if path.is_dir():
            write_whole(path / SIGNATURE, [signature])
        else:
            files = {name: partial(source.open, name) for name in source.sizes}
            _write({**files, SIGNATURE: partial(io.BytesIO, signature)}, path)
    return found
