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
    "submit verify --json=report a.zip": "submit verify --output=report a.zip",
    "submit verify a.zip --json=/tmp/v.txt": "submit verify a.zip --output=/tmp/v.txt",
    "submit verify a.zip --json /tmp/ver.out": "submit verify a.zip --output /tmp/ver.out",
    "submit verify --json ver.out --board mini a.zip": "submit verify --output ver.out --board mini a.zip",
    "submit verify a.zip --json -": "submit verify a.zip --output -",
    "submit verify a.zip --json": "submit verify a.zip --json",
    "submit verify a.zip --json --strict": "submit verify a.zip --json --strict",
    "submit verify --board mini --json a.zip": "submit verify --board mini --json a.zip",
    "submit verify --json --signers keys -- a.zip": "submit verify --json --signers keys -- a.zip",
    "submit verify --json a.zip": "submit verify --json a.zip",
    "submit verify -o judge.x=1 a.zip": "submit verify -o judge.x=1 a.zip",
    "board init my-board --board mini": "board init --repo my-board --board mini",
    "board commands mini --model SPEC": "board commands --board mini --model SPEC",
    "board check --board mini mini": "board check --board mini --repo mini",
    "board check .": "board check --repo .",
    "board check-pr . --base a --head b": "board check-pr --repo . --base a --head b",
    "board build . -o site --url https://a": "board build --repo . -O site --site-url https://a",
    "board build -o st -- bd": "board build -O st --repo bd",
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
    ("gate check", "--baseline"),  # a run of the model; its spec elsewhere
    ("gate plan", "--baseline"),
    ("plugin new", "--from"),  # a file; an importer's name elsewhere
    ("runs samples", "--tag"),  # any tag of a run; a composition of trips for UserBench
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
    assert modern("eval --task t") == "eval --task t --output other"
    assert capsys.readouterr().err == ""


# variable, value -> line, and what the line becomes
VARIABLES = {
    ("SUITE_BOARD_BUILD_URL", "https://a"): ("board build -O s", "board build -O s --site-url https://a"),
    ("SUITE_SCORE_OUT", "d"): ("score R -- x", "score R --output d -- x"),
    ("SUITE_COMPARE_BASELINE", "a"): ("compare a b", "compare a b --against a"),
    ("SUITE_REPORT_SHOW_MD", "1"): ("report show R", "report show R --markdown=-"),
    ("SUITE_REPORT_SHOW_MARKDOWN", "true"): ("report show R", "report show R --markdown=-"),
    ("SUITE_REPORT_EXPORT_KIND", "csv"): ("report export R", "report export R --to csv"),
    ("SUITE_SUBMIT_PACK_URL", "u"): ("submit pack R", "submit pack R --model-url u"),
    ("SUITE_SUBMIT_PACK_FLAG_URL", "u"): ("submit pack R", "submit pack R --model-url u"),
    ("SUITE_SUBMIT_PLACE_URLS", "u v"): ("submit place B", "submit place B --bundle-url u --bundle-url v"),
    ("SUITE_PLUGIN_NEW_DIR", "d"): ("plugin new u", "plugin new u --output d"),
    ("SUITE_PLUGIN_NEW_FOLDER", "d"): ("plugin new u", "plugin new u --output d"),
    ("SUITE_BOARD_ACCEPT_NEW", "1"): ("board accept", "board accept --all"),
    ("SUITE_SUBMIT_VERIFY_JSON", "v.txt"): ("submit verify B", "submit verify B --output v.txt"),
    ("SUITE_SUBMIT_VERIFY_JSON_PATH", "v.txt"): ("submit verify B", "submit verify B --output v.txt"),
}


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_old_variable_becomes_the_new_flag_with_a_note(
    variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(*variable)
    line, new = VARIABLES[variable]
    assert modern(line) == new
    assert variable[0] in (told := capsys.readouterr().err) and " is now SUITE_" in told


@pytest.mark.parametrize(
    ("variable", "value", "line", "new"),
    [
        ("SUITE_SUBMIT_PACK_BOARD", "mini", "submit pack R", "submit pack R --board mini"),
        ("SUITE_SUBMIT_DECLARE_BOARD", "mini", "submit declare", "submit declare --board mini"),
        ("SUITE_COMPARE_AGAINST", "a", "compare a b", "compare a b --against a"),
        ("SUITE_REPORT_SHOW_MARKDOWN", "a.md", "report show R", "report show R"),
        ("SUITE_REPORT_SHOW_MD", "0", "report show R", "report show R"),
        ("SUITE_SUBMIT_VERIFY_JSON", "1", "submit verify B", "submit verify B"),
    ],
)
def test_a_variable_named_like_its_flag_needs_no_note(
    variable: str,
    value: str,
    line: str,
    new: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert (modern(line), capsys.readouterr().err) == (new, "")


@pytest.mark.parametrize(
    ("way", "keys", "code", "said"),
    [
        ("report show", "md = true", 0, "--md is now --markdown -;"),
        ("report show", "markdown = true", 0, "--markdown is now --markdown -;"),
        ("report show", "md = false", 0, "--md is now --markdown -;"),
        ("report export", 'o = "a.csv"', 0, "-o is now -O;"),
        ("submit verify", 'json = "v.json"', 0, "--json is now --output;"),
        ("submit verify", 'json_path = "v.json"', 0, "--json-path is now --output;"),
        ("submit verify", "json = true", 0, ""),
        ("eval", 'out = "a"\noutput = "b"', 2, "'output' gives --output a second time"),
        ("eval", "output = true", 2, "'output' takes a path, not True"),
        ("eval", "out = 3", 2, "'out' takes a path, not 3"),
        ("eval", 'output = ["a"]', 2, "'output' takes one value, not several"),
        ("submit verify", "json = 3", 2, "'json' takes a path, not 3"),
    ],
)
def test_old_keys_and_wrong_values_of_the_settings_file(
    way: str,
    keys: str,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "suite.toml").write_text(f"[{way.replace(' ', '.')}]\n{keys}\n")
    monkeypatch.chdir(tmp_path)
    assert run([*way.split(), "--help"]) == code
    told = capsys.readouterr().err
    assert said in told and (told == "") == (said == "")
    assert code == 0 or (
        str(tmp_path / "suite.toml, line ") in told and told.partition("error:")[2].count("\n") == 3
    )


def test_a_flag_in_both_spellings_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("eval --out a --output b", "eval -O b --out=a", "submit pack R -o a -O b"):
        assert run(line.split()) == 2
        assert "are one flag" in capsys.readouterr().err


def test_the_flags_without_a_value_are_known() -> None:
    ways = {*spellings.ARGUMENTS, "submit verify"}
    found = {name for way, flag in ALL if way in ways and flag.is_flag for name in flag.opts}
    assert found == spellings.SWITCHES - {"--help", "-h"}


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
