"""The plan of a run: cells, samples, models and data, resolved and checked before anything is paid for.

A plan is printable and hashable; the same plan continues the same run. Making it reads the samples once,
as a stream: it counts them, draws the groups of a limited run and knows what share of each tag they are.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from suite.chat import Json, canonical_json, sha256_hex
from suite.data.cache import Cache
from suite.data.registry import Registry
from suite.data.rows import RowPlace
from suite.data.view import DataView
from suite.errors import ConfigError, DataError, PluginError, SuiteError
from suite.journal.documents import ChangedPreset, SampleCounts, SkippedCell
from suite.journal.index import key64
from suite.journal.records import FORMAT
from suite.parameters import SkipCell
from suite.plugins import Catalogue, catalogue, failed
from suite.run.cells import AnyTask, Cell, expand, make_cell, make_task, parameters_for
from suite.run.imported import Given
from suite.run.order import Group, contiguous, groups, limited, shard_of
from suite.run.request import EvalRequest
from suite.run.role_members import Filled, PlannedEngines, able, fill, shown_spec
from suite.run.sources import DataOpener, check_given, given_entries, given_sources
from suite.run.tools import check_sandbox
from suite.task import Sample

MOST_SEED = 2**53 - 1  # what JSON carries everywhere
MOST_TAG_VALUES = 200  # a tag with more values is no slice worth counting
# of a model: known once it has started, and may change while a run goes on
NOT_IDENTITY = ("engine_version", "url", "told", "sent", "reasoning_parser")


@dataclass(frozen=True)
class Plan:
    """What will be run. data: by cell. chosen: names of the groups of a limited run (None: all)."""

    request: EvalRequest
    cells: tuple[Cell, ...]
    skipped: tuple[SkippedCell, ...]
    filled: Filled
    data: Mapping[str, DataView]
    data_identity: Mapping[str, Mapping[str, Json]]
    counts: SampleCounts
    chosen: frozenset[str] | None = None
    shard: tuple[int, int] | None = None  # (which, of how many): groups by hash
    given: Given | None = None  # samples of an imported run, in place of the data's
    changed_presets: Mapping[str, ChangedPreset] = field(default_factory=dict)  # by task

    @property
    def all_works(self) -> int:
        """Samples over all cells, each once a trial."""
        return self.counts.all_samples * self.request.trials

    def groups(self) -> Iterator[Group]:
        """The groups to run, in order: lazily, read anew each time."""
        for group in groups([contiguous(self.samples(cell), cell.plan.task) for cell in self.cells]):
            if self.takes(group.name):
                yield group

    def takes(self, group: str) -> bool:
        """Whether a group is run."""
        if self.chosen is not None and group not in self.chosen:
            return False
        return self.shard is None or shard_of(group, self.shard[1]) == self.shard[0]

    def samples(self, cell: Cell) -> Iterable[Sample[object]]:
        """All samples of a cell, taken or not."""
        if self.given is not None:
            return self.given[cell.id]
        return _read(cell.task, self.data[cell.id])

    def solve_identity(self) -> dict[str, Json]:
        """What makes two runs the same run."""
        files = {cell.plan.task: cell.plan.file for cell in self.cells if cell.plan.file is not None}
        tasks: Json = {task: {"file": one.name, "sha256": one.sha256} for task, one in files.items()}
        return {
            "format": FORMAT,
            **({"tasks": tasks} if files else {}),
            "cells": {cell.id: cell.plan.prompts_sha256 for cell in self.cells},
            "roles": self._lasting("solve"),
            "data": {name: dict(one) for name, one in self.data_identity.items()},
            "seed": self.request.seed,
            "trials": self.request.trials,
            "limit": self.request.limit,
            "shard": self.shard,
        }

    @property
    def sha256(self) -> str:
        return sha256_hex(canonical_json(self.solve_identity()))

    def _lasting(self, stage: str) -> dict[str, Json]:
        """Of the members asked in a stage, what belongs to the identity of a plan."""
        return {
            one.member: {
                "spec": shown_spec(one.spec),
                "sampling": dict(one.spec.sampling),
                "identity": {k: v for k, v in one.engine.identity().items() if k not in NOT_IDENTITY},
            }
            for one in self.filled.at(stage, "both")
        }

    @property
    def scoring_id(self) -> str:
        """Name of the scoring: first 8 hex digits of what makes two scorings of one run the same."""
        cells: dict[str, Json] = {
            cell.id: [cell.plan.prompts_sha256, cell.plan.score_parameters] for cell in self.cells
        }
        return sha256_hex(canonical_json({"roles": self._lasting("score"), "cells": cells}))[:8]

    def default_name(self) -> str:
        """Folder name: tasks, candidate, first 8 digits of the plan's hash."""
        tasks = list(dict.fromkeys(cell.plan.task for cell in self.cells))
        families = list(dict.fromkeys(task.partition("/")[0] for task in tasks))
        task = tasks[0] if len(tasks) == 1 else families[0] if len(families) == 1 else f"{len(tasks)}-tasks"
        candidate = next((shown_spec(one.spec) for one in self.filled.of("candidate")), "no-model")
        text = f"{task}-{candidate}".lower()
        safe = "".join(c if c.isalnum() or c in "-._" else "-" for c in text)[:100].strip("-.")
        return f"{safe}-{self.sha256[:8]}"


