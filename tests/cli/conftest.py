"""Distributions made for a test, and the command line in an interpreter of its own that sees them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

REGISTER = """
import suite

@suite.hookimpl
def suite_register():
    return [{entries}]
"""


class Installed:
    """A folder of distributions, as pip would leave them, put before the installed ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plugin(self, distribution: str, *entries: str, source: str = "", code: str = "") -> str:
        """Install a plugin that announces these entries ("'task', 'a/b', 'Title', 'module:Name'").

        source: the plugin module in full, in place of the entries. code: a second module, NAME_code.
        """
        name = distribution.replace("-", "_")
        info = self.folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[suite]\n{name} = {name}\n")
        listed = ", ".join(f"suite.Entry({entry})" for entry in entries)
        (self.folder / f"{name}.py").write_text(source or REGISTER.format(entries=listed))
        if code:
            (self.folder / f"{name}_code.py").write_text(code)
        return f"{name}_code"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment in which an interpreter sees them."""
        path = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH", ""))))
        return {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", **(more or {})}

    def suite(self, *arguments: str, cwd: Path | None = None, **environment: str) -> "Answer":
        """Run `suite` in an interpreter of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "suite", *arguments],
            env=self.environment(environment),
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


class Answer:
    """What a command left: exit code and both streams."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n--\n{self.err}"


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    """An empty folder of distributions."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Installed(folder)
