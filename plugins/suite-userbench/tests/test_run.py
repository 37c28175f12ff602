"""A whole run through the command line: report, analysis, export, generated files as data."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from suite_userbench.analysis import analysis, candidate
from suite_userbench.cli import userbench
from suite_userbench.parameters import TravelParameters
from suite_userbench.task import Travel

import suite


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two baselines with two trials on the bundled scenarios."""
    import os

    base = tmp_path_factory.mktemp("userbench")
    before = os.getcwd()  # noqa: PTH109
    os.chdir(base)
    try:
        for name in ("random", "ask_everything"):
            code = suite.run_command(
                "eval",
                "--task",
                "userbench/travel",
                "--mini",
                "-P",
                "user=rules-v1",
                "-P",
                "tags=22",
                "--trials",
                "2",
                "--model",
                f"scripted/suite_userbench.baselines:{name}",
                "--output",
                f"runs/{name}",
            )
            assert code == 0
    finally:
        os.chdir(before)
    return base / "runs"


def totals(run: suite.Run) -> dict[str, Any]:
    return {one.name: one.value for one in run.results.cells[0].metrics if not one.slice}


def _number(value: suite.Shown) -> float:
    assert isinstance(value, float)
    return value


def test_results_and_facts(folder: Path) -> None:
    run = suite.Run(folder / "ask_everything")
    (cell,) = run.manifest.cells
    assert cell.facts["user"] == "rules-v1 (version 1)"
    assert "not comparable" in cell.facts["scenarios"]
    found = totals(run)
    assert found["elicited"] == pytest.approx(found["elicited_active"] + found["elicited_passive"])
    assert found["score_micro"] == pytest.approx(
        0.8 * found["correct_exist_rate"] + 0.2 * found["best_exist_rate"]
    )
    assert found["solved@2"] is not None and found["solved^2"] <= found["solved@1"] <= found["solved@2"]


def test_the_report_shows_bounds_and_curves(folder: Path) -> None:
    runs = [suite.Run(folder / "random"), suite.Run(folder / "ask_everything")]
    (section,) = analysis(runs)
    plot = next(block for block in section.blocks if isinstance(block, suite.Plot))
    lines = {line.name.split(" (")[0]: line.points for line in plot.lines}
    assert set(lines) == {"baseline: random", "baseline: ask_everything"}
    assert all(later[1] >= sooner[1] for line in lines.values() for sooner, later in itertools.pairwise(line))
    assert lines["baseline: random"][-1][1] == 0.0
    assert lines["baseline: ask_everything"][-1][1] == pytest.approx(totals(runs[1])["elicited"])
    bounds, best_of = [block for block in section.blocks if isinstance(block, suite.Table)]
    rows: dict[str, Any] = {str(row[0]): dict(zip(bounds.columns, row, strict=True)) for row in bounds.rows}
    assert rows["bound: one pick among 18"]["score"] == pytest.approx(2.6 / 18)
    assert rows["bound: suitable options, price unknown"]["score"] == pytest.approx(2.6 / 3)
    asked = next(row for name, row in rows.items() if name.startswith("bound: asks"))
    assert asked["elicited"] > 0.9 and "rules-v1" in rows["baseline: random"]["user"]
    assert all(_number(row[-2]) >= _number(row[-1]) for row in best_of.rows)
    assert {row[2] for row in best_of.rows} == {2}


def test_a_model_that_plays_the_user_is_named_beside_the_score(folder: Path) -> None:
    run = suite.Run(folder / "random")
    assert run.candidate is not None
    player = replace(run.candidate, member="user", spec="vllm/some-user")
    run.manifest = replace(run.manifest, roles={**run.manifest.roles, "user": [player]})
    (section,) = analysis([run])
    table = next(block for block in section.blocks if isinstance(block, suite.Table))
    users = {row[0]: str(row[2]) for row in table.rows}
    assert users["baseline: random"].endswith("by vllm/some-user")


