"""What makes runs unfit to be submitted, all of it at once: unfinished, partial, mixed, missing, twice.

Not here: declarations (`declarations`), secrets (`private_data`), damage (found by opening what was packed).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from suite.board.bundle.documents_check import member_identity
from suite.chat import canonical_json
from suite.compare.loading import ComparedRun
from suite.errors import SuiteError
from suite.journal.reading import read_json

if TYPE_CHECKING:
    from suite.board.define.board import Board


def reasons(runs: Sequence[ComparedRun], board: "Board | None") -> list[str]:
    """Every reason against submitting these runs together, naming run or cell; [] if there is none."""
    limits = {item.limit for item in board.tasks} if board is not None else set()
    found = [f"{run.name}: {why}" for run in runs for why in _unfit(run, limits)]
    found += _candidates(runs)
    found += _twice(runs)
    found += _local(runs)
    if board is not None:
        found += _missing(runs, board)
    return found


def _unfit(run: ComparedRun, limits: set[int | None]) -> Iterator[str]:
    manifest = run.manifest
    if manifest.get("imported"):
        yield "was imported: only runs that the suite made can be verified"
    if manifest.get("limit") is not None and manifest["limit"] not in limits:
        yield f"took {manifest['limit']} groups only (--limit): run it again without"
    if manifest.get("shard") is not None:
        yield "is one shard of a run: run or merge the whole"
    if "plan" not in manifest:
        yield "was made by a version of the suite that did not record its plan: run it again"
    if not (run.journal.folder / "results.json").exists():
        yield f"has no results: its scoring {run.scoring} is not finished: continue it"
        return
    results = read_json(run.journal.folder / "results.json")
    if results.get("pending") or not results.get("complete"):
        yield f"is incomplete: {results.get('pending')} samples are pending: run the same command again"
    scored = {one["cell"] for one in results.get("cells", ())}
    for cell in run.cells:
        if cell["cell"] not in scored:
            yield f"cell {cell['cell']} of {cell['task']} is not in the results"
    if not run.candidate:
        yield "has no candidate: there is no model to submit"


def candidate_of(run: ComparedRun) -> Any:
    """Who was measured and how, as far as it may not differ between runs of a submission."""
    members = run.manifest.get("roles", {}).get("candidate", ())
    return [member_identity(one, ("url",)) for one in members]


def _candidates(runs: Sequence[ComparedRun]) -> list[str]:
    by_candidate: dict[bytes, list[ComparedRun]] = defaultdict(list)
    for run in runs:
        by_candidate[canonical_json(candidate_of(run))].append(run)
    if len(by_candidate) < 2:
        return []
    told = "; ".join(
        f"{', '.join(run.name for run in some)}: {some[0].candidate or 'none'}"
        for some in by_candidate.values()
    )
    alike = len({run.candidate for run in runs}) == 1
    how = " (one name, but another revision, engine or sampling)" if alike else ""
    return [f"the runs are of different candidates{how}: {told}"]


def _twice(runs: Sequence[ComparedRun]) -> list[str]:
    where: dict[str, list[str]] = defaultdict(list)
    task: dict[str, str] = {}
    for run in runs:
        for cell in run.cells:
            where[cell["cell"]].append(f"{run.name}@{run.scoring}")
            task[cell["cell"]] = cell["task"]
    return [
        f"cell {cell} of {task[cell]} stands in {', '.join(some)}: choose one"
        for cell, some in where.items()
        if len(some) > 1
    ]


def _local(runs: Sequence[ComparedRun]) -> Iterator[str]:
    """Cells that were scored with something of this machine, which nobody else has."""
    from suite.plugins import catalogue
    from suite.run.cells import load_task, local_values

    for run in runs:
        for cell in run.scoring_manifest.get("cells", ()):
            task = next((one["task"] for one in run.cells if one["cell"] == cell["cell"]), "")
            try:
                kind = load_task(catalogue(), task)[0].parameters_type()
            except SuiteError:
                continue  # said elsewhere: a board that cannot be resolved, a plugin that verifying lacks
            for name, value in local_values(kind, cell["score_parameters"]).items():
                yield (
                    f"{run.name}: cell {cell['cell']} was scored with {name}={value}, which only this "
                    f"machine has: score it again with the usual one (`suite score -P {name}=`)"
                )


def _missing(runs: Sequence[ComparedRun], board: "Board") -> Iterator[str]:
    from suite.plugins import catalogue

    try:
        wanted = board.cells(catalogue())
    except SuiteError as error:
        yield f"board {board.id} cannot be resolved here: {error.what}"
        return
    here: dict[str, Any] = {}
    for run in runs:
        for one in run.scoring_manifest.get("cells", ()):
            here[one["cell"]] = one["score_parameters"]
    for key, cells in wanted.items():
        for cell in cells:
            told = json.dumps(cell.plan.parameters, sort_keys=True, ensure_ascii=False)
            if cell.id not in here:
                yield f"board {board.id} asks for {key}: cell {cell.id} is missing: {told}"
            elif here[cell.id] != cell.plan.score_parameters:
                yield (
                    f"board {board.id} asks for {key}: cell {cell.id} was scored with other parameters than "
                    f"{json.dumps(cell.plan.score_parameters, sort_keys=True, ensure_ascii=False)}"
                )
