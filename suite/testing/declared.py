"""Checks of what a task and its plugin bring: facts, parameters, rows, samples, what announcing costs.

No models. The bundled rows are the one place where nobody pulls, and so nobody would check them; every
`suite` command imports the module that announces a plugin.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from itertools import groupby, islice, zip_longest
from typing import Literal, get_args, get_origin

from pydantic import ValidationError

from suite.chat import canonical_json
from suite.data.cache import Cache
from suite.data.entry import BundledSource
from suite.data.pull import verify
from suite.data.rows import Raw
from suite.data.view import DataView
from suite.errors import NotFound, PluginError, SuiteError
from suite.parameters import SkipCell
from suite.plugins import GROUP
from suite.run.cells import AnyTask, Cell
from suite.run.records import payload_sha256
from suite.scoring.metrics.declared import row_names, rows_of, values_of
from suite.task import AnySample, Data
from suite.task_files import info_problems
from suite.testing.bench import Bench, Skip, Subject

SECONDS = 120.0
# What takes from a tenth of a second to many to import, and is found beside a benchmark.
HEAVY = {
    "anthropic", "datasets", "jax", "keras", "litellm", "matplotlib", "nltk", "numpy", "onnxruntime",
    "openai", "pandas", "polars", "pyarrow", "ray", "scipy", "sentence_transformers", "sklearn", "spacy",
    "tensorflow", "tiktoken", "tokenizers", "torch", "transformers", "vllm", "xllamacpp",
}  # fmt: skip
_CODE = """
import sys
import suite
before = set(sys.modules)
__import__(sys.argv[1])
print("\\n".join(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def metadata(bench: Bench) -> Iterator[str]:
    """Name, version, roles, datasets, headline, metrics and replay are declared as the contract says."""
    subject = bench.subject
    info, task = subject.info, subject.task
    plugin = subject.plugins.find("task", subject.name)[1]
    if plugin.error:
        yield f"the plugin failed to load: {plugin.error}"
    yield from plugin.problems
    yield from info_problems(task)
    if not info.roles:
        yield "no role is declared: who is measured?"
    for name, role in info.roles.items():
        if not role.needs or not all(role.needs):
            yield f"role {name!r} needs no capability"
    if info.replay == "none" and not info.replay_reason.strip():
        yield "replay='none' needs a replay_reason"
    yield from _datasets(subject)
    try:
        rows = row_names(task.metrics)
    except SuiteError as error:
        yield error.what
        return
    if info.headline not in rows:
        yield f"the headline {info.headline!r} is no metric's row; rows: {', '.join(rows) or 'none'}"
    if not any(values_of(rows_of(task.metrics))):
        yield "no metric reads any value"
    if (first := subject.headline) is not None and not hasattr(first, "direction"):
        yield f"the headline metric {info.headline!r} has no direction"


def _datasets(subject: Subject) -> Iterator[str]:
    info = subject.info
    for name in info.mini:
        if name not in info.datasets:
            yield f"mini data stands in for {name!r}, which is no dataset of the task"
    for name in [*info.mini.values(), *filter(None, [info.official_prompts])]:
        try:
            subject.registry.dataset(name)
        except SuiteError as error:
            yield error.what


def parameters(bench: Bench) -> Iterator[str]:
    """Every parameter has a default, survives JSON, and an unknown one is refused."""
    subject = bench.subject
    kind = subject.task.parameters_type()
    for name, field in kind.model_fields.items():
        if field.is_required():
            yield f"parameter {name!r} has no default"
            return
    try:
        kind()
    except SkipCell as skip:
        yield f"the defaults are no cell: {skip.reason}"
        return
    if kind.model_config.get("extra") != "forbid":
        yield "an unknown parameter is not refused: model_config must keep extra='forbid'"
    if not kind.model_config.get("frozen"):
        for name in kind.model_fields:
            yield f"parameter {name!r} can be changed: model_config must keep frozen=True"
    yield from _round_trip(subject, {}, "the defaults")
    for preset, cells in subject.info.presets.items():
        if not cells:
            yield f"preset {preset!r} has no cells"
        for values in cells:
            yield from _round_trip(subject, values, f"preset {preset!r} {dict(values)}")


def advice(task: type[AnyTask]) -> list[str]:
    """What breaks nothing and leaves users puzzled: parameters that `suite tasks show` cannot explain."""
    return [
        f"parameter {name!r} has no help text: write a docstring below it, or description=…"
        for name, field in task.parameters_type().model_fields.items()
        if not (field.description or "").strip()
    ]


def _round_trip(subject: Subject, values: Mapping[str, object], what: str) -> Iterator[str]:
    """Values as they come, as JSON and back are one cell."""
    kind = subject.task.parameters_type()
    try:
        made = kind.model_validate(dict(values))
    except SkipCell:
        return
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        yield f"{what} is not valid: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        return
    told = {**made.solve_values(), **made.score_values()}
    try:
        canonical_json(told)
        again = kind.model_validate(json.loads(json.dumps(told)))
    except (ValidationError, SkipCell, TypeError, ValueError) as error:
        yield f"{what} cannot be read back from JSON: {error}"
        return
    if again != made:
        yield f"{what} is another after a round trip through JSON: {made!r} and {again!r}"
    elif subject.cell(told).id != subject.cell(values).id:
        yield f"{what} is another cell after a round trip through JSON"


def data(bench: Bench) -> Iterator[str]:
    """Bundled rows are as many as their registry entry says, and each keeps to its JSON Schema."""
    info = bench.subject.info
    checked = 0
    for name in dict.fromkeys([*info.datasets, *info.mini.values()]):
        try:
            entry = bench.subject.registry.dataset(name)
        except NotFound:
            continue  # a name that --data fills; `metadata` says where mini data has none
        except SuiteError as error:
            yield str(error)
            continue
        if not isinstance(entry.source, BundledSource):
            continue  # held against its schema when it is pulled
        checked += 1
        yield from (str(error) for error in verify(entry, Cache()))
        for part, told in entry.parts.items():
            if told.row_schema is None:
                yield f"part {part!r} of {name} names no schema: say what a row is"
    if not checked:
        raise Skip("no data comes with the plugin")


def light(bench: Bench) -> Iterator[str]:
    """The module that announces the plugin imports nothing heavy: every `suite` command reads it."""
    subject = bench.subject
    plugin = subject.plugins.find("task", subject.name)[1]
    modules = [point.module for point in entry_points(group=GROUP) if point.name == plugin.name]
    if not modules:
        raise Skip("the task is not announced by an installed plugin")
    for module in dict.fromkeys(modules):
        command = [sys.executable, "-c", _CODE, module]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            yield f"importing {module} failed: {last}"
            continue
        for name in sorted(HEAVY & set(done.stdout.split())):
            yield f"importing {module} imports {name}: import it in the module that uses it"


MOST_VARIANTS = 12
FEW = 10  # samples below which laziness cannot be told


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
            where = next(i for i, (a, b) in enumerate(zip_longest(first, second)) if a != b)
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
                before = getattr(default[0].task.parameters, name)
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
        for value in _other_values(field.annotation, getattr(base.task.parameters, name)):
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


def _facts(one: AnySample) -> tuple[object, ...]:
    return (one.id, one.group, one.cluster, tuple(sorted(one.tags.items())), payload_sha256(one.payload))


def _name(cell: Cell) -> str:
    return json.dumps(cell.plan.parameters, ensure_ascii=False)
