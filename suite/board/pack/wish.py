"""`suite submit pack` from its wishes to a finished bundle: gather every reason against it, or make it.

Not here: the files of a bundle (`bundle_files`), the command line (`suite.cli.submit`).
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from suite.board.bundle.contents import open_bundle
from suite.board.bundle.file_names import README, SUBMISSION
from suite.board.bundle.rungs import Findings
from suite.board.bundle.size_limits import MIB, SizeLimits
from suite.board.pack import bundle_files, declarations, private_data
from suite.board.pack.objections import reasons
from suite.chat import Json, canonical_json
from suite.errors import BundleError, ConfigError
from suite.journal.run import Run, open_run
from suite.journal.shapes import Values

if TYPE_CHECKING:
    from suite.board.define.board import Board

_SHOWN = 20  # of a kind


@dataclass(frozen=True)
class Wish:
    """What to pack. output: None for a name made from the model's. given: flag -> value."""

    runs: Sequence[str]
    output: Path | None = None
    folder: bool = False
    force: bool = False
    board: "Board | None" = None
    declared: Path | None = None
    readme: Path | None = None
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PackedBundle:
    """A bundle that was written. bytes: on disk. content: unpacked. inside: lines for people."""

    id: str
    path: Path
    bytes: int
    content: int
    inside: tuple[str, ...]


def make(wish: Wish) -> PackedBundle:
    """Make the bundle. Raises ConfigError with all that is against it, BundleError, RunError, NotFound."""
    runs = opened(wish.runs)
    readme = _readme(wish.readme)
    declared = _declared(wish, runs)
    against = reasons(runs, wish.board)
    against += declarations.problems(declared)
    try:
        against += list(_secrets(runs, declared, readme, private_data.Machine.this()))
    except OSError as error:
        raise BundleError(
            f"{error.filename} cannot be read: {error.strerror}", fix="restore it from a copy"
        ) from error
    output = wish.output or Path(_name(declared) + ("" if wish.folder else ".suite.zip"))
    if (output.exists() or output.is_symlink()) and not wish.force:
        against.append(f"{output} stands there already: choose another name with -O, or --force")
    elif output.is_dir() != wish.folder and output.exists():
        against.append(
            f"{output} is {'no folder' if wish.folder else 'a folder'}: choose another name with -O"
        )
    if not output.absolute().parent.is_dir():
        against.append(f"there is no folder {output.parent}")
    if against:
        raise ConfigError(
            "this cannot be packed yet:",
            where="\n  ".join(f"- {one}" for one in against),
            fix="put these right, then run the command again; nothing was written",
        )
    return _write(wish, runs, declared, readme, output)


def opened(places: Sequence[str]) -> list[Run]:
    """The runs to pack. Raises NotFound, RunError (not scored), ConfigError (given twice)."""
    runs = [open_run(one) for one in places]
    seen: set[tuple[Path, str]] = set()
    for run in runs:
        run.need_scoring()
        if (one := (run.folder.resolve(), run.scoring)) in seen:
            raise ConfigError(f"run {run.name} is given twice", fix="name each run once")
        seen.add(one)
    return runs


