"""A world for one run: fresh namespaces, fresh scratch folders, made in three milliseconds.

Process 1 of a sandbox (the keeper) is allowed to mount. For every run it makes processes, mounts, network,
IPC and terminals anew; the supervisor in there is process 1 again, gives every right up and runs one
program. Whatever a program leaves behind (files, attributes, ACLs, ports, counters, processes) ends with its
world. The keeper is in no world: no program sees it. Source: namespaces(7), mount(2), capset(2).
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from typing import NoReturn, TypedDict

NEW_MOUNTS, NEW_IPC, NEW_USER = 0x20000, 0x8000000, 0x10000000
NEW_PROCESSES, NEW_NETWORK = 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x41
PR_SET_SECCOMP, PR_CAP_AMBIENT, FILTER, CLEAR_ALL = 22, 47, 2, 4
CAPABILITIES_3 = 0x20080522
NOBODY = 65534
AGAIN = 3  # exit code of a supervisor whose run is over

_libc = ctypes.CDLL(None, use_errno=True)


class WorldSettings(TypedDict):
    """How worlds are furnished. scratch, shared: bytes of /tmp and /dev/shm. shown: paths below them that
    stay visible. uid: 0: a user namespace makes us nobody. filter: system calls refused.
    """

    scratch: int
    shared: int
    shown: list[str]
    uid: int
    filter: bytes


def keep(settings: WorldSettings, serve: Callable[[], None]) -> NoReturn:
    """Make one world after the other; `serve` runs one program in each and returns, or never does."""
    while True:
        child = os.fork()
        if child == 0:
            _step(lambda: _call(_libc.unshare(NEW_PROCESSES | NEW_MOUNTS | NEW_IPC | NEW_NETWORK), "unshare"))
            if os.fork():
                os._exit(0)
            _step(lambda: furnish(settings))
            serve()
            os._exit(AGAIN)
        os.waitpid(child, 0)
        _, status = os.wait()  # the supervisor, whose parent is gone
        code = os.waitstatus_to_exitcode(status)
        if code != AGAIN:
            os._exit(0 if code == 0 else 1)


def _step(do: Callable[[], None]) -> None:
    """A step without which no program may run. What went wrong is told on standard error."""
    try:
        do()
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def furnish(settings: WorldSettings) -> None:
    """As process 1 of a new world: its file systems, its loopback; then become an ordinary user for good."""
    shown = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in settings["shown"]]
    mount("none", "/", "", RECURSIVE | PRIVATE)
    mount("proc", "/proc", "proc", NO_SUID | NO_DEV | NO_EXEC)
    for place, size in (("/dev/shm", settings["shared"]), ("/tmp", settings["scratch"])):
        mount("tmpfs", place, "tmpfs", NO_SUID | NO_DEV, f"mode=1777,size={size}")
    mount("devpts", "/dev/pts", "devpts", NO_SUID | NO_EXEC, "newinstance,ptmxmode=0666,mode=620")
    for path, handle in shown:
        show(path, handle)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:
        fcntl.ioctl(loopback, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP_AND_RUNNING))
    become_ordinary(settings["uid"])
    refuse_calls(settings["filter"])


def show(path: str, handle: int) -> None:
    """Show a folder or file again that a new file system covers. Nobody can move it away: the first folder
    on the way, below the new file system, is a mount as well, and read-only."""
    root = "/dev/shm" if path.startswith("/dev/shm/") else "/tmp"
    first = os.path.join(root, path[len(root) + 1 :].split("/")[0])  # noqa: PTH118
    if first != path and not os.path.exists(first):  # noqa: PTH110
        os.mkdir(first, 0o755)  # noqa: PTH102
        mount("tmpfs", first, "tmpfs", NO_SUID | NO_DEV, "mode=755,size=1m")
    if first != path:
        mount("none", first, "", REMOUNT | NO_SUID | NO_DEV)
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)  # noqa: PTH103, PTH120
    if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112
        os.makedirs(path, 0o755, exist_ok=True)  # noqa: PTH103
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(f"/proc/self/fd/{handle}", path, "", BIND | RECURSIVE)  # read-only, and with what covers it
    if first != path:
        mount("none", first, "", REMOUNT | READ_ONLY | NO_SUID | NO_DEV)
    os.close(handle)


def become_ordinary(uid: int) -> None:
    """Root becomes a user of this sandbox alone; an ordinary user becomes nobody in a namespace without any
    right over the mounts."""
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    else:
        _call(_libc.unshare(NEW_USER), "unshare user")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} 1 1"), ("gid_map", f"{NOBODY} 1 1")):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
                file.write(text)
    _libc.prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0)
    _call(_libc.capset(struct.pack("Ii", CAPABILITIES_3, 0), bytes(24)), "capset")


def refuse_calls(code: bytes) -> None:
    """Load the system call filter (struct sock_fprog: length and pointer)."""
    kept = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
    _call(_libc.prctl(PR_SET_SECCOMP, FILTER, head, 0, 0), "seccomp")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2). Raises OSError."""
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _call(done, f"mount {target}")


def _call(done: int, name: str) -> None:
    if done:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
