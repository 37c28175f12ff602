"""A run of ours in trackio. Its name there ends in the run's identity: whoever comes again continues it.

Source: the library's documentation (https://huggingface.co/docs/trackio). What was logged there stays, so
numbers and tables are logged again only where the files that were kept of them are others.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import trackio

import suite
from suite_trackio.exporter import TrackioOptions

MOST_ROWS = 1_000  # of a table that its pages show; all of them are in samples.parquet


class TrackedRun(suite.Follower):
    """One run of a project, continued or made. Raises ConfigError where trackio does not take it."""

    def __init__(self, run: suite.ExportedRun, options: TrackioOptions) -> None:
        self._run, self._options = run, options
        self._name = f"{run.name}-{run.identity[:8]}"
        config = dict(run.config)
        with _asking():
            self._tracked = trackio.init(
                project=options.project, name=self._name, resume="allow", config=config, embed=False,
                space_id=options.space_id or None, auto_log_gpu=False, auto_log_cpu=False,
            )  # fmt: skip

    def update(self, now: suite.LiveProgress) -> None:
        """The headlines so far, at as many samples as are done."""
        with _asking():
            self._tracked.log(dict(self._run.numbers(now)), step=now.done)

    def stop(self, whole: bool) -> None:
        """Hand over what waits; a run there has no state."""
        del whole
        with _asking():
            trackio.finish()

    def export(self, folder: Path) -> suite.Export:
        """Numbers, tables, and the artifact, by way of a folder."""
        run, samples = self._run, not self._options.no_samples
        files = trackio.Artifact(f"suite-{run.identity}", "evaluation")
        for path in run.write_files(folder, samples=samples):
            if path.is_dir():
                files.add_dir(path, name=path.name)
            else:
                files.add_file(path)
        results = (folder / "results.json").read_text("utf-8")
        remarks = [*run.withheld_remarks] if samples else []
        with _asking():
            if self._kept(files.name) != results:
                told = {"results": self._table("results")}
                if samples:
                    told["samples"] = self._table("samples")
                remarked = "\n\n".join(one.text for one in run.summary.remarks)
                about = {"remarks": trackio.Markdown(remarked)} if remarked else {}
                self._tracked.log({**run.numbers(), **about, **told}, step=run.manifest.all_works)
            self._tracked.log_artifact(files)
            trackio.finish()
        return suite.Export([], [f"run {self._name} of project {self._options.project}", *remarks])

    def _kept(self, name: str) -> str:
        """The results that were exported before; "" if none were."""
        try:
            place = self._tracked.use_artifact(name).download()
            return Path(place, "results.json").read_text("utf-8")
        except (ValueError, OSError):
            return ""

    def _table(self, name: str) -> trackio.Table:
        table = self._run.table("samples" if name == "samples" else "results")
        rows = [list(row.values()) for row in table.slice(0, MOST_ROWS).to_pylist()]
        return trackio.Table(columns=table.column_names, data=rows)


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever trackio refuses, or warns of and goes on without, becomes a sentence; its own lines do not."""
    with warnings.catch_warnings(record=True) as warned, redirect_stdout(StringIO()):
        warnings.simplefilter("always", UserWarning)
        try:
            yield
            problem = next((str(one.message) for one in warned if "trackio" in str(one.message)), "")
        except (OSError, RuntimeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
    if problem:
        what = f"trackio did not take the run: {suite.one_line(problem, 300)}"
        raise suite.ConfigError(what, fix="the same command goes on there")
