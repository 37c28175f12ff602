# ruff: noqa: UP038, E402, B905
"""The trusted side: runs a unittest class against a program that lives in another process.

The tests come by standard input, so the program can't read them in a file; this process can't be debugged
or read by the program; the verdict leaves by a descriptor that the program never has. What the program
returns arrives as plain data. Runs inside the sandbox, standard library only.

`shared` runs tests and program in one process, as the benchmark's own harness does, for tests that need
it (patched modules, plots). A program can forge that verdict; its failures can be believed.
"""

from __future__ import annotations

import ast
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
from typing import TYPE_CHECKING

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
sys.path.insert(0, HERE)

if TYPE_CHECKING:
    from suite_vibechecker.harness.inside.callee import Randomness, load
    from suite_vibechecker.harness.inside.channel import Channel, Json
    from suite_vibechecker.harness.inside.values import Value, pack, unpack
else:
    from callee import Randomness, load
    from channel import Channel
    from values import pack, unpack

PICKLED = {
    "builtins": {"set", "frozenset", "complex", "bytearray", "range", "slice", "list", "dict", "object"},
    "collections": {"OrderedDict", "Counter", "defaultdict", "deque"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
}


class NotCarried(BaseException):
    """A value that can't cross. No test expects it, so none can take it for what it waits for."""


class NotStarted(Exception):
    """The program's process could not be started: nothing is known of the program."""


def guard(event: str, arguments: tuple[Value, ...]) -> None:
    """Tests that read a pickle which the program wrote must not run its code here."""
    if event == "pickle.find_class" and arguments[1] not in PICKLED.get(arguments[0], ()):
        raise pickle.UnpicklingError(f"{arguments[0]}.{arguments[1]} is not loaded from files here")


class Remote:
    """The program's process."""

    def __init__(self, code: str) -> None:
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", os.path.join(HERE, "callee.py")],  # noqa: PTH118
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert self.process.stdout is not None
            assert self.process.stdin is not None
            self.channel = Channel(self.process.stdout.fileno(), self.process.stdin.fileno())
            self.channel.send({"code": code})
            self.channel.receive()  # it is ready
        except (OSError, EOFError) as error:
            raise NotStarted(f"the program's process did not start: {error}") from error
        self.randomness = Randomness(told=False)
        self.cwd = os.getcwd()  # noqa: PTH109
        self.environ = dict(os.environ)
        self.opaque = ""
        loaded = self.channel.receive()
        if "error" in loaded:
            raise rebuilt(loaded["error"])

    def call(self, name: str, arguments: tuple[Value, ...], named: dict[str, Value]) -> Value:
        """Call a function of the program; results, prints, changed arguments and randomness come over."""
        question = {"call": name, "randomness": self.randomness.changes()}
        try:
            question["args"], question["kwargs"] = pack(arguments), pack(named)
        except Exception as error:
            self.opaque = f"argument: {error}"
            raise NotCarried(self.opaque) from error
        place, surroundings = os.getcwd(), dict(os.environ)  # noqa: PTH109
        if place != self.cwd:
            question["cwd"] = self.cwd = place
        if surroundings != self.environ:  # what changed only: the program may have set something, too
            gone = dict.fromkeys(self.environ.keys() - surroundings.keys())
            question["environ"] = {**gone, **dict(surroundings.items() - self.environ.items())}
            self.environ = surroundings
        self.channel.send(question)
        reply = self.channel.receive()
        with contextlib.suppress(ValueError, TypeError, KeyError):
            self.randomness.take_over(reply.get("randomness", {}), loading=False)
        sys.stdout.write(str(reply.get("printed", "")))
        if "arguments" in reply:
            for mine, theirs in zip((arguments, named), reply["arguments"]):
                adopt(mine, unpack(theirs))
        if "error" in reply:
            raise rebuilt(reply["error"])
        if "opaque" in reply:
            self.opaque = f"result: {reply['opaque']}"
            raise NotCarried(self.opaque)
        if reply.get("lossy"):
            self.opaque = f"result: simplified {', '.join(map(str, reply['lossy']))}"
        return unpack(reply["value"])


def adopt(mine: Value, theirs: Value) -> None:
    """Carry over what a call changed in its arguments: lists, dictionaries and sets, in place."""
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        for one, other in zip(mine, theirs):
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


def rebuilt(failure: dict[str, Json]) -> BaseException:
    """The program's exception as the first type it derives from that is known here and harmless.

    A program must not be able to skip a test or to stop the run.
    """
    try:
        arguments = tuple(unpack(failure.get("args")))
        kind = next(found for one in failure["kinds"] if (found := _known(*map(str, one))))
        attributes = {name: unpack(value) for name, value in failure.get("attributes", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        return RuntimeError("an exception that can't be told")
    if kind.__module__ == "builtins":
        with contextlib.suppress(TypeError):
            return kind(*arguments)
    made = kind.__new__(kind)
    made.args = arguments
    with contextlib.suppress(AttributeError, TypeError):
        vars(made).update(attributes)
    return made


def _known(module: str, name: str) -> type[BaseException] | None:
    kind = getattr(sys.modules.get(module), name, None)
    refused = (unittest.SkipTest, KeyboardInterrupt, GeneratorExit)
    if module.startswith("unittest") or not isinstance(kind, type) or not issubclass(kind, BaseException):
        return None
    return None if issubclass(kind, refused) else kind


def imports_of(tests: str) -> str:
    """The imports at the top of the tests: in one module they would reach the program, too."""
    found = [node for node in ast.parse(tests).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n".join(str(ast.get_source_segment(tests, node)) for node in found)


def redefined(job: dict[str, Json]) -> str:
    """Names of the program that the tests give another meaning, "" if there are none."""
    names = [
        {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        for tree in (ast.parse(job["tests"]), ast.parse(job["code"]))
    ]
    both = sorted(names[0] & names[1] - {job["test_class"]})
    return f"the tests redefine {', '.join(both)}" if both else ""


def module_of(job: dict[str, Json], remotes: list[Remote]) -> types.ModuleType:
    """The tests' module. The stub brings imports and constants; the functions are the program's."""
    module = types.ModuleType("tests")
    sys.modules["tests"] = module
    names = vars(module)
    exec(compile(job["stub"], "stub", "exec", dont_inherit=True), names)  # noqa: S102
    for name in job["functions"]:

        def proxy(*arguments: Value, _name: str = name, **named: Value) -> Value:
            return remotes[0].call(_name, arguments, named)

        proxy.__name__ = name
        names[name] = proxy
    exec(compile(job["tests"], "tests", "exec", dont_inherit=True), names)  # noqa: S102
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
    """One job, one verdict. The first line says that the tests came as far as this."""
    if ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) != 0:  # nobody may debug it, read its memory or descriptors
        raise OSError("this process can't be closed to others")
    job = json.loads(sys.stdin.buffer.read())
    verdict = os.dup(1)
    os.write(verdict, b"ready\n")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.path.remove(HERE)
    remotes: list[Remote] = []
    told: dict[str, Json] = {"token": job["token"], "passed": False, "run": 0, "failed": [], "opaque": ""}
    try:
        if job["shared"]:
            module = load("\n".join((job["stub"], job["code"], job["tests"])), "tests")
        else:
            module = module_of(job, remotes)
            sys.addaudithook(guard)
            remotes.append(Remote("\n".join((job["stub"], job["code"], imports_of(job["tests"])))))
            remotes[0].opaque = redefined(job)
        told["passed"], told["run"], told["failed"] = run_tests(module, job["test_class"])
    except NotStarted as error:
        told["harness"] = str(error)
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
