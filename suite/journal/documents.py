"""The documents of a run folder: its manifest, the manifests of its scorings, and their results.

Each is written and read through its struct alone (`suite.journal.document_files`), decoded once; fields stand
in the order in which they are written. What has a default may be missing: documents of before do not have it.
Nobody writes again what he read: a copy is a copy of the bytes, so that what a newer version added is never
lost. What a bundle demands beyond types (`suite.journal.shapes`) stands in the JSON Schemas.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Required, TypedDict, get_args

import msgspec

from suite.journal.records import FORMAT, CellPlan
from suite.journal.shapes import (
    CellId,
    Count,
    Level,
    Name,
    Positive,
    PromptSet,
    Sha256,
    TaskName,
    Time,
    Values,
    matching,
    one_of,
    shaped,
)
from suite.roles import AskedIn

SCORING_FORMAT = "suite-scoring/1"
RESULTS_FORMAT = "suite-results/1"

REASONING = ("reasoning_tokens", "reasoning_characters")  # of calls, where there is any; not in old results
KEPT = ("kept_prompt_tokens", "kept_completion_tokens", "kept_cached_tokens")  # likewise

Direction = Literal["higher", "lower", "neither"]
Facts = Mapping[str, str]
FindingKind = Literal[
    "models", "fingerprints", "identity", "cached", "cut", "settled", "wording", "room", "short", "alike",
    "judged", "unscored", "code", "counts", "tags",
]  # fmt: skip


class CellRecord(CellPlan, frozen=True, kw_only=True):
    """A cell in the manifest of a run. swept: names of its parameters that the run sweeps. usual: those that
    it leaves out at their defaults (`suite.added`) and other cells of its task have. facts: what the task
    told when it was opened. note, replay: as the task's `TaskInfo` says."""

    title: str
    paper: str
    headline: Name
    note: str
    replay: Annotated[str, one_of("exact", "none")]
    swept: Sequence[str]
    usual: Values = msgspec.field(default_factory=dict)
    facts: Facts


class SkippedCell(msgspec.Struct, frozen=True):
    """A combination of parameters that makes no sense, and why."""

    task: TaskName
    parameters: Values
    reason: str


class Settings(TypedDict, total=False):
    """What shapes a served model's answers, as far as it is known. unknown: names of what is not."""

    sampling: Mapping[str, float]
    model_sampling: Mapping[str, float]
    chat_template_sha256: Sha256
    template_opening: Annotated[str, shaped(maxLength=4000)]
    template_system: Annotated[str, shaped(maxLength=4000)]
    system_messages: Literal["taken", "left out", "refused"]
    thinking: str | int
    reasoning_parser: str
    tool_parser: str
    dtype: str
    quantization: str
    kv_cache_dtype: str
    device: str
    context_length: Positive
    engine_version: str
    unknown: Required[Sequence[str]]