def _read(task: AnyTask, data: DataView) -> Iterator[Sample[object]]:
    """The samples of a task. Raises PluginError where its code fails, or gives anything else."""
    try:
        for sample in task.samples(data):
            if not isinstance(sample, Sample):
                raise TypeError(f"it gives {sample!r:.100}, no suite.Sample")
            yield sample
    except SuiteError:
        raise
    except Exception as error:  # a plugin's code: anything may come out
        raise failed(type(task), f"{task.info.name}: samples", error) from error


def make_plan(
    request: EvalRequest,
    *,
    stages: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
    plugins: Catalogue | None = None,
    registry: Registry | None = None,
    cache: Cache | None = None,
    cells: Sequence[Cell] = (),
    given: Given | None = None,
    check: bool = True,
    count: bool = True,
) -> Plan:
    """The plan of a request. stages: whose roles must be filled (() = all). cells: instead of expanding.
    given: samples by cell, in place of data. check: whether engines and a sandbox must be usable here.
    count: whether to read the samples; else the plan knows none of its groups' counts.

    What is cheap to find out comes first: names, parameters, what is installed, and only then the data.

    Raises SuiteError of every kind: unknown names, bad values, missing models, data that is not to be had.
    """
    _check(request)
    plugins = plugins or catalogue()
    skipped: list[SkippedCell] = []
    engines = PlannedEngines(plugins, check)
    if not cells:
        cells, skipped = expand(request, plugins, able(request, engines, stages, say))
    check_given(request.data, cells)
    registry = registry or Registry(plugins.registry_folders())
    entries = given_entries(request.data, registry)
    others = {name: place for name, place in request.data.items() if name not in entries}
    sources = given_sources(others, registry.dataset_names())
    filled = fill(request, cells, engines, stages)
    if check and (not stages or "score" in stages):
        check_sandbox(cells)
    opener = DataOpener(registry, cache or Cache(), sources, say, entries)
    official = request.prompts == "official"
    if official and given is not None:
        raise ConfigError.of("run.imported-prompts")
    data: dict[str, DataView] = {}
    identities: dict[str, Mapping[str, Json]] = {}
    final: list[Cell] = []
    for cell in cells:
        found, identity = (DataView({}), {}) if given is not None else opener.of(cell, request.mini, official)
        if official:
            cell.task.prompts = cell.task.official_prompts(found)
            cell = make_cell(cell.task, cell.plan.plugin)  # noqa: PLW2901
        data[cell.id] = found
        for name, one in identity.items():
            key = name if identities.get(name, one) == one else f"{cell.plan.task}:{name}"
            identities[key] = one
        final.append(cell)
    none = SampleCounts(groups=0, groups_taken=0, samples={}, tags={})
    plan = Plan(request, tuple(final), tuple(skipped), filled, data, identities, none, given=given)
    plan = replace(plan, changed_presets=changed_presets(request, final))
    return counted(plan) if count else plan


def _check(request: EvalRequest) -> None:
    if request.trials < 1:
        raise ConfigError(f"--trials {request.trials}: at least 1")
    if request.limit is not None and request.limit < 1:
        raise ConfigError(f"--limit {request.limit}: at least 1 group")
    if abs(request.seed) > MOST_SEED:
        raise ConfigError(f"--seed {request.seed}: between -(2^53 - 1) and 2^53 - 1")
    if request.prompts not in ("own", "official"):
        raise ConfigError(f"--prompts {request.prompts!r}: own or official")


