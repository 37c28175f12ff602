"""Hidden ways out: a task reaches models through its roles, data through the registry, and nothing else.

Python tells of each connection before it is made (PEP 578), from whatever library. The hook cannot be taken
away again, so it is added once and listens only while a check wants it to.
"""

import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from suite.testing.bench import Bench
from suite.testing.running import stopped

EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}
_listening: list["_Heard"] = []
_added: list[bool] = []


class Outside(OSError):
    """Raised in place of a connection."""


class _Heard:
    """What was tried: where to, and by which line of which package."""

    def __init__(self, package: str) -> None:
        self._package = package
        self.tried: dict[str, str] = {}

    def note(self, event: str, place: str) -> None:
        steps = [
            f"{name}, line {line}"
            for frame, line in traceback.walk_stack(inspect.currentframe())
            if (name := str(frame.f_globals.get("__name__", ""))).partition(".")[0] == self._package
        ]
        self.tried.setdefault(place, steps[0] if steps else event)


def offline(bench: Bench) -> Iterator[str]:
    """Nothing is fetched: reading samples, solving and scoring open no connection of their own."""
    package = bench.subject.task.__module__.partition(".")[0]
    with _listen(package) as heard:
        ran = bench.run()
    for place, who in heard.tried.items():
        yield f"{place} was asked for ({who}): data comes from the registry, answers from the roles"
    if not heard.tried:
        yield from stopped(ran)


@contextmanager
def _listen(package: str) -> Iterator[_Heard]:
    if not _added:
        sys.addaudithook(_hook)
        _added.append(True)
    heard = _Heard(package)
    _listening.append(heard)
    try:
        yield heard
    finally:
        _listening.remove(heard)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _listening or event not in EVENTS:
        return
    place = _place(event, arguments)
    if not place:
        return
    for heard in _listening:
        heard.note(event, place)
    raise Outside(f"{place} was asked for while a check allows no connection")


def _place(event: str, arguments: tuple[Any, ...]) -> str:
    """Where to, as host:port; "" for a socket of this machine's file system."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return ":".join(str(one) for one in arguments[:2] if one)
    address = arguments[1] if len(arguments) > 1 else None
    return ":".join(str(one) for one in address[:2]) if isinstance(address, tuple) else ""
