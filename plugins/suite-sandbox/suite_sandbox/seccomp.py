"""A seccomp filter as bytes: the system calls that no judged program needs.

Everything is allowed but a list of calls (`system_calls.toml`) that reach other processes, the kernel's keys,
mounts, namespaces, clocks or large rarely used parts of the kernel; those fail with EPERM, so that a program
sees an error it can report. The program is classic BPF, assembled here with `struct` alone.
Not here: loading it (bubblewrap does, before anything untrusted runs).
Source: seccomp(2), linux/filter.h, linux/seccomp.h.
"""

import platform
import struct
import tomllib
from importlib.resources import files

EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, GREATER_EQUAL, BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NR, ARCH = 0, 4
ARGUMENT_0, ARGUMENT_1 = 16, 24  # the low halves; both machines are little endian
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
FAMILIES = (1, 2, 10, 16)  # UNIX, INET, INET6, NETLINK; VSOCK, say, would reach the hypervisor
X32 = 0x40000000

# kind of call -> name -> its numbers on x86_64 and aarch64
CALLS: dict[str, dict[str, list[int]]] = tomllib.loads(
    (files(__package__) / "system_calls.toml").read_text("utf-8")
)
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
CLONE, CLONE3, SOCKET, SOCKETPAIR, SETPRIORITY = (56, 220), (435, 435), (41, 198), (53, 199), (141, 140)


def supported(machine: str | None = None) -> bool:
    """Whether the call numbers of this machine are known."""
    return (machine or platform.machine()) in MACHINES


def seccomp_filter(*, uncounted_memory: bool, machine: str | None = None) -> bytes:
    """The filter as an array of struct sock_filter, as `bwrap --seccomp FD` wants it.

    uncounted_memory: False also refuses memory that belongs to no process (memfd, System V shared memory),
    for hosts without a memory cgroup. Raises KeyError for a machine that `supported` denies.
    """
    arch, column = MACHINES[machine or platform.machine()]
    code: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, ARCH),
        (EQUAL, 1, 0, arch),
        (RETURN, 0, 0, KILL),  # a foreign ABI (32-bit calls on x86_64) would have other numbers
        (LOAD, 0, 0, NR),
        (GREATER_EQUAL, 0, 1, X32),
        (RETURN, 0, 0, ERRNO | ENOSYS),
    ]
    for numbers in CALLS["denied"].values():
        if numbers[column] >= 0:
            code += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, ERRNO | EPERM)]
    if not uncounted_memory:
        for numbers in CALLS["uncounted"].values():
            code += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, ERRNO | ENOSYS)]
    # clone3 hides its flags behind a pointer; without it libc falls back to clone, whose flags are checked
    code += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, ERRNO | ENOSYS)]
    code += [
        (EQUAL, 0, 4, CLONE[column]),
        (LOAD, 0, 0, ARGUMENT_0),
        (BITS, 0, 1, NAMESPACE_FLAGS),
        (RETURN, 0, 0, ERRNO | EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    for numbers in CALLS["self_only"].values():
        code += [(EQUAL, 0, 4, numbers[column]), (LOAD, 0, 0, ARGUMENT_0), (EQUAL, 1, 0, 0)]
        code += [(RETURN, 0, 0, ERRNO | EPERM), (RETURN, 0, 0, ALLOW)]
    # setpriority(PRIO_PROCESS, 0, ...) only
    code += [
        (EQUAL, 0, 6, SETPRIORITY[column]),
        (LOAD, 0, 0, ARGUMENT_0),
        (EQUAL, 0, 3, 0),
        (LOAD, 0, 0, ARGUMENT_1),
        (EQUAL, 0, 1, 0),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ERRNO | EPERM),
    ]
    families = [(EQUAL, len(FAMILIES) - place, 0, family) for place, family in enumerate(FAMILIES)]
    code += [
        (EQUAL, 1, 0, SOCKET[column]),
        (EQUAL, 0, len(families) + 2, SOCKETPAIR[column]),
        (LOAD, 0, 0, ARGUMENT_0),
        *families,
        (RETURN, 0, 0, ERRNO | EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
