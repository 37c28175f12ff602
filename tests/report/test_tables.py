"""Samples for other tools: joined, sorted, the same bytes each time, nothing a spreadsheet runs."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import ConfigError, RunError
from suite.journal.commands import note_command
from suite.journal.records import CommandRecord
from suite.journal.run import Run
from suite.report import rows
from suite.report.tables import RESULTS, VALUES, export_table

Make = Callable[..., Path]


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


@pytest.fixture
def run(make_run: Make) -> Run:
    return Run(make_run(pending=0))


def test_a_row_a_sample_with_its_values(run: Run, tmp_path: Path) -> None:
    found = table(export_table(run, "csv", tmp_path / "samples.csv"))
    assert len(found) == 7 * 12
    first = found[0]
    assert (first["run"], first["task"], first["model"], first["judge"]) == (
        "run-1", "prefs/generation", "vllm/Example/Model-8B", "openai/judge-1",
    )  # fmt: skip
    assert (first["parameter.method"], first["parameter.inter_turns"]) == ("plain", "0")
    assert first["answer"].startswith("answer ")
    assert first["value.kept"] in ("true", "false")
    assert (first["prompt_tokens"], first["completion_tokens"], first["calls"]) == ("40", "18", "2")
    assert first["latency_ms"] == "1500.0"  # the other call came from the cache
    unscored = [row for row in found if row["unscored.kept"]]
    assert unscored
    assert all(row["value.kept"] == "" and row["unscored.kept"] == "judge-unparsed" for row in unscored)
    assert found[-1]["value.kept"] == ""  # not a value of the other task
    assert found[-1]["unscored.kept"] == ""


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_same_run_gives_the_same_bytes_in_any_order_of_records(
    run: Run, tmp_path: Path, kind: str
) -> None:
    one = export_table(run, kind, tmp_path / "one").read_bytes()
    for path in (run.folder / "outputs.jsonl", run.folder / "scorings/abc12345/scores.jsonl"):
        path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert export_table(Run(run.folder), kind, tmp_path / "two").read_bytes() == one


def test_json_lines_keep_parts_and_reasons(run: Run, tmp_path: Path) -> None:
    path = export_table(run, "jsonl", tmp_path / "deep/er/samples.jsonl")
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(found) == 7 * 12
    assert found[0]["parts"][0]["id"] == "helpful"
    assert found[0]["parameters"]["strictness"] == 2
    reasons = [
        row["values"]["kept"]["unscored"] for row in found if isinstance(row["values"].get("kept"), dict)
    ]
    assert set(reasons) == {"judge-unparsed"}


def test_parquet_has_types(run: Run, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    path = export_table(run, "parquet", tmp_path / "samples.parquet")
    found = pq.read_table(path)
    types = {field.name: str(field.type) for field in found.schema}
    assert found.num_rows == 7 * 12
    assert (types["value.kept"], types["value.length"], types["value.label"]) == ("bool", "int64", "string")
    assert (types["trial"], types["latency_ms"], types["tag.topic"]) == ("int64", "double", "string")
    assert found.schema.metadata[b"format"] == b"suite-samples/1"
    assert found.schema.metadata[b"plan_sha256"] == b"a" * 64


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_gets_no_formula(make_run: Make, tmp_path: Path, text: str) -> None:
    run = Run(make_run(text=lambda c, s: text, samples=2, pending=0))
    guarded = table(export_table(run, "csv", tmp_path / "a.csv"))
    assert {row["answer"] for row in guarded} == {"'" + text}
    plain = table(export_table(run, "csv", tmp_path / "b.csv", guard=False))
    assert {row["answer"] for row in plain} == {text}


def test_hostile_text_survives_csv(make_run: Make, tmp_path: Path) -> None:
    text = 'a,"b"\r\nc\n\0d\u2028e'
    run = Run(make_run(text=lambda c, s: text, samples=2, pending=0))
    assert {row["answer"] for row in table(export_table(run, "csv", tmp_path / "a.csv"))} == {
        text.replace("\0", "\u2400")
    }


@pytest.mark.parametrize(
    ("identity", "passes"),
    [
        ({"licence": {"name": "CC-BY-4.0"}}, True),
        ({"licence": {"name": "CC-BY-NC-4.0"}}, False),
        ({}, False),  # nobody knows
        ({"entry": "prefeval-mini", "source": "bundled"}, True),
        ({"entry": "prefeval", "source": "hub", "licence": {"name": "MIT"}}, False),  # the registry decides
        ({"source": "file", "files": {"mine.jsonl": "0" * 64}}, True),
        ({"source": "run", "run": "other"}, True),
    ],
)
def test_a_question_is_passed_on_unless_a_licence_forbids_it(
    make_run: Make, tmp_path: Path, identity: dict[str, Any], passes: bool
) -> None:
    run = Run(make_run(pending=0, manifest={"data": {"prefs": identity}}))
    (line, *_) = table(export_table(run, "csv", tmp_path / "samples.csv"))
    assert (line["question"], line["question_id"]) == ("Sure?" if passes else "", line["sample"])
    (row, *_) = map(json.loads, export_table(run, "jsonl", tmp_path / "s.jsonl").read_text().splitlines())
    assert row["question"] == ("Sure?" if passes else None)


def test_exports_name_the_command_that_made_the_run(run: Run, tmp_path: Path) -> None:
    before = table(export_table(run, "csv", tmp_path / "a.csv", table="results"))
    assert {row["command"] for row in before} == {""}
    note_command(run.folder, CommandRecord("suite eval --task x"))
    after = table(export_table(run, "csv", tmp_path / "b.csv", table="results"))
    assert {row["command"] for row in after} == {"suite eval --task x"}


def test_a_place_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        export_table(run, "csv", tmp_path)
    with pytest.raises(RunError, match="cannot write"):
        export_table(run, "jsonl", tmp_path / ("x" * 300))


@given(
    st.lists(st.tuples(st.tuples(st.integers(0, 3), st.text(max_size=2)), st.integers())), st.integers(1, 5)
)
def test_sorting_on_disk_equals_sorting_in_memory(
    pairs: list[tuple[tuple[int, str], int]], chunk: int
) -> None:
    made = (((*key, 0), {"n": n}) for key, n in pairs)
    found = [row["n"] for row in rows.in_order(made, dict[str, int], chunk)]
    assert found == [n for _, n in sorted(pairs, key=lambda pair: pair[0])]


def test_values_are_a_row_each_in_fixed_columns(run: Run, tmp_path: Path) -> None:
    found = table(export_table(run, "csv", tmp_path / "values.csv", table="values"))
    assert list(found[0]) == list(VALUES)
    assert len(found) == sum(len(score.values) for score in run.scores())
    keys = [(row["task"], row["cell"], row["sample"], int(row["trial"]), row["metric"]) for row in found]
    assert keys == sorted(keys)
    assert {row["model_revision"] for row in found} == {"f" * 40}
    kept = [row for row in found if row["metric"] == "kept"]
    assert {row["value"] for row in kept} == {"0.0", "1.0", ""}
    assert all((row["value"] == "") == (row["unscored_reason"] == "judge-unparsed") for row in kept)
    labels = [row for row in found if row["metric"] == "label"]
    assert all(row["value"] == "" and row["label"].startswith("answer ") for row in labels)


def test_results_are_a_row_a_number_as_in_results_json(run: Run, tmp_path: Path) -> None:
    found = table(export_table(run, "csv", tmp_path / "results.csv", table="results"))
    assert list(found[0]) == list(RESULTS)
    told = {
        (cell.cell, one.name, tuple(one.slice.values())): one
        for cell in run.results.cells
        for one in cell.metrics
    }
    assert len(found) == len(told)
    for row in found:
        one = told[row["cell"], row["metric"], (row["slice"].partition("=")[2],) if row["slice"] else ()]
        assert row["value"] == ("" if one.value is None else repr(one.value))
        assert (row["n"], row["unscored"]) == (str(one.n), str(one.unscored))
        assert (row["suite_version"], row["date"]) == ("0.1.0", "2026-11-24T17:00:00Z")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_no_other_file_is_replaced_unasked(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "samples"
    path.write_text("somebody's work")
    with pytest.raises(ConfigError, match="is there already"):
        export_table(run, kind, path, over=False)
    assert path.read_text() == "somebody's work"
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []
    export_table(run, kind, path)
    export_table(run, kind, path, over=False)  # the same bytes: nothing is lost


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", ["values", "results"])
def test_tidy_tables_are_the_same_bytes_in_any_order_of_records(
    run: Run, tmp_path: Path, name: str, kind: str
) -> None:
    one = export_table(run, kind, tmp_path / "one", table=name).read_bytes()
    for path in (run.folder / "outputs.jsonl", run.folder / "scorings/abc12345/scores.jsonl"):
        path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert export_table(Run(run.folder), kind, tmp_path / "two", table=name).read_bytes() == one


def test_tidy_parquet_has_the_declared_types_and_metadata(run: Run, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    for name, columns in (("values", VALUES), ("results", RESULTS)):
        found = pq.read_table(export_table(run, "parquet", tmp_path / name, table=name))
        arrow = {"text": "string", "whole": "int64", "number": "double", "flag": "bool"}
        assert {field.name: str(field.type) for field in found.schema} == {
            column: arrow[kind] for column, kind in columns.items()
        }
        assert found.schema.metadata[b"format"] == f"suite-{name}/1".encode()
        assert found.schema.metadata[b"suite_version"] == b"0.1.0"


def test_the_columns_are_those_that_the_page_lists(run: Run, tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/exports.md").read_text("utf-8")
    for name in ("samples", "values", "results"):
        (said,) = re.findall(rf"^\| `{name}` \|[^|]*\| (.*) \|$", page, re.MULTILINE)
        (header, *_) = csv.reader(
            io.StringIO(export_table(run, "csv", tmp_path / name, table=name).read_text())
        )
        plain = [re.sub(r"^(parameter|tag|value|unscored)\..*", r"\1.NAME", one) for one in header]
        assert list(dict.fromkeys(plain)) == re.findall(r"`([^`]+)`", said)