def _readme(path: Path | None) -> bytes:
    if path is None:
        return b""
    data = path.read_bytes()
    if len(data) > SizeLimits().readme:
        raise ConfigError(
            f"{path.name} is over {SizeLimits().readme} bytes", where=str(path), fix="shorten it"
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8", where=str(path)) from error
    return data


def _declared(wish: Wish, runs: Sequence[Run]) -> dict[str, Json]:
    declared = declarations.known(runs, wish.board)
    if wish.declared is not None:
        declared = declarations.merged(declared, declarations.read_file(wish.declared))
    for flag, text in wish.given.items():
        name, _ = declarations.FLAGS[flag]
        value: Json = int(text) if flag == "complete-runs" and text.isdecimal() else text
        declarations.put(declared, name, value)
    return dict(declared)


def _name(declared: Values) -> str:
    name = str(declarations.get(declared, "model.display_name") or "bundle").lower()
    return re.sub("[^a-z0-9._-]+", "-", name)[:60].strip("-.") or "bundle"


def _secrets(
    runs: Sequence[Run], declared: Values, readme: bytes, machine: private_data.Machine
) -> Iterator[str]:
    found: list[private_data.Leak] = []
    for run in runs:
        for name, path in bundle_files.sources(run).items():
            where = f"{run.name}/{path.relative_to(run.folder)}"
            if name.endswith(".zst"):
                found += private_data.in_journal(path, where, machine)
            elif path.exists():
                found += private_data.in_document(path.read_bytes(), where, machine)
    found += private_data.in_document(canonical_json(declared), "the declarations", machine)
    found += private_data.in_text(readme, README, machine)
    for leak in found[:_SHOWN]:
        line = f" line {leak.line}" if leak.line else ""
        record = f" ({leak.record})" if leak.record else ""
        advice = (
            "revoke it if it is real and run that sample again; a changed record would not verify"
            if leak.line and leak.where != README
            else "take it out"
        )
        yield f"{leak.what} stands in {leak.where}{line}{record}: {advice}"
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN} more secrets"


def _write(wish: Wish, runs: Sequence[Run], declared: Values, readme: bytes, output: Path) -> PackedBundle:
    near = output.absolute().parent
    try:
        with tempfile.TemporaryDirectory(prefix=".suite-pack-", dir=near) as scratch:
            staged = Path(scratch) / "bundle"
            staged.mkdir()
            identity, listed = bundle_files.stage(runs, declared, readme, staged)
            _check(staged)
            made = staged
            size = sum(one.bytes for one in listed) + (staged / SUBMISSION).stat().st_size
            if not wish.folder:
                made = Path(scratch) / "bundle.zip"
                bundle_files.write_archive(staged, made)
                size = made.stat().st_size
            _fits(size, wish.board)
            if wish.folder and output.exists():
                if any(output.iterdir()) and not (output / SUBMISSION).is_file():
                    what = f"{output} is no bundle and is not replaced"
                    raise BundleError(what, fix="choose another place with -O")
                shutil.rmtree(output)
            made.replace(output)
    except OSError as error:
        raise BundleError(
            f"cannot write the bundle: {error.strerror or error}",
            where=str(near),
            fix="make room, or choose another place with -O",
        ) from error
    inside = [
        f"{bundle_files.run_id(run)}: {len(run.manifest.cells)} cells of "
        + ", ".join(dict.fromkeys(cell.task for cell in run.manifest.cells))
        + f", scoring {run.scoring}"
        for run in runs
    ]
    return PackedBundle(
        identity, output, size, sum(one.content_bytes for one in listed), tuple(sorted(inside))
    )


def _fits(size: int, board: "Board | None") -> None:
    """Raises ConfigError for a bundle that would be refused for its size."""
    most = SizeLimits().archive if board is None else board.limits.bundle_mib * MIB
    if size > most:
        whose = f"board {board.id}" if board is not None else "verifying"
        raise ConfigError(
            f"the bundle would have {size / MIB:.1f} MiB; {whose} takes at most {most / MIB:.0f} MiB",
            fix="submit fewer runs together",
        )


def _check(staged: Path) -> None:
    """Open what was staged as a stranger would. Raises BundleError naming what is wrong with the runs."""
    findings = Findings()
    with open_bundle(staged, findings):
        pass
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        lines = [f"- {one.where} {one.sample}: {one.what} [{one.code}]" for one in errors[:_SHOWN]]
        more = [f"and {findings.errors - _SHOWN} more"] if findings.errors > _SHOWN else []
        raise BundleError(
            "the runs were changed or damaged: a bundle of them would not verify",
            where="\n  ".join([*lines, *more]),
            fix="restore the run folders from a copy, or run them again",
        )
