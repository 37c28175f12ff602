"""A run folder made of result files from elsewhere, by an importer that a plugin brings.

An importer (Entry kind "importer") is a function of a path that yields a mapping in the form of
`ImportedRecord` for each sample; {"note": text}: something to tell about the files; or {"sampling": {name:
value}, "model": its name}: settings with which a model answered. A sample given twice is an error that names
both places.

The run is marked imported in its manifest, its results and each output: its answers cannot be checked
against calls, since there are none. Metrics are computed by today's code from the values given.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec.structs import asdict, replace

import suite
from suite.chat import Json, Reply, canonical_json, sha256_hex
from suite.data.text_files import Once
from suite.errors import ConfigError, DataError, NotFound, PluginError, SuiteError, unknown
from suite.journal import documents
from suite.journal.document_files import write_document
from suite.journal.index import digest64
from suite.journal.journal_file import JournalFile
from suite.journal.records import FORMAT, AttemptRecord, OutputRecord, Record, ScoreRecord, grouping
from suite.journal.run import SAMPLES, Run
from suite.models.reasoning import separated, tags_of
from suite.plugins import Catalogue, catalogue
from suite.report.local_site import replaced_folder
from suite.run.cells import Cell, load_task, make_cell
from suite.run.hardware import hardware
from suite.run.imported import payload_of
from suite.run.manifest import cell_records, now, versions
from suite.run.records import judged_hash, payload_sha256
from suite.run.results import make_results
from suite.task import Metric, Output, Part, Value

Importer = Callable[[Path], Iterable[Mapping[str, Json]]]
SCORING = "imported"
LEVEL = 0.95


class ImportedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One sample as an importer gives it.

    parameters: all that the cell is solved with. output: None where there is no answer yet, missing: why;
    hidden reasoning that leads its text is kept beside it. values: by name, {"unscored": reason} for a
    missing one; {} if not scored. model: whose answer it is. judge: {check: {name: text}}, kept as parts of
    the score. payload: as plain data, so that a judge can be asked about it. source, row: the file it came
    from, and where in it.
    """

    task: str
    parameters: dict[str, Json]
    sample: str
    output: Output | None
    missing: str = "not-answered"
    values: dict[str, Value]
    model: str = ""
    group: str = ""
    cluster: str = ""
    trial: int = 0
    tags: dict[str, str] = {}
    judge: dict[str, dict[str, Value]] | None = None
    parts: list[Part] = []
    payload: Json | msgspec.UnsetType = msgspec.UNSET
    source: str = "?"
    row: int | str | None = None

    @property
    def place(self) -> str:
        """The file it came from, and where in it."""
        return self.source + ("" if self.row is None else f", row {self.row}")


