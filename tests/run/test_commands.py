"""What was typed, as it is recorded with a run: exact, quoted for a shell, without secrets."""

import json
from pathlib import Path

import pytest

from suite.cli.main import run_command
from suite.errors import DamagedError
from suite.journal.commands import commands, note_command
from suite.journal.records import CommandRecord
from suite.secrets import safe_command, safe_text

EVAL = ("eval", "--task", "prefeval/classification", "--mini", "--limit", "2", "--model", "scripted/words")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("-P", "topic=a b", "-O", "runs/x"), "-P 'topic=a b' -O runs/x"),
        (("-o", "judge.api_key=abcd1234"), "-o 'judge.api_key=***'"),
        (("--api-key", "abc"), "--api-key '***'"),
        (("-o", "api_key_env=MY_KEY"), "-o api_key_env=MY_KEY"),
        (("-o", "max_tokens=500"), "-o max_tokens=500"),
        (("--data", "x=https://me:word@host/x.jsonl"), "--data 'x=https://***@host/x.jsonl'"),
        (("-o", "url=https://host/v1?api_key=k12&n=1"), "-o 'url=https://host/v1?api_key=***&n=1'"),
        (("-o", 'headers={"x-api-key": "qq"}'), """-o 'headers={"x-api-key": "***"}'"""),
        (("-o", "headers=X-Api-Key: abc123"), "-o 'headers=***'"),
    ],
)
def test_a_command_is_shown_without_its_secrets(words: tuple[str, ...], shown: str) -> None:
    assert safe_command(words) == shown


def test_a_call_in_python_is_shown_without_its_secrets() -> None:
    call = 'suite.evaluate("units", model="a/x", options={"api_key": "abc", "n": 5}, token="hf_012345678")'
    assert safe_text(call) == (
        'suite.evaluate("units", model="a/x", options={"api_key": "***", "n": 5}, token="***")'
    )


def test_a_run_knows_the_commands_that_worked_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("suite.toml").write_text("[eval]\nquiet = true\n[score]\nquiet = true\nlevel = 0.9\n")
    assert run_command(*EVAL, "-O", "my run", "--solve-only", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert run_command("score", "my run") == 0
    assert run_command("score", "my run") == 0  # nothing is left to do
    (solved, scored) = commands(Path("my run"))
    assert solved.command == f"suite {' '.join(EVAL)} -O 'my run' --solve-only --json"
    assert list(shown) == ["run", "what_was_run", "pending"]
    assert shown["what_was_run"]["command"] == solved.command
    assert (solved.settings, solved.solves, solved.scoring) == ("--quiet", True, "")
    assert (scored.command, scored.settings) == ("suite score 'my run'", "--level 0.9 --quiet")
    assert not scored.solves and scored.scoring


def test_a_recorded_command_is_no_part_of_a_bundle(tmp_path: Path) -> None:
    assert run_command(*EVAL, "-O", str(tmp_path / "run"), "--quiet") == 0
    assert str(tmp_path) in commands(tmp_path / "run")[0].command
    (named,) = [one.name for one in (tmp_path / "run").rglob("*.json*") if str(tmp_path) in one.read_text()]
    assert named == "commands.jsonl"


def test_a_torn_line_is_cut_off_and_a_changed_one_is_named(tmp_path: Path) -> None:
    note_command(tmp_path, CommandRecord("suite eval --task a"))
    path = tmp_path / "commands.jsonl"
    with path.open("ab") as file:
        file.write(b'{"command":"suite ev')
    note_command(tmp_path, CommandRecord("suite eval --task b"))
    assert [one.command for one in commands(tmp_path)] == ["suite eval --task a", "suite eval --task b"]
    path.write_text(path.read_text().replace("task b", "task c"))
    with pytest.raises(DamagedError, match="delete the file"):
        commands(tmp_path)
