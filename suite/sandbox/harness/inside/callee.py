# ruff: noqa: UP038, E402
"""The untrusted side: loads a program, answers calls of its functions, knows no test.

Everything it says is a claim of the program; the other side compares it with what it alone knows.
Runs inside the sandbox, standard library only.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import types
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
from channel import Channel, private_ends  # type: ignore[import-not-found]
from values import Opaque, lift_digit_limit, pack, unpack  # type: ignore[import-not-found]


def load(code: str, name: str) -> types.ModuleType:
    """Run a program as a module that is registered under its name."""
    module = types.ModuleType(name)
    module.__file__ = f"/tmp/work/{name}.py"
    sys.modules[name] = module
    exec(compile(code, module.__file__, "exec"), module.__dict__)  # noqa: S102
    return module


def failure(error: BaseException) -> dict[str, Any]:
    """An exception as data."""
    try:
        arguments = pack(tuple(error.args))
    except Exception:
        arguments = pack((str(error)[:500],))
    kind = type(error)
    for base in kind.__mro__:  # an exception of the program's own is told as what it derives from
        if base.__module__ != "solution":
            kind = base
            break
    return {"module": kind.__module__, "name": kind.__qualname__, "args": arguments}


class Randomness:
    """The states of random number generators, carried over where they changed.

    told: the other side need not hear of the state at the start.
    """

    def __init__(self, told: bool) -> None:
        self.known = self._now() if told else {}

    def _now(self) -> dict[str, Any]:
        now = {"random": random.getstate()}
        numpy = sys.modules.get("numpy")
        if numpy is not None and hasattr(numpy, "random"):
            state = numpy.random.get_state()
            now["numpy"] = (state[0], state[1].tolist(), *state[2:])
        return now

    def changes(self) -> dict[str, Any]:
        """What changed since the last look, packed."""
        now = self._now()
        changed = {key: pack(value) for key, value in now.items() if self.known.get(key) != value}
        self.known = now
        return changed

    def take_over(self, states: dict[str, Any], loading: bool) -> None:
        """Adopt the other side's states. Raises ValueError or TypeError for what is none."""
        if "random" in states:
            random.setstate(unpack(states["random"]))
        if "numpy" in states and (loading or "numpy" in sys.modules):
            import numpy

            numpy.random.set_state(unpack(states["numpy"]))
        self.known = self._now()


def answer(module: types.ModuleType, question: dict[str, Any], randomness: Randomness) -> dict[str, Any]:
    """Make one call."""
    if "cwd" in question:
        with contextlib.suppress(OSError):
            os.chdir(question["cwd"])
    if "environ" in question:
        os.environ.clear()
        os.environ.update(question["environ"])
    randomness.take_over(question.get("randomness", {}), loading=True)
    arguments, named = unpack(question["args"]), unpack(question["kwargs"])
    heard = io.StringIO()
    reply: dict[str, Any] = {}
    try:
        with contextlib.redirect_stdout(heard):
            value = getattr(module, question["call"])(*arguments, **named)
    except BaseException as error:
        reply["error"] = failure(error)
    else:
        try:
            reply["value"] = pack(value)
        except Opaque as error:
            reply["opaque"] = str(error)
    with contextlib.suppress(Exception):
        reply["printed"] = heard.getvalue()
    with contextlib.suppress(Exception):
        reply["arguments"] = [pack(arguments), pack(named)]
    with contextlib.suppress(Exception):
        reply["randomness"] = randomness.changes()
    return reply


def main() -> None:
    """Load, then serve calls until the other side goes away."""
    channel = Channel(*private_ends())
    lift_digit_limit()
    sys.setrecursionlimit(50_000)
    job = channel.receive()
    sys.path.pop(0)
    try:
        module = load(job["code"], "solution")
    except BaseException as error:
        channel.send({"error": failure(error)})
        return
    channel.send({"loaded": True})
    randomness = Randomness(told=True)
    while True:
        try:
            question = channel.receive()
        except EOFError:
            return
        channel.send(answer(module, question, randomness))


if __name__ == "__main__":
    main()
    os._exit(0)
