"""Length-prefixed JSON over two descriptors; inside the sandbox, standard library only."""

from __future__ import annotations

import json
import os
from typing import Any

Json = Any  # what `json.loads` yields
LARGEST = 64 << 20


def framed(content: object) -> bytes:
    """One message with its length in front."""
    data = json.dumps(content).encode()
    return len(data).to_bytes(4, "little") + data


class Channel:
    """One end. A frame that is too large or no JSON raises ValueError, the end of the pipe EOFError."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.incoming = incoming
        self.outgoing = outgoing

    def send(self, content: object) -> None:
        """Send one message. Raises ValueError, with nothing sent, for one that is too large."""
        view = memoryview(framed(content))
        if len(view) > LARGEST + 4:
            raise ValueError("more than 64 MiB")
        while view:
            view = view[os.write(self.outgoing, view) :]

    def receive(self) -> Json:
        size = int.from_bytes(self._exactly(4), "little")
        if size > LARGEST:
            raise ValueError("a message is too large")
        try:
            return json.loads(self._exactly(size))
        except RecursionError as error:
            raise ValueError("a message is nested too deeply") from error

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.incoming, min(size, 1 << 20))
            if not part:
                raise EOFError("the other side is gone")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def private_ends() -> tuple[int, int]:
    """Move standard input and output out of the way of the program and give it nothing in their place."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    return incoming, outgoing
