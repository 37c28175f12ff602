"""`suite submit pack` from its wishes to a finished bundle: gather every reason against it, or make it.

What makes runs unfit to be submitted is said all at once: unfinished, partial, mixed, missing, twice. Not
here: declarations (`declarations`), secrets (`private_data`), the files of a bundle (`bundle_files`).
"""

import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suite.board.bundle.bounds import MIB, README, SUBMISSION, SizeLimits
from suite.board.bundle.contents import open_bundle
from suite.board.bundle.documents_check import member_identity
from suite.board.bundle.rungs import Findings
from suite.board.define.board import Board
from suite.board.pack import bundle_files, declarations, private_data
from suite.chat import Json, canonical_json
from suite.comparisons.runs import scored_runs
from suite.errors import BundleError, ConfigError, SuiteError, worded
from suite.files import trying
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.plugins import catalogue
from suite.run.cells import load_task, local_values

_SHOWN = 20  # of a kind


@dataclass(frozen=True)
class Wish:
    """What to pack. output: None for a name made from the model's. given: flag -> value."""

    runs: Sequence[str]
    output: Path | None = None
    folder: bool = False
    force: bool = False
    board: Board | None = None
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
    runs = scored_runs(wish.runs)
    readme = _readme(wish.readme)
    declared = _declared(wish, runs)
    against = reasons(runs, wish.board)
    against += declarations.problems(declared)
    try:
        against += list(_secrets(runs, declared, readme))
    except OSError as error:
        raise BundleError.of("board.pack.unreadable", error=error) from error
    model = str(declarations.get(declared, "model.display_name") or "bundle").lower()
    name = re.sub("[^a-z0-9._-]+", "-", model)[:60].strip("-.") or "bundle"
    output = wish.output or Path(name if wish.folder else f"{name}.suite.zip")
    if (output.exists() or output.is_symlink()) and not wish.force:
        against.append(f"{output} stands there already: choose another name with -O, or --force")
    elif output.is_dir() != wish.folder and output.exists():
        what = "no folder" if wish.folder else "a folder"
        against.append(f"{output} is {what}: choose another name with -O")
    if not output.absolute().parent.is_dir():
        against.append(f"there is no folder {output.parent}")
    if against:
        raise ConfigError.of("board.pack.against", reasons="\n  ".join(f"- {one}" for one in against))
    return _write(wish, runs, declared, readme, output)


def _readme(path: Path | None) -> bytes:
    if path is None:
        return b""
    data = path.read_bytes()
    if len(data) > SizeLimits().readme:
        raise ConfigError.of("board.pack.readme", path=path, most=SizeLimits().readme)
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


def _secrets(runs: Sequence[Run], declared: Values, readme: bytes) -> Iterator[str]:
    machine, found = private_data.Machine.this(), list[private_data.Leak]()
    for run in runs:
        for name, path in bundle_files.sources(run).items():
            where = f"{run.name}/{path.relative_to(run.folder)}"
            if name.endswith(".zst"):
                found += private_data.in_journal(path, where, machine)
            elif path.exists():
                found += private_data.in_document(path.read_bytes(), where, machine)
    found += private_data.in_document(canonical_json(declared), "the declarations", machine)
    for what, offset in private_data.in_bytes(readme, machine):
        found.append(private_data.Leak(what, README, readme.count(b"\n", 0, offset) + 1))
    for leak in found[:_SHOWN]:
        line = f" line {leak.line}" if leak.line else ""
        record = f" ({leak.record})" if leak.record else ""
        advice = "take it out"
        if leak.line and leak.where != README:
            advice = "revoke it if it is real and run that sample again; a changed record would not verify"
        yield f"{leak.what} stands in {leak.where}{line}{record}: {advice}"
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN} more secrets"


def _write(wish: Wish, runs: Sequence[Run], declared: Values, readme: bytes, output: Path) -> PackedBundle:
    near = output.absolute().parent
    fix = "make room, or choose another place with -O"
    with (
        trying("write the bundle", near, fix, BundleError),
        tempfile.TemporaryDirectory(prefix=".suite-pack-", dir=near) as scratch,
    ):
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
        board = wish.board
        most = SizeLimits().archive if board is None else board.limits.bundle_mib * MIB
        if size > most:
            whose = f"board {board.id}" if board is not None else "verifying"
            raise ConfigError.of("board.pack.too-big", size=size / MIB, whose=whose, most=most / MIB)
        if wish.folder and output.exists():
            if any(output.iterdir()) and not (output / SUBMISSION).is_file():
                raise BundleError.of("board.pack.no-bundle", output=output)
            shutil.rmtree(output)
        made.replace(output)
    inside = [
        f"{bundle_files.run_id(run)}: {len(run.manifest.cells)} cells of "
        + ", ".join(dict.fromkeys(cell.task for cell in run.manifest.cells))
        + f", scoring {run.scoring}"
        for run in runs
    ]
    content = sum(one.content_bytes for one in listed)
    return PackedBundle(identity, output, size, content, tuple(sorted(inside)))


