"""Runs in a real MLflow server of this machine: exported, exported again, followed, resumed, lost."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import suite

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("mlflow.server", reason="needs MLflow's server")
Make = Callable[..., Path]
KEY = "sk-drawn-by-chance-5Ax9Q2"
NUMBER = "prefs/generation/method:plain inter_turns:0/kept"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server with a store of its own: its address, and where it keeps everything."""
    place = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--port", str(port), "--workers", "1", "--backend-store-uri", f"sqlite:///{place}/store.db"]
    words += ["--artifacts-destination", str(place / "artifacts")]
    with (place / "log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words], stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{url}/health") or started.poll() is not None)
        assert started.poll() is None, (place / "log").read_text()
        yield url, place
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).read())
    except OSError:
        return False


def wait_for(what: Callable[[], object]) -> None:
    """Until it is so; pytest's own limit ends it."""
    while not what():
        time.sleep(0.05)


@pytest.fixture
def client(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's own client; the exporter finds the server by its variable."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server[0])
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return mlflow.MlflowClient(server[0])


def runs(client: Any, experiment: str) -> list[Any]:
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


def table(client: Any, run: Any, name: str, place: Path) -> dict[str, Any]:
    path = client.download_artifacts(run.info.run_id, f"tables/{name}.json", str(place))
    found: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return found


def test_a_run_goes_there_once_however_often_it_is_exported(
    client: Any, make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = suite.Run(make_run(pending=0))
    words = ["report", "export", str(run.folder), "--to", "mlflow", "--experiment", "whole"]
    for _ in range(2):
        assert suite.run_command(*words) == 0
    (found,) = runs(client, "whole")
    assert f"run {found.info.run_id} at http://" in capsys.readouterr().out
    assert found.info.status == "FINISHED"
    params = found.data.params
    assert (params["seed"], params["model.candidate"]) == ("7", "vllm/Example/Model-8B")
    assert params["prefs/generation/inter_turns"] == "0 | 3 | 40"
    assert params["data.prefs"] == "c" * 40
    first = run.results.cells[0].headline_row
    assert first is not None
    told = {name: found.data.metrics[f"{NUMBER}/{name}"] for name in ("value", "low", "high")}
    assert told == {"value": first.value, "low": first.low, "high": first.high}
    assert len(client.get_metric_history(found.info.run_id, f"{NUMBER}/value")) == 1
    kept = {one.path for one in client.list_artifacts(found.info.run_id)}
    assert kept == {"config.json", "report.html", "results.json", "samples.parquet", "tables"}
    samples = table(client, found, "samples", tmp_path)
    assert len(samples["data"]) == len(list(run.outputs()))
    assert "slice" in table(client, found, "results", tmp_path)["columns"]


def test_rows_that_may_not_be_passed_on_go_as_ids(client: Any, make_run: Make, tmp_path: Path) -> None:
    closed = {"data": {"prefs": {"licence": {"name": "CC-BY-NC-4.0"}}}}
    folder = make_run(pending=0, manifest=closed)
    assert suite.run_command("report", "export", str(folder), "--to", "mlflow", "--experiment", "closed") == 0
    samples = table(client, runs(client, "closed")[0], "samples", tmp_path)
    questions = {row[samples["columns"].index("question")] for row in samples["data"]}
    ids = {row[samples["columns"].index("question_id")] for row in samples["data"]}
    assert questions == {None} and None not in ids


def test_an_interrupted_run_goes_on_in_the_same_run_there(
    client: Any, server: tuple[str, Path], tmp_path: Path
) -> None:
    words = ["eval", "--task", "prefeval/classification", "--mini", "--limit", "4", "--no-cache", "--quiet"]
    words += ["--model", "scripted/words", "--output", "out"]
    words += ["--to", "mlflow", "--to-option", "experiment=live"]
    command = [sys.executable, "-m", "suite", *words]
    environment = {**os.environ, "OPENAI_API_KEY": KEY, "MLFLOW_TRACKING_TOKEN": KEY}
    slowly = [*command, "--concurrency", "1", "-o", "delay_s=2"]
    with subprocess.Popen(slowly, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as first:
        wait_for(lambda: (found := runs(client, "live")) and "live/done" in found[0].data.metrics)
        assert runs(client, "live")[0].info.status == "RUNNING"
        first.send_signal(signal.SIGINT)
        said = first.communicate()[1].decode()
    assert first.returncode == 130 and "mlflow: the run is not whole yet" in said
    (stopped,) = runs(client, "live")
    assert stopped.info.status == "KILLED"
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"mlflow: run {stopped.info.run_id} at {server[0]}" in done.stderr
    (whole,) = runs(client, "live")
    assert whole.info.status == "FINISHED"
    steps = [one.step for one in client.get_metric_history(whole.info.run_id, "live/done")]
    assert steps == sorted(steps) and steps[-1] == 16
    files = [one for one in [*server[1].rglob("*"), *(tmp_path / "out").rglob("*")] if one.is_file()]
    assert [one for one in files if KEY.encode() in one.read_bytes()] == []


def test_a_part_of_a_run_is_not_finished_and_says_what_is_missing(client: Any, make_run: Make) -> None:
    words = "--to", "mlflow", "--experiment", "part", "--allow-partial"
    assert suite.run_command("report", "export", str(make_run(pending=2)), *words) == 0
    (found,) = runs(client, "part")
    assert (found.info.status, found.data.tags["suite.partial"]) == ("KILLED", "true")
    assert "have no result yet" in found.data.tags["mlflow.note.content"]
    assert found.data.metrics[f"{NUMBER}/pending"] == 2


def test_a_login_of_the_server_is_said_nowhere(
    server: tuple[str, Path],
    make_run: Make,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for place, code in ((server[0], 0), ("http://127.0.0.1:9", 2)):
        uri = place.replace("//", "//bob:drawn-by-chance@")
        words = "--to", "mlflow", "--experiment", "login", "--tracking-uri", uri
        assert (
            suite.run_command("report", "export", str(make_run(name=f"run-{code}", pending=0)), *words)
            == code
        )
        said = "".join(capfd.readouterr())
        assert "127.0.0.1" in said and "drawn-by-chance" not in said


def test_files_of_rows_are_named_by_what_is_in_them(client: Any, make_run: Make) -> None:
    files = {"prefs": {"source": "file", "files": {"prefs.jsonl": "ab" * 32}}}
    folder = make_run(pending=0, manifest={"data": files})
    assert suite.run_command("report", "export", str(folder), "--to", "mlflow", "--experiment", "files") == 0
    assert runs(client, "files")[0].data.params["data.prefs"] == "ab" * 32


def test_a_server_that_is_down_costs_the_run_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    words = ["--task", "prefeval/classification", "--mini", "--limit", "2", "--model", "scripted/words"]
    out = tmp_path / "out"
    code = suite.run_command("eval", *words, "--no-cache", "--quiet", "--output", str(out), "--to", "mlflow")
    said = capsys.readouterr().err
    assert code == 0 and "live updates were lost" in said
    assert f"  later: suite report export {out} --to mlflow\n" in said
    assert suite.run_command("report", "export", str(out), "--to", "mlflow") == 2
    assert "MLflow did not take the run" in capsys.readouterr().err


def test_the_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.run_command("plugin", "check", "suite-mlflow", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exporters"] == {"mlflow": []}
