"""Every Eval Ever's files: layout, mapping, what is left out. Their validator: `test_eee_package`."""

import hashlib
import json
import math
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eee_checks import aggregate_of, problems, rows_of
from suite_exports.eee import write_eee
from suite_exports.eee_parts import model_id
from suite_exports.eee_rows import _arguments
from suite_exports.eee_schema import AGGREGATE, ROW, SCHEMAS, Unfit, check_results, check_score, encoded
from suite_exports.exporters import EveryEvalEverOptions

import suite
from suite import ExportedRun

Make = Callable[..., Path]
TOLD = EveryEvalEverOptions(relationship="third_party", organization="Example Lab")
OTHER = EveryEvalEverOptions(relationship="other", organization="X", model_id="a/b")


@pytest.fixture
def mini(mini_run: Path) -> ExportedRun:
    return ExportedRun(mini_run)


def test_the_files_lie_where_the_datastore_has_them(mini: ExportedRun, tmp_path: Path) -> None:
    told = TOLD.model_copy(update={"model_id": "example/tiny/chat"})
    written = write_eee(mini, tmp_path, told)
    first, second = (path.relative_to(tmp_path) for path in written.paths)
    assert first.parts[:4] == ("data", "prefeval", "example", "tiny_chat")
    assert uuid.UUID(first.stem).version == 4
    assert second.name == f"{first.stem}_samples.jsonl"
    _, aggregate = aggregate_of(tmp_path)
    assert aggregate["model_info"]["id"] == "example/tiny/chat"
    assert aggregate["source_metadata"]["evaluator_relationship"] == "third_party"
    assert aggregate["detailed_evaluation_results"]["file_path"] == second.as_posix()


def test_aggregates_follow_from_the_rows(mini: ExportedRun, tmp_path: Path) -> None:
    written = write_eee(mini, tmp_path, OTHER)
    assert problems(tmp_path) == []
    rows = rows_of(tmp_path)
    assert {row["metadata"]["trial"] for row in rows} == {"0", "1"}
    # the check is no formality: a row changed, a row taken away, a number raised
    path, aggregate = aggregate_of(tmp_path)
    samples = written.paths[1]
    whole = samples.read_bytes()
    samples.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    assert {"checksum", "total_rows"} <= set(problems(tmp_path))
    samples.write_bytes(whole)
    told = next(one for one in aggregate["evaluation_results"] if "rows" in one["score_details"]["details"])
    told["score_details"]["score"] += 0.25
    path.write_text(json.dumps(aggregate), "utf-8")
    assert problems(tmp_path)[0].startswith(told["evaluation_result_id"])


def test_a_second_export_gives_the_same_files(mini: ExportedRun, tmp_path: Path) -> None:
    bytes_of = [path.read_bytes() for path in write_eee(mini, tmp_path, OTHER).paths]
    again = write_eee(ExportedRun(mini.folder), tmp_path, OTHER)
    assert [path.read_bytes() for path in again.paths] == bytes_of
    assert len(list(tmp_path.glob("data/**/*.json"))) == 1


def test_numbers_have_bounds_intervals_and_where_they_come_from(mini: ExportedRun, tmp_path: Path) -> None:
    write_eee(mini, tmp_path, OTHER)
    _, aggregate = aggregate_of(tmp_path)
    by_id = {one["evaluation_result_id"]: one for one in aggregate["evaluation_results"]}
    one = next(value for name, value in by_id.items() if name.endswith(":correct"))
    assert one["evaluation_name"] == "prefeval.classification"
    metric = one["metric_config"]
    assert (metric["min_score"], metric["max_score"], metric["metric_unit"]) == (0.0, 1.0, "proportion")
    assert (metric["metric_id"], metric["lower_is_better"]) == ("suite.prefeval.correct", False)
    assert metric["additional_details"]["plan_sha256"] == mini.manifest.plan_sha256
    assert one["source_data"]["dataset_name"] == "prefeval-mini"
    assert one["generation_config"]["generation_args"] == {"temperature": 0.0, "max_tokens": 5}
    assert one["generation_config"]["additional_details"]["trials"] == "2"
    lower = next(value for name, value in by_id.items() if name.endswith(":unparsed"))
    assert lower["metric_config"]["lower_is_better"] is True
    assert lower["score_details"]["uncertainty"]["confidence_interval"]["confidence_level"] == 0.95


