"""lm-evaluation-harness's files: names and keys as its readers expect, trials, licences."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from suite_exports.lm_eval import write_lm_eval

import suite

Make = Callable[..., Path]


@pytest.fixture
def run(make_run: Make) -> suite.ExportedRun:
    return suite.ExportedRun(make_run(pending=0))


def test_lm_eval_files_are_laid_out_as_its_readers_expect(run: suite.ExportedRun, tmp_path: Path) -> None:
    first, *others = write_lm_eval(run, tmp_path / "out")
    assert first.relative_to(tmp_path).as_posix() == (
        "out/vllm__Example__Model-8B/results_2026-11-24T17-00-00.000000.json"
    )
    results = json.loads(first.read_text())
    assert len(others) == len(results["results"]) == 7
    assert "units_stated" in results["results"]
    assert results["n-samples"]["units_stated"]["original"] == 12
    name = next(name for name in results["results"] if name.startswith("prefs_generation_"))
    found: dict[str, Any] = results["results"][name]
    headline = run.results.cells[0].metrics[0]
    assert found["kept,none"] == headline.value
    assert found["kept_stderr,none"] == "N/A"
    assert found["suite"][0]["low"] == headline.low
    assert results["higher_is_better"][name]["unhelpful"] is False
    assert "lm_eval_version" not in results
    path = next(one for one in others if name in one.name)
    # a reader takes the time after the last underscore and the task between the first and the last
    stem = path.stem
    assert stem[stem.index("_") + 1 : stem.rindex("_")] == name
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["doc_id"] for line in lines] == list(range(12))
    line = lines[0]
    assert line["resps"] == [[line["filtered_resps"][0]]]
    prompt = line["arguments"]["gen_args_0"]["arg_0"]
    assert json.loads(prompt)[-1] == {"role": "user", "content": "Sure?"}
    assert line["prompt_hash"] == hashlib.sha256(prompt.encode()).hexdigest()
    doc = json.dumps(line["doc"], indent=2, ensure_ascii=False)
    assert line["doc_hash"] == hashlib.sha256(doc.encode()).hexdigest()
    assert set(line["metrics"]) <= line.keys()


def test_trials_are_repeats_of_one_line_for_lm_eval(mini_run: Path, tmp_path: Path) -> None:
    run = suite.ExportedRun(mini_run)
    first, *others = write_lm_eval(run, tmp_path)
    results = json.loads(first.read_text("utf-8"))
    for path in others:
        name = path.stem[path.stem.index("_") + 1 : path.stem.rindex("_")]
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert results["n-samples"][name]["original"] == len(lines) == 8
        assert results["configs"][name]["repeats"] == 2
        assert all(len(line["resps"][0]) == len(line["filtered_resps"]) == 2 for line in lines)
        assert all(isinstance(line[metric], float) for line in lines for metric in line["metrics"])
        hashes = "".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines)
        assert results["task_hashes"][name] == hashlib.sha256(hashes.encode()).hexdigest()
        if "correct_micro,none" in results["results"][name]:
            mean = sum(line["correct"] for line in lines) / len(lines)
            assert results["results"][name]["correct_micro,none"] == pytest.approx(mean)


@pytest.mark.parametrize(("licence", "passes"), [("CC-BY-4.0", True), ("CC-BY-NC-4.0", False)])
def test_what_was_sent_is_in_them_unless_a_licence_forbids_it(
    make_run: Make, tmp_path: Path, licence: str, passes: bool
) -> None:
    folder = make_run(pending=0, manifest={"data": {"prefs": {"licence": {"name": licence}}}})
    written = write_lm_eval(suite.ExportedRun(folder), tmp_path / "out")
    sent = "I like trains, not planes."  # of the requests
    assert any(sent in path.read_text() for path in written) is passes
    told = [json.loads(line) for path in written[1:] for line in path.read_text().splitlines()]
    assert {line["doc"]["question"] for line in told} == {"Sure?" if passes else None}
    if not passes:
        assert all(line["arguments"]["gen_args_0"]["arg_0"] == line["doc"]["id"] for line in told)


def test_the_command_that_made_the_run_is_named(mini_run: Path, tmp_path: Path) -> None:
    results = write_lm_eval(suite.ExportedRun(mini_run), tmp_path)[0]
    assert json.loads(results.read_text("utf-8"))["suite_command"].startswith("suite eval --task prefeval/")


def test_answers_that_may_repeat_closed_data_are_spoken_of(
    make_run: Make, tmp_path: Path, export: Callable[..., tuple[int, str]]
) -> None:
    closed = {"data": {"prefs": {"licence": {"name": "CC-BY-NC-4.0"}}}}
    _, said = export(make_run(pending=0, manifest=closed), "--to", "lm-eval", "-O", tmp_path / "out")
    assert "prefs may not be passed on" in said
