"""What a program takes on before it starts: resource limits, Landlock, closed files.

Everything here runs inside the sandbox, in the supervisor or in its forked child.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct

from suite_sandbox.inside.usage import Job

SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 444, 445, 446
PR_SET_DUMPABLE = 4
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
WRITABLE = ("/tmp", "/dev/shm", "/dev/pts", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/proc")

_libc = ctypes.CDLL(None, use_errno=True)


def dumpable(on: bool) -> None:
    """Whether other processes of the same user may debug this one and read its /proc entries."""
    _libc.prctl(PR_SET_DUMPABLE, int(on), 0, 0, 0)


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 for none."""
    return max(0, int(_libc.syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)))


def landlock() -> int:
    """Belt and braces where the kernel has it: write nowhere but in the scratch folders.

    Also cuts this process off from signalling processes outside and from abstract sockets.
    Returns the ABI version in force, 0 for none. Source: landlock(7).
    """
    abi = landlock_abi()
    if not abi:
        return 0
    writing = 0b1111111110010  # write_file, remove_*, make_*
    for needed, bit in ((2, 1 << 13), (3, TRUNCATE)):  # refer, truncate
        writing |= bit if abi >= needed else 0
    scoped = 0b11 if abi >= 6 else 0  # abstract sockets, signals
    attributes = struct.pack("<QQQ", writing, 0, scoped)
    size = 24 if abi >= 6 else 8
    ruleset = _libc.syscall(SYS_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return 0
    for path in WRITABLE:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = writing if os.path.isdir(path) else writing & (WRITE_FILE | TRUNCATE)  # noqa: PTH112
        _libc.syscall(SYS_LANDLOCK_ADD, ruleset, 1, struct.pack("<Qi", allowed, place), 0)
        os.close(place)
    done = _libc.syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return abi if done == 0 else 0


def limit(which: int, value: int, hard: int | None = None) -> None:
    """Lower a resource limit; never above what this process may have."""
    _, ceiling = resource.getrlimit(which)
    top = value if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        top, value = min(top, ceiling), min(value, ceiling)
    resource.setrlimit(which, (value, top))


def become(job: Job, folder: str, ends: tuple[int, int, int], failed: int) -> None:
    """In the forked child: take on channels and limits, then be the program. Never returns.

    failed: a pipe that closes when the program starts; what goes wrong before is written to it.
    """
    try:
        os.setsid()
        os.chdir(folder)
        for number, end in enumerate(ends):
            os.dup2(end, number)
        for number in signal.valid_signals():
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        landlock()
        dumpable(True)  # for the next line only: files in /proc of a closed process belong to root
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            file.write("1000")  # the kernel's memory killer takes the program, not its supervisor
        dumpable(False)
        limits(job)
        os.closerange(3, failed)
        os.closerange(failed + 1, 4096)
        os.execvpe(job["argv"][0], job["argv"], job["env"])
    except BaseException as error:
        os.write(failed, str(error).encode())
    os._exit(127)


def limits(job: Job) -> None:
    """Resource limits of one process. CPU seconds of the whole run are watched, not limited here."""
    cpu = int(job["cpu_s"]) + 1
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_CPU, cpu, cpu + 1)
    limit(resource.RLIMIT_FSIZE, job["file_mib"] << 20)
    limit(resource.RLIMIT_NOFILE, job["open_files"])
    limit(resource.RLIMIT_STACK, job["stack_mib"] << 20)
    limit(resource.RLIMIT_MEMLOCK, 0)
    limit(resource.RLIMIT_MSGQUEUE, 0)
    limit(resource.RLIMIT_SIGPENDING, 256)
    if job["address_mib"] is not None:
        limit(resource.RLIMIT_AS, job["address_mib"] << 20)
    limit(resource.RLIMIT_NPROC, job["processes"] + 2)  # the supervisor and its keeper are counted as well