def test_judges_are_named_with_their_templates(mini: ExportedRun, tmp_path: Path) -> None:
    write_eee(mini, tmp_path, OTHER)
    _, aggregate = aggregate_of(tmp_path)
    by_name: dict[str, list[Any]] = {}
    for one in aggregate["evaluation_results"]:
        by_name.setdefault(one["evaluation_name"], []).append(one["metric_config"].get("llm_scoring"))
    assert set(by_name["prefeval.classification"]) == {None}  # it asks no judge
    judged = by_name["prefeval.generation"][0]
    assert judged["judges"][0]["model_info"]["id"] == "judge.jsonl"
    assert "[" in judged["input_prompt"] and len(judged["input_prompt"]) > 200


def test_unscored_samples_have_no_row_and_are_counted(mini: ExportedRun, tmp_path: Path) -> None:
    write_eee(mini, tmp_path, OTHER)
    _, aggregate = aggregate_of(tmp_path)
    cell = next(one for one in mini.manifest.cells if one.task == "prefeval/generation").cell
    name = f"prefeval/generation@{cell}:kept_micro"
    (one,) = [
        one["score_details"] for one in aggregate["evaluation_results"] if one["evaluation_result_id"] == name
    ]
    unscored = [
        score
        for score in mini.scores()
        if score.cell == cell and isinstance(score.values["kept"], suite.Unscored)
    ]
    assert len(unscored) > 2
    assert one["details"]["rows_left_out_unscored"] == str(len(unscored))
    rows = rows_of(tmp_path)
    mine = [row for row in rows if row["evaluation_result_id"] == name]
    assert {row["metadata"]["trial"] for row in mine} == {"0"}  # in the other one the judge said nothing
    assert all(isinstance(row["evaluation"]["score"], float) for row in rows)


def test_conversations_are_messages_and_single_questions_are_not(mini: ExportedRun, tmp_path: Path) -> None:
    write_eee(mini, tmp_path, OTHER)
    rows = rows_of(tmp_path)
    several = next(row for row in rows if row["interaction_type"] == "multi_turn")
    assert "output" not in several
    assert [turn["turn_idx"] for turn in several["messages"]] == list(range(len(several["messages"])))
    assert several["messages"][-1]["role"] == "assistant"
    assert several["evaluation"]["num_turns"] > 1
    assert several["token_usage"]["total_tokens"] == (
        several["token_usage"]["input_tokens"] + several["token_usage"]["output_tokens"]
    )


@pytest.mark.parametrize(
    ("imported", "told"), [(True, "that of the imported files"), (False, "none is named")]
)
def test_a_run_without_datasets_says_whose_licence_counts(
    mini_run: Path, tmp_path: Path, imported: bool, told: str
) -> None:
    folder = Path(shutil.copytree(mini_run, tmp_path / "run"))
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "data": {}, "imported": imported}))
    remarks = write_eee(ExportedRun(folder), tmp_path, OTHER).remarks
    assert f"(licence: {told})" in " ".join(remarks)


def test_questions_that_no_licence_lets_pass_on_are_named_by_their_ids(
    mini: ExportedRun, tmp_path: Path
) -> None:
    open_rows = rows_of(write_and_folder(mini, tmp_path / "open"))
    path = mini.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["data"]["prefeval"]["entry"] = "prefeval"  # the paper's own data, CC-BY-NC
    path.write_text(json.dumps(manifest))
    closed = ExportedRun(mini.folder)
    written = write_eee(closed, tmp_path / "closed", OTHER)
    rows = rows_of(tmp_path / "closed")
    assert [row["sample_hash"] for row in rows] == [row["sample_hash"] for row in open_rows]
    assert all(row["input"]["raw"] == row["sample_id"] for row in rows)
    said = {
        turn["content"] for row in rows for turn in row.get("messages") or () if turn["role"] != "assistant"
    }
    assert said <= {row["sample_id"] for row in rows}
    assert any("ids of questions" in line for line in written.remarks)
    assert all(row["input"]["raw"] != row["sample_id"] for row in open_rows)


def write_and_folder(run: ExportedRun, folder: Path) -> Path:
    write_eee(run, folder, OTHER)
    return folder


def test_without_samples_only_numbers_are_written(mini: ExportedRun, tmp_path: Path) -> None:
    written = write_eee(mini, tmp_path, OTHER.model_copy(update={"no_samples": True}))
    assert len(written.paths) == 1
    _, aggregate = aggregate_of(tmp_path)
    assert "detailed_evaluation_results" not in aggregate
    assert not list(tmp_path.glob("data/**/*.jsonl"))
    assert any(
        "rows_left_out_unscored" in one["score_details"]["details"] for one in aggregate["evaluation_results"]
    )


