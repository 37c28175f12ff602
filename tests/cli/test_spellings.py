"""One word, one thing: every flag means the same in every command; old spellings do what the new ones do."""

import importlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from suite.cli import spellings
from suite.cli.main import COMMANDS, run
from suite.plugins import catalogue

# old line -> new line, as they stand in documents and in repositories of boards made before
LINES = {
    "eval --task t --out runs/mine": "eval --task t --output runs/mine",
    "score --outputs a.jsonl --out=runs/mine": "score --outputs a.jsonl --output=runs/mine",
    "judge audit --judge scripted/a -o text=a --out x": "judge audit --judge scripted/a -o text=a --output x",
    "compare a b --baseline a": "compare a b --against a",
    "report show RUN --md": "report show RUN --markdown=-",
    "report export RUN --format csv -o a.csv": "report export RUN --to csv -O a.csv",
    "report export RUN --to csv -oa.csv": "report export RUN --to csv -Oa.csv",
    "runs import PATH --from prefeval -o runs/a": "runs import PATH --from prefeval -O runs/a",
    "data import a --from /media/stick": "data import a --dir /media/stick",
    "plugin new units --dir d": "plugin new units --output d",
    "submit pack RUN -o a.zip --url https://a": "submit pack RUN -O a.zip --model-url https://a",
    "submit place a.zip --repo b --url https://a": "submit place a.zip --repo b --bundle-url https://a",
    "submit verify a.zip --json report.json": "submit verify a.zip --output report.json",
    "submit verify --json=report a.zip": "submit verify --json=report a.zip",
    "submit verify --json a.zip": "submit verify --json a.zip",
    "submit verify -o judge.x=1 a.zip": "submit verify -o judge.x=1 a.zip",
    "board init my-board --board mini": "board init --repo my-board --board mini",
    "board commands mini --model SPEC": "board commands --board mini --model SPEC",
    "board check --board mini mini": "board check --board mini --repo mini",
    "board check .": "board check --repo .",
    "board check-pr . --base a --head b": "board check-pr --repo . --base a --head b",
    "board build . -o site --url https://a": "board build --repo . -O site --site-url https://a",
    "board fetch DIR --board mini -o ../fetched": "board fetch DIR --board mini -O ../fetched",
    "board accept --new --repo .": "board accept --all --repo .",
    "board accept a.zip --url https://a": "board accept a.zip --bundle-url https://a",
    "userbench generate --out synth": "userbench generate --output synth",
    "userbench export RUN -o a.jsonl": "userbench export RUN -O a.jsonl",
    "userbench generate -o synth --tag 22": "userbench generate -O synth --tag 22",
    "userbench export RUN --out a.jsonl": "userbench export RUN --output a.jsonl",
    "report export RUN --to csv -- -o": "report export RUN --to csv -- -o",
}
# metavars that are one kind of value
KINDS = {
    **dict.fromkeys(("FILE", "PATH", "DIR"), "place"),
    **dict.fromkeys(("[TASK:]NAME=VALUE", "[ROLE.]KEY=VALUE", "KEY=VALUE"), "NAME=VALUE"),
    "choice": "TEXT",  # declarations: `submit pack` holds a flag to the same rules as the file
}
# flags that take another kind of value in one command
OTHERS = {
    ("runs import", "--model"),  # the candidate, by the name that the files have for it
    ("userbench baseline", "--user"),  # a user that is no model has no spec
    ("vibechecker environment", "--python"),  # a version does, too
}


def modern(line: str) -> str:
    return " ".join(spellings.modern(line.split()))


