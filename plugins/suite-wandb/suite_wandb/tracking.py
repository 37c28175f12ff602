"""A run of ours in Weights & Biases. Its id there is the run's identity: whoever comes again continues it.

Source: the library's reference (https://docs.wandb.ai/ref/python). Numbers at the end are the summary's and
tables lie in an artifact, which is kept once however often it is given, so nothing doubles.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import wandb

import suite
from suite_wandb.exporter import WandbOptions

PARTIAL = "partial"  # a tag
MOST_ROWS = 10_000  # of a table that its pages show; all of them are in samples.parquet
# of this process and machine wandb would tell more than the run does: command line, host, packages, output
SETTINGS = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "host": "",
    "save_code": False,
    "silent": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}


class TrackedRun(suite.Follower):
    """One run of a project, continued or made. Raises ConfigError where wandb does not take it."""

    def __init__(self, run: suite.ExportedRun, options: WandbOptions) -> None:
        self._run, self._options = run, options
        os.environ.setdefault("WANDB_INIT_TIMEOUT", "30")  # seconds; theirs is longer than the suite waits
        try:
            with _asking():
                followed = wandb.run  # by this process; `init` would make another folder
                self._tracked = followed if followed and followed.id == run.identity else wandb.init(
                    project=options.project, entity=options.entity or None, id=run.identity, name=run.name,
                    resume="allow", config=dict(run.config), settings=wandb.Settings(**SETTINGS),
                )  # fmt: skip
                self._tracked.config.update(dict(run.config), allow_val_change=True)
        except suite.ConfigError:
            wandb.teardown()  # else the id is in use in this process, though nothing came of it
            raise

    def update(self, now: suite.LiveProgress) -> None:
        """The headlines so far, at as many samples as are done."""
        with _asking():
            self._tracked.log(self._run.numbers(now), step=now.done)

    def stop(self, whole: bool) -> None:
        """Close it as failed where nothing else comes: it can be continued."""
        if not whole:
            with _asking():
                self._tracked.finish(exit_code=1)

    def export(self, folder: Path) -> suite.Export:
        """Summary, and the artifact, by way of a folder."""
        run, samples = self._run, not self._options.no_samples
        remarks = [*run.withheld_remarks] if samples else []
        artifact = wandb.Artifact(f"suite-{run.identity}", "evaluation")
        for path in run.write_files(folder, samples=samples):
            if path.is_dir():
                artifact.add_dir(str(path), name=path.name)
            else:
                artifact.add_file(str(path))
        for name in ("results", "samples") if samples else ("results",):
            table = run.table("samples" if name == "samples" else "results")
            if table.num_rows > MOST_ROWS:
                remarks.append(f"its table has the first {MOST_ROWS:,} {name}, the files have all of them")
            rows = [list(row.values()) for row in table.slice(0, MOST_ROWS).to_pylist()]
            artifact.add(wandb.Table(columns=table.column_names, data=rows, allow_mixed_types=True), name)
        with _asking():
            self._tracked.summary.update(run.numbers())
            self._tell_remarks("\n".join(one.text for one in run.summary.remarks))
            partial = run.results.pending > 0 and not run.stopped
            tags = {*(self._tracked.tags or ())} - {PARTIAL}
            self._tracked.tags = tuple(sorted(tags | {PARTIAL} if partial else tags))
            self._tracked.log_artifact(artifact)
            folder = Path(self._tracked.dir).parent  # one of each start of the run, in order of their names
            starts = shlex.quote(str(folder.parent)) + f"/offline-run-*-{run.identity}*"
            offline = f"offline; `wandb sync {starts}` sends it"
            told = offline if self._tracked.offline else str(self._tracked.url)
            self._tracked.finish(exit_code=1 if partial else 0)
        return suite.Export([], [f"run {run.identity}: {told}", *remarks])

    def _tell_remarks(self, text: str) -> None:
        """In the summary, and as its notes where nobody wrote others."""
        if (self._tracked.notes or "") in ("", self._tracked.summary.get("remarks")):
            self._tracked.notes = text
        self._tracked.summary["remarks"] = text


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever wandb refuses becomes a sentence."""
    try:
        yield
    except Exception as error:  # not all that a server or a network does is a wandb.Error
        what = f"wandb did not take the run: {suite.one_line(str(error), 300)}"
        fix = "see WANDB_API_KEY and WANDB_MODE; the same command goes on there"
        raise suite.ConfigError(what, fix=fix) from error
