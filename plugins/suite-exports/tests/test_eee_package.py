"""What we write, looked at by Every Eval Ever's own package: its validator and its JSON Schemas.

The package needs Python 3.12 and another huggingface_hub than ours, so it is asked in an environment of its
own: SUITE_EEE_PYTHON is the interpreter there (`tox -e eee` makes it). Skipped without.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from eee_checks import aggregate_of, problems

import suite

PYTHON = os.environ.get("SUITE_EEE_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="SUITE_EEE_PYTHON names no Python with every-eval-ever")

# Their raw schemas catch what the validator lets through (and the other way round): both are asked.
RAW = """
import json, sys
from pathlib import Path
from jsonschema import Draft7Validator
from every_eval_ever.schema import get_schema_version, schema_json
found = []
schemas = {name: json.loads(schema_json(name)) if isinstance(schema_json(name), str) else schema_json(name)
           for name in ("eval.schema.json", "instance_level_eval.schema.json")}
whole, line = (Draft7Validator(schemas[name]) for name in schemas)
for path in map(Path, sys.argv[1:]):
    text = path.read_text("utf-8")
    docs = text.splitlines() if path.suffix == ".jsonl" else [text]
    for doc in docs:
        for error in (line if path.suffix == ".jsonl" else whole).iter_errors(json.loads(doc)):
            found.append(f"{path.name}: {'/'.join(map(str, error.path))}: {error.message[:200]}")
print(json.dumps({"version": get_schema_version(), "errors": found}))
"""
RUNS: dict[str, Sequence[str]] = {
    "prefeval/classification": (),
    "prefeval/generation": ("--judge", "scripted/words"),
    "contexteval/adapted": ("--judge", "scripted/words"),
    "contexteval/pairwise": ("--baseline", "scripted/words", "--judge", "scripted/words"),
    "rag-rewardbench": (),
    "reward-bench/v2": (),
    "userbench/travel": ("--user", "scripted/words"),
    "vibechecker/live": (),
}


def theirs(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HF_"))
    }
    return subprocess.run(
        [PYTHON, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def validated(folder: Path) -> list[str]:
    """Errors and warnings of both, over all files below data/."""
    files = sorted(str(path.relative_to(folder)) for path in folder.glob("data/*/*/*/*.json*"))
    assert files
    done = theirs(folder, "-m", "every_eval_ever", "validate", "--format", "json", *files)
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(reports) == len(files), done.stderr
    found = [f"{one['file']}: {said}" for one in reports for said in (*one["errors"], *one["warnings"])]
    assert bool(found) == bool(done.returncode), done.stdout
    raw = json.loads(theirs(folder, "-c", RAW, *files).stdout)
    assert raw["version"] == "0.3.0"
    return [*found, *raw["errors"]]


def export(run: Path, folder: Path, *words: str) -> None:
    assert suite.run_command("report", "export", str(run), "-O", str(folder), *words) == 0


EEE = (
    "--to",
    "eee",
    "--relationship",
    "third_party",
    "--organization",
    "Example Lab",
    "--model-id",
    "ours/tiny",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every kind of task on bundled data, with models that answer by script."""
    folder = tmp_path_factory.mktemp("runs")
    for task, more in RUNS.items():
        words = ["eval", "--task", task, "--mini", "--limit", "3", "--trials", "2", "--no-cache", "--quiet"]
        place = str(folder / task.replace("/", "_"))
        code = suite.run_command(*words, "--model", "scripted/words", *more, "--output", place)
        # 1: words by chance are no verdicts, so that a whole cell has no value for one reason
        assert code in (0, 1) and (folder / place / "report.html").is_file()
    return folder


@pytest.mark.parametrize("task", RUNS)
def test_their_validator_and_schemas_take_every_task(runs: Path, tmp_path: Path, task: str) -> None:
    export(runs / task.replace("/", "_"), tmp_path, *EEE)
    assert validated(tmp_path) == []
    if "detailed_evaluation_results" in aggregate_of(tmp_path)[1]:
        assert problems(tmp_path) == []


def test_a_judge_that_is_often_understood_and_trials(mini_run: Path, tmp_path: Path) -> None:
    export(mini_run, tmp_path, *EEE)
    assert validated(tmp_path) == []
    assert problems(tmp_path) == []
    export(mini_run, tmp_path / "numbers", *EEE, "--no-samples")
    assert validated(tmp_path / "numbers") == []


def test_the_validator_is_really_asked(mini_run: Path, tmp_path: Path) -> None:
    export(mini_run, tmp_path, *EEE)
    path, aggregate = aggregate_of(tmp_path)
    aggregate["detailed_evaluation_results"]["total_rows"] += 1  # their validator's alone
    del aggregate["model_info"]["additional_details"]["deployment_type"]  # both
    path.write_text(json.dumps(aggregate), "utf-8")
    said = "\n".join(validated(tmp_path))
    assert "total_rows" in said and "deployment_type" in said


def test_their_converter_takes_our_lm_eval_files(mini_run: Path, tmp_path: Path) -> None:
    export(mini_run, tmp_path / "lm", "--to", "lm-eval")
    (log,) = (tmp_path / "lm").iterdir()
    words = ["--source_organization_name", "Example Lab", "--evaluator_relationship", "third_party"]
    place = ["--log_path", str(log), "--output_dir", str(tmp_path / "out/data"), "--include_samples"]
    done = theirs(tmp_path, "-m", "every_eval_ever", "convert", "lm_eval", *place, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(next(log.glob("results_*.json")).read_text("utf-8"))
    found = sorted((tmp_path / "out").glob("data/*/*/*/*.json"))
    assert len(found) == len(results["results"])
    assert len(list((tmp_path / "out").glob("data/*/*/*/*_samples.jsonl"))) == len(found)
    assert validated(tmp_path / "out") == []
    names = {
        one["metric_config"]["metric_name"]: one["score_details"]["score"]
        for path in found
        for one in json.loads(path.read_text("utf-8"))["evaluation_results"]
    }
    assert "kept" in "".join(names)
