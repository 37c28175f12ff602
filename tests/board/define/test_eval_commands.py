"""`suite board commands` prints commands whose plans hold exactly the board's cells."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from suite.board.define import eval_commands
from suite.board.define.board import Board, boards, find_board
from suite.cli.board import board as command
from suite.cli.steps import parse_options, parse_parameters, parse_roles
from suite.plugins import catalogue
from suite.run.cells import expand
from suite.run.request import EvalRequest

MODEL = "embedded/smollm2-135m"
NONE = {"baseline": None, "user": None, "embedder": None, "roles": ()}


def request(line: str) -> EvalRequest:
    """The request that a printed command makes."""
    words = shlex.split(line)
    assert words[:2] == ["suite", "eval"]
    flags: dict[str, list[str]] = {}
    rest = words[2:]
    while rest:
        name = rest.pop(0)
        flags.setdefault(name, []).append("" if name == "--mini" else rest.pop(0))
    (model,) = flags["--model"]
    return EvalRequest(
        tuple(flags["--task"]),
        parameters=parse_parameters(flags.get("-P", ())),
        mini="--mini" in flags,
        models=parse_roles({**NONE, "model": model, "judges": flags.get("--judge", ())}),
    )


@pytest.mark.parametrize("board", boards()[0], ids=lambda board: board.id)
def test_the_printed_commands_make_the_cells(board: Board) -> None:
    lines = [line for line in eval_commands.commands(board, MODEL, catalogue()) if line[0] != "#"]
    wanted = board.cells(catalogue())
    for item, line in zip(board.tasks, lines, strict=True):
        asked = request(line)
        assert asked.mini is (item.data == "mini")
        made = {cell.id: cell.plan.score_parameters for cell in expand(asked, catalogue())[0]}
        assert made == {cell.id: cell.plan.score_parameters for cell in wanted[item.name]}
        assert ("judge" in asked.models) is ("judge" in item.roles)


def test_the_command_prints_them() -> None:
    ran = CliRunner().invoke(command, ["commands", "--board", "mini", "--model", MODEL])
    assert ran.exit_code == 0
    assert ran.output.splitlines() == eval_commands.commands(find_board("mini"), MODEL, catalogue())


def test_what_pins_a_role_is_asked_for_or_said() -> None:
    commit = "5ede1c97bbab6ce5cda5812749b4c0bdf79b18dd"
    judge = {
        "spec": "vllm/Qwen/Qwen2.5-32B-Instruct",
        "identity": {
            "revision": commit,
            "name": "Qwen/Qwen2.5-32B-Instruct",
            "options": {"dtype": "bfloat16"},
        },
        "sampling": {"temperature": 0},
    }
    task = {"task": "prefeval/generation", "version": 2, "roles": {"judge": judge}}
    board = Board.model_validate({"id": "b", "version": "1.0.0", "title": "B", "tasks": [task]})
    remark, line = eval_commands.commands(board, MODEL, catalogue())
    assert remark == (
        '# judge vllm/Qwen/Qwen2.5-32B-Instruct: the board wants name = "Qwen/Qwen2.5-32B-Instruct"'
    )
    words = shlex.split(line)
    given = [words[i + 1] for i, word in enumerate(words) if word == "-o"]
    assert given == ["judge.dtype=bfloat16", f"judge.revision={commit}", "judge.temperature=0"]
    assert ("judge", "revision", commit) in parse_options(given, ["judge"])


def test_members_of_a_panel_are_pinned_one_by_one() -> None:
    panel = [
        {"spec": f"vllm/lab/{name}", "identity": {"revision": revision * 40}}
        for name, revision in (("one", "1"), ("two", "2"))
    ]
    task = {"task": "contexteval/pairwise", "version": 2, "roles": {"judge": panel}}
    board = Board.model_validate({"id": "b", "version": "1.0.0", "title": "B", "tasks": [task]})
    *_, line = eval_commands.commands(board, MODEL, catalogue())
    words = shlex.split(line)
    given = [words[i + 1] for i, word in enumerate(words) if word == "-o"]
    assert given == [f"judge/1.revision={'1' * 40}", f"judge/2.revision={'2' * 40}"]
    assert parse_options(given, ["judge"]) == [
        ("judge/1", "revision", "1" * 40),
        ("judge/2", "revision", "2" * 40),
    ]


def test_a_role_that_a_board_leaves_open_is_told(tmp_path: Path) -> None:
    """Else entries under judges of all sorts stand side by side as if they compared."""
    text = (
        "format: suite-board/1\nid: open\nversion: 1.0.0\ntitle: Open\n"
        "tasks: [{task: prefeval/generation, version: 2, data: mini}]\n"
    )
    (tmp_path / "open.yaml").write_text(text)
    lines = eval_commands.commands(find_board(str(tmp_path / "open.yaml")), MODEL, catalogue())
    assert lines[0] == "# judge: the board leaves it open; put whom you want for SPEC"
    assert lines[1].endswith("--judge SPEC")
    made = CliRunner().invoke(
        command, ["init", "--repo", str(tmp_path / "r"), "--board", str(tmp_path / "open.yaml")]
    )
    assert made.exit_code == 0
    assert "note: prefeval/generation: no judge is fixed" in made.stderr
    checked = CliRunner().invoke(command, ["check", "--repo", str(tmp_path / "r")])
    assert checked.exit_code == 0
    assert "note: open: board.yaml, prefeval/generation: no judge is fixed" in checked.stdout


@pytest.mark.parametrize("board", boards()[0], ids=lambda board: board.id)
def test_boards_of_the_registry_leave_nothing_open(board: Board) -> None:
    assert eval_commands.free_roles(board, catalogue()) == {}
