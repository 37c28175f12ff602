"""Process 1 inside a sandbox: waits for jobs, runs them one after another, says how each ended.

It is no child of the program and can't be debugged, signalled or read by it. Jobs come as marshalled
builtins, frames go out: a kind (H hello, O standard output, E standard error, F file, R result,
X failure of our own), four bytes of length, the bytes.
"""

import marshal
import os
import signal
import struct
from typing import Any

from suite.sandbox.inside import confining, scratch
from suite.sandbox.inside.running import Run


class Pipes:
    """The two pipes to the suite."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.fd = incoming
        self.out = outgoing

    def send(self, kind: bytes, data: bytes) -> None:
        """Send one frame."""
        view = memoryview(kind + struct.pack("<I", len(data)) + data)
        while view:
            view = view[os.write(self.out, view) :]

    def receive(self) -> dict[str, Any]:
        """Wait for a message. The end of the pipe means that the suite is gone: everything ends."""
        (size,) = struct.unpack("<I", self.exactly(4))
        return dict(marshal.loads(self.exactly(size)))

    def exactly(self, size: int) -> bytes:
        """Read so many bytes."""
        parts = []
        while size:
            part = os.read(self.fd, min(size, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def take_channels() -> Pipes:
    """Move standard input and output out of the way; what a program inherits is nothing."""
    incoming = os.dup(0)
    outgoing = os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    return Pipes(incoming, outgoing)


def main() -> None:
    """Serve jobs until the suite goes away."""
    if os.getpid() != 1:  # it kills every process it sees
        raise SystemExit("the supervisor runs as process 1 of a process namespace only")
    link = take_channels()
    confining.drop(int(os.environ.get("SUITE_UID", "0")))
    confining.dumpable(False)
    os.umask(0o077)
    os.makedirs(scratch.WORK, exist_ok=True)  # noqa: PTH103
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    link.send(b"H", b"")
    while True:
        job = link.receive()
        if "argv" not in job:  # a stop for a program that has ended meanwhile
            continue
        try:
            Run(link, job).go()
        except Exception as error:
            link.send(b"X", f"{type(error).__name__}: {error}".encode())
            os._exit(1)  # in an unknown state; the suite takes another sandbox
