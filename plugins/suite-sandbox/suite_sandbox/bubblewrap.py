"""The bubblewrap sandbox: namespaces, a file system of its own, seccomp; no network, no home, no keys.

bubblewrap starts a keeper, which makes a fresh world for every run (`inside.worlds`): the scratch folders,
processes, network and IPC are of one run alone. Two ways, chosen by who we are. An ordinary user makes a user
namespace. Root makes none: everything is mounted as root, then the supervisor becomes an ordinary user for
good, since the kernel holds no process limit against root even in a user namespace (measured).
Source: bwrap(1).
"""

import asyncio
import contextlib
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from suite import SYSTEM_FOLDERS, Limits, Mount, hidden_folders, python_mounts
from suite_sandbox import seccomp
from suite_sandbox.boxes import BOOTSTRAP, Box, message, started, supervisor, unavailable
from suite_sandbox.cgroups import open_group, usable
from suite_sandbox.inside.confinement import landlock_abi
from suite_sandbox.inside.worlds import WorldSettings
from suite_sandbox.pool import PooledSandbox
from suite_sandbox.surroundings import SURROUNDINGS

ETC: Mapping[str, str] = SURROUNDINGS["files"]
NOBODY = 65534
KEEPER = 1  # in an ordinary user's sandbox nobody is root, who would own the supervisor's files in /proc
_slots = itertools.count()


def bwrap() -> str:
    """Its path. Raises SandboxUnavailable without bubblewrap or on another system."""
    if sys.platform != "linux":
        raise unavailable("bubblewrap", f"this is {sys.platform}, not Linux")
    if not seccomp.supported():
        raise unavailable("bubblewrap", f"no system call filter for {platform.machine()}")
    binary = shutil.which("bwrap")
    if binary is None:
        raise unavailable("bubblewrap", "there is no bwrap on the PATH")
    return binary


def unprivileged_uid() -> int:
    """A user of this sandbox alone, so that limits by user hold for it alone; for root only."""
    most = 1 << 31
    with contextlib.suppress(OSError, ValueError):
        rows = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        most = max(int(first) + int(count) for first, _, count in rows)
    low, width = (0x60000000, 1 << 24) if most > 1 << 30 else (min(20000, most // 2), min(30000, most // 2))
    return low + (os.getpid() * 64 + next(_slots)) % width


def command(binary: str, root: bool, mounts: Sequence[Mount], fds: dict[str, int]) -> list[str]:
    """The whole command line.

    root: we are root, so without a user namespace. fds: name of a file in /etc, or "info" -> open descriptor.
    """
    line = [binary, "--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL"]
    line += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    # of the keeper; a world gives them up before a program
    own = ("SETUID", "SETGID") if root else ()
    for capability in ("SYS_ADMIN", "NET_ADMIN", *own):
        line += ["--cap-add", f"CAP_{capability}"]
    if not root:
        line += ["--unshare-user", "--uid", str(KEEPER), "--gid", str(KEEPER)]
    line += ["--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"]
    line += list(_system())
    for name in ETC:
        line += ["--perms", "0444", "--ro-bind-data", str(fds[name]), name]
    for name in SURROUNDINGS["shown"]:
        line += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for mount in sorted({*mounts, *python_mounts()}):
        target = Path(mount.target or mount.source)
        for parent in reversed(target.parents[:-1]):
            line += ["--perms", "0755", "--dir", str(parent)]  # else as closed as on the host
        line += ["--ro-bind", mount.source, str(target)]
    line += ["--symlink", os.path.realpath(sys.executable), "/run/suite/python3"]
    for folder in _covers(mounts):
        line += ["--perms", "0555", "--size", "4096", "--tmpfs", folder]
    line += ["--dir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    line += ["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8"]
    line += ["--info-fd", str(fds["info"])]
    return [*line, "--", os.path.realpath(sys.executable), "-I", "-S", "-c", BOOTSTRAP]


def settings(mounts: Sequence[Mount], scratch_mib: int, uid: int, uncounted: bool) -> WorldSettings:
    """What the keeper must know (`inside.worlds.furnish`). uid: 0 for an ordinary user's sandbox."""
    shared = max(1, scratch_mib // 4)
    targets = [mount.target or mount.source for mount in sorted({*mounts, *python_mounts()})]
    return {
        "scratch": max(1, scratch_mib - shared) << 20,
        "shared": shared << 20,
        "shown": [one for one in targets if one.startswith(("/tmp/", "/dev/shm/"))],
        "uid": uid,
        "filter": seccomp.seccomp_filter(uncounted_memory=uncounted),
    }


def _system() -> Iterator[str]:
    for name in SYSTEM_FOLDERS:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)


def _covers(mounts: Sequence[Mount]) -> Iterator[str]:
    """Where folders that must stay hidden would be seen."""
    for folder in hidden_folders():
        for mount in (*mounts, *python_mounts(), Mount("/usr")):
            source = os.path.realpath(mount.source)
            if folder == source or folder.startswith(source + "/"):
                yield (mount.target or mount.source) + folder[len(source) :]


def _memory_file(name: str, data: bytes) -> int:
    number = os.memfd_create(name)
    os.write(number, data)
    os.lseek(number, 0, os.SEEK_SET)
    return number


async def start(binary: str, mounts: Sequence[Mount], limits: Limits) -> Box:
    """A started box. Raises SandboxUnavailable with bubblewrap's own words if it does not start."""
    group, root = open_group(), os.geteuid() == 0
    uid = unprivileged_uid() if root else NOBODY
    user = f"program:x:{uid}:{uid}:program:/tmp/work:/bin/sh"
    fds = {name: _memory_file("etc", text.format(user=user, uid=uid).encode()) for name, text in ETC.items()}
    told, fds["info"] = os.pipe()

    async def begin(box: Box) -> None:
        await box.hand_in(supervisor(same_python=True))
        if group is not None:  # before it makes the first world, which belongs in there
            group.add(json.loads(os.read(told, 4096))["child-pid"])  # the supervisor, as the host sees it
        known = settings(mounts, limits.scratch_mib, uid if root else 0, group is not None)
        await box.hand_in(message(known))

    try:
        line, make = command(binary, root, mounts, fds), partial(Box, group=group)
        return await started("bubblewrap", line, begin, make, fds=tuple(fds.values()), env={})
    finally:
        for number in (told, *fds.values()):
            os.close(number)


async def opened(workers: int | None = None) -> PooledSandbox:
    """The bubblewrap sandbox with a warm pool. Raises SandboxUnavailable where it can't be had."""
    binary = bwrap()
    said, version = await asyncio.to_thread(lambda: (_ask(binary, "--help"), _ask(binary, "--version")))
    if "--size" not in said or "--as-pid-1" not in said:
        raise unavailable("bubblewrap", "this bwrap is too old; 0.8 or later is needed")

    groups = usable()
    facts = {
        "sandbox": "bubblewrap",
        "sandbox_version": version.strip().removeprefix("bubblewrap "),
        "sandbox_user": "dropped from root" if os.geteuid() == 0 else "user namespace",
        "sandbox_cgroup": f"v{groups[0]}" if groups else "none",
        "sandbox_landlock": str(landlock_abi()),
    }
    return PooledSandbox("bubblewrap", partial(start, binary), facts, workers=workers)


def _ask(binary: str, option: str) -> str:
    return subprocess.run((binary, option), capture_output=True, text=True, check=False).stdout
