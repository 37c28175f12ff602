"""The composite action, our workflows and the recipes of docs/ci: pinned, safe from injection, and they run.

Their shell steps are run as a runner would, with the real `suite` on two tiny runs. `tox -e recipes` has
actionlint and the hosts' schemas.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github/actions/gate/action.yml"
GITHUB = [*sorted((ROOT / ".github").rglob("*.yml")), *sorted((ROOT / "docs/ci").glob("[np]*.yml"))]
GITLAB = ROOT / "docs/ci/gitlab.yml"
SPOKEN = "Take 5 km and 2 litres."


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """The steps of a workflow or an action."""
    found = read(path)
    for job in [found["runs"]] if "runs" in found else found["jobs"].values():
        yield from job["steps"]


def scripts() -> Iterator[tuple[str, str]]:
    """(id, shell script) of every step."""
    for path in GITHUB:
        for number, step in enumerate(steps(path), 1):
            if "run" in step:
                yield f"{path.parent.name}/{path.name} {number}", step["run"]
    for number, script in enumerate(read(GITLAB)[".suite-gate"]["script"], 1):
        yield f"gitlab {number}", script


SCRIPTS = [pytest.param(text, id=name) for name, text in scripts()]


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_every_action_is_local_or_pinned_by_a_commit_with_its_tag(path: Path) -> None:
    for line in re.findall(r"uses: (.*)", path.read_text("utf-8")):
        assert re.fullmatch(r"\./\S+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_commit_everywhere() -> None:
    told = [re.findall(r"uses: ([\w/-]+)@(\w+)", path.read_text("utf-8")) for path in GITHUB]
    pins = {pair for each in told for pair in each}
    assert len(pins) == len({name for name, _ in pins})


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_has_a_text_of_others_put_into_it(script: str) -> None:
    assert "${{" not in script


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing(script: str) -> None:
    command = ["shellcheck", "--shell", "bash", "-"]
    done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_a_recipe_gives_inputs_that_the_action_has(path: Path) -> None:
    known = read(ACTION)["inputs"]
    for step in steps(path):
        if step.get("uses") == "./.github/actions/gate":
            assert step["with"].keys() <= known.keys()
            assert {name for name, one in known.items() if one.get("required")} <= step["with"].keys()


class Runner(NamedTuple):
    """What a runner of GitHub or GitLab gives a step."""

    folder: Path

    def run(self, script: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run a step's script as GitHub does, which stops at the first error."""
        told = {name: str(self.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**os.environ, **told, "RUNNER_TEMP": str(self.folder), "PATH": path, **env},
            text=True,
            capture_output=True,
            check=False,
        )

    def step(self, name: str, **inputs: str) -> "subprocess.CompletedProcess[str]":
        """Run a step of the action with inputs; the others have their defaults."""
        whole = read(ACTION)
        given = {key: one.get("default", "") for key, one in whole["inputs"].items()} | inputs
        step = next(one for one in whole["runs"]["steps"] if one.get("name") == name)
        names = {key: one.removeprefix("${{ inputs.").removesuffix(" }}") for key, one in step["env"].items()}
        return self.run(step["run"], {key: given[name] for key, name in names.items()})

    def told(self, name: str) -> str:
        """What a step wrote for the runner."""
        return (self.folder / name).read_text("utf-8")

    @property
    def outputs(self) -> dict[str, str]:
        """What the steps put out."""
        return dict(line.split("=", 1) for line in self.told("GITHUB_OUTPUT").splitlines())


def words(text: str) -> str:
    """Arguments of `suite eval`, one a line."""
    return f"--task\nunits.py\n\n--model\nscripted/constant?text={text}\n"


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A checkout with a task, a policy, and a baseline that was run before."""
    for path in (ROOT / "docs/one-file").glob("units.*"):
        shutil.copy(path, tmp_path)
    claims = [{"task": "units", "at-least": 0.05}]
    policy = {"format": "suite-policy/1", "claims": claims}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy), "utf-8")
    return Runner(tmp_path)
