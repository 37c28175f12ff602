"""Which host folders a Python needs inside a sandbox, and what of them must stay hidden.

/usr and the loader's folders are always shown. A Python elsewhere (pyenv, conda, uv, a virtual
environment, below /tmp, too) needs its prefixes. A wrapper or shim is followed to the Python that it starts:
that one runs inside. Packages of the suite and its plugins are hidden: they hold bundled
data sets, hidden tests included.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from suite.errors import ConfigError
from suite.plugins import GROUP, package_folders
from suite.sandbox.program import Mount, Program

SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
PACKAGES = ("site-packages", "dist-packages")
PARTS = ("bin", "include", "lib", "lib64", "pyvenv.cfg", "share")  # of a Python's prefix
_QUESTION = (
    "import sys, sysconfig; "
    "print(sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, "
    "*sysconfig.get_paths().values(), sysconfig.get_config_var('LIBDIR') or '', "
    f"*(one for one in sys.path if one.endswith({PACKAGES!r})), sep='\\n')"
)


@lru_cache(maxsize=16)
def _asked(python: str) -> tuple[str, ...]:
    """What a Python says of itself: its own path, then the folders it needs. Raises ConfigError."""
    command = shutil.which(python or sys.executable)
    if command is None:
        raise ConfigError(f"there is no Python at {python!r}", fix="name the path of an interpreter")
    try:
        done = subprocess.run((command, "-I", "-c", _QUESTION), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(f"{command} is no Python that runs", where=str(error)) from error
    told = tuple(done.stdout.splitlines())
    if not told or not os.path.isabs(told[0]):  # noqa: PTH117
        raise ConfigError(f"{command} does not say which Python it is", fix="name the interpreter itself")
    return told


def executable(python: str = "") -> str:
    """The path inside a sandbox of a Python (default: the running one). Raises ConfigError.

    One of a virtual environment keeps its own path, which says where its packages are.
    """
    program, prefix, base, *_ = _asked(python)
    return program if prefix != base else os.path.realpath(program)


def _hops(path: str) -> list[str]:
    """The folders of an executable and of every link on its way: all must be there for it to start."""
    found = []
    for _ in range(40):
        found.append(str(Path(path).parent))
        if not os.path.islink(path):  # noqa: PTH114
            break
        path = os.path.join(found[-1], os.readlink(path))  # noqa: PTH115, PTH118
    return [one for one in found if Path(one).name == "bin"]


@lru_cache(maxsize=16)
def python_mounts(python: str = "") -> tuple[Mount, ...]:
    """Mounts for a Python interpreter (default: the running one), its packages and its libraries.

    Raises ConfigError if it does not run.
    """
    wanted = [*_hops(executable(python)), *_asked(python)[1:]]
    shown: list[Path] = []
    for name in sorted({os.path.normpath(one) for one in wanted if one}):
        path = Path(name)
        if not path.is_dir() or _inside(path, [Path(one) for one in SYSTEM_FOLDERS]) or _inside(path, shown):
            continue
        prefix = path.parent  # of a virtual environment, or of an installation
        if path.name == "bin" and (
            (prefix / "pyvenv.cfg").is_file() or any(prefix.glob("lib/python3*/os.py"))
        ):
            path = prefix
            if _inside(path, shown):
                continue
        shown.append(path)
    return tuple(mount for path in shown for mount in _mounts(path))


def python_program(program: Program, python: str = "") -> Program:
    """A program as a Python runs it, in isolated mode (`-I`) and with the folders that it needs.

    program: its argv begins with the file to run. python: the interpreter; "": the running one.
    Raises ConfigError if that does not run.
    """
    interpreter = executable(python)
    mounts = (*python_mounts(interpreter), *program.mounts)
    return replace(program, argv=(interpreter, "-I", *program.argv), mounts=mounts)


def _mounts(path: Path) -> list[Mount]:
    """A folder; of one that holds more than a Python (a home, /tmp), or that only its owner may enter
    (`mktemp -d`; programs are another user), what a Python has in its prefix."""
    broad = [Path.home(), *Path.home().parents, Path("/tmp"), Path("/dev/shm"), Path("/var/tmp")]
    if path not in broad and path.stat().st_mode & 0o005 == 0o005:
        return [Mount(str(path))]
    return [Mount(str(path / part)) for part in PARTS if (path / part).exists()]


def _inside(path: Path, folders: list[Path]) -> bool:
    return any(path == one or one in path.parents for one in folders)


@lru_cache(maxsize=1)
def hidden_folders() -> tuple[str, ...]:
    """Folders of the suite's and its plugins' packages: bundled data must not be read by programs."""
    names = {"suite", *(point.module.partition(".")[0] for point in entry_points(group=GROUP))}
    return tuple(sorted({str(one.resolve()) for name in names for one in package_folders(name)}))
