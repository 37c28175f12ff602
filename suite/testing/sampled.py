"""Checks of a task's samples: ids, groups, laziness, tags. They need data, but no models."""

import json
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Literal, get_args, get_origin

from pydantic import ValidationError

from suite.data.rows import Raw
from suite.data.view import DataView
from suite.errors import PluginError, SuiteError
from suite.parameters import SkipCell
from suite.run.cells import Cell
from suite.run.records import payload_sha256
from suite.task import AnySample, Data
from suite.testing.bench import Bench
from suite.testing.subject import Skip, Subject

MOST_VARIANTS = 12
FEW = 10  # samples below which laziness cannot be told
Facts = tuple[str, str, str, tuple[tuple[str, str], ...], str]


def samples(bench: Bench) -> Iterator[str]:
    """Samples are there, equal each time they are read, with distinct ids and contiguous groups."""
    for cell, data in _cells(bench.subject):
        found = list(cell.task.samples(data))
        if not found:
            yield f"{_name(cell)}: no samples"
            continue
        yield from _well_formed(cell, found)
        first = [_facts(one) for one in found]
        second = [_facts(one) for one in cell.task.samples(data)]
        if first != second:
            where = next(
                (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
                min(len(first), len(second)),
            )
            yield f"{_name(cell)}: read again, the samples are others from number {where} on"
        yield from _contiguous(cell, found)


def _well_formed(cell: Cell, found: list[AnySample]) -> Iterator[str]:
    seen: set[str] = set()
    for one in found:
        if not isinstance(one.id, str) or not one.id or "\n" in one.id:
            yield f"{_name(cell)}: {one.id!r} is no sample id"
        if one.id in seen:
            yield f"{_name(cell)}: the sample id {one.id!r} comes twice"
        seen.add(one.id)
        if one.trial or one.seed:
            yield f"{_name(cell)}: sample {one.id!r} sets trial or seed, which belong to the runner"
        for tag, value in one.tags.items():
            if type(tag) is not str or type(value) is not str:
                yield f"{_name(cell)}: tag {tag!r} of sample {one.id!r} is {value!r}, not text"
        references = cell.task.references(one)
        if isinstance(references, str) or any(not isinstance(text, str) for text in references):
            yield f"{_name(cell)}: the references of sample {one.id!r} are no texts"
        try:
            payload_sha256(one.payload)
        except PluginError as error:
            yield f"{_name(cell)}: sample {one.id!r}: {error.what}"
            return


def _contiguous(cell: Cell, found: list[AnySample]) -> Iterator[str]:
    seen: set[str] = set()
    for group, _ in groupby(one.group for one in found):
        if group in seen:
            yield f"{_name(cell)}: group {group!r} comes back after another"
            return
        seen.add(group)


def stable_ids(bench: Bench) -> Iterator[str]:
    """No id contains a parameter, and all cells have their common groups in one order."""
    subject = bench.subject
    default, *others = _cells(subject, variants=True)
    ids, groups = _ids(*default)
    for cell, data in others:
        theirs, their_groups = _ids(cell, data)
        if not set(ids) & set(theirs):
            for name, value in cell.plan.parameters.items():
                before = default[0].plan.parameters.get(name)
                if value == before:
                    continue
                if {_without(one, value) for one in theirs} & {_without(one, before) for one in ids}:
                    yield f"sample ids contain the parameter {name!r}: {theirs[0]!r} and {ids[0]!r}"
        common = set(groups) & set(their_groups)
        if [one for one in groups if one in common] != [one for one in their_groups if one in common]:
            yield f"{_name(cell)} has its groups in another order than {_name(default[0])}"


def _without(text: str, value: object) -> str:
    return text.replace(str(value), "") if value not in (None, "") else text


def _ids(cell: Cell, data: Data) -> tuple[list[str], list[str]]:
    found = [(one.id, one.group) for one in cell.task.samples(data)]
    return [one for one, _ in found], list(dict.fromkeys(group for _, group in found))


def lazy(bench: Bench) -> Iterator[str]:
    """The first sample is there before all data was read."""
    told = False
    for cell, data in _cells(bench.subject):
        counted, read = _counted(data)
        taken = list(islice(cell.task.samples(counted), 1))
        first = len(read)
        rest = cell.task.samples(counted)
        if isinstance(rest, list | tuple) and len(rest) > FEW:
            told = True
            yield f"{_name(cell)}: samples() returns a {type(rest).__name__} of {len(rest)}; yield them"
            continue
        read.clear()
        total = sum(1 for _ in rest)
        if not taken or total < FEW or len(read) < FEW:
            continue
        told = True
        if first >= len(read):
            yield f"{_name(cell)}: all {first} rows were read before the first sample"
    if not told:
        raise Skip(f"fewer than {FEW} samples or rows, so nothing can be told")


def _counted(data: DataView) -> tuple[DataView, list[str]]:
    """The data, and what grows by one with each row that is read of it."""
    read: list[str] = []

    def note(name: str, row: Raw) -> Raw:
        read.append(name)
        return row

    return data.changed(note), read


def _cells(subject: Subject, variants: bool = False) -> list[tuple[Cell, DataView]]:
    """Cells with their data: those that are run, or the defaults and what one other value makes of them."""
    cells = _variants(subject) if variants else subject.chosen_cells
    plan = subject.samples_plan(cells)
    return [(cell, plan.data[cell.id]) for cell in plan.cells]


def _variants(subject: Subject) -> list[Cell]:
    """The first chosen cell, and for each parameter the cell with another value of it, if there is one."""
    base = subject.chosen_cells[0]
    found = {base.id: base}
    for name, field in subject.task.parameters_type().model_fields.items():
        for value in _other_values(field.annotation, base.plan.parameters.get(name)):
            values = {**base.plan.parameters, **base.plan.score_parameters, name: value}
            try:
                cell = subject.cell(values)
                subject.samples_plan([cell])
            except (ValidationError, SkipCell, SuiteError):
                continue  # the value does not go with the others
            found.setdefault(cell.id, cell)
    return list(found.values())[:MOST_VARIANTS]


def _other_values(annotation: object, now: object) -> list[object]:
    if isinstance(now, bool):
        return [not now]
    if isinstance(now, int):
        return [now + 1, max(now - 1, 0)]
    arms = [annotation, *get_args(annotation)]
    return [value for arm in arms if get_origin(arm) is Literal for value in get_args(arm) if value != now]


def _facts(one: AnySample) -> Facts:
    return (one.id, one.group, one.cluster, tuple(sorted(one.tags.items())), payload_sha256(one.payload))


def _name(cell: Cell) -> str:
    return json.dumps(cell.plan.parameters, ensure_ascii=False)
