"""One started sandbox: a process whose first inhabitant makes a world for each run, one at a time.

That is the supervisor (`suite_sandbox.inside`); its code is sent through its own standard input, so that a
sandbox needs no file of ours, and what comes back are frames. Not here: the commands that start a sandbox
(`bubblewrap`, `container`).
"""

import asyncio
import contextlib
import marshal
import struct
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import get_args

from suite import Ended, Limits, Program, SandboxResult, SandboxUnavailable
from suite_sandbox.cgroups import ControlGroup
from suite_sandbox.surroundings import job

START_S = 20.0  # until the supervisor says hello
GRACE_S = 5.0  # beyond the wall limit, for a supervisor that a program keeps busy
SHORT_S = 5.0
PACKAGE = "suite_sandbox.inside"
MODULES = ("usage", "confinement", "program_run", "worlds", "supervisor")  # as they are imported
ENDINGS: tuple[Ended, ...] = get_args(Ended)
RESULT = struct.Struct("<iiiddqii")
LARGEST_FRAME = 1 << 28

BOOTSTRAP = f"""
import marshal, os, sys, types
def read(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
package = sys.modules[{PACKAGE!r}] = types.ModuleType({PACKAGE!r})
package.__path__ = []
for name, code in marshal.loads(read(int.from_bytes(read(4), "little"))):
    module = sys.modules[{PACKAGE!r} + "." + name] = types.ModuleType({PACKAGE!r} + "." + name)
    setattr(package, name, module)
    exec(code, module.__dict__)
package.supervisor.main()
"""


