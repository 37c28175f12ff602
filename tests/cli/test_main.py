"""Exit codes, messages and plugins' commands, seen from outside."""

import re
import signal
import subprocess
import sys
from typing import Any

import pytest

from suite.cli.main import COMMANDS, run

COMMANDS_CODE = """
import sys
import time

import click

from suite.errors import ConfigError


@click.command()
@click.option("--how", default="well")
def act(how: str) -> None:
    if how == "interrupted":
        raise KeyboardInterrupt
    if how == "wrong":
        raise ConfigError("the knob is loose", where="page 3, line 7", fix="tighten it")
    if how == "pending":
        click.get_current_context().exit(1)
    if how == "loud":
        for _ in range(100_000):
            print("x" * 100)
    if how == "long":
        print("started", flush=True)
        time.sleep(30)
    print("acted", how)


not_a_command = 3
"""


@pytest.fixture
def acting(installed: Any) -> Any:
    """A plugin with commands of all kinds."""
    installed.plugin(
        "acting",
        "'command', 'act', 'Does what it is told', 'acting_code:act'",
        "'command', 'tasks', 'Takes a name of the suite', 'acting_code:act'",
        "'command', 'number', 'Is a number', 'acting_code:not_a_command'",
        "'command', 'absent', 'Points nowhere', 'acting_code:gone'",
        code=COMMANDS_CODE,
    )
    return installed


@pytest.mark.parametrize(
    ("how", "code", "out", "err"),
    [
        ("well", 0, "acted well\n", ""),
        ("pending", 1, "", ""),
        ("wrong", 2, "", "error: the knob is loose\n  page 3, line 7\n  tighten it\n"),
        ("interrupted", 130, "", "interrupted\n"),
    ],
)
def test_a_plugin_s_command_runs_and_its_errors_have_exit_codes(
    acting: Any, how: str, code: int, out: str, err: str
) -> None:
    answer = acting.suite("act", "--how", how)
    assert (answer.code, answer.out, answer.err) == (code, out, err)


def test_help_shows_a_plugin_s_commands_beside_the_suite_s_own(acting: Any) -> None:
    helped = acting.suite("--help")
    assert "Does what it is told" in helped.out
    assert "Takes a name of the suite" not in helped.out
    assert all(line in helped.out for _, line in COMMANDS.values())


def test_a_plugin_cannot_take_a_name_of_the_suite(acting: Any) -> None:
    assert "prefeval/generation" in acting.suite("tasks", "list").out
    listed = acting.suite("plugin", "list").out
    assert "wrong: command 'tasks' is the suite's own and cannot be taken; rename it" in listed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "number",
            "error: command 'number' is a int, not a click command\n  acting_code:not_a_command of acting\n",
        ),
        (
            "absent",
            "error: command 'absent' of acting cannot be loaded\n"
            "  acting_code:gone: AttributeError: module 'acting_code' has no attribute 'gone'\n"
            "  reinstall the plugin, or report this to its author\n",
        ),
    ],
)
def test_a_broken_command_is_named_with_its_error(acting: Any, name: str, said: str) -> None:
    answer = acting.suite(name)
    assert (answer.code, answer.out, answer.err) == (2, "", said)


def test_a_plugin_that_fails_to_load_harms_nothing_and_is_named(installed: Any) -> None:
    installed.plugin("cracked", source="raise RuntimeError('no luck')")
    helped = installed.suite("--help")
    assert helped.code == 0
    assert "Plugins that failed to load: cracked; see `suite plugin list`." in helped.out
    unknown = installed.suite("crack")
    assert unknown.code == 2
    assert "plugins that failed to load: cracked" in unknown.err
    assert "wrong: RuntimeError: no luck" in installed.suite("plugin", "list").out
    tasks = installed.suite("tasks", "list")
    assert tasks.code == 0
    assert "plugin 'cracked' failed to load: RuntimeError: no luck" in tasks.err


@pytest.mark.parametrize(
    ("arguments", "wrong", "near"),
    [
        (["taskz"], "taskz", "tasks"),
        (["tasks", "lst"], "lst", "list"),
        (["tasks", "list", "--jso"], "--jso", "--json"),
        (["tasks", "show", "prefeval/generaton"], "prefeval/generaton", "prefeval/generation"),
        (["--hepl"], "--hepl", "--help"),
    ],
)
def test_what_is_not_known_is_refused_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str], arguments: list[str], wrong: str, near: str
) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert wrong in printed.err
    assert re.search(rf"[Dd]id you mean:? '?{near}", printed.err)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("suite 0.")


def test_a_reader_that_goes_away_is_no_crash(acting: Any) -> None:
    command = [sys.executable, "-m", "suite", "act", "--how", "loud"]
    environment = acting.environment()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(("redirected", "why"), [(">/dev/full", "No space left"), (">&-", "it is closed")])
def test_an_output_that_cannot_be_written_is_a_sentence(redirected: str, why: str) -> None:
    line = f"{sys.executable} -m suite --help {redirected}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: standard output cannot be written: {why}")
    assert done.stderr.count("\n") == 1


def heed_ctrl_c() -> None:
    """A process started in the background of a shell ignores SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_a_command_with_130(acting: Any) -> None:
    command = [sys.executable, "-m", "suite", "act", "--how", "long"]
    environment = acting.environment()
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"started\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"interrupted\n"
    assert process.returncode == 130
