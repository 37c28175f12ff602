"""A native run written in upstream's judgement files and imported again has the same numbers."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import suite_contexteval

import suite

CONTEXTS = Path(suite_contexteval.__file__).parent / "mini/contexts.jsonl"
SETTINGS = {"none": "wo_contexts", "both": "w_contexts"}
SAID = ['output: {"judgement": "%s"}' % name for name in ("Response 1", "Response 2", "Tie")]  # noqa: UP031


def verdict(number: int) -> Callable[[suite.Request, suite.Asking], str]:
    """A judge that speaks by chance, the same for the same request."""

    def judge(request: suite.Request, _asking: suite.Asking) -> str:
        return SAID[hashlib.sha256(f"{number}{request.text}".encode()).digest()[0] % 3]

    return judge


one, two, three, four, five = map(verdict, range(5))
JUDGES = [f"scripted/{__name__}:{name}" for name in ("one", "two", "three", "four", "five")]


def run(*arguments: str) -> None:
    judges = [word for judge in JUDGES for word in ("--judge", judge)]
    assert suite.run_command(*arguments, *judges, "--quiet", "--no-cache") == 0


def numbers(folder: Path, scoring: str = "") -> dict[tuple[str, str], Any]:
    """The numbers, but those by judge: a judge has another name here than there."""
    results = suite.Run(folder, scoring).results
    names = ("value", "low", "high", "n", "unscored", "method", "clusters")
    (cell,) = results.cells
    return {
        (one.name, json.dumps(one.slice)): [getattr(one, name) for name in names]
        for one in cell.metrics
        if "judge" not in one.slice
    }


@pytest.mark.parametrize(("orders", "setting"), [("paper", "none"), ("per-judge", "both")])
def test_a_panel_of_five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orders: str, setting: str) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    native = tmp_path / "native"
    values = {"setting": setting, "orders": orders, "max_tokens": 99, "judge_tokens": 512, "justify": "true",
              "may_tie": "true", "sources": "[]"}  # fmt: skip
    run("eval", "--task", "contexteval/pairwise", "--mini", "--limit", "10",
        *(word for name, value in values.items() for word in ("-P", f"{name}={value}")),
        "--model", "scripted/words?words=9", "--baseline", "scripted/words?words=11",
        "--output", str(native))  # fmt: skip
    files = write(native, tmp_path / "files", setting)
    imported = suite.import_run("contexteval", files, tmp_path / "imported")
    found, wanted = numbers(imported), numbers(native)
    assert found.keys() == wanted.keys()
    for key, (value, low, high, *rest) in wanted.items():
        # queries have other ids there: what is drawn by chance differs by its Monte Carlo error
        near = 0.02 if "bootstrap" in str(rest) and value is not None else 1e-12
        assert found[key] == [value, pytest.approx(low, abs=near), pytest.approx(high, abs=near), *rest], key
    assert {one.score_parameters["orders"] for one in suite.Run(imported).manifest.cells} == {orders}


def write(native: Path, folder: Path, setting: str) -> Path:
    """The repository's files: one a judge."""
    reader = suite.Run(native)
    queries = {
        row["example_id"]: row["query"] for row in map(json.loads, CONTEXTS.read_text("utf-8").splitlines())
    }
    outputs = {one.sample: one for one in reader.outputs()}
    replies = {one.id: one for one in reader.judged.calls}
    folder.mkdir()
    for record in reader.scores():
        output = outputs[record.sample]
        swapped = {
            part.tags["judge"]: part.tags["order"] == "second-first"
            for part in record.parts
            if "order" in part.tags
        }
        for call in (replies[name] for name in record.calls):
            row = {
                "query": queries[record.sample],
                "context": "",
                "candidate_one_response": reader.text(output),
                "candidate_two_response": output.output.data["baseline"],
                "rand_choice": 1 + swapped[call.role],
                "eval_judgement": call.reply.text,
            }
            name = f"j{call.role.partition('/')[2] or 1}"  # files are read in the order of their names
            path = folder / f"sampled_evals_{SETTINGS[setting]}_{name}-judge_m_vs_n.jsonl"
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    return folder
