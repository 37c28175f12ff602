"""The samples of a run as flat records, sorted, whatever the size of the run.

One record a sample and trial: what it was, what was answered, every value, what its calls cost. Sorting
spills to disk, so that memory stays bounded and the same run gives the same records in the same order.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO, TypeVar

import msgspec
from msgspec.structs import asdict

from suite.chat import Json, text_of
from suite.data.entry import Licence
from suite.data.registry import Registry
from suite.errors import SuiteError
from suite.journal.documents import CellRecord
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.plugins import catalogue
from suite.report.remarks import parameters_of
from suite.report.traces import question
from suite.run.records import output_sha256
from suite.run.reopen import tasks_of
from suite.task import Output, Part, Unscored, Value

CHUNK = 20_000  # records sorted in memory at a time

RowT = TypeVar("RowT")
SortKey = tuple[int | str, ...]
Scalar = str | int | float | bool | None  # of a flat table
FlatRow = dict[str, Scalar]


class SampleUsage(msgspec.Struct, frozen=True):
    """What the calls of solving a sample cost; a call that several samples share counts for each."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    latency_ms: float | None


class SampleRow(msgspec.Struct, frozen=True):
    """One sample and trial: what it was, what was answered, every value. values: None where not scored.
    question: None where a licence of the data forbids passing rows on (`withheld`); the id names its row."""

    run: str
    task: str
    version: int
    cell: str
    parameters: Mapping[str, Json]
    sample: str
    trial: int
    group: str
    cluster: str
    tags: Mapping[str, str]
    finish: str
    question: str | None
    question_id: str
    answer: str
    data: Json
    values: Mapping[str, Value] | None
    parts: Sequence[Part]
    output_sha256: str
    usage: SampleUsage
    model: str
    model_revision: str
    judge: str

    @property
    def key(self) -> Key:
        """Which record it is."""
        return Key(self.cell, self.sample, self.trial)


def columns_of(run: Run) -> list[str]:
    """All columns of a flat table; one pass over the journal for the names of values and tags."""
    values = sorted({name for score in run.scores() for name in score.values})
    tags = sorted({name for output in run.outputs() for name in output.tags})
    parameters = dict.fromkeys(name for cell in run.manifest.cells for name in parameters_of(cell))
    return [
        *("run", "task", "version", "cell", "model", "model_revision", "sample", "trial", "group", "cluster"),
        *(f"parameter.{name}" for name in parameters),
        *(f"tag.{name}" for name in tags),
        *("finish", "question", "question_id", "answer"),
        *(column for name in values for column in (f"value.{name}", f"unscored.{name}")),
        *("output_sha256", "calls", "prompt_tokens", "completion_tokens", "latency_ms", "judge"),
    ]


def records(run: Run) -> Iterator[SampleRow]:
    """The samples, by cell in the plan's order, then by id and trial."""
    cells = {cell.cell: (place, cell) for place, cell in enumerate(run.manifest.cells)}
    passes_on = not withheld(run)

    def made() -> Iterator[tuple[SortKey, SampleRow]]:
        for output in run.outputs():
            if output.cell in cells:
                place, cell = cells[output.cell]
                yield (place, output.sample, output.trial), _row(run, output, cell, passes_on)

    return in_order(made(), SampleRow)


def sample_row(run: Run, output: OutputRecord) -> SampleRow:
    """One sample, for whoever has the run: with its question, under any licence."""
    cell = next(one for one in run.manifest.cells if one.cell == output.cell)
    return _row(run, output, cell, passes_on=True)


def withheld(run: Run) -> list[str]:
    """The datasets of a run whose licence forbids passing rows on: exports name their questions by id alone.

    A file or run that somebody gave is theirs to pass on. Where an entry is not known here, the licence that
    the manifest records decides.
    """
    data, registry = run.manifest.data, Registry(catalogue().registry_folders())
    if run.manifest.imported and not data:  # an importer names none: those of the tasks count
        data = {name: {"entry": name} for task in tasks_of(run).values() for name in task.info.datasets}
    return [name for name, one in data.items() if not _open(one, registry)]