@dataclass
class Box:
    """A started sandbox. Make one by `started`; `run` one program at a time; `close` ends all in it."""

    process: asyncio.subprocess.Process
    group: ControlGroup | None = None
    bounded: bool = False  # somebody else holds memory and processes (a container runtime)
    fresh: bool = True  # every run gets a world of its own; else it may be used once
    ready: bool = False  # the supervisor of the next run has said hello
    uses: int = 0
    ending: tuple[str, ...] = ()  # a command that ends it for good, where killing our process does not
    _gone: bool = field(default=False, repr=False)

    @property
    def alive(self) -> bool:
        """Whether it can take a program."""
        return not self._gone and self.process.returncode is None

    async def run(self, program: Program, limits: Limits) -> SandboxResult:
        """Run one program. Whatever goes wrong with the box is a result of "killed" (or "wall").

        Whoever cancels it closes the box.
        """
        address = limits.address_mib
        if address is None and self.group is None and not self.bounded:
            address = max(4096, 4 * limits.memory_mib)
        if self.group is not None:
            # a little more than allowed: the supervisor, which is in it, sees an excess first and says so
            self.group.limit((limits.memory_mib * 5 // 4 + 32) << 20, limits.processes + 3)
        request = message(job(program, limits, address_mib=address))
        got: dict[bytes, list[bytes]] = {b"O": [], b"E": [], b"F": []}  # what came out, by kind of frame
        try:
            await self.hello()
            async with asyncio.timeout(limits.wall_s + GRACE_S):
                self.ready = False
                await self._send(request)
                result = await self._until_result(got)
        except (EOFError, ConnectionError, TimeoutError) as error:
            late = isinstance(error, TimeoutError)
            why = "the sandbox did not answer in time" if late else str(error)
            ended: Ended = "wall" if late and not self.ready else "killed"
            if self.group is not None and self.group.events()[0]:
                ended = "memory"  # the kernel may choose the supervisor, too
            await self.close()
            out, err = b"".join(got[b"O"]), b"".join(got[b"E"]) + f"\nsandbox: {why}\n".encode()
            wall = limits.wall_s if ended == "wall" else 0.0
            return SandboxResult(None, None, out, err, ended, wall, 0.0, hits=(ended,))
        return self._counted(result)

    async def _until_result(self, got: dict[bytes, list[bytes]]) -> SandboxResult:
        """Collect frames up to the result. Raises EOFError when the supervisor fails or is gone."""
        kind, data = await frame(self._reader)
        while kind in got:
            got[kind].append(data)
            kind, data = await frame(self._reader)
        if kind != b"R":
            raise EOFError(data.decode("utf-8", "replace"))
        return result(data, got)

    def _counted(self, result: SandboxResult) -> SandboxResult:
        """The result with what only the kernel's own accounting knows."""
        if self.group is None:
            return result
        killed, refused = self.group.events()
        seen: dict[Ended, int] = {"processes": refused, "memory": killed}
        hits = tuple(dict.fromkeys((*result.hits, *(word for word, count in seen.items() if count))))
        ended, failed = result.ended, result.exit_code != 0
        if killed and (ended == "wall" or (ended == "exited" and failed)):
            ended = "memory"  # also of a program that waited for its killed children
        elif refused and ended == "exited" and failed:
            ended = "processes"
        if ended == result.ended:
            return replace(result, hits=hits)
        return replace(result, hits=hits, ended=ended, exit_code=None, signal=None)

    @property
    def _reader(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None
        return self.process.stdout

    async def _send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def hand_in(self, message: bytes) -> None:
        """Hand in the supervisor, or its settings, and wait for its word. Raises as `hello` does."""
        self.ready = False
        await self._send(message)
        await self.hello()

    async def hello(self) -> None:
        """Wait until the next program can be taken.

        Raises EOFError or TimeoutError when the word does not come.
        """
        if self.ready:
            return
        async with asyncio.timeout(START_S):
            kind, data = await frame(self._reader)
        if kind != b"H":
            raise EOFError(f"the sandbox said {kind!r}: {data[:200]!r}")
        self.ready = True

    def kill(self) -> None:
        """Kill everything inside; a `run` under way comes back as "killed"."""
        if not self._gone:
            self._gone = True
            if self.process.stdin is not None:
                self.process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    async def close(self) -> None:
        """Kill everything inside and wait until it is gone. Not while `run` is under way."""
        self.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHORT_S):
                while await self._reader.read(1 << 16):
                    pass
                await self.process.wait()
        if self.ending:
            ended = await asyncio.create_subprocess_exec(
                *self.ending, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )
            await ended.wait()
        if self.group is not None:
            await self.group.remove()


async def started(
    kind: str,
    command: Sequence[str],
    begin: Callable[[Box], Awaitable[None]],
    make: Callable[[asyncio.subprocess.Process], Box],
    *,
    fds: tuple[int, ...] = (),
    env: Mapping[str, str] | None = None,
) -> Box:
    """A box whose command was started and that `begin` has made ready for programs.

    fds: descriptors that the command takes over. Raises SandboxUnavailable, with the command's own words,
    if it does not get ready.
    """
    with tempfile.TemporaryFile() as complaints:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=complaints, pass_fds=fds, env=env, cwd="/"
        )
        box = make(process)
        try:
            await begin(box)
        except (EOFError, OSError) as error:
            await box.close()
            complaints.seek(0)
            said = complaints.read(2000).decode("utf-8", "replace").strip()
            raise unavailable(kind, said or f"{type(error).__name__}: {error}") from error
        except BaseException:
            await box.close()
            raise
    return box


@lru_cache(maxsize=2)
def supervisor(same_python: bool) -> bytes:
    """The first message to a sandbox: bytecode for this Python, or source for any (3.9 and later)."""
    texts = [(name, files(PACKAGE).joinpath(f"{name}.py").read_text("utf-8")) for name in MODULES]
    parts = [
        (name, compile(text, f"<{name}>", "exec", dont_inherit=True) if same_python else text)
        for name, text in texts
    ]
    data = marshal.dumps(tuple(parts)) if same_python else marshal.dumps(tuple(parts), 2)
    return len(data).to_bytes(4, "little") + data


def message(content: Mapping[str, object]) -> bytes:
    """A message to the supervisor."""
    data = marshal.dumps(dict(content), 2)
    return len(data).to_bytes(4, "little") + data


async def frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next frame: kind and bytes. Raises EOFError when the sandbox is gone, or speaks nonsense."""
    try:
        head = await reader.readexactly(5)
        size = int.from_bytes(head[1:], "little")
        if size > LARGEST_FRAME:
            raise EOFError("a frame is too large")
        return head[:1], await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError, OSError) as error:
        raise EOFError("the sandbox is gone") from error


def result(data: bytes, got: Mapping[bytes, list[bytes]]) -> SandboxResult:
    """The result from its frame and from what came before it, by kind."""
    handed = (one.partition(b"\0") for one in got[b"F"])
    code, number, ended, wall, cpu, peak, hits, leftovers = RESULT.unpack(data)
    return SandboxResult(
        exit_code=None if code < 0 else code, signal=number or None, stdout=b"".join(got[b"O"]),
        stderr=b"".join(got[b"E"]), ended=ENDINGS[ended], wall_s=wall, cpu_s=cpu, peak_mib=peak / (1 << 20),
        hits=tuple(name for bit, name in enumerate(ENDINGS) if hits >> bit & 1), leftovers=leftovers,
        files_out={name.decode("utf-8", "replace"): content for name, _, content in handed},
    )  # fmt: skip


def unavailable(kind: str, why: str) -> SandboxUnavailable:
    """The error of a sandbox that could not be started."""
    return SandboxUnavailable(f"the {kind} sandbox can't be started", where=why)
