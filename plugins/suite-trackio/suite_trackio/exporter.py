"""The exporter with its options. Light: trackio is imported when a run goes there."""

from pathlib import Path

from pydantic import Field

import suite


class TrackioOptions(suite.ExportOptions):
    """Where it goes: here (TRACKIO_DIR), or where TRACKIO_SERVER_URL says. Tokens are trackio's own."""

    project: str = Field("suite", examples=["NAME"])
    """the project (default: suite)."""
    space_id: str = Field("", examples=["OWNER/NAME"])
    """a Space on the Hub (default: TRACKIO_SPACE_ID)."""
    no_samples: bool = False
    """leave out the samples, and the texts in the report."""


class Trackio(suite.Exporter[TrackioOptions]):
    """A run with config, metrics, tables and an artifact."""

    output = ""

    def follow(self, run: suite.ExportedRun) -> suite.Follower:
        """Its run, with the headlines so far."""
        from suite_trackio.tracking import TrackedRun

        return TrackedRun(run, self.options)

    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        """All of it, in the same run of theirs."""
        from suite_trackio.tracking import TrackedRun

        return TrackedRun(run, self.options).export(output)
