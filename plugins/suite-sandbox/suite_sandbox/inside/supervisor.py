"""Process 1 around a program: waits for a job, runs it, says how it ended; then its world ends.

It is no child of the program and can't be debugged, signalled or read by it. Settings and jobs come as
marshalled builtins, frames go out: a kind (H hello, O standard output, E standard error, F file, R result,
X failure of our own), four bytes of length, the bytes.
"""

import os
import signal
from typing import cast

from suite_sandbox.inside import confinement, worlds
from suite_sandbox.inside.program_run import WORK, Pipes, ProgramRun


def take_channels() -> Pipes:
    """Move standard input and output out of the way; what a program inherits is nothing."""
    incoming = os.dup(0)
    outgoing = os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)
    return Pipes(incoming, outgoing)


def main() -> None:
    """Serve one job after the other, each in a world of its own; without the right to make worlds, one.

    The first message is of settings: see `worlds.furnish`; none: this sandbox is used once.
    """
    if os.getpid() != 1:  # it kills every process it sees
        raise SystemExit("the supervisor runs as process 1 of a process namespace only")
    link = take_channels()
    os.umask(0o022)
    link.send(b"H", b"")
    settings = link.receive()
    if settings:
        worlds.keep(cast("worlds.WorldSettings", settings), lambda: serve(link))
    serve(link)


def serve(link: Pipes) -> None:
    """Run one program. Standard error, where a failure until now was told, is closed first."""
    confinement.dumpable(False)
    os.dup2(0, 2)
    os.umask(0o077)
    os.makedirs(WORK, exist_ok=True)  # noqa: PTH103
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    link.send(b"H", b"")
    try:
        ProgramRun(link, link.receive()).go()
    except Exception as error:
        link.send(b"X", f"{type(error).__name__}: {error}".encode())
        os._exit(1)  # in an unknown state; the suite takes another sandbox