def test_a_task_that_is_not_installed_has_numbers_without_bounds(make_run: Make, tmp_path: Path) -> None:
    run = ExportedRun(make_run(pending=0))
    written = write_eee(run, tmp_path, TOLD)
    assert len(written.paths) == 1  # nobody knows which values its metrics are means of
    _, aggregate = aggregate_of(tmp_path)
    assert aggregate["model_info"]["id"] == "Example/Model-8B"
    assert aggregate["model_info"]["additional_details"]["deployment_type"] == "self_deployed"
    metric = aggregate["evaluation_results"][0]["metric_config"]
    assert "min_score" not in metric and "not installed" in metric["additional_details"]["bounds"]


@pytest.mark.parametrize(
    "name", ["gpt-x", "", "unknown/x", "data/x", "a/../b", "a b/c", "./x", "a/.b", "a/b.", "/a", "a//b"]
)
def test_a_developer_is_not_guessed(name: str) -> None:
    with pytest.raises(suite.ConfigError, match="does not say who made"):
        model_id(
            suite.RoleMember(
                member="candidate", spec=f"openai/{name}", stage="solve", identity={"name": name},
                needs=(), capabilities=(), limits={}, sampling={},
            )
        )  # fmt: skip


def test_an_unfinished_run_is_told_to_be_one(make_run: Make, tmp_path: Path) -> None:
    write_eee(ExportedRun(make_run(pending=2)), tmp_path, TOLD)
    told = aggregate_of(tmp_path)[1]["source_metadata"]["additional_details"]
    assert any("no result yet" in text for name, text in told.items() if name.startswith("warning_"))


def test_a_number_outside_its_bounds_is_an_error(mini: ExportedRun, tmp_path: Path) -> None:
    path = mini.folder / "scorings" / mini.scoring / "results.json"
    results = json.loads(path.read_text("utf-8"))
    cell = next(one for one in results["cells"] if one["metrics"][0]["value"] is not None)
    cell["metrics"][0]["value"] = 1.5
    path.write_text(json.dumps(results), "utf-8")
    with pytest.raises(suite.RunError, match=r"outside 0\.0 to 1\.0"):
        write_eee(ExportedRun(mini.folder), tmp_path, OTHER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "x", "b": 2, "c": [1]}', {"a": "x", "b": "2", "c": "[1]"}),
        ("[1]", {"arguments": "[1]"}),
        ("{broken", {"arguments": "{broken"}),
    ],
)
def test_arguments_of_tools_are_text(text: str, expected: dict[str, str]) -> None:
    assert _arguments(text) == expected


SHA256 = {  # of the files in every-eval-ever 0.3.0
    AGGREGATE: "c9c6195aec8a9dfa0b2aba4924ac1aa8a184c9d8ca97cee778cb531088e39b48",
    ROW: "b16b7fa7f0aa32763444179d94ffb2336ddb12c3fd2903835fe491666c1ff3e6",
}


@pytest.mark.parametrize("name", SHA256)
def test_the_schemas_are_theirs_unchanged(name: str) -> None:
    assert hashlib.sha256((SCHEMAS / name).read_bytes()).hexdigest() == SHA256[name]
    assert "MIT License" in (SCHEMAS / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": 1},
        {"retrieved_timestamp": 5},
        {"schema_version": 9},
        {"evaluation_results": {}},
        {"source_metadata": None},
    ],
)
def test_an_aggregate_that_is_not_theirs_is_refused(
    mini: ExportedRun, tmp_path: Path, changed: dict[str, Any]
) -> None:
    write_eee(mini, tmp_path, OTHER)
    path, aggregate = aggregate_of(tmp_path)
    assert encoded(aggregate, AGGREGATE, indent=2) + b"\n" == path.read_bytes()
    (name,) = changed
    with pytest.raises(Unfit) as caught:
        encoded({**aggregate, **changed}, AGGREGATE)
    assert caught.value.where == ("" if name == "extra" else name)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("evaluation", {"score": "1", "is_correct": True}),
        ("interaction_type", "single_turn"),
        ("metadata", {"a": 1}),
    ],
)
def test_a_row_that_is_not_theirs_is_refused(
    mini: ExportedRun, tmp_path: Path, place: str, value: Any
) -> None:
    write_eee(mini, tmp_path, OTHER)
    row = rows_of(tmp_path)[0]
    assert encoded(row, ROW) == json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
    with pytest.raises(Unfit):
        encoded({**row, place: value}, ROW)


def test_what_their_schema_leaves_open_is_checked_here() -> None:
    one: dict[str, Any] = {"evaluation_result_id": "a"}
    check_results([one])
    with pytest.raises(Unfit, match="at least 1 item"):
        check_results([])
    with pytest.raises(Unfit, match="two results have one"):
        check_results([one, one])
    assert check_score(5.0, (0.0, math.inf), "a") == 5.0
    for score in (-0.5, float("nan"), float("inf")):
        with pytest.raises(Unfit, match="of a is outside"):
            check_score(score, (0.0, math.inf), "a")
