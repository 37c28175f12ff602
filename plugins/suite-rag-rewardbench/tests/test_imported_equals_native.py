"""A native run written in upstream's score files and imported again has the same numbers and intervals."""

import json
from pathlib import Path
from typing import Any

import pytest
import suite_rag_rewardbench

import suite

MINI = Path(suite_rag_rewardbench.__file__).parent / "mini"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))


def solved(folder: Path, task: str, *arguments: str) -> Path:
    """A run of a classifier that scores by chance, ties among its scores."""
    model = f"scripted/{__name__}:scores?capabilities=rate"
    command = ["--task", task, "--mini", "-P", "kind=classifier", *arguments, "--model", model]
    assert suite.run_command("eval", *command, "--output", str(folder), "--quiet", "--no-cache") == 0
    return folder


def scores(request: suite.Request, _asking: suite.Asking) -> suite.Reply:
    return suite.Reply(scores=tuple(float(len(text) * 7 % 5) for text in request.texts))


def numbers(folder: Path) -> dict[tuple[str, str], Any]:
    (cell,) = suite.Run(folder).results.cells
    names = ("value", "low", "high", "n", "unscored", "method", "clusters")
    return {(one.name, json.dumps(one.slice)): [getattr(one, name) for name in names] for one in cell.metrics}


def data_of(folder: Path) -> dict[str, Any]:
    return {one.sample: one.output.data for one in suite.Run(folder).journal.outputs}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (MINI / name).read_text("utf-8").split("\n") if line]


def pairs(rows: list[dict[str, Any]], subset: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as the `rewardbench` command writes them."""
    written = []
    for index, row in enumerate(rows):
        name = subset or row["subset"]
        first, second = found[f"{name}/{index:05d}"]["scores"]
        texts = {f"text_{one}": last(row[one]) for one in ("chosen", "rejected")}
        written.append({"prompt": row["prompt"], "subset": name, "results": int(first > second),
                        "scores_chosen": [first], "scores_rejected": second, **texts})  # fmt: skip
    return written


def last(text: Any) -> str:
    said: str = text if isinstance(text, str) else text[-1]["content"]
    return said


@pytest.mark.parametrize("prior", [False, True])
def test_version_1(tmp_path: Path, prior: bool) -> None:
    native = solved(tmp_path / "native", "reward-bench/v1", "-P", f"prior_sets={str(prior).lower()}")
    found = data_of(native)
    rows = pairs(lines("reward-bench/filtered.jsonl"), "", found)
    for name in ("anthropic_helpful", "anthropic_hhh", "shp", "summarize") if prior else ():
        rows += pairs(lines(f"reward-bench/prior/{name}.jsonl"), name, found)
    path = tmp_path / "org__m_outputs.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    assert numbers(suite.import_run("reward-bench", path, tmp_path / "imported")) == numbers(native)


def test_version_2_with_its_ties(tmp_path: Path) -> None:
    native = solved(tmp_path / "native", "reward-bench/v2")
    found = data_of(native)
    rows = lines("reward-bench-2/test.jsonl")
    names = [f"{row['subset'].casefold().replace(' ', '-')}/{i:05d}" for i, row in enumerate(rows)]
    columns = {
        "subset": [row["subset"] for row in rows],
        "id": [row["id"] for row in rows],
        "num_correct": [len(row["chosen"]) for row in rows],
        "scores": [[[one] for one in found[name]["scores"]] for name in names],
        "results": [None] * len(rows),
        "model": "org/m",
    }
    path = tmp_path / "eval-set-scores/org/m.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(columns), "utf-8")
    assert numbers(suite.import_run("reward-bench", path, tmp_path / "imported")) == numbers(native)