def import_run(
    importer: str,
    path: Path,
    folder: Path,
    *,
    model: str = "",
    plugins: Catalogue | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Make a run folder of result files. model: whose answers, where the files hold several models'.

    say: takes what the importer notes about the files.

    Raises NotFound for an unknown importer, task or model, ConfigError for a folder that is taken or for
    several models, DataError for files that are not what the importer reads.
    """
    found = plugins or catalogue()
    read: Importer = found.load("importer", importer)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder.name} is not empty", where=str(folder), fix="name a new folder with -O")
    if not path.exists():
        raise NotFound(f"there is no {path.name}", where=str(path.parent), fix="name a file or folder")
    chosen = _model(_records(read, path, importer, say), model, path)
    with replaced_folder(folder) as building:
        _write(building, _records(read, path, importer), importer, chosen, found, folder.name)
    return folder


def _records(
    read: Importer, path: Path, importer: str, say: Callable[[str], None] | None = None
) -> Iterator[Mapping[str, Json]]:
    try:
        for record in read(path):
            if "note" not in record:
                yield record
            elif say is not None:
                say(str(record["note"]))
    except SuiteError:
        raise
    except Exception as error:  # third-party code: anything may come out
        what = f"importer {importer!r} failed: {type(error).__name__}: {error}"
        raise PluginError(what, where=str(path)) from error


def _model(records: Iterator[Mapping[str, Json]], wanted: str, path: Path) -> str:
    models = dict.fromkeys(str(one.get("model", "")) for one in records if "sampling" not in one)
    if not models:
        raise DataError("the files hold no records", where=str(path))
    if wanted:
        if wanted not in models:
            raise unknown("model", wanted, models, where=str(path))
        return wanted
    if len(models) > 1:
        names = ", ".join(list(models)[:12]) + (", …" if len(models) > 12 else "")
        what = f"the files hold answers of {len(models)} models"
        raise ConfigError(what, names, "make one run for each: --model NAME")
    return next(iter(models))


class _Cells:
    """The cells met so far, by task and parameters."""

    def __init__(self, plugins: Catalogue) -> None:
        self._plugins = plugins
        self._known: dict[bytes, Cell] = {}
        self.by_id: dict[str, Cell] = {}
        self.samples: dict[str, set[str]] = {}
        self.trials = 1
        self.sampling: dict[str, Json] = {}
        self.metrics: dict[str, Sequence[Metric]] = {}

    def of(self, record: ImportedRecord) -> Cell:
        key = canonical_json([record.task, record.parameters])
        if key not in self._known:
            task, plugin = load_task(self._plugins, record.task)
            try:
                parameters = task.parameters_type().model_validate(record.parameters)
            except ValueError as error:
                raise DataError(
                    f"{record.task} has no such parameters: {error}", where=record.source
                ) from error
            self._known[key] = cell = make_cell(task(parameters), plugin)
            self.by_id[cell.id] = cell
            self.metrics[task.info.name] = task.metrics
        return self._known[key]


def _write(
    folder: Path,
    records: Iterator[Mapping[str, Json]],
    importer: str,
    model: str,
    plugins: Catalogue,
    name: str,
) -> None:
    scoring = folder / "scorings" / SCORING
    scoring.mkdir(parents=True)
    cells, groups, brought = _Cells(plugins), set[int](), set[tuple[str, str]]()
    once = Once("sample", "leave one of them out: a folder with copies gives every sample twice")
    digest = hashlib.sha256()
    with ExitStack() as stack:
        files: dict[Path, JournalFile] = {}
        samples = stack.enter_context((folder / SAMPLES).open("wb"))

        def put(path: Path, record: Record) -> None:
            if path not in files:
                files[path] = JournalFile(path)
                stack.callback(files[path].close)
            files[path].append(record)

        for given in records:
            if given.get("model") != model:
                continue
            digest.update(canonical_json(dict(given)))
            if isinstance(sampling := given.get("sampling"), dict):
                cells.sampling |= sampling
                continue
            try:
                record = msgspec.convert(dict(given), ImportedRecord)
                cell = cells.of(record)
                cells.trials = max(cells.trials, record.trial + 1)
                told = record.payload
                payload = None if told is msgspec.UNSET else payload_of(type(cell.task), told)
                made = list(_made(record, cell.id, payload))
            except (TypeError, ValueError) as error:
                what = f"importer {importer!r} gave a record that is not in its form: {error}"
                raise DataError(what, where=str(given.get("source", ""))) from error
            trial = [f"trial {record.trial}"] if record.trial else []
            once.add((record.sample, f"of cell {cell.id}", *trial), record.place)
            groups.add(digest64(record.group or record.sample))
            for file, line in made:
                put(folder / file, line)
            cells.samples.setdefault(cell.id, set()).add(record.sample)
            if (
                record.output is not None
                and told is not msgspec.UNSET
                and (at := (cell.id, record.sample)) not in brought
            ):
                brought.add(at)
                row: dict[str, Json] = {"cell": cell.id, "sample": record.sample, "payload": told}
                samples.write(canonical_json(row) + b"\n")
    if not (folder / SAMPLES).stat().st_size:
        (folder / SAMPLES).unlink()
    source = documents.ImportSource(importer=importer, model=model, sha256=digest.hexdigest())
    manifest = _manifest(cells, source, len(groups), name)
    write_document(folder / "manifest.json", manifest)
    write_document(scoring / "manifest.json", _scoring_manifest(manifest))
    write_document(scoring / "results.json", make_results(Run(folder, SCORING), cells.metrics, level=LEVEL))


def _made(record: ImportedRecord, cell: str, payload: object) -> Iterator[tuple[str, Record]]:
    """Output and score of a record, or why one is missing, each with its file."""

    def missing(stage: str, kind: str) -> tuple[str, Record]:
        pending = AttemptRecord(0.0, "pending", kind, cell, record.sample, record.trial, stage)
        return "attempts.jsonl", pending

    if record.output is None:
        yield missing("solve", record.missing)
        return
    reply = separated(Reply(record.output.text, record.output.finish), tags_of())
    output = Output(reply.text, record.output.data, reply.finish)
    group, cluster = grouping(record.sample, record.group, record.cluster)
    written = OutputRecord(
        cell=cell, sample=record.sample, trial=record.trial, group=group, cluster=cluster, tags=record.tags,
        payload_sha256="" if payload is None else payload_sha256(payload), output=output, imported=True,
        reasoning=reply.reasoning,
    )  # fmt: skip
    yield "outputs.jsonl", written
    if not record.values:
        yield missing("score", "not-scored")
        return
    score = ScoreRecord(
        cell=cell,
        sample=record.sample,
        trial=record.trial,
        output_sha256=judged_hash(output),
        values=record.values,
        parts=[*(Part(check, said) for check, said in (record.judge or {}).items()), *record.parts],
    )
    yield f"scorings/{SCORING}/scores.jsonl", score


def _manifest(cells: _Cells, source: documents.ImportSource, groups: int, name: str) -> documents.RunManifest:
    every = list(cells.by_id.values())
    identity = asdict(source)
    candidate = documents.RoleMember(
        member="candidate", spec=f"imported/{source.model}", stage="solve", needs=(), capabilities=(),
        identity=identity, limits={}, sampling=cells.sampling,
    )  # fmt: skip
    return documents.RunManifest(
        format=FORMAT,
        name=name,
        suite=suite.__version__,
        created=now(),
        plan_sha256=sha256_hex(canonical_json([identity, [cell.id for cell in every]])),
        seed=0,
        trials=cells.trials,
        mini=False,
        limit=None,
        shard=None,
        imported=True,
        imported_from=source,
        prompts="own",
        cells=[
            replace(one, prompts="", note="", replay="none")  # whose prompts they were, the files do not say
            for one in cell_records(every)
        ],
        skipped=(),
        roles={"candidate": [candidate]},
        data={},
        counts=documents.SampleCounts(
            groups=groups,
            groups_taken=groups,
            samples={cell: len(each) for cell, each in cells.samples.items()},
            tags={},
        ),
        versions=versions({cell.plan.plugin.rpartition(" ")[0] for cell in cells.by_id.values()}),
        hardware=hardware(),
    )


def _scoring_manifest(manifest: documents.RunManifest) -> documents.ScoringManifest:
    told = [(one.cell, one.score_parameters) for one in manifest.cells]
    return documents.ScoringManifest(
        format=documents.SCORING_FORMAT,
        scoring=SCORING,
        started=manifest.created,
        run=manifest.name,
        plan_sha256=manifest.plan_sha256,
        level=LEVEL,
        roles={},
        cells=[
            documents.ScoredCell(cell=cell, score_parameters=given, prompts="", prompts_sha256="", facts={})
            for cell, given in told
        ],
    )
