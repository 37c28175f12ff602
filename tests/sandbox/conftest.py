"""Who runs the sandbox: the user of the tests, and an ordinary user where the tests run as root."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))
import trying

import suite
from suite.sandbox import Sandbox, open_sandbox, probe

HERE = Path(__file__).parent
NOBODY = 65534


@pytest.fixture(scope="session")
def contained() -> None:
    report = probe()
    if not report.ok:
        pytest.skip("; ".join(report.lines()))


@pytest.fixture
async def sandbox(contained: None) -> AsyncIterator[Sandbox]:
    opened = await open_sandbox(workers=2)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def warm(contained: None) -> AsyncIterator[Sandbox]:
    """One sandbox for many tests; they say `loop_scope="session"` too."""
    opened = await open_sandbox(workers=2)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def public_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="suite-sandbox-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder


@pytest.fixture(scope="session", params=["own", "ordinary"])
def outcomes(request: Any, contained: None, public_folder: Path) -> dict[str, dict[str, Any]]:
    """What came of every hostile program, for each user."""
    if request.param == "own":
        found: dict[str, dict[str, Any]] = asyncio.run(trying.try_all(public_folder))
        return found
    return as_ordinary_user(public_folder)


def as_ordinary_user(folder: Path) -> dict[str, dict[str, Any]]:
    """The same in a process of an ordinary user, with a Python and a copy of the code that it can read."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    if python is None or not shutil.which("setpriv"):
        pytest.skip("no Python of the system, or no setpriv")
    newer = "import sys; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run([python, "-c", newer], check=False).returncode:
        pytest.skip("the Python of the system is older than 3.11")
    code = folder / "code"
    if not code.exists():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(suite.__file__).parent, code / "suite", ignore=ignored)
        pluggy = importlib.util.find_spec("pluggy")
        assert pluggy is not None and pluggy.origin is not None
        shutil.copytree(Path(pluggy.origin).parent, code / "pluggy", ignore=ignored)
        for name in ("trying.py", "hostile_programs.py", "hostile.toml"):
            shutil.copy(HERE / name, code)
        for place in (code, *code.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    done = subprocess.run(
        [*user, python, "-B", str(code / "trying.py"), str(folder)],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(code)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if "SandboxUnavailable" in done.stderr:
        pytest.skip(f"an ordinary user has no sandbox here: {done.stderr.splitlines()[-2]}")
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found
