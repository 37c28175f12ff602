"""The exporter with its options. Light: wandb is imported when a run goes there."""

from pathlib import Path

from pydantic import Field

import suite


class WandbOptions(suite.ExportOptions):
    """Where it goes. The key and the mode (online, offline) are wandb's own: WANDB_API_KEY, WANDB_MODE."""

    project: str = Field("suite", examples=["NAME"])
    """the project (default: suite)."""
    entity: str = Field("", examples=["NAME"])
    """the user or team (default: yours)."""
    no_samples: bool = False
    """leave out the samples, and the texts in the report."""


class WeightsAndBiases(suite.Exporter[WandbOptions]):
    """A run with config, summary, and an artifact with tables and files."""

    output = ""

    def follow(self, run: suite.ExportedRun) -> suite.Follower:
        """Its run, with the headlines so far."""
        from suite_wandb.tracking import TrackedRun

        return TrackedRun(run, self.options)

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """All of it, in the same run of theirs."""
        from suite_wandb.tracking import TrackedRun

        return TrackedRun(run, self.options).export(output)
