"""A seccomp filter as bytes: the system calls that no judged program needs.

Everything is allowed but a list of calls that reach other processes, the kernel's keys, mounts,
namespaces, clocks or large rarely used parts of the kernel; those fail with EPERM, so that a program
sees an error it can report. The program is classic BPF, assembled here with `struct` alone.
Not here: loading it (bubblewrap does, before anything untrusted runs).
Source: seccomp(2), linux/filter.h, linux/seccomp.h; call numbers from the kernel's tables.
"""

import platform
import struct

EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, GREATER_EQUAL, BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NR, ARCH = 0, 4
ARGUMENT_0, ARGUMENT_1 = 16, 24  # the low halves; both machines are little endian
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
FAMILIES = (1, 2, 10, 16)  # UNIX, INET, INET6, NETLINK; VSOCK, say, would reach the hypervisor
X32 = 0x40000000

# name: (x86_64, aarch64); None where the machine has no such call
CALLS: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_getfd": (438, 438), "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # keys
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # mounts, namespaces, handles
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97),
    "setns": (308, 268), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "fanotify_init": (300, 262),
    # the kernel and the machine
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "syslog": (103, 116),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
    "vhangup": (153, 58), "lookup_dcookie": (212, 18), "personality": (135, 92), "sethostname": (170, 161),
    "setdomainname": (171, 162),
    # clocks
    "clock_settime": (227, 112), "settimeofday": (164, 170), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    # what would outlive a program, or slow down its supervisor
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "ioprio_set": (251, 30),
}  # fmt: skip
# memory that belongs to no process: only a memory cgroup counts it
UNCOUNTED: dict[str, tuple[int, int]] = {"memfd_create": (319, 279), "memfd_secret": (447, 447)}
# calls about a process named by their first argument, which must be 0: the caller itself
SELF_ONLY: dict[str, tuple[int, int]] = {
    "prlimit64": (302, 261),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
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
    denied = [numbers[column] for numbers in CALLS.values()]
    code: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, ARCH),
        (EQUAL, 1, 0, arch),
        (RETURN, 0, 0, KILL),  # a foreign ABI (32-bit calls on x86_64) would have other numbers
        (LOAD, 0, 0, NR),
        (GREATER_EQUAL, 0, 1, X32),
        (RETURN, 0, 0, ERRNO | ENOSYS),
    ]
    for number in denied:
        if number is not None:
            code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | EPERM)]
    if not uncounted_memory:
        for pair in UNCOUNTED.values():
            code += [(EQUAL, 0, 1, pair[column]), (RETURN, 0, 0, ERRNO | ENOSYS)]
    # clone3 hides its flags behind a pointer; without it libc falls back to clone, whose flags are checked
    code += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, ERRNO | ENOSYS)]
    code += [
        (EQUAL, 0, 4, CLONE[column]),
        (LOAD, 0, 0, ARGUMENT_0),
        (BITS, 0, 1, NAMESPACE_FLAGS),
        (RETURN, 0, 0, ERRNO | EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    for numbers in SELF_ONLY.values():
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
