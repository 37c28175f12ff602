"""A run as Every Eval Ever's two files: data/COLLECTION/DEVELOPER/MODEL/UUID.json and UUID_samples.jsonl.

One aggregate a run. The same run gives the same names and bytes. Samples without a number have no row (the
format knows no null score) and are counted. Validate what was written with their own package, in an
environment of its own: `every_eval_ever validate 'data/*/*/*/*.json*'`. Not here: the format's schemas
(`eee_schema`), the mapping (`eee_parts`, `eee_results`, `eee_rows`).
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from suite.data.cache import sha256_of
from suite.errors import RunError
from suite.journal.commands import solving_command
from suite.journal.run import Run
from suite.report.eee_parts import (
    Told,
    candidate_of,
    collection_of,
    component,
    licence_of,
    model_id,
    model_info,
)
from suite.report.eee_results import Target, across_results, cell_results, targets_of
from suite.report.eee_rows import Samples
from suite.report.eee_schema import AGGREGATE, ROW, VERSION, Fields, Unfit, check_results, encoded, fields
from suite.report.numbers import moment
from suite.report.remarks import remarks
from suite.report.rows import withheld
from suite.report.run_reports import made_folder, replace_file
from suite.report.summary import Summary, summarise
from suite.report.tables import exportable
from suite.run.cells import AnyTask
from suite.run.reopen import tasks_of

__all__ = ["Told", "Written", "write_eee"]


@dataclass(frozen=True)
class Written:
    """The paths, the aggregate first, and what to know about them, in lines."""

    paths: list[Path]
    remarks: list[str]


def write_eee(
    run: Run, folder: Path, told: Told, *, samples: bool = True, allow_partial: bool = False
) -> Written:
    """Write both files below a folder; samples: whether with the samples and their texts.

    Raises ConfigError for a run that cannot be exported or told about (no developer in the model's name),
    RunError where its records do not fit the format or a file cannot be written.
    """
    exportable(run, allow_partial)
    member = candidate_of(run)
    identity = model_id(member, told.model_id)
    collection = collection_of(run, told.collection)
    developer, _, name = identity.partition("/")
    place = f"data/{collection}/{component(developer)}/{component(name)}"
    base = made_folder(folder, place)
    unique, evaluation, seconds = _names(run, identity, collection)
    summary = summarise(run)
    made = tasks_of(run)
    targets = {
        cell.id: targets_of(task, cell, made.get(cell.id)) for task in summary.tasks for cell in task.cells
    }
    walk = Samples(run, evaluation, identity, targets)
    try:
        path = base / f"{unique}_samples.jsonl"
        lines = (encoded(row, ROW) + b"\n" for row in walk)
        by_id = {target.result_id: target for some in targets.values() for target in some}
        detail = None
        if not samples:
            for _ in lines:  # counts what is left out all the same
                pass
        elif replace_file(path, lines).stat().st_size:
            detail = fields(
                format="jsonl",
                file_path=f"{place}/{path.name}",
                hash_algorithm="sha256",
                checksum=sha256_of(path),
                total_rows=sum(target.rows for target in by_id.values()),
            )
        else:
            path.unlink()
        results = list(_results(run, summary, made, walk, by_id))
        check_results(results)
        aggregate = fields(
            schema_version=VERSION,
            evaluation_id=evaluation,
            evaluation_timestamp=run.manifest.created,
            retrieved_timestamp=seconds,
            source_metadata=_source(run, told, summary),
            eval_library=fields(name="suite", version=run.manifest.suite or "unknown"),
            model_info=model_info(member, identity, told.deployment, told.availability),
            evaluation_results=results,
            detailed_evaluation_results=detail,
        )
        body = encoded(aggregate, AGGREGATE, indent=2) + b"\n"
    except Unfit as error:
        raise RunError(
            f"run {run.name} does not fit Every Eval Ever {VERSION}: {error.what}", where=error.where
        ) from error
    paths = [replace_file(base / f"{unique}.json", [body]), *([path] if detail else [])]
    return Written(paths, list(_advice(run, by_id.values(), bool(detail), folder)))


def _names(run: Run, identity: str, collection: str) -> tuple[str, str, str]:
    """UUID, id and time of the evaluation: from the run alone, so that a second export replaces the first."""
    plan = run.manifest.plan_sha256
    told = "\x1f".join((plan, run.manifest.created, run.scoring, identity, collection))
    unique = uuid.UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=4)
    seconds = int(moment(run.scoring_manifest.started or run.manifest.created).timestamp())
    return str(unique), f"{collection}-{plan[:12]}/{identity}/{seconds}", str(seconds)


def _source(run: Run, told: Told, summary: Summary) -> Fields:
    without = [
        f"{task.name} {cell.label}: {one.name}".replace(" :", ":")
        for task in summary.tasks
        for cell in task.cells
        for one in cell.metrics
        if one.value is None and not one.slice
    ]
    details = {"run": run.name, "level": str(summary.level)}
    if command := solving_command(run.folder).command:
        details["command"] = command
    if without:
        details["metrics_without_value"] = "; ".join(without)
    for number, remark in enumerate(one for one in remarks(run) if one.weight == "warning"):
        details[f"warning_{number + 1}"] = remark.text
    return fields(
        source_name="suite run",
        source_type="evaluation_run",
        source_organization_name=told.organization,
        evaluator_relationship=told.relationship,
        additional_details=details,
    )


def _results(
    run: Run, summary: Summary, made: Mapping[str, AnyTask], walk: Samples, by_id: dict[str, Target]
) -> Iterator[Fields]:
    plans = {cell.cell: cell for cell in run.manifest.cells}
    for one in run.scoring_manifest.cells:
        if one.cell in plans:
            plans[one.cell] = replace(plans[one.cell], prompts=one.prompts, prompts_sha256=one.prompts_sha256)
    for task in summary.tasks:
        for cell in task.cells:
            asked = walk.asked.get(cell.id, set())
            yield from cell_results(run, task, cell, made.get(cell.id), plans[cell.id], asked, by_id)
        first = next((made[cell.id] for cell in task.cells if cell.id in made), None)
        yield from across_results(run, task, first)


def _advice(run: Run, targets: Iterable[Target], samples: bool, folder: Path) -> Iterator[str]:
    left = sum(len(one.unscored) for one in targets)
    if left:
        yield f"{left:,} unscored values have no row; they are counted in score_details.details"
    numbers = [one for cell in run.results.cells for one in cell.metrics]
    if none := sum(one.value is None for one in numbers):
        yield f"{none:,} of {len(numbers):,} results have no number and are left out"
    if samples:
        licences = {licence_of(one) or "of a file that was given" for one in run.manifest.data.values()}
        texts = "the ids of questions in the place of their texts" if withheld(run) else "the data's texts"
        yield f"the samples hold {texts} (licence: {', '.join(sorted(licences))}) and all answers:"
        yield "  see that you may publish them, or write only the numbers with --no-samples"
    yield "to validate, in an environment of its own with Python 3.12 or newer:"
    yield f"  pip install every-eval-ever=={VERSION}; cd {folder}"
    yield "  every_eval_ever validate 'data/*/*/*/*.json*'"
