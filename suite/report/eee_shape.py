"""The shape of Every Eval Ever's two files, schema 0.3.0, as far as we write them.

Closed models of our own: what does not fit is refused here, before a file exists. Their validator and their
JSON Schemas are asked in a test environment of its own (`tox -e eee`), for their package cannot be installed
beside huggingface_hub 2. Source: everyevalever.com, `every-eval-ever` 0.3.0.
"""

import math
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, model_validator

SCHEMA_VERSION: Literal["0.3.0"] = "0.3.0"

Relationship = Literal["first_party", "third_party", "collaborative", "other"]
Deployment = Literal["self_deployed", "externally_managed", "unknown"]
Availability = Literal["open_weights", "closed_weights", "unknown"]
Bound = FiniteFloat | Literal["Infinity", "-Infinity"]
Details = dict[str, str]
SamplesPath = Annotated[
    str,
    StringConstraints(
        pattern=r"^data/[^/]+/[^/]+/[^/]+/"
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_samples\.jsonl$"
    ),
]


class Shape(BaseModel):
    """Closed and strict: a number is no text, an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


class Engine(Shape):
    """What ran a model."""

    name: str
    version: str | None = None


class ModelInfo(Shape):
    """additional_details: with deployment_type and model_availability."""

    name: str
    id: str
    developer: str | None = None
    inference_platform: str | None = None
    inference_engine: Engine | None = None
    additional_details: Details

    @model_validator(mode="after")
    def _axes(self) -> Self:
        for name, kind in (("deployment_type", Deployment), ("model_availability", Availability)):
            if self.additional_details.get(name) not in get_args(kind):
                raise ValueError(f"{name} must be one of {get_args(kind)}")
        return self


class Source(Shape):
    """Who ran the evaluation and where it comes from."""

    source_name: str
    source_type: Literal["evaluation_run"] = "evaluation_run"
    source_organization_name: str
    evaluator_relationship: Relationship
    additional_details: Details


class Library(Shape):
    """What it was run with."""

    name: str
    version: str
    additional_details: Details | None = None


class HubData(Shape):
    """A dataset of the Hub."""

    dataset_name: str
    source_type: Literal["hf_dataset"] = "hf_dataset"
    hf_repo: str
    additional_details: Details


class UrlData(Shape):
    """A dataset at an address."""

    dataset_name: str
    source_type: Literal["url"] = "url"
    url: list[str] = Field(min_length=1)
    additional_details: Details


class OtherData(Shape):
    """A dataset that came with a plugin, or a file that was given."""

    dataset_name: str
    source_type: Literal["other"] = "other"
    additional_details: Details


class Judge(Shape):
    """One judge."""

    model_info: ModelInfo
    temperature: FiniteFloat | None = None


class LlmScoring(Shape):
    """The judges of a metric and what they were told."""

    judges: list[Judge] = Field(min_length=1)
    input_prompt: str
    additional_details: Details


class Metric(Shape):
    """Bounds are there where `score_type` is."""

    evaluation_description: str
    metric_id: str
    metric_name: str
    metric_kind: str | None = None
    metric_unit: str | None = None
    lower_is_better: bool
    score_type: Literal["continuous"] | None = None
    min_score: Bound | None = None
    max_score: Bound | None = None
    llm_scoring: LlmScoring | None = None
    additional_details: Details

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.score_type and (self.min_score is None or self.max_score is None):
            raise ValueError("a continuous score needs both bounds")
        return self


class Interval(Shape):
    """A confidence interval. confidence_level: 0 to 1."""

    lower: FiniteFloat
    upper: FiniteFloat
    confidence_level: float = Field(ge=0, le=1)
    method: str


class Uncertainty(Shape):
    """How sure a score is, and over how many samples."""

    confidence_interval: Interval | None = None
    num_samples: int = Field(ge=0)


class ScoreDetails(Shape):
    """A score with what belongs to it."""

    score: FiniteFloat
    details: Details
    uncertainty: Uncertainty


class GenerationArgs(Shape):
    """Options of the answers; nothing else is allowed here."""

    temperature: FiniteFloat | None = None
    top_p: FiniteFloat | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None


class Generation(Shape):
    """How the answers were made."""

    generation_args: GenerationArgs
    additional_details: Details


class Result(Shape):
    """One number; its score lies within its bounds."""

    evaluation_result_id: str
    evaluation_name: str
    evaluation_timestamp: str
    source_data: HubData | UrlData | OtherData
    metric_config: Metric
    score_details: ScoreDetails
    generation_config: Generation

    @model_validator(mode="after")
    def _inside(self) -> Self:
        metric, score = self.metric_config, self.score_details.score
        low = -math.inf if metric.min_score is None else float(metric.min_score)
        high = math.inf if metric.max_score is None else float(metric.max_score)
        if not low <= score <= high:
            raise ValueError(f"score {score} of {self.evaluation_result_id} is outside {low} to {high}")
        return self


class SamplesFile(Shape):
    """Where the samples are, with the hash and number of their lines."""

    format: Literal["jsonl"] = "jsonl"
    file_path: SamplesPath
    hash_algorithm: Literal["sha256"] = "sha256"
    checksum: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    total_rows: int = Field(ge=1)


class Aggregate(Shape):
    """The file of a run. retrieved_timestamp: Unix seconds as text."""

    schema_version: Literal["0.3.0"] = SCHEMA_VERSION
    evaluation_id: str
    evaluation_timestamp: str
    retrieved_timestamp: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
    source_metadata: Source
    eval_library: Library
    model_info: ModelInfo
    evaluation_results: list[Result] = Field(min_length=1)
    detailed_evaluation_results: SamplesFile | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [one.evaluation_result_id for one in self.evaluation_results]
        if len(set(names)) != len(names):
            raise ValueError("two results have one evaluation_result_id")
        return self


class Input(Shape):
    """What was asked. reference: what would be right, where the run recorded it."""

    raw: str
    reference: list[str]


class SampleOutput(Shape):
    """What was answered in one turn."""

    raw: list[str]
    reasoning_trace: list[str] | None = None


class Call(Shape):
    """A tool call; its arguments' values are text."""

    id: str
    name: str
    arguments: dict[str, str] | None = None


