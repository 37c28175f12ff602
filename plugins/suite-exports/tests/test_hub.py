"""`.eval_results` of the Hub: read back by its own client, whole headlines only, sent as a pull request."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_commits import WritingHub
from huggingface_hub import parse_eval_result_entries
from hypothesis import given
from hypothesis import strategies as st
from small_registry import Place
from suite_exports.exporters import HubOptions
from suite_exports.hub import FOLDER, MOST_NOTES, HubFile, dump, hub_files

import suite

Make = Callable[..., Path]
Command = Callable[..., tuple[int, str]]
OURS: dict[str, Any] = {"dataset": "ours/prefs", "task_id": "generation", "scale": "percent"}
COMMIT = "5e35" + "0" * 36


def files_of(run: suite.ExportedRun, **told: Any) -> list[HubFile]:
    return hub_files(run, HubOptions(**told))


def test_the_hubs_client_reads_what_was_meant(whole: Make) -> None:
    run = suite.ExportedRun(whole())
    files = files_of(run, **OURS, task="prefs/generation", source_url="https://example.org/run")
    assert len(files) == 6
    assert files[0].path == f"{FOLDER}/suite_generation_method-plain-inter-turns-0.yaml"
    (entry,) = parse_eval_result_entries(yaml.safe_load(files[0].text))
    headline = run.results.cells[0].metrics[0].value
    assert headline is not None
    assert entry.value == pytest.approx(100 * headline, abs=1e-6)
    assert (entry.dataset_id, entry.task_id, entry.dataset_revision) == ("ours/prefs", "generation", COMMIT)
    assert entry.date == "2026-11-24T17:00:00Z"
    assert (entry.source_url, entry.source_name) == ("https://example.org/run", "suite")
    assert entry.verify_token is None
    assert entry.notes is not None and len(entry.notes) <= MOST_NOTES
    for part in (
        "kept of prefs/generation v1",
        "method=plain, inter_turns=0",
        "95% interval",
        "judge openai/judge-1",
    ):
        assert part in entry.notes
    assert f'revision: "{COMMIT}"' in files[0].text  # quoted, as the date is
    assert re.search(r'date: "2026', files[0].text)


@pytest.mark.parametrize(("scale", "factor"), [("proportion", 1), ("percent", 100), ("as-is", 1)])
def test_numbers_are_told_in_the_benchmarks_scale(whole: Make, scale: Any, factor: int) -> None:
    run = suite.ExportedRun(whole())
    (one,) = files_of(run, **{**OURS, "scale": scale}, task="units/stated")
    value = run.results.cells[-1].metrics[0].value
    assert value is not None
    assert yaml.safe_load(one.text)[0]["value"] == pytest.approx(value * factor, abs=1e-6)
    assert one.path == f"{FOLDER}/suite_generation.yaml"


def test_a_number_that_is_no_proportion_has_no_percent(whole: Make) -> None:
    folder = whole()
    path = folder / "scorings/abc12345/results.json"
    results = json.loads(path.read_text("utf-8"))
    results["cells"][-1]["metrics"][0].update(value=12.5, low=10.0, high=15.0, unit="words")
    path.write_text(json.dumps(results), "utf-8")
    run = suite.ExportedRun(folder)
    with pytest.raises(suite.ConfigError, match="no proportion"):
        files_of(run, **OURS, task="units/stated")
    (one,) = files_of(run, **{**OURS, "scale": "as-is"}, task="units/stated")
    assert yaml.safe_load(one.text)[0]["value"] == 12.5


def test_only_headlines_over_every_sample_are_written(make_run: Make) -> None:
    run = suite.ExportedRun(make_run(pending=0))
    with pytest.raises(suite.ConfigError, match="unscored samples"):
        files_of(run, **OURS, task="prefs/generation")


def test_a_headline_without_a_value_is_no_result(whole: Make) -> None:
    folder = whole()
    path = folder / "scorings/abc12345/results.json"
    results = json.loads(path.read_text("utf-8"))
    results["cells"][-1]["metrics"][0].update(value=None, note="no sample has this value")
    path.write_text(json.dumps(results), "utf-8")
    with pytest.raises(suite.ConfigError, match="there is no headline of units/stated"):
        files_of(suite.ExportedRun(folder), **OURS, task="units/stated")


def test_partial_runs_are_refused_and_say_so_on_request(whole: Make) -> None:
    run = suite.ExportedRun(whole(limit=3))
    with pytest.raises(suite.ConfigError, match="3 of 12 groups"):
        files_of(run, **OURS, task="units/stated")
    (one,) = files_of(run, **OURS, task="units/stated", allow_partial=True)
    assert yaml.safe_load(one.text)[0]["notes"].startswith("PARTIAL: 3 of 12 groups")


def test_mini_data_is_no_benchmark_whatever_is_said(whole: Make) -> None:
    run = suite.ExportedRun(whole(manifest={"mini": True}))
    with pytest.raises(suite.ConfigError, match="mini data"):
        files_of(run, **OURS, task="units/stated", allow_partial=True)


def test_the_benchmark_is_never_guessed(whole: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = suite.ExportedRun(whole())
    with pytest.raises(suite.ConfigError, match="--dataset OWNER/NAME"):
        files_of(run, task="units/stated")
    with pytest.raises(suite.ConfigError, match="several tasks"):
        files_of(run, **OURS)
    with pytest.raises(suite.NotFound, match="prefs/generation"):
        files_of(run, **OURS, task="prefs/other")
    place = Place(tmp_path / "registry", tmp_path / "cache")
    listed = {"units/stated": {"dataset": "ours/prefs", "task_id": "units", "scale": "proportion"}}
    place.entry("prefs", source={"kind": "bundled"}, parts={}, files=[], hub=listed)
    monkeypatch.setattr(run, "dataset", place.registry.dataset)
    (one,) = files_of(run, task="units/stated")
    assert one.path == f"{FOLDER}/suite_units.yaml"


def test_notes_are_cut_between_facts(whole: Make) -> None:
    run = suite.ExportedRun(whole(note="x" * 400, candidate="vllm/" + "n" * 300))
    for one in files_of(run, **OURS, task="prefs/generation"):
        notes = yaml.safe_load(one.text)[0]["notes"]
        assert len(notes) <= MOST_NOTES and not notes.endswith(";")


@given(
    st.dictionaries(st.sampled_from("abcd"), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
)
def test_every_text_comes_back_as_text(data: dict[str, str]) -> None:
    assert yaml.safe_load(dump([data])) == [data]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritingHub]:
    """A Hub with one model that takes pull requests."""
    (tmp_path / "hub/models/ours/model").mkdir(parents=True)
    (tmp_path / "hub/models/ours/model/README.md").write_text("a model", "utf-8")
    with WritingHub(tmp_path / "hub") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", server.token)
        yield server


TOLD = [
    "--to",
    "hub",
    "--task",
    "units/stated",
    "--dataset",
    "ours/prefs",
    "--task-id",
    "units",
    "--scale",
    "percent",
    "-O",
]


def test_files_are_written_with_what_to_do_with_them(whole: Make, tmp_path: Path, export: Command) -> None:
    code, said = export(whole(), *TOLD, tmp_path / "model")
    assert code == 0, said
    assert (tmp_path / "model" / FOLDER / "suite_units.yaml").is_file()
    assert "hf upload OWNER/MODEL" in said
    assert "registered with it as benchmarks" in said


def test_a_pull_request_is_opened_after_it_was_shown(
    whole: Make, tmp_path: Path, hub: WritingHub, export: Command
) -> None:
    folder = whole()
    _, said = export(folder, *TOLD, tmp_path / "model", "--push", "ours/model", say="n")
    assert "nothing was sent" in said and hub.requests == []
    code, said = export(folder, *TOLD, tmp_path / "model", "--push", "ours/model", say="y")
    assert code == 0, said
    (sent,) = hub.requests
    path = f"{FOLDER}/suite_units.yaml"
    assert sent["pull"] is True
    assert sent["files"] == {path: (tmp_path / "model" / path).read_text("utf-8")}
    assert said.index(sent["files"][path]) < said.index("open it at ours/model?")
    assert f"{hub.url}/ours/model/discussions/1" in said


def test_what_the_hub_refuses_is_said(
    whole: Make, tmp_path: Path, hub: WritingHub, export: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = whole()
    code, said = export(folder, *TOLD, tmp_path / "model", "--push", "ours/other", "--yes")
    assert code == 2 and "pull request to ours/other" in said
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    code, said = export(folder, *TOLD, tmp_path / "model", "--push", "ours/model", "--yes")
    assert code == 2 and "hf auth login" in said
    assert hub.requests == []
    assert "hf_wrong" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "csv", "--push", "a/b"], "--push means nothing to --to csv"),
        (["--to", "hub", "--relationship", "other"], "--relationship means nothing to --to hub"),
        (["--to", "hub", "--dataset", "a/b"], "go together"),
        (["--to", "eee"], "needs --relationship"),
        (["--to", "eee", "--relationship", "other"], "needs --organization"),
        (["--to", "parquet", "--raw-cells"], "--raw-cells means nothing to --to parquet"),
    ],
)
def test_flags_of_another_format_are_refused(
    whole: Make, tmp_path: Path, words: list[str], message: str, export: Command
) -> None:
    code, said = export(whole(), "-O", tmp_path / "x", *words)
    assert code == 2 and message in said
    assert not (tmp_path / "x").exists()
