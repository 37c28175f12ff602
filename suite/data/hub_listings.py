"""Where the Hub lists results of a task: what a dataset's entry says under `hub`, by task.

Nothing here is guessed: a dataset that is no registered benchmark of the Hub has none of it. Not here:
writing results (`suite.report.hub`) or a benchmark's own file (`suite.data.eval_yaml`).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

HubRepo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
Scale = Literal["proportion", "percent", "as-is"]
TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]


class Strict(BaseModel):
    """Base of everything written in an entry: frozen, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSpec(Strict):
    """Which columns of a row Inspect reads, by their names."""

    input: str
    target: str
    choices: str | None = None
    input_image: str | None = None
    metadata: tuple[str, ...] | None = None


class SolverStep(Strict):
    """One of Inspect's solvers that a Hub benchmark may name."""

    name: Literal[
        "prompt_template", "system_message", "user_message", "chain_of_thought", "use_tools", "generate",
        "self_critique", "multiple_choice",
    ]  # fmt: skip
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ScorerStep(Strict):
    """One of Inspect's scorers that a Hub benchmark may name."""

    name: Literal[
        "includes", "match", "pattern", "answer", "exact", "f1", "model_graded_qa", "model_graded_fact",
        "choice", "math",
    ]  # fmt: skip
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)


class InspectTask(Strict):
    """The same task in Inspect's words; only where it asks and scores exactly as ours does."""

    field_spec: FieldSpec
    solvers: tuple[SolverStep, ...] = Field(min_length=1)
    scorers: tuple[ScorerStep, ...] = Field(min_length=1)


class HubBenchmark(Strict):
    """Where the Hub lists a task's headline, if its dataset is registered there as a benchmark.

    dataset, task_id: as that dataset's eval.yaml names them. scale: in which numbers its results are told.
    config, split: of the Hub dataset. inspect: the task in Inspect's words, if it can be said so.
    """

    dataset: HubRepo
    task_id: TaskId
    scale: Scale
    config: str | None = None
    split: str | None = None
    inspect: InspectTask | None = None