@pytest.mark.parametrize("old", LINES)
def test_an_old_spelling_becomes_the_new_one_with_a_note(
    old: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert modern(old) == LINES[old]
    told = capsys.readouterr()
    assert told.out == ""
    assert ("is now" in told.err) == (old != LINES[old])


@pytest.mark.parametrize("new", sorted(set(LINES.values())))
def test_a_new_spelling_stays_as_it_is(new: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert modern(new) == new
    assert capsys.readouterr().err == ""


def test_every_old_spelling_has_a_line() -> None:
    for way, flags in spellings.FLAGS.items():
        for old in flags:
            assert any(line.startswith(f"{way} ") and f" {old}" in line for line in LINES), (way, old)
    assert all(any(line.startswith(f"{way} ") for line in LINES) for way in spellings.ARGUMENTS)


def test_an_old_spelling_prints_what_the_new_one_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["board", "init", str(tmp_path / "mine")]) == 0
    capsys.readouterr()
    assert run(["board", "check", "--repo", str(tmp_path / "mine"), "--no-verify"]) == 0
    new = capsys.readouterr()
    assert run(["board", "check", str(tmp_path / "mine"), "--no-verify"]) == 0
    old = capsys.readouterr()
    assert (old.out, new.err) == (new.out, "")
    assert old.err == (
        f"note: `suite board check`: its argument is now --repo {tmp_path / 'mine'}; "
        "the old spelling ends with 0.3.0\n"
    )


def test_a_repository_is_still_shown_where_a_built_site_stands_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["board", "serve", str(tmp_path), "--board", "minni"]) == 2
    assert f"a repository as argument is now --repo {tmp_path}" in capsys.readouterr().err


def test_an_old_key_of_the_settings_file_is_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suite.toml").write_text('[eval]\nout = "mine"\n')
    monkeypatch.chdir(tmp_path)
    assert run(["eval", "--help"]) == 0
    assert "`suite eval`: --out is now --output" in capsys.readouterr().err


def test_an_old_variable_of_the_environment_is_the_new_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUITE_EVAL_OUT", "mine")
    assert modern("eval --task t") == "eval --task t --output mine"
    assert "SUITE_EVAL_OUT is now SUITE_EVAL_OUTPUT" in capsys.readouterr().err
    assert modern("eval -O other") == "eval -O other"
    monkeypatch.setenv("SUITE_EVAL_OUTPUT", "other")
    assert modern("eval --task t") == "eval --task t"


def walk(way: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield way, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from walk(f"{way} {name}", below)


def flags() -> Iterator[tuple[str, click.Option]]:
    """Every flag of every command, those of the plugins too."""
    found = {name: catalogue().load("command", name) for name in catalogue().names("command")}
    for name, (target, _) in COMMANDS.items():
        module, _, attribute = target.partition(":")
        found[name] = getattr(importlib.import_module(module), attribute)
    for name, command in found.items():
        for way, below in walk(name, command):
            yield from ((way, one) for one in below.params if isinstance(one, click.Option))


ALL = list(flags())


def test_o_is_an_engine_option_and_capital_o_is_what_is_written() -> None:
    for way, flag in ALL:
        if "-o" in flag.opts:
            assert (flag.opts, str(flag.metavar)[-9:]) == (["-o"], "KEY=VALUE"), way
        if {"-O", "--output"} & set(flag.opts):
            assert flag.opts == ["-O", "--output"], way
            assert isinstance(flag.type, click.Path), way
        assert not {"--out", "--output-dir", "--file"} & set(flag.opts), way


def test_json_is_always_a_flag() -> None:
    assert all(flag.is_flag for way, flag in ALL if "--json" in flag.opts)
    assert all(flag.help is None or "JSON" in flag.help for way, flag in ALL if "--json" in flag.opts)


def test_a_board_is_given_by_board_and_its_repository_by_repo() -> None:
    for way, flag in ALL:
        if "--board" in flag.opts:
            assert flag.metavar == "FILE|ID", way
        if "--repo" in flag.opts:
            assert (flag.metavar, flag.default) == ("DIR", flag.type.convert(".", None, None)), way
    for name in ("board", "submit"):
        module, _, attribute = COMMANDS[name][0].partition(":")
        for way, command in walk(name, getattr(importlib.import_module(module), attribute)):
            taken = {one.name for one in command.params if isinstance(one, click.Argument)}
            assert not taken & {"board", "repository", "repo"}, way


def test_one_flag_takes_one_kind_of_value() -> None:
    kinds: defaultdict[str, defaultdict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for way, flag in ALL:
        kind = "flag" if flag.is_flag else flag.metavar or flag.type.name
        for name in flag.opts:
            if (way, name) not in OTHERS:
                kinds[name][KINDS.get(kind, kind)].append(way)
    assert {name: dict(found) for name, found in kinds.items() if len(found) > 1} == {}
