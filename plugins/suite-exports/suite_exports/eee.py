"""A run as Every Eval Ever's two files: data/COLLECTION/DEVELOPER/MODEL/UUID.json and UUID_samples.jsonl.

One aggregate a run. The same run gives the same names and bytes. Samples without a number have no row (the
format knows no null score) and are counted. Validate what was written with their own package, in an
environment of its own: `every_eval_ever validate 'data/*/*/*/*.json*'`. Not here: the format's schemas
(`eee_schema`), the mapping (`eee_parts`, `eee_results`, `eee_rows`).
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

import suite
from suite_exports.eee_parts import candidate_of, collection_of, component, licence_of, model_id, model_info
from suite_exports.eee_results import Target, across_results, cell_results, targets_of
from suite_exports.eee_rows import Samples
from suite_exports.eee_schema import AGGREGATE, ROW, VERSION, Fields, Unfit, check_results, encoded, fields
from suite_exports.exporters import EveryEvalEverOptions
from suite_exports.texts import moment


def write_eee(run: suite.ExportedRun, folder: Path, told: EveryEvalEverOptions) -> suite.Export:
    """Write both files below a folder, the aggregate first.

    Raises ConfigError for a run that cannot be told about (no developer in the model's name), RunError where
    its records do not fit the format or a file cannot be written.
    """
    member = candidate_of(run)
    identity = model_id(member, told.model_id)
    collection = collection_of(run, told.collection)
    developer, _, name = identity.partition("/")
    place = f"data/{collection}/{component(developer)}/{component(name)}"
    unique, evaluation, seconds = _names(run, identity, collection)
    targets = {cell.id: targets_of(run, task, cell) for task in run.summary.tasks for cell in task.cells}
    walk = Samples(run, evaluation, identity, targets)
    try:
        path = folder / place / f"{unique}_samples.jsonl"
        lines = (encoded(row, ROW) + b"\n" for row in walk)
        by_id = {target.result_id: target for some in targets.values() for target in some}
        detail = None
        if told.no_samples:
            for _ in lines:  # counts what is left out all the same
                pass
        elif suite.write_file(path, lines).stat().st_size:
            detail = fields(
                format="jsonl",
                file_path=f"{place}/{path.name}",
                hash_algorithm="sha256",
                checksum=_sha256_of(path),
                total_rows=sum(target.rows for target in by_id.values()),
            )
        else:
            path.unlink()
        results = list(_results(run, walk, by_id))
        check_results(results)
        aggregate = fields(
            schema_version=VERSION,
            evaluation_id=evaluation,
            evaluation_timestamp=run.manifest.created,
            retrieved_timestamp=seconds,
            source_metadata=_source(run, told),
            eval_library=fields(name="suite", version=run.manifest.suite or "unknown"),
            model_info=model_info(member, identity, told.deployment, told.availability),
            evaluation_results=results,
            detailed_evaluation_results=detail,
        )
        body = encoded(aggregate, AGGREGATE, indent=2) + b"\n"
    except Unfit as error:
        raise suite.RunError(
            f"run {run.name} does not fit Every Eval Ever {VERSION}: {error.what}", where=error.where
        ) from error
    paths = [suite.write_file(folder / place / f"{unique}.json", [body]), *([path] if detail else [])]
    return suite.Export(paths, list(_advice(run, by_id.values(), bool(detail), folder)))


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(run: suite.ExportedRun, identity: str, collection: str) -> tuple[str, str, str]:
    """UUID, id and time of the evaluation: from the run alone, so that a second export replaces the first."""
    plan = run.manifest.plan_sha256
    told = "\x1f".join((plan, run.manifest.created, run.scoring, identity, collection))
    unique = uuid.UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=4)
    seconds = int(moment(run.scoring_manifest.started or run.manifest.created).timestamp())
    return str(unique), f"{collection}-{plan[:12]}/{identity}/{seconds}", str(seconds)


def _source(run: suite.ExportedRun, told: EveryEvalEverOptions) -> Fields:
    without = [
        f"{task.name} {cell.label}: {one.name}".replace(" :", ":")
        for task in run.summary.tasks
        for cell in task.cells
        for one in cell.metrics
        if one.value is None and not one.slice
    ]
    details = {"run": run.name, "level": str(run.summary.level)}
    if run.command:
        details["command"] = run.command
    if without:
        details["metrics_without_value"] = "; ".join(without)
    for number, remark in enumerate(one for one in run.summary.remarks if one.weight == "warning"):
        details[f"warning_{number + 1}"] = remark.text
    return fields(
        source_name="suite run",
        source_type="evaluation_run",
        source_organization_name=told.organization,
        evaluator_relationship=told.relationship,
        additional_details=details,
    )


def _results(run: suite.ExportedRun, walk: Samples, by_id: dict[str, Target]) -> Iterator[Fields]:
    plans = {cell.cell: cell for cell in run.manifest.cells}
    for one in run.scoring_manifest.cells:
        if one.cell in plans:
            plans[one.cell] = replace(plans[one.cell], prompts=one.prompts, prompts_sha256=one.prompts_sha256)
    for task in run.summary.tasks:
        for cell in task.cells:
            asked = walk.asked.get(cell.id, set())
            yield from cell_results(run, task, cell, plans[cell.id], asked, by_id)
        yield from across_results(run, task)


def _advice(run: suite.ExportedRun, targets: Iterable[Target], samples: bool, folder: Path) -> Iterator[str]:
    left = sum(len(one.unscored) for one in targets)
    if left:
        yield f"{left:,} unscored values have no row; they are counted in score_details.details"
    numbers = [one for cell in run.results.cells for one in cell.metrics]
    if none := sum(one.value is None for one in numbers):
        yield f"{none:,} of {len(numbers):,} results have no number and are left out"
    if samples:
        licences = {licence_of(one) or "of a file that was given" for one in run.manifest.data.values()}
        licences = licences or {"that of the imported files" if run.manifest.imported else "none is named"}
        texts = "the ids of questions in the place of their texts" if run.withheld else "the data's texts"
        yield f"the samples hold {texts} (licence: {', '.join(sorted(licences))}) and all answers:"
        yield "  see that you may publish them, or write only the numbers with --no-samples"
    yield "to validate, in an environment of its own with Python 3.12 or newer:"
    yield f"  pip install every-eval-ever=={VERSION}; cd {folder}"
    yield "  every_eval_ever validate 'data/*/*/*/*.json*'"
