"""A task's own view of its samples: shown where the data is here, else a sentence; nothing is fetched."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from suite.cli.eval import eval_
from suite.journal.run import Run
from suite.report.plugin_sections import missing_data, own_views
from suite.report.sample_choice import SamplesWanted, find_samples
from suite.task import TaskInfo

Make = Callable[..., Path]


def with_data(folder: Path, data: dict[str, object]) -> Run:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "data": data}))
    return Run(folder)


def test_data_that_is_not_here_is_said_and_not_fetched(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "empty"))
    run = with_data(make_run(), {"prefeval": {"entry": "prefeval"}})
    views, why = own_views(run, find_samples(run, SamplesWanted(limit=5)).picked)
    assert views == {}
    assert why == "the data set prefeval is not on this machine; `suite data pull prefeval` brings it"


def test_data_given_by_hand_is_not_looked_for(make_run: Make) -> None:
    run = with_data(make_run(), {"contexts": {"sha256": "0" * 64}})
    assert missing_data(run) == "the run was given its data for contexts with --data"


def test_data_beside_a_task_is_here_where_two_tasks_call_theirs_the_same(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = TaskInfo("low", 1, "Low", headline="bad", rows={"texts": "low.jsonl"})
    monkeypatch.setattr(
        "suite.report.plugin_sections.tasks_of", lambda _run: {"c": SimpleNamespace(info=info)}
    )
    assert missing_data(with_data(make_run(), {"texts": {}, "low:texts": {}})) == ""
    assert "--data" in missing_data(with_data(make_run(), {"other:texts": {}}))


def test_a_task_that_is_not_installed_is_named(make_run: Make) -> None:
    run = with_data(make_run(), {})
    assert own_views(run, find_samples(run, SamplesWanted(limit=5)).picked) == (
        {},
        "no task named 'prefs/generation'",
    )


def test_a_real_run_shows_its_tasks_own_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("suite_prefeval")
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    command = [
        "--task", "prefeval/classification", "--mini", "--limit", "3", "--model", "scripted/echo",
        "-P", "inter_turns=0,3", "--output", str(tmp_path / "run"),
    ]  # fmt: skip
    done = CliRunner().invoke(eval_, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "scripted/echo answers by script" in done.output
    run = Run(tmp_path / "run")
    views, why = own_views(run, find_samples(run, SamplesWanted(limit=50)).picked)
    assert why == ""
    assert len(views) == 6
    assert all([block.title for block in blocks][-2:] == ["Options", "Values"] for blocks in views.values())
    assert "<h2>Which letter is picked" in (tmp_path / "run/report.html").read_text()
