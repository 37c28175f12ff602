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
CLAIMS: dict[str, dict[str, Any]] = {  # verdict -> what half of twelve right answers show
    "pass": {"no-worse-than": {"margin": 0.5}},
    "fail": {"at-least": 0.99},
    "undecided": {"at-least": 0.5},
}


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


@pytest.mark.parametrize("script", [one for one in SCRIPTS if "suite eval" in str(one.values[0])])
def test_a_recipe_leaves_the_cache_out_unless_its_user_wants_it(script: str) -> None:
    assert 'suite eval --no-cache "${words[@]}"' in script


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


def checkout(folder: Path) -> Runner:
    """A repository with a task and a policy for each verdict."""
    for path in (ROOT / "docs/one-file").glob("units.*"):
        shutil.copy(path, folder)
    for verdict, claim in CLAIMS.items():
        policy = {"format": "suite-policy/1", "claims": [{"task": "units", **claim}]}
        (folder / f"{verdict}.yaml").write_text(yaml.safe_dump(policy), "utf-8")
    return Runner(folder)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A checkout whose baseline the action's own step has made."""
    made = checkout(tmp_path_factory.mktemp("baseline"))
    done = made.step("Run the candidate", eval=words("metric $(touch made) 'a"), candidate="ci/baseline")
    assert done.returncode == 0, done.stderr
    return made


def fresh(baseline: Runner, folder: Path) -> Runner:
    """A checkout with that baseline as its candidate, too."""
    shutil.copytree(baseline.folder, folder, dirs_exist_ok=True)
    shutil.copytree(folder / "ci/baseline", folder / "runs/candidate")
    return Runner(folder)


@pytest.fixture(scope="module")
def blocked(baseline: Runner, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A checkout where the gate's step has failed, with a history."""
    made = fresh(baseline, tmp_path_factory.mktemp("blocked"))
    done = made.step("Test the claims", policy="fail.yaml", baseline="ci/baseline\n\n", history="nights")
    assert done.returncode == 1, done.stderr
    return made


def test_an_argument_is_plain_text_to_the_shell(baseline: Runner) -> None:
    manifest = (baseline.folder / "ci/baseline/manifest.json").read_text("utf-8")
    assert "scripted/constant?text=metric $(touch made) 'a" in manifest
    assert not (baseline.folder / "made").exists()


@pytest.mark.parametrize(
    ("policy", "undecided", "code", "verdict"),
    [
        pytest.param("pass", "", 0, "pass", marks=pytest.mark.slow),
        ("undecided", "", 3, "undecided"),
        ("undecided", "pass", 0, "pass"),
        ("none", "", 2, "error"),
    ],
)
def test_the_verdict_is_the_exit_code_and_an_output(
    baseline: Runner, tmp_path: Path, policy: str, undecided: str, code: int, verdict: str
) -> None:
    one = fresh(baseline, tmp_path)
    given = {"policy": f"{policy}.yaml", "undecided": undecided, "baseline": "ci/baseline"}
    done = one.step("Test the claims", **given)
    assert (done.returncode, one.outputs["code"], one.outputs["verdict"]) == (code, str(code), verdict)


def test_the_summary_of_the_job_is_the_gates_page(blocked: Runner) -> None:
    assert blocked.told("GITHUB_STEP_SUMMARY") == Path(blocked.outputs["markdown"]).read_text("utf-8")


def test_a_block_is_a_failure_for_junit(blocked: Runner) -> None:
    assert "<failure" in Path(blocked.outputs["junit"]).read_text("utf-8")


def test_a_block_is_part_of_the_history(blocked: Runner) -> None:
    assert [*(blocked.folder / "nights").iterdir()]


@pytest.mark.slow
def test_the_job_of_gitlab_runs_and_gates(baseline: Runner, tmp_path: Path) -> None:
    one, job = fresh(baseline, tmp_path), read(GITLAB)[".suite-gate"]
    _, run, gate = job["script"]
    told = {"SUITE_POLICY": "undecided.yaml", "SUITE_EVAL": words("imperial"), "SUITE_HISTORY": "nights"}
    shutil.rmtree(tmp_path / "runs")
    assert one.run(run, {**job["variables"], **told}).returncode == 0
    assert one.run(gate, {**job["variables"], **told}).returncode == job["allow_failure"]["exit_codes"][0]
    assert {"gate.md", "gate.xml", "nights"} <= {path.name for path in tmp_path.iterdir()}
