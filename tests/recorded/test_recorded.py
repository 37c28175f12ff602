"""Runs that an older version made give the same numbers: results.json computed from their journals again."""

import json
import tarfile
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from suite.cli.main import cli
from suite.report import run_reports

HERE = Path(__file__).parent
RUNS = tomllib.loads((HERE / "runs.toml").read_text())


def numbers(path: Path) -> object:
    """A results.json, without what tells of the computing: how long work took, and whose code it was."""
    found = json.loads(path.read_text())
    found["seconds"] = None
    found["findings"] = [one for one in found["findings"] if one["kind"] != "code"]
    return found


@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_an_older_version_still_gives_its_numbers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(run_reports, "write_reports", lambda *_, **__: [])  # plots take long
    with tarfile.open(HERE / "runs" / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    (results,) = tmp_path.glob("*/scorings/*/results.json")
    wanted = numbers(results)
    results.unlink()
    arguments = ["score", str(tmp_path / name), *RUNS[name]["score"].split(), "--quiet", "--no-cache"]
    CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert numbers(results) == wanted
