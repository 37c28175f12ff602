# ruff: noqa: UP038, E402
"""The trusted side: runs a unittest class against a program that lives in another process.

The tests come by standard input, so the program can't read them in a file; this process can't be debugged
or read by the program; the verdict leaves by a descriptor that the program never has. What the program
returns arrives as plain data. Runs inside the sandbox, standard library only.

`shared` runs tests and program in one process, as the benchmark's own harness does, for tests that need
it (patched modules, plots). A program can forge that verdict; its failures can be believed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pickle
import re
import subprocess
import sys
import traceback
import types
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
sys.path.insert(0, HERE)
from callee import Randomness, load  # type: ignore[import-not-found]
from channel import Channel  # type: ignore[import-not-found]
from values import Opaque, lift_digit_limit, pack, unpack  # type: ignore[import-not-found]

PICKLED = {
    "builtins": {"set", "frozenset", "complex", "bytearray", "range", "slice", "list", "dict", "object"},
    "collections": {"OrderedDict", "Counter", "defaultdict", "deque"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
}


def close_up() -> None:
    """Nobody may debug this process, read its memory or open its descriptors."""
    if ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) != 0:
        raise OSError("this process can't be closed to others")


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Tests that read a pickle which the program wrote must not run its code here."""
    if event == "pickle.find_class" and arguments[1] not in PICKLED.get(arguments[0], ()):
        raise pickle.UnpicklingError(f"{arguments[0]}.{arguments[1]} is not loaded from files here")


