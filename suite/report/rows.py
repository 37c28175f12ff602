"""The samples of a run as flat records, sorted, whatever the size of the run.

One record a sample and trial: what it was, what was answered, every value, what its calls cost. Sorting
spills to disk, so that memory stays bounded and the same run gives the same records in the same order.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from suite.journal.documents import CellRecord
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord
from suite.journal.run import Run
from suite.report.remarks import parameters_of, role_lines
from suite.task import Unscored, Value

CHUNK = 20_000  # records sorted in memory at a time

Row = dict[str, Any]
_FIRST = ("run", "task", "version", "cell", "model", "model_revision", "sample", "trial")


@dataclass(frozen=True)
class Columns:
    """Names that only the records tell: values, tags, swept parameters. In a fixed order."""

    values: tuple[str, ...]
    tags: tuple[str, ...]
    parameters: tuple[str, ...]

    def names(self) -> list[str]:
        """All columns of a flat table."""
        parameters = [f"parameter.{name}" for name in self.parameters]
        tags = [f"tag.{name}" for name in self.tags]
        values = [column for name in self.values for column in (f"value.{name}", f"unscored.{name}")]
        last = ["output_sha256", "calls", "prompt_tokens", "completion_tokens", "latency_ms", "judge"]
        return [*_FIRST, "group", "cluster", *parameters, *tags, "finish", "answer", *values, *last]


def columns_of(run: Run) -> Columns:
    """One pass over the journal for the names of values and tags."""
    values: set[str] = set()
    tags: set[str] = set()
    for score in run.scores():
        values.update(score.values)
    for output in run.outputs():
        tags.update(output.tags)
    parameters = dict.fromkeys(name for cell in run.manifest.cells for name in parameters_of(cell))
    return Columns(tuple(sorted(values)), tuple(sorted(tags)), tuple(parameters))


def records(run: Run) -> Iterator[Row]:
    """The samples, by cell in the plan's order, then by id and trial.

    Keys: run, task, version, cell, parameters, model, model_revision, sample, trial, group, cluster, tags,
    finish, answer, data, values, parts, output_sha256, usage (calls, prompt_tokens, completion_tokens,
    latency_ms), judge.
    `values` is None where the sample is not scored; an unscored value is {"unscored": reason}.
    """
    cells = {cell.cell: (place, cell) for place, cell in enumerate(run.manifest.cells)}
    judge = ", ".join(one.spec for one in run.roles.get("judge", ()))
    model = ", ".join(spec for member, spec in role_lines(run) if member.partition("/")[0] == "candidate")

    revision = revision_of(run)

    def made() -> Iterator[tuple[tuple[Any, ...], Row]]:
        for output in run.outputs():
            if output.cell not in cells:
                continue
            place, cell = cells[output.cell]
            row = _row(run, output, cell)
            row.update(model=model, model_revision=revision, judge=judge)
            yield (place, output.sample, output.trial), row

    return in_order(made())


def revision_of(run: Run) -> str:
    """The candidate's revision, as its engine told it; "" if it told none."""
    return ", ".join(str(one.identity.get("revision") or "") for one in run.roles.get("candidate", ()))


def _row(run: Run, output: OutputRecord, cell: CellRecord) -> Row:
    score = run.score(Key.of(output))
    return {
        "run": run.name,
        "task": cell.task,
        "version": cell.version,
        "cell": output.cell,
        "parameters": parameters_of(cell, run.scored_cells.get(cell.cell)),
        "sample": output.sample,
        "trial": output.trial,
        "group": output.group,
        "cluster": output.cluster,
        "tags": dict(output.tags),
        "finish": output.output.finish,
        "answer": run.text(output),
        "data": output.output.data,
        "values": None if score is None else dict(score.values),
        "parts": [] if score is None else list(score.parts),
        "output_sha256": "" if score is None else score.output_sha256,
        "usage": _usage(run, output),
    }


def _usage(run: Run, output: OutputRecord) -> dict[str, Any]:
    """What the calls of solving cost; a call that several samples share counts for each."""
    found = [one.call for identity in output.calls if (one := run.call(identity))]
    timed = [call for call in found if not call.cached and call.times[1] > call.times[0]]
    return {
        "calls": len(output.calls),
        "prompt_tokens": sum(call.reply.usage.prompt for call in found),
        "completion_tokens": sum(call.reply.usage.completion for call in found),
        "latency_ms": round(1000 * sum(call.times[1] - call.times[0] for call in timed), 1)
        if timed
        else None,
    }


def in_order(pairs: Iterable[tuple[tuple[Any, ...], Row]], chunk: int = CHUNK) -> Iterator[Row]:
    """Records by their keys: sorted in chunks on disk, then merged. Equal keys keep their order."""
    with ExitStack() as stack:
        files = []
        held: list[tuple[tuple[Any, ...], Row]] = []
        for pair in pairs:
            held.append(pair)
            if len(held) >= chunk:
                files.append(stack.enter_context(tempfile.TemporaryFile()))
                held.sort(key=lambda one: one[0])
                files[-1].writelines(msgspec.json.encode(one) + b"\n" for one in held)
                held = []
        held.sort(key=lambda one: one[0])
        if not files:  # the usual case: nothing was spilled
            yield from (msgspec.json.decode(msgspec.json.encode(row)) for _, row in held)
            return
        for file in files:
            file.seek(0)
        streams: list[Iterable[Any]] = [map(msgspec.json.decode, file) for file in files]
        streams.append(msgspec.json.decode(msgspec.json.encode(one)) for one in held)
        for _, row in heapq.merge(*streams, key=lambda one: one[0]):
            yield row


def flat(row: Row, columns: Columns) -> Row:
    """A record as one row of a table; every column is there."""
    found: Row = {name: row[name] for name in (*_FIRST, "group", "cluster")}
    for name in columns.parameters:
        found[f"parameter.{name}"] = _scalar(row["parameters"].get(name))
    for name in columns.tags:
        found[f"tag.{name}"] = row["tags"].get(name)
    found |= {"finish": row["finish"], "answer": row["answer"]}
    values = row["values"] or {}
    for name in columns.values:
        value = values.get(name)
        reason = value["unscored"] if isinstance(value, dict) else None
        found[f"value.{name}"] = value if reason is None else None
        found[f"unscored.{name}"] = reason
    return found | {"output_sha256": row["output_sha256"], **row["usage"], "judge": row["judge"]}


def _scalar(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def is_unscored(value: Value | dict[str, Any]) -> bool:
    """Whether a value of a record says that it is unscored."""
    return isinstance(value, Unscored) or (isinstance(value, dict) and "unscored" in value)
