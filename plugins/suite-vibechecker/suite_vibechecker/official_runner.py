"""Runs a program's tests one after another in this process, as the authors' harness does (see `official`).

It is sent into the sandbox as a text and knows no expected output. Standard library only.
"""

import builtins
import io
import os
import shutil
import subprocess
import sys

SWITCHED_OFF = {
    builtins: "exit quit",
    os: "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames "
    "truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir",
    shutil: "rmtree move chown",
    subprocess: "Popen",
}
MISSING = ("ipdb", "joblib", "resource", "psutil", "tkinter")
GUARD = '__name__ == "__main__"'


def run(code: str, entry: str, given: list) -> list:  # type: ignore[type-arg]
    """Outcomes of the tests up to the first that raises: texts, or values of a function."""
    for module, names in SWITCHED_OFF.items():
        for name in names.split():
            setattr(module, name, None)
    for name in MISSING:
        sys.modules[name] = None  # type: ignore[assignment]
    outcomes = []
    for one in given:
        try:
            outcomes.append(["value", call(code, entry, one)] if entry else ["text", text_of(code, one)])
        except Exception:
            outcomes.append(["error"])
            break
        finally:
            sys.stdout = sys.__stdout__
    return outcomes


def call(code: str, entry: str, arguments: list) -> object:  # type: ignore[type-arg]
    """Load the program anew and call its function."""
    names: dict = {}  # type: ignore[type-arg]
    exec(code, names)  # noqa: S102
    sys.stdout = io.StringIO()
    value: object = names[entry](*arguments)
    return value


def text_of(code: str, given: str) -> str:
    """What the program prints for an input. It is the main module only if it asks in that one spelling."""
    with io.StringIO() as printed:
        sys.stdout, sys.stdin = printed, io.StringIO(given)
        exec(f'__name__ = "__main__"\n{code}' if GUARD in code else code, {})  # noqa: S102
        return printed.getvalue().strip()
