"""The workflows of the repository's host run what is there."""

import shlex
from pathlib import Path

import pytest
import yaml

from suite.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    pytest.param(step["run"], id=f"{path.name}: {step['run']}")
    for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
    for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
    for step in job["steps"]
    if "run" in step
]


def test_the_sources_of_data_are_checked_every_night() -> None:
    nightly = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text("utf-8"))
    assert nightly[True]["schedule"]  # YAML 1.1 reads the key `on` as true
    assert any("suite data check --remote" in str(step) for step in nightly["jobs"]["data"]["steps"])


@pytest.mark.parametrize("command", STEPS)
def test_every_command_of_a_workflow_is_there(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "suite":
        assert run([*words[1:], "--help"]) == 0
    for word in words:
        if word.startswith(".ci/") or word == "constraints.txt":
            assert (ROOT / word).is_file(), word
