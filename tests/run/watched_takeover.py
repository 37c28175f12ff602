"""A shard taken, lost and taken over, while file locks, file times and the wall clock are out of bounds."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from suite.journal.shards import Shard, owner_of
from suite.run.leases import take

FORBIDDEN = ("fcntl.fcntl", "fcntl.flock", "fcntl.lockf", "os.utime", "os.lockf")


class Timeless:
    """What stat tells, but for the times."""

    def __init__(self, told: os.stat_result) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        if name.endswith(("time", "time_ns")):
            raise AssertionError(f"{name} was read")
        return getattr(self._told, name)

    def __getitem__(self, place: int) -> int:
        raise AssertionError(f"stat field {place} was read by its place")


def watch() -> None:
    """From now on what is out of bounds ends the process."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN:
            os.write(2, f"{event} {arguments}\n".encode())
            os._exit(3)

    sys.addaudithook(hook)
    for name in ("stat", "lstat", "fstat"):
        real = getattr(os, name)
        setattr(os, name, lambda *given, real=real, **more: Timeless(real(*given, **more)))
    for name in ("time", "time_ns", "localtime", "gmtime"):
        setattr(time, name, lambda *_: os._exit(4))


def main(folder: Path) -> None:
    """Take, keep, lose, take over."""
    heard = threading.Event()
    shard = Shard(0, 2)
    watch()
    first = take(shard, folder, print)
    owner = msgspec.structs.replace(owner_of(first.path), system="elsewhere")
    (first.path / "lease.json").write_bytes(msgspec.json.encode(owner))
    second = take(shard, folder, print)
    with second.kept(lambda _: os._exit(5)), first.kept(lambda _: heard.set()):
        heard.wait(30)
    sys.stdout.write(f"{second.path.name} taken over\n" if heard.is_set() else "nobody heard\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
