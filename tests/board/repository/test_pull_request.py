"""Which pull requests a board looks at: real Git repositories with hostile branches."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.board.repository.pull_request import check_pull_request
from suite.board.repository.shelves import init_board
from suite.cli.main import run
from suite.errors import ConfigError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
SUBMISSION = json.dumps({"format": "suite-submission/1"}).encode()
NAME = f"model-a-{hashlib.sha256(SUBMISSION).hexdigest()[:12]}"
FOLDER = f"submissions/mini/{NAME}"


@pytest.fixture(autouse=True)
def _no_git_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(root: Path, *arguments: str, stdin: bytes | None = None) -> str:
    settings = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", "-C", str(root), *settings, *arguments], input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "board"
    init_board(root, "mini")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Begin")
    git(root, "checkout", "-q", "-b", "head")
    return root


def put(root: Path, path: str, data: bytes = b"x") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def good(root: Path) -> None:
    put(root, f"{FOLDER}/submission.json", SUBMISSION)
    put(root, f"{FOLDER}/bundle.suite.zip", b"PK\x05\x06" + bytes(18))
    put(root, f"{FOLDER}/README.md", b"how it was run")


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Change")


def link(root: Path) -> None:
    (root / FOLDER / "README.md").unlink()
    (root / FOLDER / "README.md").symlink_to("/etc/passwd")


def executable(root: Path) -> None:
    (root / FOLDER / "README.md").chmod(0o755)


def submodule(root: Path) -> None:
    tip = git(root, "rev-parse", "HEAD")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{tip},{FOLDER}/bundle/runs")


def second(root: Path) -> None:
    other = b'{"format": "another"}'
    name = f"model-b-{hashlib.sha256(other).hexdigest()[:12]}"
    put(root, f"submissions/mini/{name}/submission.json", other)
    put(root, f"submissions/mini/{name}/bundle.suite.zip")


def swap_board(root: Path) -> None:
    path = root / "boards/mini/board.yaml"
    path.write_text(path.read_text() + "# laxer\n")


def edit_workflow(root: Path) -> None:
    path = root / ".github/workflows/verify.yml"
    path.write_text(path.read_text().replace("read", "write"))


def missing_board(root: Path) -> None:
    (root / "submissions/other").mkdir()
    shutil.move(root / FOLDER, root / "submissions/other")


def wrong_name(root: Path) -> None:
    shutil.move(root / FOLDER, root / "submissions/mini/model-a-000000000000")


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "edits board.yaml": (swap_board, "boards/mini/board.yaml: outside"),
    "edits a workflow": (edit_workflow, "verify.yml: outside"),
    "adds a workflow": (lambda r: put(r, ".github/workflows/own.yml"), "own.yml: outside"),
    "symbolic link": (link, "README.md: a symbolic link"),
    "executable": (executable, "README.md: executable"),
    "submodule": (submodule, "a submodule"),
    "attributes": (lambda r: put(r, f"{FOLDER}/.gitattributes", b"* filter=evil"), "Git's own settings"),
    "attributes in depth": (lambda r: put(r, f"{FOLDER}/bundle/.gitattributes"), "Git's own settings"),
    "root attributes": (lambda r: put(r, ".gitattributes", b"* filter=evil"), ".gitattributes: outside"),
    "modules": (lambda r: put(r, ".gitmodules"), ".gitmodules: outside"),
    "LFS pointer": (
        lambda r: put(r, f"{FOLDER}/bundle.suite.zip", b"version https://git-lfs.github.com/spec/v1\noid"),
        "a pointer of Git LFS",
    ),
    "two folders": (second, "it changes 2 folders"),
    "own verification": (lambda r: put(r, f"{FOLDER}/verification.json", b"{}"), "no such file belongs"),
    "own record": (lambda r: put(r, f"{FOLDER}/entry.yaml"), "no such file belongs"),
    "a plugin": (lambda r: put(r, f"{FOLDER}/bundle/plugin.py"), "no such file belongs"),
    "a pickle in a run": (lambda r: put(r, f"{FOLDER}/bundle/runs/r/x.pkl"), "no such file belongs"),
    "too large": (lambda r: put(r, f"{FOLDER}/bundle.suite.zip", bytes(5 * 2**20 + 1)), "at most"),
    "no such board": (missing_board, "there is no board"),
    "a name of another bundle": (wrong_name, "has the SHA-256"),
    "no submission": (lambda r: (r / FOLDER / "submission.json").unlink(), "submission.json is missing"),
    "no bundle": (lambda r: (r / FOLDER / "bundle.suite.zip").unlink(), "neither bundle.suite.zip"),
    "two bundles": (lambda r: put(r, f"{FOLDER}/bundle.ref.yaml", b"urls: []"), "in several forms"),
    "a file beside the folders": (lambda r: put(r, "submissions/mini/index.json"), "outside"),
    "a bad folder": (lambda r: put(r, "submissions/mini/Model/submission.json"), "outside"),
    "removes the rules": (lambda r: (r / "CODEOWNERS").unlink(), "CODEOWNERS: outside"),
    "control characters": (lambda r: put(r, f"{FOLDER}/\x1b[2Jx"), "no such file belongs"),
}  # fmt: skip


def test_one_new_folder_is_looked_at(repository: Path) -> None:
    good(repository)
    commit(repository)
    found = check_pull_request(repository, "main", "head")
    assert (found.problems, found.folder, found.board) == ((), FOLDER, "mini")


@pytest.mark.parametrize("what", HOSTILE)
def test_everything_else_is_refused_and_named(repository: Path, what: str) -> None:
    good(repository)
    change, says = HOSTILE[what]
    git(repository, "add", "-A")
    change(repository)
    if what != "submodule":
        git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Change")
    found = check_pull_request(repository, "main", "head")
    assert found.folder == ""
    assert any(says in one for one in found.problems), found.problems
    assert not any("\x1b" in one for one in found.problems)


def test_an_accepted_entry_cannot_be_touched(repository: Path) -> None:
    good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "head")
    git(repository, "checkout", "-q", "-b", "again")
    put(repository, f"{FOLDER}/README.md", b"other words")
    commit(repository)
    assert any("changed: a submission only adds" in one for one in _problems(repository, "again"))
    git(repository, "checkout", "-q", "-b", "more", "main")
    put(repository, f"{FOLDER}/bundle.ref.yaml")
    commit(repository)
    assert any("exists already" in one for one in _problems(repository, "more"))
    git(repository, "checkout", "-q", "-b", "gone", "main")
    shutil.rmtree(repository / FOLDER)
    commit(repository)
    assert any("removed: a submission only adds" in one for one in _problems(repository, "gone"))


def _problems(root: Path, head: str) -> tuple[str, ...]:
    return check_pull_request(root, "main", head).problems


def test_what_the_base_gained_meanwhile_is_not_held_against_it(repository: Path) -> None:
    good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    put(repository, "NEWS.md")
    commit(repository)
    assert check_pull_request(repository, "main", "head").folder == FOLDER


def test_hooks_and_filters_of_the_repository_do_not_run(repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hook = put(repository, ".git/hooks/post-checkout", f"#!/bin/sh\ntouch {marker}\n".encode())
    hook.chmod(0o755)
    good(repository)
    git(repository, "config", "filter.evil.smudge", f"touch {marker}")
    git(repository, "config", "diff.evil.textconv", f"touch {marker}")
    git(repository, "config", "core.fsmonitor", f"touch {marker}; false")
    put(repository, f"{FOLDER}/.gitattributes", b"* filter=evil diff=evil")
    environment = {
        **os.environ,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "",
    }
    for command in (
        ["add", "-A"],
        ["-c", "user.name=T", "-c", "user.email=t@e.org", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(
            ["git", "-C", str(repository), *command], env=environment, check=True, capture_output=True
        )
    marker.unlink(missing_ok=True)
    assert check_pull_request(repository, "main", "head").problems
    assert not marker.exists()


def test_a_commit_that_is_none_is_an_error(repository: Path) -> None:
    for name in ("nowhere", "--output=/tmp/x", ""):
        with pytest.raises(ConfigError):
            check_pull_request(repository, "main", name)
    with pytest.raises(ConfigError, match="there is no commit 'nowhere'"):
        check_pull_request(repository, "main", "nowhere")


def test_the_steps_of_the_workflow_run_as_they_are_written(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shell of verify.yml, without what only GitHub has."""
    good(repository)
    commit(repository)
    assert run(["board", "check-pr", "--repo", str(repository), "--base", "main", "--head", "head"]) == 0
    folder = capsys.readouterr().out.strip()
    assert folder == FOLDER
    git(repository, "checkout", "-q", "main")
    taken = tmp_path / "hostile"
    taken.mkdir()
    script = f'git archive --format=tar head -- "{folder}" | tar -x -C {taken} --no-same-owner'
    assert script.split(" head")[0] in (repository / ".github/workflows/verify.yml").read_text()
    subprocess.run(["sh", "-ec", script], cwd=repository, check=True)
    assert run(["board", "fetch", str(taken / folder), "--board", "mini", "-O", str(tmp_path / "f")]) == 0
    assert capsys.readouterr().out.strip() == str(taken / folder / "bundle.suite.zip")
    put(repository, "boards/mini/board.yaml")
    git(repository, "checkout", "-q", "-b", "bad")
    commit(repository)
    assert run(["board", "check-pr", "--repo", str(repository), "--base", "main", "--head", "bad"]) == 1
    assert "refused: boards/mini/board.yaml" in capsys.readouterr().err


def test_workflows_are_yaml_with_least_rights_and_every_place_filled(repository: Path) -> None:
    import yaml

    for path in (repository / ".github/workflows").glob("*.yml"):
        text = path.read_text()
        told = yaml.safe_load(text)
        assert "pull_request_target" not in text
        assert "@{" not in text
        assert told["permissions"]["contents"] == "read"
        for job in told["jobs"].values():
            assert job["timeout-minutes"]
            for step in job["steps"]:
                if "uses" in step:
                    assert step["uses"].partition("@")[2].startswith("COMMIT_OF_")
                assert "${{" not in step.get("run", ""), "texts of a pull request must not become shell"
    verify = (repository / ".github/workflows/verify.yml").read_text()
    assert "{{ secrets" not in verify
    assert "persist-credentials: false" in verify