class Turn(Shape):
    """One message of a conversation."""

    turn_idx: int = Field(ge=0)
    role: str
    content: str | None = None
    reasoning_trace: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: list[str] | None = None


class Evaluation(Shape):
    """A score, and whether it is the best there is."""

    score: FiniteFloat
    is_correct: bool
    num_turns: Annotated[int, Field(ge=1)] | None = None
    tool_calls_count: Annotated[int, Field(ge=0)] | None = None


class Tokens(Shape):
    """Of all calls to the candidate."""

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    input_tokens_cache_read: Annotated[int, Field(ge=0)] | None = None
    reasoning_tokens: Annotated[int, Field(ge=0)] | None = None


class Performance(Shape):
    """Time of the calls, in milliseconds."""

    latency_ms: float = Field(ge=0)


class Row(Shape):
    """A line of the samples file: one per-sample number of one sample in one trial."""

    schema_version: Literal["0.3.0"] = SCHEMA_VERSION
    evaluation_id: str
    model_id: str
    evaluation_name: str
    evaluation_result_id: str
    sample_id: str
    sample_hash: str
    interaction_type: Literal["single_turn", "multi_turn", "agentic"]
    input: Input
    output: SampleOutput | None = None
    messages: list[Turn] | None = None
    answer_attribution: list[Details] = Field(default_factory=list, max_length=0)
    evaluation: Evaluation
    token_usage: Tokens | None = None
    performance: Performance | None = None
    error: str | None = None
    metadata: Details

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        single = self.interaction_type == "single_turn"
        if single != (self.output is not None) or single != (self.messages is None):
            raise ValueError("one turn has an output, several have messages")
        return self
