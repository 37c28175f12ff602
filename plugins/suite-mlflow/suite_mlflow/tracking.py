"""A run of ours in MLflow. The tag `suite.run` names it, so that whoever comes again finds the same one.

Source: MLflow's tracking client (https://mlflow.org/docs/latest/ml/tracking/). Parameters cannot be changed
there once they are set; metrics are logged again only where their value is another.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

import suite
from suite_mlflow.exporter import MlflowOptions

MOST_ROWS = 10_000  # of a table that its pages show; all of them are in samples.parquet
MOST_AT_ONCE = 100  # parameters, metrics: some stores take no more
LONGEST, LONGEST_TAG = 500, 5_000  # characters of a parameter, of a tag, for old stores
# tags by which its pages find tables, and the text above a run
TABLES, DESCRIPTION = "mlflow.loggedArtifacts", "mlflow.note.content"
REMARKS = "suite.remarks"  # ours: what a reader must know before believing a number
T = TypeVar("T")
_LOGIN = re.compile(r"//[^/@\s]*@")  # in an address
_UNSAFE = re.compile(r"[^\w./: -]")
# what the server is given by default, so that one that is down is known in a minute
LIMITS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}


class TrackedRun(suite.Follower):
    """One run of an experiment, found again or made. Raises ConfigError where MLflow does not take it."""

    def __init__(self, run: suite.ExportedRun, options: MlflowOptions) -> None:
        for name, value in LIMITS.items():
            os.environ.setdefault(name, value)
        self._run, self._options = run, options
        with self._asking():
            self._client = MlflowClient(options.tracking_uri or None)
            self._experiment = self._experiment_of(options.experiment)
            self._id = self._found() or self._made()
            self._client.update_run(self._id, status="RUNNING")
            self._tell_parameters()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Whatever MLflow refuses becomes a sentence; what it prints, with logins in it, does not."""
        try:
            with redirect_stdout(StringIO()):
                yield
        except (MlflowException, OSError) as error:
            what = f"MLflow did not take the run: {suite.one_line(_LOGIN.sub('//', str(error)), 300)}"
            raise suite.ConfigError(what, fix="see that it is up; the same command goes on there") from error

    def _experiment_of(self, name: str) -> str:
        known = self._client.get_experiment_by_name(name)
        return known.experiment_id if known else str(self._client.create_experiment(name))

    def _found(self) -> str:
        runs = self._client.search_runs([self._experiment], f"tags.`suite.run` = '{self._run.identity}'")
        return str(runs[0].info.run_id) if runs else ""

    def _made(self) -> str:
        tags = {"suite.run": self._run.identity, "suite.scoring": self._run.scoring}
        made = self._client.create_run(self._experiment, tags=tags, run_name=self._run.name)
        return str(made.info.run_id)

    def _tell_parameters(self) -> None:
        known = self._client.get_run(self._id).data.params
        told = [Param(key, value) for key, value in parameters(self._run).items() if key not in known]
        for some in _batches(told):
            self._client.log_batch(self._id, params=some)

    def _tell_numbers(self, numbers: Mapping[str, float], step: int) -> None:
        known, now = self._client.get_run(self._id).data.metrics, int(time.time() * 1000)
        new = [Metric(key, value, now, step) for key, value in numbers.items() if known.get(key) != value]
        for some in _batches(new):
            self._client.log_batch(self._id, metrics=some)

    def update(self, now: suite.LiveProgress) -> None:
        """The headlines so far, at as many samples as are done."""
        with self._asking():
            self._tell_numbers(self._run.numbers(now), now.done)

    def stop(self, whole: bool) -> None:
        """Mark it where nothing else comes."""
        if not whole:
            with self._asking():
                self._client.set_terminated(self._id, "KILLED")

    def export(self, folder: Path) -> suite.Export:
        """Numbers, tables and files, by way of a folder."""
        run, client, samples = self._run, self._client, not self._options.no_samples
        paths = run.write_files(folder, samples=samples)
        tables, remarks = {"tables/results.json": run.table("results")}, list[str]()
        if samples:
            tables["tables/samples.json"] = table = run.table("samples")
            remarks = [*run.withheld_remarks]
            if table.num_rows > MOST_ROWS:
                remarks.append(f"its table has the first {MOST_ROWS:,} samples, samples.parquet all of them")
        with self._asking():
            self._tell_numbers(run.numbers(), run.manifest.all_works)
            client.log_dict(self._id, run.config, "config.json")
            for name, table in tables.items():
                rows = table.slice(0, MOST_ROWS).to_pylist()
                data = [list(row.values()) for row in rows]
                client.log_dict(self._id, {"columns": table.column_names, "data": data}, name)
            shown = json.dumps([{"path": name, "type": "table"} for name in tables])
            remarked = "\n\n".join(one.text for one in run.summary.remarks)[:LONGEST_TAG]
            partial = run.results.pending > 0 and not run.stopped
            tags = {TABLES: shown, REMARKS: remarked, "suite.partial": str(partial).lower()}
            known = client.get_run(self._id).data.tags
            if known.get(DESCRIPTION, "") in ("", known.get(REMARKS)):  # nobody wrote another
                tags[DESCRIPTION] = remarked
            client.log_batch(self._id, tags=[RunTag(key, value) for key, value in tags.items()])
            for path in paths:
                if path.is_dir():
                    client.log_artifacts(self._id, str(path), path.name)
                else:
                    client.log_artifact(self._id, str(path))
            client.set_terminated(self._id, "KILLED" if partial else "FINISHED")
        return suite.Export([], [self._place(), *remarks])

    def _place(self) -> str:
        uri = _LOGIN.sub("//", self._client.tracking_uri)
        return f"run {self._id} at {uri}, experiment {self._options.experiment}"


def parameters(run: suite.ExportedRun) -> dict[str, str]:
    """What was run, flat: tasks with their parameters, models, data revisions, seed."""
    manifest = run.manifest
    told: dict[str, object] = {
        "suite": manifest.suite, "seed": manifest.seed, "trials": manifest.trials, "mini": manifest.mini,
        "limit": manifest.limit, "prompts": manifest.prompts, "plan": manifest.plan_sha256,
    }  # fmt: skip
    tasks = run.config["tasks"]
    for task in tasks if isinstance(tasks, list) else []:
        told[f"task.{task['name']}"] = f"version {task['version']}"
        for name, values in task["parameters"].items():
            told[f"{task['name']}/{name}"] = " | ".join(map(suite.plain, values))
    for member in (one for members in run.roles.values() for one in members):
        told[f"model.{member.member}"] = member.spec
        if revision := member.identity.get("revision"):
            told[f"model.{member.member}.revision"] = revision
    for name, one in manifest.data.items():
        files = one.get("files")
        hashes = " | ".join(map(str, files.values())) if isinstance(files, dict) else None
        told[f"data.{name}"] = one.get("revision") or one.get("sha256") or hashes or one.get("entry")
    return {_UNSAFE.sub("_", name)[:250]: str(value)[:LONGEST] for name, value in told.items()}


def _batches(every: Sequence[T]) -> Iterator[Sequence[T]]:
    yield from (every[at : at + MOST_AT_ONCE] for at in range(0, len(every), MOST_AT_ONCE))
