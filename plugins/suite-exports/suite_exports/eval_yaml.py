"""A candidate for a Hub benchmark's eval.yaml, the file by which a dataset's repository becomes a benchmark.

Only the dataset's owner can add it, and the Hub lists only frameworks it knows. A task is written in
Inspect's words only where its registry entry says that it can be (`hub.TASK.inspect`); any other names our
own framework, with the sentence that the Hub refuses it. Schema: `registry/schemas/eval-yaml.json`. Source:
the Hub's documentation of benchmarks. Not here: results (`suite report export --to hub`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

import suite

FRAMEWORK = "suite"
REFUSED = (
    "The Hub refuses files that name a framework it does not know, and it does not know `suite`: this file",
    "describes the task, but no leaderboard appears until the framework is added upstream.",
)


def eval_yaml(
    task: str, title: str, about: str, entries: Sequence[suite.DatasetEntry], headline: str = ""
) -> tuple[dict[str, suite.Json], list[str]]:
    """(the file's content, remarks) for a task over these registry entries, its own dataset first."""
    listed = next((entry.hub[task] for entry in entries if task in entry.hub), None)
    inspect = listed.inspect if listed else None
    first = entries[0] if entries else None
    told: dict[str, suite.Json] = {"id": listed.task_id if listed else task.replace("/", "_")}
    if listed:
        told |= {name: value for name in ("config", "split") if (value := getattr(listed, name))}
    if inspect:
        told |= inspect.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    content: dict[str, suite.Json] = {
        "name": first.title if first else title,
        "description": about,
        "evaluation_framework": "inspect-ai" if inspect else FRAMEWORK,
        "tasks": [told],
    }
    remarks = [] if inspect else list(REFUSED)
    remarks += _place(task, first, listed.dataset if listed else "")
    if headline:
        remarks.append(f"Its results are values of `{headline}`.")
    return content, remarks


def _place(task: str, first: suite.DatasetEntry | None, listed: str) -> list[str]:
    where = listed
    if not where and first is not None and first.source.kind == "hub":
        where = first.source.repo
    if where:
        said = [f"To be put into the dataset repository {where} by its owner."]
    else:
        said = [
            "The data is not on the Hub as far as its registry entry knows: a repository is needed first."
        ]
    if not listed:
        said.append(f"The id is our name for {task}; config and split are left out: nobody has stated them.")
    return said


def rendered(content: Mapping[str, suite.Json], remarks: Sequence[str]) -> str:
    """The file with its remarks as comments."""
    head = "".join(f"# {' '.join(line.split())}\n" for line in remarks)
    text: str = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=100)
    return head + text


def write_eval_yaml(run: suite.ExportedRun, output: Path) -> list[Path]:
    """A candidate for each task of a run: TASK/eval.yaml."""
    paths = []
    for cell in {one.task: one for one in run.manifest.cells}.values():
        task = run.tasks.get(cell.cell)
        names = task.info.datasets if task is not None else run.manifest.data
        entries = [entry for one in names if (entry := run.dataset(one)) is not None]
        about = ". ".join(filter(None, (cell.title, cell.paper)))
        text = rendered(*eval_yaml(cell.task, cell.title, about, entries, cell.headline))
        paths.append(suite.write_file(output / cell.task.replace("/", "_") / "eval.yaml", [text]))
    return paths
