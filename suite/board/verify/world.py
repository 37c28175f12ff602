"""R3: the tasks and the data of a run made again from what is installed and pinned here, and compared.

Nothing is taken from the bundle but names and values: the task's code, prompts, metrics and data are this
side's. What is not to be had here (a plugin, a dataset whose licence was not accepted) is "not run". Who sat
in the run's roles is presented as recorded, and answers nothing anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import msgspec

from suite.board.verify.subject import VerifiedRun
from suite.chat import Reply, Request
from suite.data.view import DataView
from suite.errors import CallFailed, ConfigError, DataError, NotFound, SuiteError
from suite.journal.documents import RoleMember
from suite.journal.shapes import Values
from suite.models.engine import Asking, Engine
from suite.models.options import LATER as NEEDED_LATER
from suite.models.options import recorded_capabilities
from suite.models.spec import SAMPLING, ModelSpec, parse_spec
from suite.plugins import Catalogue
from suite.roles import Role
from suite.run.cells import Cell
from suite.run.manifest import cell_records
from suite.run.plan import NOT_IDENTITY, Plan, make_plan
from suite.run.reopen import Refusal, cell_again, request_again
from suite.run.request import EvalRequest
from suite.run.role_members import Filled, Member, roles_of
from suite.task import AnySample
from suite.trees import differences

LATER = ("R3", "R4", "R6", "R7", "R8")
# Said apart, compared when the tasks were opened, or another in each scoring.
_FREE = ("plugin", "facts", "score_parameters")
_MOST_TIMES, _MOST = 4, 10_000  # as many samples as outputs, and more, before they are not read to their end
_MOST_OF_LIMITED = 2_000_000
_HERE = ("licence.accepted",)  # a matter of this machine


def same_world(subject: VerifiedRun, plugins: Catalogue, data: Mapping[str, str]) -> None:
    """Climb R3; sets `subject.plan` where the world could be made. data: NAME -> file or run, as --data."""
    subject.findings.ran("R3")
    cells = _cells(subject, plugins)
    if cells is None:
        return
    manifest = subject.run.manifest
    there = sum(1 for _ in subject.run.journal.outputs.raw())
    _bound(cells, _MOST_OF_LIMITED if manifest.limit is not None else _MOST_TIMES * there + _MOST)
    brought = {name for name, one in manifest.data.items() if one.get("source") in ("run", "file")}
    given = {name: place for name, place in data.items() if name in brought}
    now = EvalRequest((), data=given, concurrency=64)
    request = request_again(manifest, cells, now)
    try:
        plan = make_plan(request, stages=("none",), plugins=plugins, cells=cells)
    except (DataError, NotFound) as error:
        subject.not_run(f"its data is not to be had: {error}", *LATER)
        return
    except _TooMany as error:
        subject.add("R4.missing-output/far", expected=error.what)
        subject.not_run("too many samples to compare with", *LATER[1:])
        return
    except ConfigError as error:
        subject.add("R3.no-samples", found=error.what)
        subject.not_run("no samples to compare with", *LATER[1:])
        return
    try:
        filled = recorded_members(plan.cells, subject)
    except SuiteError as error:
        subject.add("R3.roles", found=error.what)
        subject.not_run("its roles cannot be read", *LATER[1:])
        return
    for where, what, expected, found in wrong_roles(plan.cells, subject):
        subject.add("R3.roles", subject.place(where), what=what, expected=expected, found=found)
    plan = replace(plan, filled=filled, shard=manifest.shard)
    _same_cells(subject, plan)
    _same_data(subject, plan)
    _same_plan(subject, plan)
    subject.plan = plan


class _TooMany(SuiteError):
    """The cells have more samples than anybody answered."""


def _bound(cells: Sequence[Cell], most: int) -> None:
    """Parameters may ask for samples without end: break off where the outputs cannot be whole any more."""
    seen, total = [0] * len(cells), [0]  # of each cell the furthest that was read, however often it is read

    def bounded(
        place: int, samples: Callable[[DataView], Iterable[AnySample]], data: DataView
    ) -> Iterator[AnySample]:
        for count, sample in enumerate(samples(data), 1):
            if count > seen[place]:
                seen[place] = count
                total[0] += 1
                if total[0] > most:
                    raise _TooMany(f"more than {most:,} samples")
            yield sample

    for place, cell in enumerate(cells):
        setattr(cell.task, "samples", partial(bounded, place, cell.task.samples))  # noqa: B010


def _cells(subject: VerifiedRun, plugins: Catalogue) -> list[Cell] | None:
    found: list[Cell] = []
    for record in subject.run.manifest.cells:
        where = subject.place("manifest.json", f"cell {record.cell}")
        scored = subject.run.scored_cells.get(record.cell, record)
        made = cell_again(plugins, record, scored.score_parameters, scoring=True)
        if isinstance(made, Refusal):
            _refused(subject, record.task, made, where)
            return None
        if made.plan.plugin != record.plugin:
            here, there = made.plan.plugin, record.plugin
            subject.add("R3.plugin-version", where, severity="note", expected=here, found=there)
        found.append(made)
    return found


_REFUSED = {  # code of the finding, and why later rungs are not climbed
    "version": ("R3.task-version", "{} is installed in another version"),
    "local": ("R3.local-parameter", "its scores rest on the submitter's machine"),
    "parameters": ("R3.parameters", "its parameters are not valid"),
    "identity": ("R3.cell", "its cells are others here"),
}


def _refused(subject: VerifiedRun, task: str, refusal: Refusal, where: str) -> None:
    """Why a cell cannot be made again, and what cannot be climbed without it."""
    here, there = refusal.here, refusal.there
    if refusal.why == "task":
        subject.not_run(f"task {task} ({there}): {refusal.error.what}; install it", *LATER)
        return
    code, lack = _REFUSED[refusal.why]
    names = ", ".join(there) if isinstance(there, Mapping) else ""
    subject.add(code, where, task, names, expected="" if here is None else here, found=there)
    subject.not_run(lack.format(task), *LATER[1:])


def _same_cells(subject: VerifiedRun, plan: Plan) -> None:
    both = msgspec.to_builtins(subject.run.manifest.cells), msgspec.to_builtins(cell_records(plan.cells))
    for record, here in zip(*both, strict=True):
        for name in sorted({*here, *record} - set(_FREE)):
            if here.get(name) != record.get(name):
                code, task = "R3.prompts" if name.startswith("prompts") else "R3.cell/field", here["task"]
                where = subject.place("manifest.json", f"cells {record['cell']}.{name}")
                subject.add(code, where, name, task, expected=here.get(name), found=record.get(name))

    plans = {cell.id: cell.plan for cell in plan.cells}
    for scored in subject.run.scoring_manifest.cells:
        for name in ("prompts", "prompts_sha256"):
            known, told = getattr(plans.get(scored.cell), name, None), getattr(scored, name)
            if known != told:
                where = subject.place("scoring/manifest.json", f"cells {scored.cell}.{name}")
                subject.add("R3.prompts/scoring", where, expected=known, found=told)


def _same_data(subject: VerifiedRun, plan: Plan) -> None:
    recorded = subject.run.manifest.data
    for name in sorted({*recorded, *plan.data_identity}):
        there, here = recorded.get(name), plan.data_identity.get(name)
        where = subject.place("manifest.json", f"data.{name}")
        if there is None or here is None:
            code = "R3.data/missing" if there is None else "R3.data/unread"
            subject.add(code, where, expected=here, found=there)
            continue
        for field, mine, theirs in differences(here, there, missing=None):
            if field not in _HERE:
                subject.add("R3.data", f"{where}.{field}", expected=mine, found=theirs)


def _same_plan(subject: VerifiedRun, plan: Plan) -> None:
    """The plan that the manifest's own fields give is the plan whose hash it carries."""
    here = msgspec.json.decode(msgspec.json.encode(plan.solve_identity()))
    for field, mine, theirs in differences(here, subject.run.manifest.plan, missing=None):
        where = subject.place("manifest.json", f"plan.{field}")
        subject.add("R3.plan", where, expected=mine, found=theirs)


