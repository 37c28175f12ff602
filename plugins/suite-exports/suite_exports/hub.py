"""A run's headlines as the Hub's `.eval_results/*.yaml`, to be put into the repository of the measured model.

One file a cell. Only headlines over every sample are written; which benchmark and which scale they belong
to is told by the dataset's registry entry (`hub`) or by the caller, never guessed. Source: the Hub's
`eval_results.yaml` specification, as `huggingface_hub.EvalResultEntry` reads it. Not here: the benchmark's
own file (`eval_yaml`).
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

import suite
from suite_exports.exporters import HubOptions

MOST_NOTES = 300  # characters of `notes`
FOLDER = ".eval_results"


@dataclass(frozen=True)
class Benchmark:
    """The benchmark of the Hub that a task's headline belongs to. scale: as its registry entry has it."""

    dataset: str
    task_id: str
    scale: Literal["proportion", "percent", "as-is"]


@dataclass(frozen=True)
class HubFile:
    """One file: where it goes in the model's repository, and its text."""

    path: str
    text: str


def write_hub(run: suite.ExportedRun, folder: Path, told: HubOptions) -> suite.Export:
    """Write the files below a folder, as they stand in the model's repository. Raises as `hub_files`."""
    files = hub_files(run, told)
    paths = [suite.write_file(folder / one.path, [one.text]) for one in files]
    upload = _upload(files, run, told) if told.push else None
    return suite.Export(paths, list(_advice(pushed=upload is not None)), upload)


def _upload(files: Sequence[HubFile], run: suite.ExportedRun, told: HubOptions) -> suite.Upload:
    """A pull request with the files."""
    repo = told.push

    def send() -> str:
        return f"opened {push(files, repo, run.name)}; it is merged by whoever owns {repo}"

    shown = (f"--- {one.path}\n{one.text}".removesuffix("\n") for one in files)
    return suite.Upload([f"a pull request to {repo} with:", *shown], f"open it at {repo}?", send, told.yes)


def hub_files(run: suite.ExportedRun, told: HubOptions) -> list[HubFile]:
    """The files of a run, by name.

    Raises ConfigError for a run on mini data, one that is partial (unless `allow_partial`), a task without
    a benchmark, a headline that is missing or not over every sample, or a scale that does not fit.
    """
    given = Benchmark(told.dataset, told.task_id, told.scale) if told.scale else None
    if run.manifest.mini:
        raise suite.ConfigError(
            f"run {run.name} was made on bundled mini data, which is no benchmark of the Hub",
            fix="run the task on its full data: the same command without --mini",
        )
    partial = _partial(run)
    if partial and not told.allow_partial:
        raise suite.ConfigError(
            f"run {run.name} is partial: {partial}", fix="run it whole, or say --allow-partial"
        )
    tasks = run.summary.tasks
    chosen = [one for one in tasks if told.task in ("", one.name)]
    if not chosen:
        raise suite.NotFound(
            f"run {run.name} has no task {told.task!r}", fix=", ".join(one.name for one in tasks)
        )
    if given is not None and len(chosen) > 1:
        raise suite.ConfigError(
            "one benchmark cannot be that of several tasks",
            where=", ".join(one.name for one in chosen),
            fix="choose one with --task",
        )
    found: dict[str, str] = {}
    for one in chosen:
        benchmark = given or _listed(run, one)
        for cell in one.cells:
            headline = _headline(one, cell, told.allow_partial)
            facts = run.measures(cell.id).get(headline.name)
            proportion = None if facts is None else facts.ends == (0.0, 1.0)
            _fits(benchmark.scale, one.name, headline, proportion)
            text = _entry(run, one, cell, benchmark, headline, partial, told.source_url)
            name = _name(benchmark, one, cell)
            if name in found:
                name = f"{name}_{cell.id}"
            found[name] = text
    return [HubFile(f"{FOLDER}/{name}.yaml", text) for name, text in sorted(found.items())]


def _partial(run: suite.ExportedRun) -> str:
    """Why the run is not whole, "" if it is."""
    groups = run.results.coverage.groups
    if pending := run.results.pending:
        return f"{pending} samples pending"
    if run.manifest.limit and groups.taken < groups.all:
        return f"{groups.taken} of {groups.all} groups"
    return "one shard" if run.manifest.shard else ""


def _listed(run: suite.ExportedRun, task: suite.TaskSummary) -> Benchmark:
    for identity in run.manifest.data.values():
        entry = run.dataset(str(identity.get("entry", "")))
        if entry is not None and (listed := entry.hub.get(task.name)):
            return Benchmark(listed.dataset, listed.task_id, listed.scale)
    raise suite.ConfigError(
        f"no dataset of {task.name} says which benchmark of the Hub it is",
        fix="give --dataset OWNER/NAME --task-id ID --scale proportion|percent|as-is, or write `hub` into "
        "the dataset's registry entry",
    )


def _headline(task: suite.TaskSummary, cell: suite.CellSummary, allow_partial: bool) -> suite.MetricResult:
    one = cell.headline
    where = f"{task.name} {cell.label}".strip()
    if one is None or one.value is None:
        raise suite.ConfigError(f"there is no headline of {where}", where=one.note if one else "")
    if one.unscored or (one.coverage is not None and one.coverage < 1):
        raise suite.ConfigError(
            f"the headline of {where} leaves out {one.unscored} unscored samples",
            fix="score them (suite score), for only numbers over every sample are written",
        )
    if cell.pending and not allow_partial:
        raise suite.ConfigError(f"{where} has {cell.pending} samples pending")
    return one


