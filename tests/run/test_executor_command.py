"""--on, --on-option and --print, as a person gives them."""

import shlex
from pathlib import Path

import pytest

import suite

pytest.importorskip("suite_prefeval")
EVAL = "eval --task prefeval/classification --mini -P topics=cooking_meals --model scripted/first-option"


def words_of(text: str) -> list[str]:
    """The words that a script for Slurm hands to the suite."""
    (line,) = (one for one in text.splitlines() if one.startswith("words="))
    return shlex.split(line.removeprefix("words=(").removesuffix(")"))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_script_holds_the_command_and_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SUITE_EVAL_SEED", "5")
    given = shlex.split(f"{EVAL} -P 'method=$(touch x)' --on slurm --on-option shards=2 --print -O a/b")
    given[given.index("method=$(touch x)")] = "method=remind"
    assert suite.run_command(*given) == 0
    assert words_of(capsys.readouterr().out) == shlex.split(
        "eval --task prefeval/classification -P topics=cooking_meals -P method=remind --mini --seed 5"
        " --model scripted/first-option --output a/b --no-cache"
    )
    assert [*tmp_path.iterdir()] == [], "nothing has begun"


def test_a_run_that_others_carry_out_has_one_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.run_command(*EVAL.split(), "--new", "--on", "slurm", "--print") == 0
    *_, flag, folder, cache = words_of(capsys.readouterr().out)
    assert (flag, cache) == ("--output", "--no-cache")
    assert folder.startswith("runs/prefeval-classification-")


def test_the_processes_of_a_script_do_not_ask_for_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUITE_EVAL_ON", "slurm")
    assert suite.run_command(*EVAL.split(), "--print") == 0
    words = words_of(capsys.readouterr().out)
    assert words[words.index("--on") + 1] == "local"
    assert suite.run_command(*words, "--quiet") == 0


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--on slurm", "starts nothing by itself"),
        ("--print", "belong to --on"),
        ("--on slurm --print --dry-run", "leave one of them out"),
        ("--on slurm --print --shards 3", "divides the run itself"),
        ("--on slurm --on-option shards --print", "has no value"),
        ("--on slrum", "did you mean 'slurm'"),
    ],
)
def test_what_cannot_be_carried_out_starts_nothing(
    flags: str, says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert suite.run_command(*EVAL.split(), *flags.split()) == 2
    assert says in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
