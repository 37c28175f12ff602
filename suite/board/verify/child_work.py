"""Work in a process of its own, which can be ended whatever it does.

A bundle decides how much work its verification is. What cannot be bounded by sizes (a pattern that never ends
on a certain reply, programs in the sandbox, samples that parameters generate) is bounded by time. When that
is over the child is interrupted, so that it cleans up and tells how far it came; where that does not help, it
is killed with all that it started. Nothing of it outlives the parent.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import NoReturn

from suite.secrets import scrub_streams

SECONDS = 1800.0  # by default: some 50 times what 100,000 samples of one request take on two processors
_GRACE = (5.0, 5.0)  # seconds for cleaning up after each interrupt
_STEP = 0.5  # seconds between looks at the clock
_MAIN = "from suite.board.verify.child_work import main; main()"

Tell = Callable[[object], None]
"""Passes something on to the parent, at once."""


class TimeUp(Exception):
    """The time is over."""


class Untimed:
    """What a child tells when the rest of its work is not counted any more."""


def in_child(
    work: Callable[..., object],
    *arguments: object,
    seconds: float,
    hear: Tell = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> object:
    """`work(tell, *arguments)` in another process: its result, or what it raised.

    All of it must be picklable. hear: called here with what the child tells there. seconds: how long it may
    take, by the clock. Raises TimeUp, after the child ended; what it told until then was heard.
    """
    end = clock() + seconds
    if seconds <= 0:
        raise TimeUp
    ours, theirs = Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="suite-child-") as scratch, ours:
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-c", _MAIN, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={**os.environ, "TMPDIR": scratch},
            )
        try:
            assert child.stdin is not None
            with suppress(BrokenPipeError):  # it ended already: that is told below
                for one in (sys.path, (work, arguments)):
                    child.stdin.write(pickle.dumps(one))
                child.stdin.flush()
            return _result(ours, lambda: end - clock(), hear)
        finally:
            _end(child, ours, hear)


def _result(messages: Connection, left: Callable[[], float], hear: Tell) -> object:
    counted = True
    while True:
        kind: str = "told"
        value: object = None
        if messages.poll(_STEP):
            try:
                kind, value = messages.recv()
            except EOFError as error:
                raise RuntimeError("a child process ended without a word") from error
        if kind == "done":
            return value
        if kind == "failed" and isinstance(value, Exception):
            raise value
        if isinstance(value, Untimed):
            counted = False
        elif value is not None:
            hear(value)
        if counted and left() <= 0:
            raise TimeUp


def _end(child: "subprocess.Popen[bytes]", messages: Connection, hear: Tell) -> None:
    """Interrupt a child that still works, hear what it has to say, then end it with all that it started."""
    try:
        for seconds in _GRACE:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                _last_words(messages, time.monotonic() + seconds, hear)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert child.stdin is not None
        with suppress(BrokenPipeError):
            child.stdin.close()


def _last_words(messages: Connection, until: float, hear: Tell) -> None:
    """What a child tells up to a moment, or until it ended."""
    with suppress(EOFError):
        while messages.poll(max(0.0, until - time.monotonic())):
            kind, value = messages.recv()
            if kind == "told" and not isinstance(value, Untimed):
                hear(value)


class _Messages:
    """The child's way to the parent; an interrupt waits while a message is under way."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = self._interrupted = False
        signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        if not self._sending:
            raise KeyboardInterrupt
        self._interrupted = True

    def send(self, kind: str, value: object) -> None:
        self._sending = True
        try:
            self._connection.send((kind, value))
        finally:
            self._sending = False
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt


def main() -> NoReturn:
    """The child: takes its work from the standard input, ends when that ends."""
    scrub_streams()
    messages = _Messages(Connection(int(sys.argv[1]), readable=False))
    given = sys.stdin.buffer
    with suppress(KeyboardInterrupt):
        sys.path[:] = pickle.load(given)  # noqa: S301 - of the parent
        work, arguments = pickle.load(given)  # noqa: S301
        threading.Thread(target=_until_the_parent_ends, daemon=True).start()
        try:
            done = work(lambda value: messages.send("told", value), *arguments)
        except Exception as error:
            messages.send("failed", error)
        else:
            messages.send("done", done)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)  # a thread may work for what was given up: nobody waits for it


def _until_the_parent_ends() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)