def _fits(scale: str, task: str, one: suite.MetricResult, proportion: bool | None) -> None:
    """Raises ConfigError for a headline that has no such scale."""
    inside = one.value is not None and 0 <= one.value <= 1
    if scale != "as-is" and (proportion is False or one.unit or not inside):
        raise suite.ConfigError(
            f"{task}: {one.name} is no proportion, so it has no scale {scale!r}", fix="--scale as-is"
        )


def _entry(
    run: suite.ExportedRun,
    task: suite.TaskSummary,
    cell: suite.CellSummary,
    benchmark: Benchmark,
    one: suite.MetricResult,
    partial: str,
    source_url: str,
) -> str:
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml, parse_eval_result_entries

    def scaled(value: float) -> float:
        """Rounded to what no interval can tell apart, so that 0.57 does not become 56.99999999999999."""
        return round(value * (100 if benchmark.scale == "percent" else 1), 6)

    assert one.value is not None
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{one.level:.0%} interval {scaled(one.low):.4g} to {scaled(one.high):.4g}"
    entry = EvalResultEntry(
        dataset_id=benchmark.dataset,
        task_id=benchmark.task_id,
        value=scaled(one.value),
        dataset_revision=_revision(run, benchmark.dataset),
        date=run.manifest.created or None,
        source_url=source_url or None,
        source_name="suite" if source_url else None,
        notes=notes(run, task, cell, one, interval, partial),
    )
    text = dump(eval_result_entries_to_yaml([entry]))
    if parse_eval_result_entries(yaml.safe_load(text)) != [entry]:
        raise suite.ConfigError(
            f"the entry of {task.name} does not survive being written as YAML", fix="report this as a bug"
        )
    return text


def _revision(run: suite.ExportedRun, dataset: str) -> str | None:
    for identity in run.manifest.data.values():
        if identity.get("source") == "hub" and identity.get("repo") == dataset:
            return str(identity.get("revision") or "") or None
    return None


def notes(
    run: suite.ExportedRun,
    task: suite.TaskSummary,
    cell: suite.CellSummary,
    one: suite.MetricResult,
    interval: str,
    partial: str,
) -> str:
    """What a reader must know, the most important first, in at most MOST_NOTES characters."""
    said = [
        f"PARTIAL: {partial}" if partial else "",
        "imported answers" if run.manifest.imported else "",
        f"{one.name} of {task.name} v{task.version}",
        cell.label,
        interval,
        f"n={one.n}",
        f"judge {judges}" if (judges := run.specs("judge")) else "",
        f"suite {run.manifest.suite}".strip(),
        *(f"{name} {value}" for name, value in cell.deviations.items()),
    ]
    text = ""
    for part in filter(None, said):
        longer = f"{text}; {suite.plain(part)}" if text else suite.plain(part)
        if len(longer) > MOST_NOTES:
            break
        text = longer
    return text


def _name(benchmark: Benchmark, task: suite.TaskSummary, cell: suite.CellSummary) -> str:
    """The file's name without ending; the setting is told only where the task has several cells."""
    parts = [benchmark.task_id, *((cell.label,) if len(task.cells) > 1 else ())]
    return "suite_" + "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.")[:80] for part in parts)


class _QuotingDumper(yaml.SafeDumper):
    """Writes every text but keys in double quotes: a commit such as 5e3… is a number to some readers else."""

    def choose_scalar_style(self) -> str:
        """Of the next scalar."""
        assert isinstance(self.event, yaml.ScalarEvent)
        quoted = self.event.implicit[1] and not self.simple_key_context
        return '"' if quoted else str(super().choose_scalar_style())


def dump(data: suite.Json) -> str:
    """YAML in which no text can be taken for a number, a date or a flag."""
    return yaml.dump(
        data,
        Dumper=_QuotingDumper,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
        default_flow_style=False,
    )


def _advice(*, pushed: bool) -> Iterator[str]:
    """What to do with the files, in lines."""
    if not pushed:
        yield f"put {FOLDER}/ into the model's repository, by a pull request if it is not yours:"
        yield f"  hf upload OWNER/MODEL {FOLDER} {FOLDER} --create-pr   (or --push OWNER/MODEL here)"
    yield "the Hub lists only results of datasets that are registered with it as benchmarks, under a task id"
    yield "of their eval.yaml; for any other dataset the files stay where they are and no page shows them"


def push(files: Sequence[HubFile], repo: str, run: str) -> str:
    """Open a pull request with these files and merge nothing; its address. Raises RunError if refused."""
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    added = [CommitOperationAdd(one.path, one.text.encode()) for one in files]
    try:
        done = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None).create_commit(
            repo_id=repo,
            repo_type="model",
            operations=added,
            commit_message=f"Add evaluation results of {len(files)} settings",
            commit_description=f"Written by suite from the run {run}.",
            create_pr=True,
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        if answer := suite.hub_answer(error):
            login = "see that HF_TOKEN, or `hf auth login`, has a token that may write there"
            fix = login if answer.status in (401, 403) else answer.fix
            raise suite.RunError(f"{answer.what}: no pull request to {repo}", fix=fix) from error
        raise suite.RunError(
            f"the Hub did not take the pull request to {repo}: {str(error).strip().splitlines()[0]}",
            fix="see that the repository is there and that `hf auth login` has a token that may write",
        ) from error
    return str(done.pr_url or done.commit_url)
