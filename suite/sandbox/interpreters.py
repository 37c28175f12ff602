"""Which host folders a Python needs inside a sandbox, and what of them must stay hidden.

/usr and the loader's folders are always shown. A Python elsewhere (pyenv, conda, uv, a virtual
environment) needs its prefixes. Packages of the suite and its plugins are covered: they hold bundled
data sets, hidden tests included.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from suite.errors import ConfigError
from suite.plugins import GROUP
from suite.sandbox.program import Mount

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_QUESTION = (
    "import os, sys, sysconfig; "
    "print(os.path.realpath(sys.executable), sys.prefix, sys.base_prefix, "
    "*sysconfig.get_paths().values(), sysconfig.get_config_var('LIBDIR') or '', sep='\\n')"
)


@lru_cache(maxsize=16)
def python_mounts(python: str = "") -> tuple[Mount, ...]:
    """Mounts for a Python interpreter (default: the running one), its packages and its libraries.

    Raises ConfigError if it does not run.
    """
    command = shutil.which(python or sys.executable)
    if command is None:
        raise ConfigError(f"there is no Python at {python!r}", fix="name the path of an interpreter")
    try:
        done = subprocess.run((command, "-I", "-c", _QUESTION), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(f"{command} is no Python that runs", where=str(error)) from error
    executable, *folders = done.stdout.splitlines()
    wanted = [str(Path(executable).parent), str(Path(command).absolute().parent), *folders]
    shown: list[Path] = []
    for name in sorted({os.path.normpath(one) for one in wanted if one}):
        path = Path(name)
        if not path.is_dir() or _inside(path, [Path(one) for one in SYSTEM]) or _inside(path, shown):
            continue
        if path.name == "bin" and _is_prefix(path.parent):
            path = path.parent
            if _inside(path, shown):
                continue
        shown.append(path)
    return tuple(Mount(str(path)) for path in shown)


def _is_prefix(path: Path) -> bool:
    return (path / "pyvenv.cfg").is_file() or any((path / "lib").glob("python3*/os.py"))


def _inside(path: Path, folders: list[Path]) -> bool:
    return any(path == one or one in path.parents for one in folders)


@lru_cache(maxsize=1)
def covered() -> tuple[str, ...]:
    """Folders of the suite's and its plugins' packages: bundled data must not be read by programs."""
    names = {"suite", *(point.module.partition(".")[0] for point in entry_points(group=GROUP))}
    folders: set[str] = set()
    for name in names:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        locations = (spec.submodule_search_locations or ()) if spec else ()
        folders.update(str(Path(one).resolve()) for one in locations)
    return tuple(sorted(folders))
