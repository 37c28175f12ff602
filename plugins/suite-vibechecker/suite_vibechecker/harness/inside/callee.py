# ruff: noqa: UP038, E402
"""The untrusted side: loads a program, answers calls of its functions, knows no test.

Tests of a class share one loaded program; for cases (`anew`) every call gets a process of its own, which
loads the program anew. Everything it says is a claim of the program; the other side compares it with what
it alone knows.
Runs inside the sandbox, standard library only.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

if TYPE_CHECKING:
    from suite_vibechecker.harness.inside.channel import Channel, Json, private_ends
    from suite_vibechecker.harness.inside.values import lossy, pack, unpack
else:
    from channel import Channel, private_ends
    from values import lossy, pack, unpack


def load(code: str, name: str) -> types.ModuleType:
    """Run a program as a module that is registered under its name."""
    module = types.ModuleType(name)
    module.__file__ = f"/tmp/work/{name}.py"
    sys.modules[name] = module
    # what this file switches on for itself (annotations as text) is no business of the program
    exec(compile(code, module.__file__, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def failure(error: BaseException) -> dict[str, Json]:
    """An exception as data, with all that it derives from: the other side takes the first that it knows."""
    kinds = [[one.__module__, one.__qualname__] for one in type(error).__mro__ if one is not object]
    told: dict[str, Json] = {"kinds": kinds, "args": pack(())}
    with contextlib.suppress(Exception):
        told["args"] = pack((str(error)[:500],))
    with contextlib.suppress(Exception):
        told["args"] = pack(tuple(error.args))
    for name, value in vars(error).items():
        with contextlib.suppress(Exception):
            told.setdefault("attributes", {})[name] = pack(value)
    return told


class Randomness:
    """The states of random number generators, carried over where they changed.

    told: the other side need not hear of the state at the start.
    """

    def __init__(self, told: bool) -> None:
        self.known = self._now() if told else {}

    def _now(self) -> dict[str, Json]:
        now = {"random": random.getstate()}
        numpy = sys.modules.get("numpy")
        if numpy is not None and hasattr(numpy, "random"):
            state = numpy.random.get_state()
            now["numpy"] = (state[0], state[1].tolist(), *state[2:])
        return now

    def changes(self) -> dict[str, Json]:
        """What changed since the last look, packed."""
        now = self._now()
        changed = {key: pack(value) for key, value in now.items() if self.known.get(key) != value}
        self.known = now
        return changed

    def take_over(self, states: dict[str, Json], loading: bool) -> None:
        """Adopt the other side's states. Raises ValueError or TypeError for what is none."""
        if "random" in states:
            random.setstate(unpack(states["random"]))
        if "numpy" in states and (loading or "numpy" in sys.modules):
            import numpy

            numpy.random.set_state(unpack(states["numpy"]))
        self.known = self._now()


def answer(module: types.ModuleType, question: dict[str, Json], randomness: Randomness) -> dict[str, Json]:
    """Make one call."""
    if "cwd" in question:
        with contextlib.suppress(OSError):
            os.chdir(question["cwd"])
    for name, value in question.get("environ", {}).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    randomness.take_over(question.get("randomness", {}), loading=True)
    arguments, named = unpack(question["args"]), unpack(question["kwargs"])
    heard = io.StringIO()
    reply: dict[str, Json] = {}
    try:
        with contextlib.redirect_stdout(heard):
            value = getattr(module, question["call"])(*arguments, **named)
    except BaseException as error:
        reply["error"] = failure(error)
    else:
        lossy.clear()
        try:
            reply["value"] = pack(value)
            reply["lossy"] = lossy[:3]
        except Exception as error:  # whatever packing makes of a strange value, it can't cross
            reply["opaque"] = str(error)[:300] or type(error).__name__
    with contextlib.suppress(Exception):
        reply["printed"] = heard.getvalue()
    with contextlib.suppress(Exception):
        reply["arguments"] = [pack(arguments), pack(named)]
    with contextlib.suppress(Exception):
        reply["randomness"] = randomness.changes()
    return reply


def tell(channel: Channel, reply: dict[str, Json]) -> None:
    """Send a reply, or why it can't be sent."""
    try:
        channel.send(reply)
    except (ValueError, RecursionError, MemoryError) as error:
        channel.send({"opaque": str(error) or type(error).__name__})


def answer_anew(channel: Channel, code: str, question: dict[str, Json]) -> None:
    """One call in a process of its own. A process that dies takes this one along, so that all see how."""
    child = os.fork()
    if child == 0:
        try:
            module = load(code, "solution")
        except BaseException as error:
            tell(channel, {"error": failure(error)})
        else:
            reply = answer(module, question, Randomness(told=True))
            for name in ("printed", "arguments", "randomness"):
                reply.pop(name, None)
            tell(channel, reply)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    if status:
        os._exit(os.WEXITSTATUS(status))


def questions(channel: Channel) -> Iterator[dict[str, Json]]:
    """All questions until the other side goes away."""
    while True:
        try:
            yield channel.receive()
        except EOFError:
            return


def main() -> NoReturn:
    """Load, then serve calls until the other side goes away."""
    channel = Channel(*private_ends())
    job = channel.receive()
    sys.path.pop(0)
    channel.send({"ready": True})
    if job.get("anew"):
        for question in questions(channel):
            answer_anew(channel, job["code"], question)
        os._exit(0)
    try:
        module = load(job["code"], "solution")
    except BaseException as error:
        channel.send({"error": failure(error)})
        os._exit(0)
    channel.send({"loaded": True})
    randomness = Randomness(told=True)
    for question in questions(channel):
        tell(channel, answer(module, question, randomness))
    os._exit(0)


if __name__ == "__main__":
    main()