class RecordedEngine(Engine):
    """A member as the manifest describes it. Whatever reaches it was not recorded."""

    def __init__(self, spec: ModelSpec, record: RoleMember) -> None:
        super().__init__(spec)
        self._record = record

    def capabilities(self) -> frozenset[str]:
        return recorded_capabilities(self._record.capabilities)

    def identity(self) -> Values:
        return self._record.identity

    def limits(self) -> Mapping[str, int]:
        """The recorded window; nothing is sent, so no cap on requests."""
        return {name: limit for name, limit in self._record.limits.items() if name == "window"}

    async def call(self, request: Request, asking: Asking) -> Reply:
        """Raises CallFailed("not-recorded")."""
        what = f"is asked what no recorded call answers ({request.kind}, key {asking.key!r})"
        raise CallFailed("not-recorded", f"{asking.member} {what}", retryable=False)


def recorded_members(cells: Sequence[Cell], subject: VerifiedRun) -> Filled:
    """The members of both stages, from the manifests of a run and of its scoring.

    Raises ConfigError for a spec that is none.
    """
    members = []
    for name, one in subject.members.items():
        base = parse_spec(one.spec)
        spec = ModelSpec(base.provider, base.name, {}, dict(one.sampling))
        engine = RecordedEngine(spec, one)
        role = name.partition("/")[0]
        members.append(Member(role, name, spec, engine, one.stage, frozenset(one.needs)))
    wanted = roles_of(cells)
    places = {name: place for place, name in enumerate(wanted)}
    ordered = sorted(members, key=lambda one: places.get(one.role, len(places)))
    return Filled(tuple(ordered), {name: roles[0] for name, roles in wanted.items()})


