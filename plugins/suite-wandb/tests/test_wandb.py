"""Runs of wandb's offline mode, read back from the files that `wandb sync` sends."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import suite

pytest.importorskip("wandb")
from suite_wandb.exporter import WandbOptions, WeightsAndBiases

Make = Callable[..., Path]
NUMBER = "prefs/generation/method:plain inter_turns:0/kept"
KEY = "sk-drawn-by-chance-5Ax9Q2"
BLOCK = 32768  # bytes; a record that goes on in the next block is in pieces


def suite_in(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "suite", *words]
    return subprocess.run(
        command, cwd=place, env=environment(place), capture_output=True, text=True, check=False
    )


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "WANDB_MODE": "offline", "WANDB_API_KEY": KEY, "WANDB_DATA_DIR": str(place)}


def records(file: Path) -> Iterator[Any]:
    """The records of a run's file: LevelDB's log format behind a header of seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, piece = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        size, kind = struct.unpack("<HB", data[at + 4 : at + 7])
        piece += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last piece
            record = Record()
            record.ParseFromString(piece)
            yield record
            piece = b""


def sent(place: Path) -> dict[str, list[Any]]:
    """Everything in the files of all runs below, oldest first, by the kind of record."""
    found: dict[str, list[Any]] = {}
    for file in sorted(place.glob("wandb/offline-run-*/*.wandb"), key=lambda one: one.stat().st_mtime_ns):
        for one in records(file):
            found.setdefault(one.WhichOneof("record_type"), []).append(one)
    return found


def summary(found: dict[str, list[Any]]) -> dict[str, Any]:
    updates = [one for record in found.get("summary", []) for one in record.summary.update]
    return {one.key or "/".join(one.nested_key): json.loads(one.value_json) for one in updates}


def test_a_run_goes_there_once_however_often_it_is_exported(make_run: Make, tmp_path: Path) -> None:
    run = suite.Run(make_run(pending=0))
    for _ in range(2):
        done = suite_in(tmp_path, "report", "export", str(run.folder), "--to", "wandb")
        assert done.returncode == 0, done.stderr
    identity = suite.ExportedRun(run.folder).identity
    assert f"run {identity}: offline; `wandb sync {tmp_path}/wandb/offline-run-*-{identity}*`" in done.stdout
    found = sent(tmp_path)
    assert {one.run.run_id for one in found["run"]} == {identity}
    config = {one.key: json.loads(one.value_json) for one in found["run"][0].run.config.update}
    assert config["seed"] == 7 and config["tasks"][0]["name"] == "prefs/generation"
    first = run.results.cells[0].headline_row
    assert first is not None
    told = {end: summary(found)[f"{NUMBER}/{end}"] for end in ("value", "low", "high")}
    assert told == {"value": first.value, "low": first.low, "high": first.high}
    assert "history" not in found  # what was logged twice would be there twice
    digests = {one.artifact.digest for one in found["artifact"]}
    files = {entry.path for entry in found["artifact"][0].artifact.manifest.contents}
    assert len(digests) == 1
    assert files == {
        "report.html", "results.json", "samples.parquet", "results.table.json", "samples.table.json",
    }  # fmt: skip


def test_rows_that_may_not_be_passed_on_go_as_ids(make_run: Make, tmp_path: Path) -> None:
    closed = {"data": {"prefs": {"licence": {"name": "CC-BY-NC-4.0"}}}}
    folder = make_run(pending=0, manifest=closed)
    done = suite_in(tmp_path, "report", "export", str(folder), "--to", "wandb")
    assert done.returncode == 0 and "prefs may not be passed on" in done.stdout
    (artifact,) = (one.artifact for one in sent(tmp_path)["artifact"])
    place = next(one for one in artifact.manifest.contents if one.path == "samples.table.json").local_path
    table = json.loads(Path(place).read_text("utf-8"))
    column = table["columns"].index("question")
    assert {row[column] for row in table["data"]} == {None}


def test_an_interrupted_run_goes_on_in_the_same_run_there(tmp_path: Path) -> None:
    words = ["eval", "--task", "prefeval/classification", "--mini", "--limit", "4", "--no-cache", "--quiet"]
    words += ["--model", "scripted/words", "--output", "out"]
    command = [sys.executable, "-m", "suite", *words, "--to", "wandb"]
    slowly = [*command, "--concurrency", "1", "-o", "delay_s=2"]
    with subprocess.Popen(slowly, cwd=tmp_path, env=environment(tmp_path)) as first:
        while not list(tmp_path.glob("wandb/offline-run-*/*.wandb")):
            time.sleep(0.05)
        first.send_signal(signal.SIGINT)
    assert first.returncode == 130
    before = sent(tmp_path)
    assert [one.exit.exit_code for one in before["exit"]] == [1]
    done = suite_in(tmp_path, *words, "--to", "wandb")
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("wandb/offline-run-*"))) == 2  # one a start, with all of it
    found = sent(tmp_path)
    assert len({one.run.run_id for one in found["run"]}) == 1
    steps = [one.history.step.num for one in found["history"]]
    assert steps == sorted(steps) and steps[-1] == 16
    assert [name for name in summary(found) if name.endswith("/correct/value")]
    assert found["exit"][-1].exit.exit_code == 0
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one for one in files if KEY.encode() in one.read_bytes()] == []


def test_a_part_of_a_run_is_not_done(make_run: Make, tmp_path: Path) -> None:
    run = make_run(pending=2)
    done = suite_in(tmp_path, "report", "export", str(run), "--to", "wandb", "--allow-partial")
    assert done.returncode == 0, done.stderr
    found = sent(tmp_path)
    assert [one.exit.exit_code for one in found["exit"]] == [1]
    assert found["run"][-1].run.tags == ["partial"]
    assert "have no result yet" in found["run"][-1].run.notes
    assert summary(found)[f"{NUMBER}/pending"] == 2


def test_a_server_that_was_down_does_not_keep_the_id(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"WANDB_MODE": "online", "WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "a" * 40}
    for name, value in {**given, "WANDB_INIT_TIMEOUT": "2", "WANDB_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    run = suite.ExportedRun(make_run(pending=0))
    exporter = WeightsAndBiases(WandbOptions())
    with pytest.raises(suite.ConfigError, match="wandb did not take the run"):
        exporter.follow(run)
    monkeypatch.setenv("WANDB_MODE", "offline")  # as of a server that is there again
    assert "offline" in exporter.write(run, tmp_path / "files").remarks[0]


def test_what_the_run_does_not_tell_is_not_told_of_the_machine(make_run: Make, tmp_path: Path) -> None:
    assert suite_in(tmp_path, "report", "export", str(make_run(pending=0)), "--to", "wandb").returncode == 0
    told = sent(tmp_path)
    run = told["run"][0].run
    assert (run.host, run.git.remote_url) == ("", "")
    assert not {"output", "output_raw", "stats"} & set(told)


def test_the_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.run_command("plugin", "check", "suite-wandb", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exporters"] == {"wandb": []}
