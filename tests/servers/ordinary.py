"""A process of an ordinary user, where the tests run as root."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

NOBODY = 65534


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="suite-sandbox-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder


def as_ordinary_user(
    folder: Path, scripts: Sequence[Path], *arguments: str, packages: Sequence[str] = ()
) -> str:
    """What the first of the scripts prints, with a Python and a copy of the code that the user can read.

    packages: what is copied beside the suite and what that needs.
    """
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
        for name in ("suite", "pluggy", "lazy_loader", *packages):
            found = importlib.util.find_spec(name)
            assert found is not None and found.origin is not None
            shutil.copytree(Path(found.origin).parent, code / name, ignore=ignored)
    for script in scripts:
        shutil.copy(script, code)
    for place in (code, *code.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    done = subprocess.run(
        [*user, python, "-B", str(code / scripts[0].name), *arguments],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(code)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if "SandboxUnavailable" in done.stderr:
        pytest.skip(f"an ordinary user has no sandbox here: {done.stderr.splitlines()[-2]}")
    assert done.returncode == 0, done.stderr
    return done.stdout