Wrong = tuple[str, str, object, object]  # file and field, what, expected, found


def wrong_roles(cells: Sequence[Cell], subject: VerifiedRun) -> Iterator[Wrong]:
    """Records that no run of these cells writes.

    The replay seats who is recorded, and rungs ask the records who that was: so each member must stand once
    under its own name, in its own stage, described alike wherever it is described.
    """
    wanted = roles_of(cells)
    seen: dict[str, RoleMember] = {}
    for half in subject.halves:
        given, stage = half.manifest.roles, half.stage
        for name in sorted({*given, *wanted}):
            where, records = f"{half.base}manifest.json roles.{name}", given.get(name, ())
            roles = wanted.get(name, ())
            stages = {role.stage for role in roles}
            its = stages.pop() if len(stages) == 1 else "both"
            if not roles or (its not in (stage, "both") and records):
                yield where, "nobody is asked in this role at this stage", "no member", len(records)
                continue
            if its in (stage, "both"):
                yield from _wrong_members(where, name, records, roles, its)
            for record in records:
                first = seen.setdefault(record.member, record)
                for field in ("spec", "sampling", "needs", "identity"):
                    here, there = _lasting(getattr(first, field)), _lasting(getattr(record, field))
                    if here != there:
                        what = "a member is described in two ways"
                        yield f"{where}.{record.member}.{field}", what, here, there


def _lasting(value: object) -> object:
    """An identity without what may change while a run goes on."""
    return {k: v for k, v in value.items() if k not in NOT_IDENTITY} if isinstance(value, Mapping) else value


def _wrong_members(
    where: str, name: str, records: Sequence[RoleMember], roles: Sequence[Role], stage: str
) -> Iterator[Wrong]:
    if not records and not all(role.optional for role in roles):
        yield where, "nobody fills a role that the tasks need", "a member", "none"
    if len(records) > 1 and not all(role.many for role in roles):
        yield where, "a panel sits where one member is asked", 1, len(records)
    for number, record in enumerate(records, 1):
        place = f"{where}[{number - 1}]"
        member = name if number == 1 else f"{name}/{number}"
        if record.member != member:
            yield f"{place}.member", "a member has not the name of its seat", member, record.member
        if record.stage != stage:
            yield f"{place}.stage", "the tasks ask this role at another stage", stage, record.stage
        known = frozenset().union(*(one for role in roles for one in role.needs))
        needs = frozenset(record.needs) | (known & NEEDED_LATER)
        if not needs <= known or not all(any(one <= needs for one in role.needs) for role in roles):
            yield f"{place}.needs", "not what the tasks need of this role", sorted(known), sorted(needs)
        for key in sorted(set(record.sampling) - set(SAMPLING)):
            yield f"{place}.sampling", "an override that cannot be given", list(SAMPLING), key