def _check(staged: Path) -> None:
    """Open what was staged as a stranger would. Raises BundleError naming what is wrong with the runs."""
    findings = Findings()
    with open_bundle(staged, findings):
        pass
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        lines = [f"- {one.where} {one.sample}: {one.what} [{one.code}]" for one in errors[:_SHOWN]]
        more = [f"and {findings.errors - _SHOWN} more"] if findings.errors > _SHOWN else []
        raise BundleError.of("board.pack.damaged", lines="\n  ".join([*lines, *more]))


def reasons(runs: Sequence[Run], board: Board | None) -> list[str]:
    """Every reason against submitting these runs together, naming run or cell; [] if there is none."""
    limits = {item.limit for item in board.tasks} if board is not None else set()
    unfit = [f"{run.name}: {why}" for run in runs for why in _unfit(run, limits)]
    missing = [] if board is None else _missing(runs, board)
    return [*unfit, *_candidates(runs), *_twice(runs), *_local(runs), *missing]


def _unfit(run: Run, limits: set[int | None]) -> Iterator[str]:
    manifest = run.manifest
    if manifest.imported:
        yield "was imported: only runs that the suite made can be verified"
    if manifest.limit is not None and manifest.limit not in limits:
        yield f"took {manifest.limit} groups only (--limit): run it again without"
    if manifest.shard is not None:
        yield "is one shard of a run: run or merge the whole"
    if not manifest.plan:
        yield "was made by a version of the suite that did not record its plan: run it again"
    for task, file in {cell.task: cell.file for cell in manifest.cells if cell.file is not None}.items():
        yield worded("board.pack.file", task=task, file=file)
    if not run.has_results:
        yield f"has no results: its scoring {run.scoring} is not finished: continue it"
        return
    results = run.results
    if results.pending or not results.complete:
        again = "run the same command again" + ", without --until" * bool(run.stopped)
        yield f"is incomplete: {results.pending} samples are pending: {again}"
    scored = {one.cell for one in results.cells}
    for cell in manifest.cells:
        if cell.cell not in scored:
            yield f"cell {cell.cell} of {cell.task} is not in the results"
    if run.candidate is None:
        yield "has no candidate: there is no model to submit"


def _spec(run: Run) -> str:
    return "" if run.candidate is None else run.candidate.spec


def _candidates(runs: Sequence[Run]) -> list[str]:
    by_candidate: dict[bytes, list[Run]] = defaultdict(list)
    for run in runs:
        measured = [member_identity(one, ("url",)) for one in run.manifest.roles.get("candidate", ())]
        by_candidate[canonical_json(measured)].append(run)
    if len(by_candidate) < 2:
        return []
    some = [(", ".join(run.name for run in of), _spec(of[0]) or "none") for of in by_candidate.values()]
    told = "; ".join(f"{names}: {spec}" for names, spec in some)
    alike = len(set(map(_spec, runs))) == 1
    how = " (one name, but another revision, engine or sampling)" if alike else ""
    return [f"the runs are of different candidates{how}: {told}"]


def _twice(runs: Sequence[Run]) -> list[str]:
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        for cell in run.manifest.cells:
            where[cell.cell, cell.task].append(f"{run.name}@{run.scoring}")
    return [
        f"cell {cell} of {task} stands in {', '.join(some)}: choose one"
        for (cell, task), some in where.items()
        if len(some) > 1
    ]


def _local(runs: Sequence[Run]) -> Iterator[str]:
    """Cells that were scored with something of this machine, which nobody else has."""
    for run in runs:
        tasks = {one.cell: one.task for one in run.manifest.cells}
        for cell in run.scoring_manifest.cells:
            try:
                kind = load_task(catalogue(), tasks.get(cell.cell, ""))[0].parameters_type()
            except SuiteError:
                continue  # said elsewhere: a board that cannot be resolved, a plugin that verifying lacks
            for name, value in local_values(kind, cell.score_parameters).items():
                yield worded("board.pack.local", run=run, cell=cell, name=name, value=value)


def _missing(runs: Sequence[Run], board: Board) -> Iterator[str]:
    try:
        wanted = board.cells(catalogue())
    except SuiteError as error:
        yield f"board {board.id} cannot be resolved here: {error.what}"
        return
    here = {one.cell: one.score_parameters for run in runs for one in run.scoring_manifest.cells}
    for key, cells in wanted.items():
        for cell in cells:
            asks = f"board {board.id} asks for {key}: cell {cell.id}"
            if cell.id not in here:
                yield f"{asks} is missing: {_told(cell.plan.parameters)}"
            elif here[cell.id] != cell.plan.score_parameters:
                told = _told(cell.plan.score_parameters)
                yield f"{asks} was scored with other parameters than {told}"


def _told(parameters: Values) -> str:
    return json.dumps(parameters, sort_keys=True, ensure_ascii=False)
