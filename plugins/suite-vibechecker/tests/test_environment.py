"""The interpreter of the tests: found, built, or honestly refused."""

import sys
from pathlib import Path

import pytest
from suite_vibechecker import environment

import suite


def test_the_own_python_suffices_for_what_it_has(tmp_path: Path) -> None:
    found = environment.find("", tmp_path, ["json", "collections", "pytest"])
    assert (found.python, found.origin) == (Path(sys.executable), "own")


def test_missing_modules_are_refused_by_name_with_three_ways_out(tmp_path: Path) -> None:
    with pytest.raises(suite.SandboxUnavailable) as refused:
        environment.find("", tmp_path, ["json", "no_such_module.part", "nor_this"])
    text = str(refused.value)
    assert all(
        part in text for part in ("no_such_module, nor_this", "--requirements", "-P interpreter", "score")
    )


def test_a_named_interpreter_wins_and_must_run(tmp_path: Path) -> None:
    assert environment.find(sys.executable, tmp_path, ["no_such_module"]).origin == "named"
    with pytest.raises(suite.ConfigError, match="no Python that runs"):
        environment.find(str(tmp_path / "none"), tmp_path, [])


def test_an_environment_is_built_once_and_rebuilt_when_its_list_changes(tmp_path: Path) -> None:
    wanted, cache = tmp_path / "requirements.txt", tmp_path / "cache"
    wanted.write_text("# nothing from anywhere\n")
    built = environment.build(cache, wanted, sys.executable)
    stamp = (cache / "venv" / "pyvenv.cfg").stat().st_mtime_ns
    assert environment.build(cache, wanted, sys.executable) == built
    assert (cache / "venv" / "pyvenv.cfg").stat().st_mtime_ns == stamp
    assert environment.find("", cache, ["no_such_module"]) == built
    wanted.write_text("# another list\n")
    assert environment.build(cache, wanted, sys.executable).digest != built.digest
    assert set(built.facts()) == {"tests_environment", "tests_requirements_sha256"}


def test_what_cannot_be_built_leaves_no_environment_behind(tmp_path: Path) -> None:
    wanted, cache = tmp_path / "requirements.txt", tmp_path / "cache"
    wanted.write_text("not a requirement at all !!\n")
    with pytest.raises(suite.SandboxUnavailable, match="could not be built"):
        environment.build(cache, wanted, sys.executable)
    with pytest.raises(suite.SandboxUnavailable):
        environment.find("", cache, ["no_such_module"])


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(suite.ConfigError, match=r"none\.txt"):
        environment.build(tmp_path, tmp_path / "none.txt")
