"""A Python anywhere on this machine runs programs inside, or is refused before any is judged."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from suite import ConfigError, SandboxUnavailable
from suite.sandbox import Limits, Program, Sandbox, SandboxResult, prove, python_program
from suite.sandbox.interpreters import executable, python_mounts

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIMITS = Limits(wall_s=60)


@pytest.fixture(params=["/tmp", "/dev/shm", "/var/tmp"])
def place(request: pytest.FixtureRequest) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=request.param) as name:
        yield Path(name)


def _venv(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / "bin" / "python")


def _wrapper(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return str(path)


async def _printed(sandbox: Sandbox, code: str, python: str) -> str:
    """What a program prints that this Python runs."""
    result = await sandbox.run(python_program(Program(("p.py",), {"p.py": code}), python), LIMITS)
    assert result.ok, result
    return result.stdout.decode()


async def _works(sandbox: Sandbox, python: str) -> None:
    await prove(sandbox, python)
    told = await _printed(sandbox, "import sys; print(sys.executable, sys.flags.isolated)", python)
    assert told == f"{executable(python)} 1\n"


async def test_a_virtual_environment_works_wherever_it_is(place: Path, warm: Sandbox) -> None:
    await _works(warm, _venv(place / "deeper" / "venv"))


async def test_one_in_a_folder_that_only_its_owner_may_enter_works(place: Path, warm: Sandbox) -> None:
    place.chmod(0o700)
    await _works(warm, _venv(place))


async def test_a_chain_of_links_is_followed(place: Path, warm: Sandbox) -> None:
    python = _venv(place / "venv")
    (place / "links").mkdir()
    (place / "links" / "bin").symlink_to(place / "venv" / "bin")
    (place / "python").symlink_to(place / "links" / "bin" / "python")
    await _works(warm, str(place / "python"))
    assert executable(str(place / "python")) != python


async def test_a_wrapper_is_followed_to_the_python_it_starts(place: Path, warm: Sandbox) -> None:
    await _works(warm, _wrapper(place / "python3", f'exec {sys.executable} "$@"'))


async def test_a_python_that_needs_its_wrapper_is_refused_before_anything_is_judged(
    place: Path, warm: Sandbox
) -> None:
    """It works on the host by a variable that no sandbox passes on."""
    broken = place / "venv"
    _venv(broken)
    hidden = place / "hidden-python"
    shutil.copy(os.path.realpath(sys.executable), hidden)
    (broken / "bin" / "python").unlink()
    (broken / "bin" / "python").symlink_to(hidden)
    home = f"export PYTHONHOME={sys.base_prefix}"
    wrapper = _wrapper(place / "python3", f'{home}\nexec {broken}/bin/python "$@"')
    with pytest.raises((SandboxUnavailable, ConfigError)):
        await prove(warm, wrapper)


async def test_an_interpreter_that_is_not_there_inside_is_refused(warm: Sandbox) -> None:
    class Hidden(Sandbox):
        name = "hidden"

        async def run(self, program: Program, limits: Limits = LIMITS) -> SandboxResult:
            return await warm.run(replace(program, argv=("/nowhere/python", *program.argv[1:])), limits)

        async def close(self) -> None:
            pass

    with pytest.raises(SandboxUnavailable, match="can't be run in the hidden sandbox") as refused:
        await prove(Hidden())
    assert "cannot start" in refused.value.where


async def test_where_a_python_is_shown_nothing_can_be_moved_or_written(warm: Sandbox) -> None:
    """The tests load modules from there while the program runs."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        python = _venv(Path(name) / "deeper" / "venv")
        code = f"""
import os
for path in ({name!r}, {name!r} + "/deeper", {python!r}):
    for act in (lambda: os.rename(path, path + "2"), lambda: os.chmod(path, 0o777), lambda: os.unlink(path)):
        try:
            act()
            print("HARM", path)
        except OSError:
            pass
try:
    open({name!r} + "/new", "w")
    print("HARM")
except OSError:
    print("done")
"""
        assert await _printed(warm, code, python) == "done\n"


async def test_only_the_parts_of_a_python_are_shown_of_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "secret").write_text("key")
    shown = {mount.source for mount in python_mounts(_venv(tmp_path))}
    assert str(tmp_path) not in shown
    assert str(tmp_path / "bin") in shown
    assert not any("secret" in one for one in shown)
