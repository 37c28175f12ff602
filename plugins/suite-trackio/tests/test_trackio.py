"""Runs in trackio's own store on this machine: exported, exported again, followed, resumed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import suite

pytest.importorskip("trackio")
Make = Callable[..., Path]
NUMBER = "prefs/generation/method:plain inter_turns:0/kept"
KEY = "sk-drawn-by-chance-5Ax9Q2"


def suite_in(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with a store of its own: trackio reads where that is when it is imported."""
    command = [sys.executable, "-m", "suite", *words]
    return subprocess.run(
        command, cwd=place, env=environment(place), capture_output=True, text=True, check=False
    )


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "TRACKIO_DIR": str(place / "store"), "HF_TOKEN": KEY}


def logged(place: Path) -> list[tuple[str, int, dict[str, object]]]:
    """(run, step, metrics) of everything in the store."""
    store = place / "store/suite.db"
    if not store.exists():
        return []
    with sqlite3.connect(store) as opened:
        if not opened.execute("select 1 from sqlite_master where name = 'metrics'").fetchone():
            return []
        rows = opened.execute("select run_name, step, metrics from metrics order by id").fetchall()
    return [(name, step, json.loads(metrics)) for name, step, metrics in rows]


def test_a_run_goes_there_once_however_often_it_is_exported(make_run: Make, tmp_path: Path) -> None:
    run = suite.Run(make_run(pending=0))
    for _ in range(2):
        done = suite_in(tmp_path, "report", "export", str(run.folder), "--to", "trackio")
        assert done.returncode == 0, done.stderr
    identity = suite.ExportedRun(run.folder).identity
    assert done.stdout == f"run run-1-{identity[:8]} of project suite\n"
    ((name, step, metrics),) = logged(tmp_path)
    assert (name, step) == (f"run-1-{identity[:8]}", run.manifest.all_works)
    first = run.results.cells[0].headline_row
    assert first is not None
    told = {end: metrics[f"{NUMBER}/{end}"] for end in ("value", "low", "high")}
    assert told == {"value": first.value, "low": first.low, "high": first.high}
    assert {"results", "samples"} <= set(metrics)
    with sqlite3.connect(tmp_path / "store/suite.db") as store:
        (config,) = store.execute("select config from configs").fetchone()
    assert json.loads(config)["seed"] == 7


def test_rows_that_may_not_be_passed_on_go_as_ids(make_run: Make, tmp_path: Path) -> None:
    closed = {"data": {"prefs": {"licence": {"name": "CC-BY-NC-4.0"}}}}
    folder = make_run(pending=0, manifest=closed)
    done = suite_in(tmp_path, "report", "export", str(folder), "--to", "trackio")
    assert done.returncode == 0 and "prefs may not be passed on" in done.stdout
    question = next(iter(suite.ExportedRun(make_run(name="open", pending=0)).rows())).question
    assert question
    rows = json.dumps(logged(tmp_path)[0][2]["samples"])
    assert json.dumps(question)[1:-1] not in rows and "question_id" in rows


def test_an_interrupted_run_goes_on_in_the_same_run_there(tmp_path: Path) -> None:
    words = ["eval", "--task", "prefeval/classification", "--mini", "--limit", "4", "--no-cache", "--quiet"]
    words += ["--model", "scripted/words", "--output", "out"]
    command = [sys.executable, "-m", "suite", *words, "--to", "trackio"]
    slowly = [*command, "--concurrency", "1", "-o", "delay_s=2"]
    with subprocess.Popen(slowly, cwd=tmp_path, env=environment(tmp_path)) as first:
        while not logged(tmp_path):
            time.sleep(0.05)
        first.send_signal(signal.SIGINT)
    assert first.returncode == 130
    done = suite_in(tmp_path, *words, "--to", "trackio")
    assert done.returncode == 0, done.stderr
    everything = logged(tmp_path)
    assert len({name for name, _, _ in everything}) == 1
    steps = [step for _, step, metrics in everything if "live/done" in metrics]
    assert steps == sorted(steps) and steps[-1] == 16
    assert [name for name in everything[-1][2] if name.endswith("/correct/value")]
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one for one in files if KEY.encode() in one.read_bytes()] == []


def test_a_part_of_a_run_says_what_is_missing(make_run: Make, tmp_path: Path) -> None:
    words = "report", "export", str(make_run(pending=2)), "--to", "trackio", "--allow-partial"
    done = suite_in(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    ((_, _, metrics),) = logged(tmp_path)
    assert metrics[f"{NUMBER}/pending"] == 2 and "have no result yet" in str(metrics["remarks"])


def test_a_server_that_is_down_is_said(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_SERVER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TRACKIO_WRITE_TOKEN", KEY)
    done = suite_in(tmp_path, "report", "export", str(make_run(pending=0)), "--to", "trackio")
    assert done.returncode == 2 and "trackio did not take the run" in done.stderr
    assert KEY not in done.stderr


def test_the_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.run_command("plugin", "check", "suite-trackio", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exporters"] == {"trackio": []}
