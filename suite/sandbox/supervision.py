"""The supervisor's code as it is handed into a sandbox, and the frames that come back.

The supervisor (`suite.sandbox.inside`) is sent through its own standard input, so that a sandbox needs
no file of ours. Not here: starting a sandbox (`bubblewrap`, `container`).
"""

import asyncio
import marshal
import struct
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from suite.sandbox.program import ENDINGS, SandboxResult

PACKAGE = "suite.sandbox.inside"
MODULES = ("usage", "confinement", "scratch", "program_run", "worlds", "supervisor")  # as they are imported
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
        exit_code=None if code < 0 else code,
        signal=number or None,
        stdout=b"".join(got[b"O"]),
        stderr=b"".join(got[b"E"]),
        ended=ENDINGS[ended],
        wall_s=wall,
        cpu_s=cpu,
        peak_mib=peak / (1 << 20),
        hits=tuple(name for bit, name in enumerate(ENDINGS) if hits >> bit & 1),
        leftovers=leftovers,
        files_out={name.decode("utf-8", "replace"): content for name, _, content in handed},
    )