class RoleMember(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model in a role. member: "judge", "judge/2". needs: the capabilities it was taken for. identity:
    who it is, with revision or hash. settings: of a served model (`Settings`)."""

    member: Name
    spec: Annotated[str, shaped(minLength=1, maxLength=2000)]
    stage: AskedIn
    needs: Sequence[str]
    capabilities: Sequence[str]
    identity: Values
    limits: Mapping[str, int]
    sampling: Values
    settings: Annotated[Values, shaped(shape="Settings")] = {}


Roles = Mapping[str, Annotated[Sequence[RoleMember], shaped(minItems=1)]]


class SampleCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is and how much of it is taken. tags: tag -> value -> (taken, all), over cells."""

    groups: Count
    groups_taken: Count
    samples: Mapping[str, Count]  # by cell, of one trial
    tags: Mapping[str, Mapping[str, tuple[Count, Count]]]

    @property
    def all_samples(self) -> int:
        """Samples over all cells, of one trial."""
        return sum(self.samples.values())


class TaskCode(msgspec.Struct, frozen=True, kw_only=True):
    """The code of a task: the distribution with its version, and a hash over the source of its package."""

    distribution: Annotated[str, shaped(maxLength=200)]
    sha256: Sha256


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """The machine in general words: no host name, no user, no path."""

    cpus: Positive
    memory_gib: float | None
    system: str
    python: str
    gpus: Sequence[str]


class ImportSource(msgspec.Struct, frozen=True, kw_only=True):
    """What an imported run was made of. sha256: over the records that the importer gave."""

    importer: str
    model: str
    sha256: str


class PlanMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member as it belongs to the identity of a plan."""

    spec: str
    sampling: Values
    identity: Values


class PlanIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two runs the same run: its hash is the plan's."""

    format: Annotated[str, shaped(const=FORMAT)]
    cells: Mapping[str, Sha256]  # cell -> hash of its prompts
    roles: Mapping[str, PlanMember]
    data: Mapping[str, Values]
    seed: int
    trials: Positive
    limit: Positive | None
    shard: tuple[Count, Count] | None


class ChangedPreset(msgspec.Struct, frozen=True, kw_only=True):
    """A preset whose cells were changed. given: name=value of each -P on top of it."""

    preset: Name
    given: Annotated[Sequence[Annotated[str, shaped(maxLength=1000)]], shaped(minItems=1)]


class RunManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """manifest.json of a run: what was planned, with whom, on what.

    plan: a `PlanIdentity`, kept as it was hashed; {} of an imported run. data: dataset -> identity.
    changed_presets: by task. versions: by distribution. imported: the answers were made elsewhere;
    imported_from: by an importer.
    """

    format: Annotated[str, shaped(const=FORMAT)]
    name: Annotated[str, shaped(minLength=1, maxLength=1000)]
    suite: Name
    created: Time
    plan_sha256: Sha256
    plan: Annotated[Values, shaped(shape="PlanIdentity", bundled=True)] = {}
    seed: int
    trials: Positive
    mini: bool
    limit: Positive | None
    shard: tuple[Count, Count] | None
    imported: bool
    imported_from: Annotated[ImportSource | None, shaped(bundled=False)] = None
    prompts: PromptSet
    cells: Annotated[Sequence[CellRecord], shaped(minItems=1)]
    skipped: Sequence[SkippedCell]
    changed_presets: Mapping[str, ChangedPreset] = {}
    roles: Roles
    data: Mapping[str, Values]
    counts: SampleCounts
    code: Mapping[str, TaskCode] = {}
    versions: Mapping[str, str]
    hardware: Hardware

    @property
    def all_works(self) -> int:
        """Samples over all cells, each once a trial."""
        return self.counts.all_samples * self.trials

    def works_of(self, cell: str) -> int:
        """Those of one cell."""
        return self.counts.samples.get(cell, 0) * self.trials


class ScoredCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell in the manifest of a scoring: what may be another there than in the run's."""

    cell: CellId
    score_parameters: Values
    prompts: PromptSet
    prompts_sha256: Sha256
    facts: Facts


class ScoringManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """manifest.json of a scoring. level: of the intervals."""

    format: Annotated[str, shaped(const=SCORING_FORMAT)]
    scoring: Annotated[str, matching("[0-9a-f]{8}")]
    started: Time
    run: str
    plan_sha256: Sha256
    level: Level
    roles: Roles
    code: Mapping[str, TaskCode] = {}
    cells: Annotated[Sequence[ScoredCell], shaped(minItems=1)]


class MetricResult(msgspec.Struct, frozen=True):
    """One number with everything that belongs to it.

    slice: {} for the whole cell, {tag: value} for a part of it. headline: the task's first number.
    value, low, high: None means "there is no such number"; `note` says why. level: of the interval.
    method: how the interval was made, so that a verifier can recompute it.
    n: scored units; unscored, not_applicable: units without a number. coverage: share of the applicable
    that is scored. bounds: the value if all unscored were at one end of the range and at the other, only
    where coverage < 1 and a range is declared. clusters, n_effective: of the interval.
    """

    name: Name
    slice: Mapping[str, str]
    headline: bool
    value: float | None
    low: float | None
    high: float | None
    level: Level
    method: str
    n: Count
    unscored: Count
    not_applicable: Count
    coverage: Annotated[float, shaped(minimum=0, maximum=1)] | None
    bounds: tuple[float, float] | None
    clusters: Count | None
    n_effective: float | None
    direction: Direction
    note: str
    unit: str


class AcrossResult(msgspec.Struct, frozen=True):
    """A metric over several cells. cells: its name for a cell -> the cell; parameters: what they share."""

    task: TaskName
    cells: Mapping[str, str]
    parameters: Values
    result: MetricResult


class CellResult(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a cell. unscored: value -> reason -> how many."""

    cell: CellId
    task: TaskName
    version: Positive
    parameters: Values
    score_parameters: Values
    headline: Name
    prompts: PromptSet
    samples: Count
    solved: Count
    scored: Count
    pending: Count
    finishes: Mapping[str, Count]
    unscored: Mapping[str, Mapping[str, Count]]
    metrics: Sequence[MetricResult]

    def row(self, name: str) -> MetricResult | None:
        """The row of this name over the whole cell."""
        return next((one for one in self.metrics if one.name == name and not one.slice), None)

    @property
    def headline_row(self) -> MetricResult | None:
        """The first number, over the whole cell."""
        return next((one for one in self.metrics if one.headline), None)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many of how many."""

    taken: Count
    all: Count


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The share of groups, and of each value of each tag, that the run took."""

    groups: Share
    tags: Mapping[str, Mapping[str, Share]]


class CallTotals(msgspec.Struct, omit_defaults=True):
    """Calls and tokens of one member; hidden reasoning where there is any. kept_…: of the tokens, those of
    replies from the cache, which cost nothing.
    """

    calls: Count
    cached: Count
    retries: Count
    prompt_tokens: Count
    completion_tokens: Count
    cached_tokens: Count
    reasoning_tokens: Count = 0
    reasoning_characters: Count = 0
    kept_prompt_tokens: Count = 0
    kept_completion_tokens: Count = 0
    kept_cached_tokens: Count = 0


class ResultFinding(msgspec.Struct, frozen=True):
    """What a reader must be told (`suite.run.findings`). who: a member or a cell. counts: out of `of`."""

    kind: Annotated[str, one_of(*get_args(FindingKind))]  # a newer suite may have others
    who: Annotated[str, shaped(maxLength=200)]
    counts: Mapping[str, Count]
    of: Count


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """results.json of a scoring: every number, computed from the journals and nothing else.

    intervals: edition of the methods behind low and high. calls: by member. seconds: of wall time, over all
    starts.
    """

    format: Annotated[str, shaped(const=RESULTS_FORMAT)]
    run: str
    scoring: str
    level: Level
    intervals: Annotated[int, shaped(minimum=2)] = 1
    complete: bool
    pending: Count
    imported: bool
    cells: Sequence[CellResult]
    across: Sequence[AcrossResult]
    coverage: Coverage
    calls: Mapping[str, CallTotals]
    seconds: Annotated[int | float, shaped(minimum=0)]  # 0 of a run that nobody started
    findings: Sequence[ResultFinding] = ()
