"""The exporter with its options. Light: MLflow is imported when a run goes there."""

from pathlib import Path

from pydantic import Field

import suite


class MlflowOptions(suite.ExportOptions):
    """Where it goes. Keys and passwords are MLflow's own: MLFLOW_TRACKING_TOKEN and its like."""

    tracking_uri: str = Field("", examples=["URI"])
    """the server, or a store of MLflow's (default: MLFLOW_TRACKING_URI)."""
    experiment: str = Field("suite", examples=["NAME"])
    """the experiment, made if there is none (default: suite)."""
    no_samples: bool = False
    """leave out the samples, and the texts in the report."""


class Mlflow(suite.Exporter[MlflowOptions]):
    """A run with parameters, metrics, tables and artifacts."""

    output = ""

    def follow(self, run: suite.ExportedRun) -> suite.Follower:
        """Its run, with the headlines so far."""
        from suite_mlflow.tracking import TrackedRun

        return TrackedRun(run, self.options)

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """All of it, in the same run of MLflow's."""
        from suite_mlflow.tracking import TrackedRun

        return TrackedRun(run, self.options).export(output)
