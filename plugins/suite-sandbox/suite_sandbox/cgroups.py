"""A control group for one sandbox, where this process may make one: memory and processes by the kernel.

Version 2 needs a folder of ours with both controllers handed down (systemd's delegation); version 1 a
writable folder for each controller. Where there is none, the supervisor watches instead. A suite that was
killed could not take its groups away; the next one does.
Source: cgroups(7), Documentation/admin-guide/cgroup-v2.
"""

import asyncio
import contextlib
import itertools
import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_numbers = itertools.count()


@dataclass
class ControlGroup:
    """One control group. folders: the one of version 2, or memory's and pids' of version 1."""

    memory: Path
    pids: Path
    version: int
    _seen: tuple[int, int] = field(default=(0, 0), repr=False)

    def limit(self, memory: int, processes: int) -> None:
        """Set the limits of the next run: bytes, and processes and threads."""
        if self.version == 2:
            (self.memory / "memory.max").write_text(str(memory))
            with contextlib.suppress(OSError):
                (self.memory / "memory.swap.max").write_text("0")
        else:
            (self.memory / "memory.limit_in_bytes").write_text(str(memory))
        (self.pids / "pids.max").write_text(str(processes))
        self._seen = self._counts()

    def add(self, process: int) -> None:
        """Move a process in; its later children follow."""
        for folder in {self.memory, self.pids}:
            (folder / "cgroup.procs").write_text(str(process))

    def events(self) -> tuple[int, int]:
        """Since the last `limit`: (processes killed for memory, processes refused)."""
        killed, refused = self._counts()
        return killed - self._seen[0], refused - self._seen[1]

    def _counts(self) -> tuple[int, int]:
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        return _count(self.memory / name, "oom_kill"), _count(self.pids / "pids.events", "max")

    async def remove(self) -> None:
        """Take it away once it is empty; the kernel may need a moment."""
        for folder in {self.memory, self.pids}:
            for _ in range(50):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    break


def open_group() -> ControlGroup | None:
    """A new group, or None where this process can't make one."""
    places = usable()
    if places is None:
        return None
    version, memory, pids = places
    sweep(memory, pids)
    name = f"suite-{os.getpid()}-{next(_numbers)}"
    made = []
    try:
        for folder in dict.fromkeys((memory / name, pids / name)):
            folder.mkdir()
            made.append(folder)
    except OSError:
        for folder in made:
            folder.rmdir()
        return None
    return ControlGroup(memory / name, pids / name, version)


@lru_cache(maxsize=1)
def sweep(*places: Path) -> None:
    """Remove the groups of suites that are gone, once a process. One in use is not empty, so it stays; one
    that was made in this minute may be about to be used by a suite that is not seen from here."""
    for folder in {one for place in places for one in place.glob("suite-*-*")}:
        owner = folder.name.split("-")[1]
        with contextlib.suppress(OSError):
            if not Path("/proc", owner).exists() and time.time() - folder.stat().st_mtime > 60:
                folder.rmdir()


@lru_cache(maxsize=1)
def usable() -> tuple[int, Path, Path] | None:
    """Version and the folders in which groups can be made, None if there are none."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    own = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path.lstrip("/")
    mounts = [(ROOT / one, ROOT / one / own[one]) for one in ("memory", "pids") if one in own]
    first = [inner if inner.is_dir() else mount for mount, inner in mounts]
    if len(first) == 2:
        return (1, first[0], first[1]) if all(os.access(one, os.W_OK) for one in first) else None
    if "" in own:
        folder = ROOT / own[""]
        for place in (folder, folder.parent):
            with contextlib.suppress(OSError):
                handed = (place / "cgroup.subtree_control").read_text().split()
                if {"memory", "pids"} <= set(handed) and os.access(place, os.W_OK):
                    return (2, place, place)
    return None


def _count(path: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0