class Remote:
    """The program's process."""

    def __init__(self, code: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", os.path.join(HERE, "callee.py")],  # noqa: PTH118
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.channel = Channel(self.process.stdout.fileno(), self.process.stdin.fileno())
        self.randomness = Randomness(told=False)
        self.cwd = ""
        self.environ: dict[str, str] = {}
        self.opaque = ""
        self.channel.send({"code": code})
        loaded = self.channel.receive()
        if "error" in loaded:
            raise rebuilt(loaded["error"])

    def call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call a function of the program; results, prints, changed arguments and randomness come over."""
        question = {"call": name, "randomness": self.randomness.changes()}
        try:
            question["args"], question["kwargs"] = pack(arguments), pack(named)
        except Opaque as error:
            self.opaque = f"argument: {error}"
            raise
        place, surroundings = os.getcwd(), dict(os.environ)  # noqa: PTH109
        if place != self.cwd:
            question["cwd"] = self.cwd = place
        if surroundings != self.environ:
            question["environ"] = self.environ = surroundings
        self.channel.send(question)
        reply = self.channel.receive()
        with contextlib.suppress(ValueError, TypeError, KeyError):
            self.randomness.take_over(reply.get("randomness", {}), loading=False)
        sys.stdout.write(str(reply.get("printed", "")))
        if "arguments" in reply:
            for mine, theirs in zip((arguments, named), reply["arguments"], strict=False):
                adopt(mine, unpack(theirs))
        if "error" in reply:
            raise rebuilt(reply["error"])
        if "opaque" in reply:
            self.opaque = f"result: {reply['opaque']}"
            raise Opaque(self.opaque)
        return unpack(reply["value"])


def adopt(mine: Any, theirs: Any) -> None:
    """Carry over what a call changed in its arguments: lists, dictionaries and sets, in place."""
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        for one, other in zip(mine, theirs, strict=False):
            adopt(one, other)
    elif isinstance(mine, list) and isinstance(theirs, list) and repr(mine) != repr(theirs):
        mine[:] = theirs
    elif isinstance(mine, dict) and isinstance(theirs, dict):
        if list(mine) == list(theirs):
            for key in mine:
                if isinstance(mine[key], (list, dict, set)):
                    adopt(mine[key], theirs[key])
                elif isinstance(mine[key], (str, int, float, type(None))):
                    mine[key] = theirs[key]
        else:
            mine.clear()
            mine.update(theirs)
    elif isinstance(mine, set) and isinstance(theirs, set) and mine != theirs:
        mine.clear()
        mine.update(theirs)
    elif type(mine).__name__ == "ndarray" and getattr(theirs, "shape", ()) == mine.shape != ():
        mine[...] = theirs


def rebuilt(failure: dict[str, Any]) -> BaseException:
    """The program's exception as one of the same type, if that type is known here and harmless.

    A program must not be able to skip a test or to stop the run.
    """
    module, name = str(failure.get("module")), str(failure.get("name"))
    kind = getattr(sys.modules.get(module), name, None) if not module.startswith("unittest") else None
    refused = (unittest.SkipTest, KeyboardInterrupt, GeneratorExit)
    try:
        arguments = tuple(unpack(failure.get("args")))
    except (ValueError, TypeError):
        arguments = ()
    if not isinstance(kind, type) or not issubclass(kind, BaseException) or issubclass(kind, refused):
        return RuntimeError(f"{module}.{name}", *arguments)
    if issubclass(kind, OSError):
        with contextlib.suppress(TypeError):
            return kind(*arguments)
    made = kind.__new__(kind)
    made.args = arguments
    return made


def module_of(job: dict[str, Any], remotes: list[Remote]) -> types.ModuleType:
    """The tests' module. The stub brings imports and constants; the functions are the program's."""
    module = types.ModuleType("tests")
    sys.modules["tests"] = module
    names = vars(module)
    exec(compile(job["stub"], "stub", "exec"), names)  # noqa: S102
    for name in job["functions"]:

        def proxy(*arguments: Any, _name: str = name, **named: Any) -> Any:
            return remotes[0].call(_name, arguments, named)

        proxy.__name__ = name
        names[name] = proxy
    exec(compile(job["tests"], "tests", "exec"), names)  # noqa: S102
    return module


def shared_module(job: dict[str, Any]) -> types.ModuleType:
    """Stub, program and tests as one module."""
    module: types.ModuleType = load("\n".join((job["stub"], job["code"], job["tests"])), "tests")
    return module


def run_tests(module: types.ModuleType, name: str) -> tuple[bool, int, list[str]]:
    """(passed, number of tests run, what failed)."""
    found = unittest.defaultTestLoader.loadTestsFromTestCase(getattr(module, name))
    wanted = found.countTestCases()
    result = unittest.TestResult()
    found.run(result)
    failed = [*result.failures, *result.errors]
    failed += [(one, "unexpected success") for one in result.unexpectedSuccesses]
    passed = result.wasSuccessful() and 0 < wanted == result.testsRun and len(result.skipped) < wanted
    told = [f"{str(one).split()[0]}: {said(text)}" for one, text in failed]
    return passed, result.testsRun, told


def said(text: str) -> str:
    """The line of a traceback that names the exception."""
    lines = text.strip().splitlines()
    named = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
    return (named or lines or [""])[0][:300]


def main() -> None:
    """One job, one verdict."""
    close_up()
    job = json.loads(sys.stdin.buffer.read())
    verdict = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    lift_digit_limit()
    sys.path.remove(HERE)
    remotes: list[Remote] = []
    told: dict[str, Any] = {"token": job["token"], "passed": False, "run": 0, "failed": [], "opaque": ""}
    try:
        if job["shared"]:
            module = shared_module(job)
        else:
            module = module_of(job, remotes)
            sys.addaudithook(guard)
            remotes.append(Remote(job["code"]))
        told["passed"], told["run"], told["failed"] = run_tests(module, job["test_class"])
    except BaseException as error:
        told["failed"] = [traceback.format_exception_only(type(error), error)[-1].strip()[:300]]
    for remote in remotes:
        told["opaque"] = remote.opaque
    data = json.dumps(told).encode()
    while data:
        data = data[os.write(verdict, data) :]
    os._exit(0)


if __name__ == "__main__":
    main()
