"""Work for child processes that takes too long, each in its own way. It tells "here" once it is under way."""

import asyncio
import os
import tempfile
import threading
import time
from dataclasses import replace
from typing import Any

from suite_prefeval.classification import Classification
from suite_sandbox.boxes import Box

from suite.board.verify import VerifiedBundle, ladder
from suite.board.verify.child_work import Tell
from suite.board.verify.ladder import VerifyRequest, climb


def busy(tell: Tell, asked: VerifyRequest) -> VerifiedBundle:
    """Code of a task that never ends and never waits; what it catches does not help it."""

    async def score(*_: Any) -> Any:
        tell("here")
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue

    setattr(Classification, "score", score)  # noqa: B010
    return climb(tell, asked)


def waiting(tell: Tell, asked: VerifyRequest) -> VerifiedBundle:
    """A task that waits for ever and cleans up behind itself."""

    async def score(*_: Any) -> Any:
        asyncio.get_running_loop().call_later(0.2, tell, "here")
        try:
            await asyncio.Event().wait()
        finally:
            tell("cleaned up")

    setattr(Classification, "score", score)  # noqa: B010
    return climb(tell, asked)


def spinning(tell: Tell, asked: VerifyRequest) -> VerifiedBundle:
    """A program in a sandbox that never ends."""
    real = Box.run

    async def run(self: Box, program: Any, limits: Any) -> Any:
        if "TRIAL_HOME" in program.env:  # the suite's own, of the sandbox
            return await real(self, program, limits)
        asyncio.get_running_loop().call_later(0.2, tell, "here")
        spin = replace(program, argv=(program.argv[0], "-I", "-c", "while True: pass"))
        return await real(self, spin, replace(limits, wall_s=1e6, cpu_s=1e6))

    setattr(Box, "run", run)  # noqa: B010
    return climb(tell, asked)


def asking_again(tell: Tell, asked: VerifyRequest) -> VerifiedBundle:
    """A re-run that begins after the time is over."""
    real = ladder._again

    def late(*arguments: Any) -> None:
        tell("here")
        real(*arguments)

    setattr(ladder, "_again", late)  # noqa: B010
    return climb(tell, asked)


def deaf(tell: Tell, asked: VerifyRequest) -> VerifiedBundle:
    """A rung that no interrupt ends."""

    def numbers(*_: Any) -> None:
        tell("here")
        while True:
            try:
                time.sleep(1000)
            except BaseException:
                continue

    setattr(ladder, "numbers", numbers)  # noqa: B010
    return climb(tell, asked)


def asleep(tell: Tell) -> None:
    """Nothing but a long wait, with a program of its own that waits, too."""
    tell(os.getpid())
    time.sleep(1000)


def restless(tell: Tell) -> None:
    """A wait that no interrupt ends, with a file in the temporary folder."""
    with tempfile.NamedTemporaryFile():
        tell(os.getpid())
        while True:
            try:
                time.sleep(1000)
            except BaseException:
                continue


def with_a_thread(_: Tell) -> str:
    """Done, but for a thread that works on."""
    threading.Thread(target=threading.Event().wait).start()
    return "told"