def _open(identity: Values, registry: Registry) -> bool:
    if identity.get("source") in ("file", "run"):
        return True
    try:
        return registry.dataset(str(identity.get("entry"))).licence.open
    except SuiteError:
        told = identity.get("licence")
        return isinstance(told, dict) and Licence(name=str(told.get("name") or "unknown")).open


def revision_of(run: Run) -> str:
    """The candidate's revision, as its engine told it; "" if it told none."""
    return ", ".join(str(one.identity.get("revision") or "") for one in run.roles.get("candidate", ()))


def _row(run: Run, output: OutputRecord, cell: CellRecord, passes_on: bool) -> SampleRow:
    score = run.score(Key.of(output))
    whole = Output(run.text(output), output.output.data, output.output.finish)
    return SampleRow(
        run.name,
        cell.task,
        cell.version,
        output.cell,
        parameters_of(cell, run.scored_cells.get(cell.cell)),
        output.sample,
        output.trial,
        output.group,
        output.cluster,
        output.tags,
        whole.finish,
        question(run, output) if passes_on else None,
        output.sample,
        whole.text,
        whole.data,
        None if score is None else score.values,
        () if score is None else score.parts,
        "" if score is None else output_sha256(whole),
        _usage(run, output),
        run.specs("candidate"),
        revision_of(run),
        run.specs("judge"),
    )


def _usage(run: Run, output: OutputRecord) -> SampleUsage:
    found = [one.call for identity in output.calls if (one := run.call(identity))]
    timed = [call for call in found if not call.cached and call.times[1] > call.times[0]]
    return SampleUsage(
        len(output.calls),
        sum(call.reply.usage.prompt for call in found),
        sum(call.reply.usage.completion for call in found),
        round(1000 * sum(call.times[1] - call.times[0] for call in timed), 1) if timed else None,
    )


class _Spilled(msgspec.Struct, array_like=True):
    key: SortKey
    row: msgspec.Raw


def in_order(pairs: Iterable[tuple[SortKey, RowT]], kind: type[RowT], chunk: int = CHUNK) -> Iterator[RowT]:
    """Records by their keys: sorted in chunks on disk, then merged. Equal keys keep their order."""
    decode = msgspec.json.Decoder(kind).decode

    def read(file: BinaryIO) -> Iterator[tuple[SortKey, RowT]]:
        file.seek(0)
        for line in file:
            spilled = msgspec.json.decode(line, type=_Spilled)
            yield spilled.key, decode(spilled.row)

    with ExitStack() as stack:
        files = []
        held: list[tuple[SortKey, RowT]] = []
        for pair in pairs:
            held.append(pair)
            if len(held) >= chunk:
                files.append(stack.enter_context(tempfile.TemporaryFile()))
                held.sort(key=lambda one: one[0])
                files[-1].writelines(msgspec.json.encode(one) + b"\n" for one in held)
                held = []
        held.sort(key=lambda one: one[0])
        for _, row in heapq.merge(*map(read, files), held, key=lambda one: one[0]):
            yield row


def flat(row: SampleRow, columns: Sequence[str]) -> FlatRow:
    """A record as one row of a table; every column is there."""
    found = {**asdict(row), **asdict(row.usage)}
    found |= {f"parameter.{name}": scalar(value) for name, value in row.parameters.items()}
    found |= {f"tag.{name}": value for name, value in row.tags.items()}
    for name, value in (row.values or {}).items():
        found[f"unscored.{name}" if isinstance(value, Unscored) else f"value.{name}"] = (
            value.reason if isinstance(value, Unscored) else value
        )
    return {name: found.get(name) for name in columns}


def scalar(value: Json) -> Scalar:
    """A value of a flat table: itself, or JSON of what has parts."""
    if value is None or isinstance(value, str | int | float):
        return value
    return text_of(value)
