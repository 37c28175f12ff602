"""What makes runs unfit to be submitted, all of it at once: unfinished, partial, mixed, missing, twice.

Not here: declarations (`declarations`), secrets (`private_data`), damage (found by opening what was packed).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from suite.board.bundle.documents_check import member_identity
from suite.chat import canonical_json
from suite.errors import SuiteError
from suite.journal.run import Run
from suite.journal.shapes import Values

if TYPE_CHECKING:
    from suite.board.define.board import Board


def reasons(runs: Sequence[Run], board: "Board | None") -> list[str]:
    """Every reason against submitting these runs together, naming run or cell; [] if there is none."""
    limits = {item.limit for item in board.tasks} if board is not None else set()
    found = [f"{run.name}: {why}" for run in runs for why in _unfit(run, limits)]
    found += _candidates(runs)
    found += _twice(runs)
    found += _local(runs)
    if board is not None:
        found += _missing(runs, board)
    return found


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
        yield (
            f"ran {task} from {file.name}, which nobody else can install: make a distribution of it "
            f"(`suite plugin new NAME --from {file.name}`), install it and run that"
        )
    if not run.has_results:
        yield f"has no results: its scoring {run.scoring} is not finished: continue it"
        return
    results = run.results
    if results.pending or not results.complete:
        yield f"is incomplete: {results.pending} samples are pending: run the same command again"
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
        members = run.manifest.roles.get("candidate", ())
        measured = [member_identity(one, ("url",)) for one in members]
        by_candidate[canonical_json(measured)].append(run)
    if len(by_candidate) < 2:
        return []
    told = "; ".join(
        f"{', '.join(run.name for run in some)}: {_spec(some[0]) or 'none'}" for some in by_candidate.values()
    )
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
    from suite.plugins import catalogue
    from suite.run.cells import load_task, local_values

    for run in runs:
        tasks = {one.cell: one.task for one in run.manifest.cells}
        for cell in run.scoring_manifest.cells:
            try:
                kind = load_task(catalogue(), tasks.get(cell.cell, ""))[0].parameters_type()
            except SuiteError:
                continue  # said elsewhere: a board that cannot be resolved, a plugin that verifying lacks
            for name, value in local_values(kind, cell.score_parameters).items():
                yield (
                    f"{run.name}: cell {cell.cell} was scored with {name}={value}, which only this "
                    f"machine has: score it again with the usual one (`suite score -P {name}=`)"
                )


def _missing(runs: Sequence[Run], board: "Board") -> Iterator[str]:
    from suite.plugins import catalogue

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
