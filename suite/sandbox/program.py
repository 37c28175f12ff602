"""What every kind of sandbox is, what goes into it and what comes out: a program, its limits, its result.

Plain frozen records without behaviour, so that every kind (bubblewrap, container, a plugin's own) takes and
gives the same. Sizes are MiB or KiB, times are seconds.
Not here: how a program is contained (`bubblewrap`, `container`), what its output means (who runs it decides).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from suite.errors import ConfigError

Ended = Literal[
    "exited", "wall", "cpu", "memory", "processes", "output", "file", "scratch", "killed", "unstarted"
]
"""Why a run is over. "exited": by itself (see `exit_code` and `signal`); "killed": the sandbox died or was
stopped from outside; "unstarted": its command could not be started; every other word is the limit that ended
it. "killed" and "unstarted" say nothing of the program."""

WORK = "/tmp/work"  # the scratch folder in which a program starts


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run may use. All are upper bounds; a run that reaches one is ended and says which.

    wall_s, cpu_s: seconds; CPU is summed over all processes of the run.
    memory_mib: resident memory of the whole tree (scratch files included).
    processes: processes and threads alive at once.
    file_mib: size of one file. scratch_mib: all files. output_kib: stdout and stderr, each.
    address_mib: address space of one process; None: none where a memory cgroup holds `memory_mib`, else
        four times that (at least 4 GiB), since numeric libraries reserve far more than they use.
    open_files: file descriptors of one process. stack_mib: main thread's stack.
    """

    wall_s: float = 10.0
    cpu_s: float = 10.0
    memory_mib: int = 1024
    processes: int = 64
    file_mib: int = 64
    scratch_mib: int = 256
    output_kib: int = 1024
    address_mib: int | None = None
    open_files: int = 256
    stack_mib: int = 8

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"sandbox limit {name} is {value!r}", fix="every limit is a number above 0")


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """A host path shown inside, read-only. target: where (default: the same path)."""

    source: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run.

    argv: command as seen inside; argv[0] is absolute or found on the PATH inside.
    files: relative name -> content, written to the scratch folder (`/tmp/work`) beforehand.
    stdin: all that it can read. env: added to a fixed clean environment.
    mounts: read-only host paths it needs, as an interpreter's prefix (see `python_program`).
    cwd: folder relative to the scratch folder. outputs: relative names of files to hand back.
    """

    argv: tuple[str, ...]
    files: Mapping[str, bytes | str] = field(default_factory=dict)
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    cwd: str = "."
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.argv or any("\0" in part for part in self.argv):
            raise ConfigError("a sandboxed program needs an argv without NUL bytes")
        for name in (*self.files, *self.outputs, self.cwd):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\0" in name:
                raise ConfigError(f"file name {name!r} leaves the scratch folder", fix="use relative names")


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """What a run left.

    exit_code: None when a signal ended it or it never ended by itself; then `signal` may be set.
    stdout, stderr: cut at the output limit. hits: limits reached, even where the program went on.
    wall_s, cpu_s: used seconds. peak_mib: highest resident memory of one process.
    leftovers: processes still alive when the program ended; they were killed.
    files_out: the wanted output files that exist, are regular and within the limits.
    """

    exit_code: int | None
    signal: int | None
    stdout: bytes
    stderr: bytes
    ended: Ended
    wall_s: float
    cpu_s: float
    peak_mib: float = 0.0
    hits: tuple[Ended, ...] = ()
    leftovers: int = 0
    files_out: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Ended by itself with exit code 0 (which proves nothing: a program chooses its exit code)."""
        return self.ended == "exited" and self.exit_code == 0

    @property
    def last_word(self) -> str:
        """The last line of standard error, "" if there is none."""
        return (self.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[-1]


DEFAULT = Limits()


class Sandbox(ABC):
    """Runs programs, several at once if asked to. Get one by `suite.open_sandbox`.

    A plugin brings a kind with an Entry of kind "sandbox": its target is an async function that returns an
    opened Sandbox, or raises SandboxUnavailable. If it has a parameter `workers`, it is told how many
    programs to run at once (None: as it likes).
    """

    name: str

    @abstractmethod
    async def run(self, program: Program, limits: Limits = DEFAULT) -> SandboxResult:
        """Run one program to its end or to a limit; nothing of it is alive afterwards.

        Raises SandboxUnavailable if the sandbox itself fails (never for what a program does).
        """

    @abstractmethod
    async def close(self) -> None:
        """End everything; running programs come back as "killed"."""

    def facts(self) -> Mapping[str, str]:
        """What contains the programs, for the records: kind, versions, mechanisms. No machine paths."""
        return {"sandbox": self.name}