def test_other_candidates_keep_their_spec() -> None:
    run: Any = SimpleNamespace(candidate=SimpleNamespace(spec="vllm/x"))
    assert candidate(run) == "vllm/x"
    assert analysis([]) == ()


def test_an_episode_is_shown(folder: Path, files: Callable[..., Any]) -> None:
    run = suite.Run(folder / "ask_everything")
    record = next(run.outputs())
    task = Travel(TravelParameters(**run.manifest.cells[0].parameters))
    sample = next(one for one in task.samples(files()) if one.id == record.sample)
    blocks = list(task.show(sample, record.output, None))
    dialogue = next(block for block in blocks if isinstance(block, suite.Dialogue))
    notes = [note for turn in dialogue.turns for note in turn.notes]
    revealed = [note for note in notes if note.startswith("reveals P")]
    hidden = next(block for block in blocks if isinstance(block, suite.Table) and "category" in block.columns)
    assert len(hidden.rows) == len(sample.payload.preferences)
    assert sum(row[5] != "never" for row in hidden.rows) == len(revealed) > 0
    assert any(note.startswith("reward 0.2") for note in notes)


def test_export_gives_what_the_candidate_saw_with_rewards(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "episodes.jsonl"
    result = CliRunner().invoke(userbench, ["export", str(folder / "ask_everything"), "-O", str(out)])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 10  # five scenarios, two trials
    outputs = {
        (one.sample, one.trial): one.output for one in suite.Run(folder / "ask_everything").journal.outputs
    }
    for row in rows:
        spoken = [one for one in row["messages"] if one["role"] == "assistant"]
        assert len(spoken) == len(row["rewards"]) == len(row["events"])
        events = outputs[row["scenario"], row["trial"]].data["events"]
        assert row["rewards"] == [event.get("reward", 0.0) for event in events]
        assert [one["role"] for one in row["messages"][:3]] == ["system", "user", "assistant"]
        assert row["messages"][-1]["role"] == "tool"
        assert isinstance(row["score"], float) and row["user"].startswith("rules-v1")
        said = json.loads(spoken[0]["tool_calls"][0]["function"]["arguments"])
        assert said["choice"] == "search" and said["content"] == events[0]["content"]


def test_generated_files_serve_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["generate", "-O", "synth", "--split", "train", "--tag", "33", "--count", "3", "--seed", "9"]
    result = CliRunner().invoke(userbench, arguments)
    assert result.exit_code == 0 and "never compare" in result.output
    data = ["--data", "userbench=synth/scenarios.jsonl", "--data", "userbench-index=synth/index.jsonl"]
    code = suite.run_command(
        "eval",
        "--task",
        "userbench/travel",
        *data,
        "-P",
        "split=train",
        "-P",
        "user=rules-v1",
        "--output",
        "run",
        "--model",
        "scripted/suite_userbench.baselines:silent",
        "-P",
        "max_steps=2",
    )
    assert code == 0
    run = suite.Run(tmp_path / "run")
    assert len(list(run.outputs())) == 3 and totals(run)["score"] == 0.0


def test_the_baseline_command() -> None:
    result = CliRunner().invoke(userbench, ["baseline", "random", "--episodes", "6", "--tag", "22", "--json"])
    found = json.loads(result.output)
    assert (found["episodes"], found["elicited_active"]) == (6, 0.0)
    plain = CliRunner().invoke(userbench, ["baseline", "silent", "--episodes", "2", "--tag", "22"])
    assert "score" in plain.output and "0.000" in plain.output


def test_exporting_another_task_is_refused(folder: Path, tmp_path: Path) -> None:
    manifest = json.loads((folder / "random" / "manifest.json").read_text())
    manifest["cells"][0]["task"] = "other/task"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    result = CliRunner().invoke(userbench, ["export", str(tmp_path), "-O", str(tmp_path / "x")])
    assert isinstance(result.exception, suite.ConfigError)
