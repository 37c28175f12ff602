"""The interpreter in which Big problems' tests run: found, or built once and kept.

The official problems import some 75 packages at versions that need Python 3.10, which nobody wants
beside an engine. So they run in an environment of their own: one that the user names, or one built
here from a requirements file into the cache. Problems whose modules the running Python has (the mini
data) need neither. Where none of this holds, scoring is refused with what to do.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

import suite

PYTHON = "3.10"  # what the benchmark's own image has
MARKER = "environment.json"


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter for tests. digest: of its requirements, "" for one we did not build."""

    python: Path
    origin: str  # "named", "built" or "own"
    digest: str = ""

    def facts(self) -> dict[str, str]:
        """What of it belongs into the manifest; no paths."""
        shown = {"tests_environment": self.origin}
        return {**shown, "tests_requirements_sha256": self.digest} if self.digest else shown


def cache_folder() -> Path:
    """Where the built environment lives: SUITE_CACHE, else the user's cache folder."""
    base = os.environ.get("SUITE_CACHE") or platformdirs.user_cache_dir("suite")
    return Path(base) / "vibechecker" / "bigcodebench"


def find(named: str, cache: Path, modules: Iterable[str]) -> Environment:
    """The environment to use: the named interpreter, else the built one, else this one if it suffices.

    modules: top-level modules that the problems import.
    Raises ConfigError for a named interpreter that does not run, SandboxUnavailable if there is none.
    """
    if named:
        path = Path(named).expanduser()
        _version(path)
        return Environment(path, "named")
    marker = cache / MARKER
    if marker.is_file():
        return Environment(_python_of(cache / "venv"), "built", json.loads(marker.read_text())["sha256"])
    missing = missing_modules(modules)
    if not missing:
        return Environment(Path(sys.executable), "own")
    shown = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
    raise suite.SandboxUnavailable(
        f"the tests of these problems import {shown}, which this Python has not",
        where=f"no environment of their own was built yet (Python {PYTHON} and pinned packages)",
        fix="`suite vibechecker environment --requirements FILE` builds one, "
        "-P interpreter=PATH names one; or solve here (--solve-only) and `suite score` elsewhere",
    )


def missing_modules(modules: Iterable[str]) -> list[str]:
    """Those that this Python can't import, by name and without importing them."""
    roots = dict.fromkeys(name.partition(".")[0] for name in modules)
    return [name for name in roots if name not in sys.stdlib_module_names and not _known(name)]


def _known(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def build(cache: Path, requirements: Path, python: str = PYTHON) -> Environment:
    """Build the environment into the cache; an equal one is kept. The marker is written last.

    requirements: pinned packages, one a line. python: a version or an interpreter's path.
    Raises ConfigError if the file is not there, SandboxUnavailable with the tool's own words if it fails.
    """
    if not requirements.is_file():
        raise suite.ConfigError(
            f"no requirements file {requirements}", fix="name the list of pinned packages"
        )
    digest = hashlib.sha256(requirements.read_bytes() + b"\0" + python.encode()).hexdigest()
    marker, venv = cache / MARKER, cache / "venv"
    if marker.is_file() and json.loads(marker.read_text())["sha256"] == digest:
        return Environment(_python_of(venv), "built", digest)
    marker.unlink(missing_ok=True)
    shutil.rmtree(venv, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    for command in _commands(venv, requirements, python):
        _run(command)
    target = _python_of(venv)
    frozen = json.dumps({"sha256": digest, "python": _version(target)}, indent=2)
    marker.write_text(frozen + "\n")
    return Environment(target, "built", digest)


def _commands(venv: Path, requirements: Path, python: str) -> list[Sequence[str]]:
    """uv where there is one (it can bring the old Python too), else that Python's own venv and pip."""
    uv = shutil.which("uv")
    target = str(_python_of(venv))
    if uv:
        return [
            (uv, "venv", "--quiet", "--python", python, str(venv)),
            (uv, "pip", "install", "--quiet", "--python", target, "-r", str(requirements)),
        ]
    found = shutil.which(python if "/" in python else f"python{python}")
    if found is None:
        raise suite.SandboxUnavailable(
            f"there is no Python {python} on this machine, and no uv to bring one",
            fix=f"install Python {python} or uv, or name an interpreter: -P interpreter=PATH",
        )
    return [
        (found, "-m", "venv", str(venv)),
        (target, "-m", "pip", "install", "--quiet", "-r", str(requirements)),
    ]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " | ".join(line.strip() for line in done.stderr.splitlines()[-4:] if line.strip())
        raise suite.SandboxUnavailable(
            "the environment for the tests could not be built",
            where=f"{Path(command[0]).name} {command[1]}: {said[:600]}",
            fix="name an interpreter that has the packages: -P interpreter=PATH; or score on another host",
        )


def _python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def _version(python: Path) -> str:
    question = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
    try:
        done = subprocess.run((str(python), "-I", "-c", question), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise suite.ConfigError(f"{python} is no Python that runs", where=str(error)) from error
    return done.stdout.strip()
