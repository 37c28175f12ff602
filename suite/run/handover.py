"""What the driver of a run and its workers tell each other; all of it is plain values that can be pickled.

`Order` and `OpenedWorker` once, then turn by turn the groups given (`Given`) and what came of them (`Batch`).
"""

import platform
from collections.abc import Mapping, Sequence

import msgspec

import suite
from suite.chat import Json, canonical_json
from suite.errors import ConfigError, SuiteError
from suite.journal.documents import Hardware, RoleMember
from suite.journal.records import CellPlan
from suite.roles import Stage
from suite.run.code import code_record
from suite.run.manifest import FactsOfCells
from suite.run.outcome import RunSettings
from suite.run.plan import Plan
from suite.run.request import EvalRequest
from suite.run.seats import MemberCost
from suite.task import AnySample
from suite.trees import MISSING, differences

ATTEMPTS = 3  # which file a line is of, beside those of a sink
NO_GROUP = -1
WorkKey = tuple[str, str, int]  # cell, sample, trial
GivenWork = tuple[int, AnySample, int]  # the cell's place in the plan, the sample, the trial
# Stage, file of its sink (`suite.run.sink`) or ATTEMPTS, number of the group, key (a call's id, a work, the
# event of an attempt), line of the journal
HandedLine = tuple[Stage, int, int, str | WorkKey, bytes]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told first. stages: that it works in. environment: see `environment`. folder: of the
    run. samples_given: whether the samples came with an imported run, in place of data."""

    request: EvalRequest
    cells: Sequence[CellPlan]
    shard: tuple[int, int] | None
    stages: Sequence[Stage]
    stages_of_run: Sequence[Stage]
    environment: Mapping[str, Json]
    settings: RunSettings
    cache_plan: str
    imported: bool
    samples_given: bool
    folder: str


class OpenedWorker(msgspec.Struct, frozen=True, kw_only=True):
    """That a worker is ready. facts: by cell. members: who sits in the roles. wants: as in `Batch`."""

    name: str
    facts: FactsOfCells
    members: Sequence[RoleMember]
    hardware: Hardware
    wants: int


class Given(msgspec.Struct, frozen=True):
    """A group, or what is left of it. many: whether several samples share its calls. calls, solved: lines of
    recorded calls, and of outputs that lack a score."""

    number: int
    works: Sequence[GivenWork]
    many: bool
    calls: Sequence[bytes]
    solved: Mapping[WorkKey, bytes]


class Batch(msgspec.Struct, kw_only=True):
    """What a turn brought. lines: in the order made, so that nothing comes before what it names. ended:
    numbers of groups of which nothing more comes. wants: how many more samples it could begin or hold ready.
    idle: nothing is under way. said: for the person who waits. costs: by member, since the start. error: why
    it does not go on."""

    lines: Sequence[HandedLine]
    ended: Sequence[int]
    wants: int
    idle: bool
    said: Sequence[str]
    costs: Mapping[str, MemberCost]
    error: SuiteError | None = None


def versions() -> dict[str, Json]:
    """What must be the same before two processes can talk."""
    return {"python": ".".join(platform.python_version_tuple()[:2]), "suite": suite.__version__}


def environment(plan: Plan) -> dict[str, Json]:
    """What must be the same wherever a plan is worked on: versions, code of tasks, the plan with its data."""
    found: dict[str, Json] = {
        **versions(),
        "plugins": {cell.plan.task: cell.plan.plugin for cell in plan.cells},
        "code": {task: one.sha256 for task, one in code_record(plan.cells).items()},
        "plan": plan.solve_identity(),
        "scoring": plan.scoring_id,
    }
    decoded: dict[str, Json] = msgspec.json.decode(canonical_json(found))
    return decoded


def refuse_another(there: Mapping[str, Json], here: Mapping[str, Json], name: str) -> None:
    """Raises ConfigError where anything here is not as it is at the driver, naming what differs."""
    found = []
    for path, expected, own in differences({key: there.get(key) for key in here}, here):
        shown = ["nothing" if one is MISSING else repr(one)[:80] for one in (expected, own)]
        found.append(f"{path}: {shown[0]} at the driver, {shown[1]} here")
    if found:
        raise ConfigError(
            f"worker {name} has another environment than the driver: {'; '.join(found[:5])}",
            fix="install the same versions and pull the same data on every machine of the cluster",
        )
