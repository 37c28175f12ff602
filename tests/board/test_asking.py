"""`suite board commands` prints commands whose plans hold exactly the board's cells."""

import shlex

import pytest
from click.testing import CliRunner

from suite.board import asking
from suite.board.definition import Board, boards, find_board
from suite.cli.board import board as command
from suite.cli.running import parse_parameters, parse_roles
from suite.plugins import catalogue
from suite.run.cells import expand
from suite.run.request import EvalRequest

MODEL = "embedded/smollm2-135m"


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
        models=parse_roles(model, None, flags.get("--judge", ()), None, None, ()),
    )


@pytest.mark.parametrize("board", boards()[0], ids=lambda board: board.id)
def test_the_printed_commands_make_the_cells(board: Board) -> None:
    lines = asking.commands(board, MODEL, catalogue())
    wanted = board.cells(catalogue())
    for item, line in zip(board.tasks, lines, strict=True):
        asked = request(line)
        assert asked.mini is (item.data == "mini")
        made = {cell.id: cell.plan.score_parameters for cell in expand(asked, catalogue())[0]}
        assert made == {cell.id: cell.plan.score_parameters for cell in wanted[item.name]}
        assert ("judge" in asked.models) is ("judge" in item.roles)


def test_the_command_prints_them() -> None:
    ran = CliRunner().invoke(command, ["commands", "mini", "--model", MODEL])
    assert ran.exit_code == 0
    assert ran.output.splitlines() == asking.commands(find_board("mini"), MODEL, catalogue())