def changed_presets(request: EvalRequest, cells: Sequence[Cell]) -> dict[str, ChangedPreset]:
    """Task -> what was given on top of the preset that was asked for, where that changed its cells: a preset
    that was changed is not the preset any more, and says so.
    """
    found: dict[str, ChangedPreset] = {}
    for name, task in {cell.plan.task: type(cell.task) for cell in cells}.items():
        given = [f"{parameter}={text}" for parameter, text in parameters_for(request.parameters, task)]
        if not given or request.preset not in task.info.presets:
            continue
        presets = (request.preset, task.info.instead.get(request.preset, request.preset))
        now = _parameters(cell.task for cell in cells if cell.plan.task == name)
        if all(now != _parameters(_made(task, preset)) for preset in presets):
            found[name] = ChangedPreset(preset=request.preset, given=given)
    return found


def _made(task: type[AnyTask], preset: str) -> Iterable[AnyTask]:
    for values in task.info.presets[preset]:
        with suppress(SkipCell):
            yield make_task(task, values)


def _parameters(tasks: Iterable[AnyTask]) -> set[bytes]:
    return {canonical_json(task.parameters.model_dump(mode="json")) for task in tasks}


def sharded(plan: Plan, shard: tuple[int, int]) -> Plan:
    """One shard of a plan, with the counts of what it takes."""
    return counted(replace(plan, shard=shard))


def counted(plan: Plan) -> Plan:
    """The plan with its counts and, for a limited run, its groups."""
    request, every = plan.request, replace(plan, chosen=None, shard=None)
    if request.limit is not None and plan.chosen is None:
        plan = replace(plan, chosen=_drawn(every, request.limit))
    total = taken = 0
    ids = [array("Q") for _ in plan.cells]  # 8 bytes a sample
    counts = [0 for _ in plan.cells]
    tags: dict[str, dict[str, list[int]]] = {}
    for group in every.groups():
        total += 1
        is_taken = plan.takes(group.name)
        taken += is_taken
        for cell, sample in group.items:
            ids[cell].append(key64(sample.id))
            counts[cell] += is_taken
            for tag, value in sample.tags.items():
                values = tags.setdefault(tag, {})
                if value not in values and len(values) >= MOST_TAG_VALUES:
                    continue
                both = values.setdefault(value, [0, 0])
                both[0] += is_taken
                both[1] += 1
    for one, seen in zip(plan.cells, ids, strict=True):
        if len(set(seen)) != len(seen):
            _refuse_twice(one, plan.data[one.id], (sample.id for sample in plan.samples(one)))
    if not taken and plan.shard is None:
        raise ConfigError("no samples: these parameters select nothing")
    tag_counts = {
        tag: {value: (both[0], both[1]) for value, both in values.items()}
        for tag, values in tags.items()
        if len(values) < MOST_TAG_VALUES
    }
    samples = {one.id: count for one, count in zip(plan.cells, counts, strict=True)}
    counts_of_samples = SampleCounts(groups=total, groups_taken=taken, samples=samples, tags=tag_counts)
    return replace(plan, counts=counts_of_samples)


def _drawn(plan: Plan, limit: int) -> frozenset[str]:
    """Names of the groups of a limited run: drawn from all, and from those of a task that would have none."""
    seed, tasks = plan.request.seed, {cell.plan.task for cell in plan.cells}
    chosen = limited((group.name for group in plan.groups()), limit, seed)
    for task in sorted(tasks) if len(tasks) > 1 else ():
        alone = replace(plan, cells=tuple(cell for cell in plan.cells if cell.plan.task == task))
        if not any(group.name in chosen for group in alone.groups()):
            chosen |= limited((group.name for group in alone.groups()), limit, seed)
    return chosen


def _refuse_twice(cell: Cell, data: DataView, samples: Iterable[str]) -> None:
    """Raise DataError for the first id that comes twice, naming the rows that hold it; else nothing.

    They would count twice, or one would stand for the other; which is right, only who gave them knows.
    """
    seen: set[str] = set()
    for sample in samples:
        if sample in seen:
            places = list(_places(data, sample))
            if len(places) < 2:
                raise PluginError(f"{cell.plan.task}: sample id {sample!r} comes twice")
            told = " and ".join(f"{place.dataset}: {place}" for place in places[:3])
            raise DataError.of("run.plan.twice", cell=cell, sample=sample, places=told)
        seen.add(sample)


def _places(data: DataView, sample: str) -> Iterator[RowPlace]:
    """Rows that hold an id in a field of their own."""
    for place, row in data.stored():
        if any(str(value) == sample for value in row.values() if isinstance(value, str | int)):
            yield place
