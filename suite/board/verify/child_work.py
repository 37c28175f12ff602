"""Work in a process of its own, which can be ended whatever it does.

A bundle decides how much work its verification is. What cannot be bounded by sizes (a pattern that never ends
on a certain reply, programs in the sandbox, samples that parameters generate) is bounded by time. When that
is over the child is interrupted, so that it cleans up and tells how far it came; where that does not help, it
is killed with all that it started. Nothing of it outlives the parent.

The parent decides: the child is in a session of its own, so a terminal's Ctrl-C reaches the parent alone,
which kills the child at once.
"""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import NoReturn

from suite.secrets import scrub_streams

SECONDS = 1800.0  # by default: some 50 times what 100,000 samples of one request take on two processors
_GRACE = (5.0, 5.0)  # seconds for cleaning up after each interrupt
_STEP = 0.5  # seconds between looks at the clock
_PAUSE = 0.05  # seconds between tries to remove a folder
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
    with ours, _child(theirs) as child:
        assert child.stdin is not None
        with suppress(BrokenPipeError):  # it ended already: that is told below
            for one in (sys.path, (work, arguments)):
                child.stdin.write(pickle.dumps(one))
            child.stdin.flush()
        try:
            return _result(ours, lambda: end - clock(), hear)
        except TimeUp:
            _interrupt(child, ours, hear)
            raise


@contextmanager
def _child(theirs: Connection) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that waits for its work; at the end it is killed with all that it started, its folder removed.

    It inherits that interrupts are blocked, so that none meets it while it imports: they wait for its work.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    child = None
    try:
        scratch = tempfile.mkdtemp(prefix="suite-child-")
        try:
            with theirs:
                child = subprocess.Popen(
                    [sys.executable, "-c", _MAIN, str(theirs.fileno()), scratch],
                    stdin=subprocess.PIPE,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    env={**os.environ, "TMPDIR": scratch},
                )
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield child
        finally:
            with _uninterrupted():
                if child is not None:
                    _kill(child)
                _remove(scratch)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interrupt waits until the end of this. To block the signal is not enough: any thread may get it."""
    if threading.current_thread() is not threading.main_thread():  # which alone is interrupted
        yield
        return
    met: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: met.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if met:
            signal.raise_signal(signal.SIGINT)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.close()


def _remove(scratch: str) -> None:
    """Remove the child's folder; what was killed may write there for a moment more."""
    for _ in range(20):
        shutil.rmtree(scratch, ignore_errors=True)
        if not Path(scratch).exists():
            return
        time.sleep(_PAUSE)


def _result(messages: Connection, left: Callable[[], float], hear: Tell) -> object:
    counted = True
    while True:
        if messages.poll(_STEP):
            try:
                kind, value = messages.recv()
            except EOFError as error:
                raise RuntimeError("a child process ended without a word") from error
            if kind == "done":
                return value
            if kind == "failed":
                raise value
            if isinstance(value, Untimed):
                counted = False
            else:
                hear(value)
        if counted and left() <= 0:
            raise TimeUp


def _interrupt(child: "subprocess.Popen[bytes]", messages: Connection, hear: Tell) -> None:
    """Interrupt a child whose time is over, and hear what it has to say."""
    for seconds in _GRACE:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            until = time.monotonic() + seconds
            with suppress(EOFError):  # it ended
                while messages.poll(max(0.0, until - time.monotonic())):
                    kind, value = messages.recv()
                    if kind == "told" and not isinstance(value, Untimed):
                        hear(value)


def _raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> NoReturn:
    """The child: takes its work from the standard input, ends when that ends.

    Arguments: the descriptor to tell by, and the folder that goes with the child.
    """
    scrub_streams()
    descriptor, scratch = sys.argv[1:]
    messages = Connection(int(descriptor), readable=False)
    signal.signal(signal.SIGINT, _raise_interrupt)  # which no event loop puts its own in place of
    try:
        given = sys.stdin.buffer
        sys.path[:] = pickle.load(given)  # noqa: S301 - of the parent
        work, arguments = pickle.load(given)  # noqa: S301
    except (EOFError, pickle.UnpicklingError):  # the parent ended before, or amid, what it gives
        _abandon(scratch)
    threading.Thread(target=_until_the_parent_ends, args=[scratch], daemon=True).start()
    with suppress(KeyboardInterrupt):
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            _work(messages, work, arguments)
        except BrokenPipeError:
            _abandon(scratch)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    _flush()
    os._exit(0)  # a thread may work for what was given up: nobody waits for it


def _work(messages: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """Do the work and tell how it ended. Raises BrokenPipeError if nobody hears that."""

    def send(kind: str, value: object) -> None:
        with _uninterrupted():
            messages.send((kind, value))

    try:
        done = work(lambda value: send("told", value), *arguments)
    except Exception as error:
        _flush()
        send("failed", error)
    else:
        _flush()
        send("done", done)  # from here on the parent may kill this process


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # its reader is gone
            stream.flush()


def _until_the_parent_ends(scratch: str) -> None:
    sys.stdin.buffer.read()
    _abandon(scratch)


def _abandon(scratch: str) -> NoReturn:
    """End without a word, with all that was started: the parent is gone."""
    _remove(scratch)
    os.killpg(0, signal.SIGKILL)
    os._exit(1)
