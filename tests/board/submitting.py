"""`suite submit pack` as a test calls it."""

from typing import Any

from click.testing import CliRunner

from suite.cli.main import cli
from suite.errors import SuiteError


def pack(*arguments: Any) -> Any:
    return CliRunner().invoke(cli, ["submit", "pack", *map(str, arguments)], standalone_mode=False)


def refusal(*arguments: Any) -> str:
    done = pack(*arguments)
    assert isinstance(done.exception, SuiteError), done.output
    return str(done.exception)
