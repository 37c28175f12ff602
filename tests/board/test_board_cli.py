"""suite board on the command line: what it prints, and how it fails."""

import json
import shutil
from pathlib import Path

import pytest

from suite.board.define.board import find_board
from suite.board.repository.shelves import open_repository
from suite.cli.main import run
from suite.errors import NotFound
from tests.board import accepted


def test_the_boards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", "list"]) == 0
    assert "mini" in capsys.readouterr().out
    assert run(["board", "list", "--json"]) == 0
    found = {one["id"]: one for one in json.loads(capsys.readouterr().out)}
    assert len(found["rag-rewardbench"]["sha256"]) == 64


def test_a_new_repository_checks_and_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "board"
    assert run(["board", "init", "--repo", str(root), "--board", "mini"]) == 0
    assert run(["board", "check", "--repo", str(root)]) == 0
    assert f"mini {find_board('mini').version}: fine" in capsys.readouterr().out
    assert run(["board", "build", "--repo", str(root), "-O", str(tmp_path / "site")]) == 0
    assert (tmp_path / "site/index.html").is_file()
    assert run(["board", "init", "--repo", str(root)]) == 2
    assert "exists" in capsys.readouterr().err


def test_a_folder_of_submissions_alone_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.repository(tmp_path, 3)
    submissions, definition = tmp_path / "submissions/b", tmp_path / "boards/b/board.yaml"
    assert run(["board", "build", "--repo", str(submissions), "-O", str(tmp_path / "one")]) == 0
    alone = tmp_path / "elsewhere"
    shutil.copytree(submissions, alone)
    assert run(["board", "build", "--repo", str(alone), "-O", str(tmp_path / "two")]) == 2
    assert "--board FILE" in capsys.readouterr().err
    command = [
        "board",
        "build",
        "--repo",
        str(alone),
        "-O",
        str(tmp_path / "two"),
        "--board",
        str(definition),
    ]
    assert run(command) == 0
    one, two = (tmp_path / name / "index.html" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "--repo", "nowhere", "-O", "site"], "there is no folder"),
        (["build", "--repo", "empty", "-O", "site", "--board", "minni"], "did you mean 'mini'"),
        (
            ["build", "--repo", "empty", "-O", "site", "--board", "mini", "--site-url", "http://x"],
            "no https address",
        ),
        (["init", "--repo", "new", "--board", "minni"], "did you mean 'mini'"),
        (["accept"], "one bundle, or --all"),
        (["comment", "nowhere.json"], "missing"),
        (["serve", "--repo", "empty", "--board", "minni"], "did you mean 'mini'"),
    ],
)
def test_mistakes_are_told_and_cost_exit_code_2(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(["board", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_links_among_entries_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.repository(tmp_path, 1)
    (tmp_path / "submissions/b/model-x-000000000000").symlink_to("/etc")
    assert run(["board", "build", "--repo", str(tmp_path), "-O", str(tmp_path / "site")]) == 2
    assert "must not be a link" in capsys.readouterr().err


def test_a_board_that_a_repository_lacks_is_named_beside_those_it_has(tmp_path: Path) -> None:
    assert run(["board", "init", "--repo", str(tmp_path / "r"), "--board", "mini"]) == 0
    with pytest.raises(NotFound, match="did you mean 'mini'"):
        open_repository(tmp_path / "r", "minni")
    with pytest.raises(NotFound, match=f"in {tmp_path / 'r'}\n  known: mini$"):
        open_repository(tmp_path / "r", "elsewhere")
