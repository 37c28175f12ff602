"""--data NAME=ENTRY: another entry of the registry in a dataset's place."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from suite.cli.eval import eval_
from suite.journal.run import open_run
from suite.run.reopen import plan_again

DEMO = ("--mini", "--data", "prefeval=prefeval-demo", "--preset", "demo")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(*arguments: str) -> Result:
    task = ("--task", "prefeval/classification", "--model", "scripted/random-option", "--quiet")
    return CliRunner().invoke(eval_, [*task, *arguments])


def test_the_entry_is_run_recorded_and_found_again() -> None:
    done = asked(*DEMO, "--limit", "3", "-O", "run")
    assert done.exit_code == 0, done.output
    manifest = json.loads(Path("run/manifest.json").read_text())
    assert manifest["data"]["prefeval"]["entry"] == "prefeval-demo"
    assert (manifest["mini"], manifest["counts"]["groups"]) == (True, 196)
    again = plan_again(open_run("run"))
    assert again.data_identity["prefeval"]["entry"] == "prefeval-demo"
    assert again.counts.groups == 196


def test_what_is_no_file_no_run_and_no_entry_is_refused_before_a_folder_is_made() -> None:
    done = asked("--mini", "--data", "prefeval=prefeval-dmo", "-O", "run")
    assert "prefeval-dmo" in str(done.exception)
    assert not Path("run").exists()
