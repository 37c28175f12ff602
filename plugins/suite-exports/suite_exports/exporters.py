"""The exporters with their options. Light: what writes the files is imported when it is used."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

import suite


class EveryEvalEverOptions(suite.ExportOptions):
    """What a run does not record. collection, model_id, deployment: else as the run tells."""

    relationship: Literal["first_party", "third_party", "collaborative", "other"]
    """yours to the model's maker"""
    organization: str = Field(examples=["TEXT"])
    """who ran it"""
    collection: str = Field("", examples=["NAME"])
    """folder under data/ (default: the task's family)."""
    model_id: str = Field("", examples=["DEVELOPER/MODEL"])
    """the model, where its name does not say it."""
    deployment: Literal["self_deployed", "externally_managed", "unknown"] | None = None
    """who ran the model (default: as the run tells)."""
    availability: Literal["open_weights", "closed_weights", "unknown"] = "unknown"
    """of the weights (default: unknown)."""
    no_samples: bool = False
    """leave out the samples with their texts."""


class EveryEvalEver(suite.Exporter[EveryEvalEverOptions]):
    """`data/COLLECTION/DEVELOPER/MODEL/UUID.json` and its samples."""

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """Both files."""
        from suite_exports.eee import write_eee

        return write_eee(run, output, self.options)


class HubOptions(suite.ExportOptions):
    """Which benchmark the headline of a task belongs to, and where the files go."""

    task: str = Field("", examples=["NAME"])
    """only this task of the run."""
    dataset: str = Field("", examples=["OWNER/NAME"])
    """the benchmark's dataset, if no entry names it."""
    task_id: str = Field("", examples=["ID"])
    """the task in that dataset's eval.yaml."""
    scale: Literal["proportion", "percent", "as-is"] | None = None
    """in which numbers it is told."""
    source_url: str = Field("", examples=["URL"])
    """where more about the run can be read."""
    push: str = Field("", examples=["OWNER/MODEL"])
    """open a pull request there with the files."""
    yes: bool = False
    """do not ask before the pull request."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(list(filter(None, (self.dataset, self.task_id, self.scale)))) in (1, 2):
            raise suite.ConfigError(
                "--dataset, --task-id and --scale go together", fix="give all three of them"
            )
        return self


class Hub(suite.Exporter[HubOptions]):
    """`.eval_results/*.yaml`, and a pull request with them."""

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """The files; the pull request after somebody agreed."""
        from suite_exports.hub import write_hub

        return write_hub(run, output, self.options)


class EvalYaml(suite.Exporter[suite.ExportOptions]):
    """`TASK/eval.yaml`, by which a dataset on the Hub becomes a benchmark."""

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """One for each task of the run."""
        from suite_exports.eval_yaml import write_eval_yaml

        return suite.Export(write_eval_yaml(run, output))


class Harness(suite.Exporter[suite.ExportOptions]):
    """`MODEL/results_TIME.json` and `MODEL/samples_TASK_TIME.jsonl`."""

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """All files, results first."""
        from suite_exports.lm_eval import write_lm_eval

        return suite.Export(write_lm_eval(run, output), run.withheld_remarks)
