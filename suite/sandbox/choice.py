"""Choosing a sandbox: what can contain untrusted code on this machine, proven by trying it.

Order: bubblewrap, then a container runtime, both of the plugin `suite-sandbox`. SUITE_SANDBOX names another,
as another plugin's. Where nothing works, running refuses; there is no way around it.
"""

import asyncio
import json
import os
from inspect import signature
from pathlib import Path

from suite.errors import PluginError, SandboxUnavailable, unknown
from suite.plugins import catalogue
from suite.sandbox.interpreters import executable, python_program
from suite.sandbox.program import Limits, Mount, Program, Sandbox

SETTING = "SUITE_SANDBOX"
TRIAL_LIMITS = Limits(wall_s=10, cpu_s=5, memory_mib=256, processes=16, scratch_mib=8)

# Each attempt must fail inside; what succeeds is printed, and the sandbox is none.
TRIAL = r"""
import json, os, socket
held = []
def attempt(name, function):
    try:
        function()
    except Exception:
        return
    held.append(name)
def connect():
    socket.create_connection(("192.0.2.1", 80), timeout=0.5).close()
def write():
    with open("/usr/suite-trial", "w"):
        pass
def home():
    if not any(os.scandir(os.environ["TRIAL_HOME"])):
        raise OSError
attempt("reaching the network", connect)
attempt("seeing processes outside", lambda: os.stat("/proc/" + os.environ["TRIAL_PID"] + "/root/"))
attempt("writing to /usr", write)
attempt("filling memory with files", lambda: open("big", "wb").write(bytes(9 << 20)))
children = []
try:
    for _ in range(40):
        child = os.fork()
        if child == 0:
            import time
            time.sleep(5)
            os._exit(0)
        children.append(child)
    held.append("starting any number of processes")
except OSError:
    pass
for child in children:
    os.kill(child, 9)
print(json.dumps(held))
"""


TRIED = ("bubblewrap", "container")  # without being asked for, in this order
FIX = (
    "install bubblewrap (`apt-get install bubblewrap`), or solve here (`suite eval ... --solve-only`) and "
    "run `suite score RUN` on a host with a sandbox"
)


async def open_sandbox(name: str = "", workers: int | None = None) -> Sandbox:
    """Open a sandbox that was tried on this machine just now.

    name: a kind; "" takes SUITE_SANDBOX, else the first of `TRIED` that works. workers: programs at once
    (default: one a processor).
    Raises SandboxUnavailable with every reason if none works, NotFound for an unknown name.
    """
    wanted = name or os.environ.get(SETTING, "")
    installed = catalogue().names("sandbox")
    if not wanted and not any(kind in installed for kind in TRIED):
        raise SandboxUnavailable(
            "no sandbox is installed: untrusted code can't be contained", fix="pip install suite-sandbox"
        )
    problems: dict[str, str] = {}
    for kind in [wanted] if wanted else TRIED:
        try:
            sandbox = await _open(kind, workers)
            if problem := await trial(sandbox):
                await sandbox.close()
                raise SandboxUnavailable(problem)
        except SandboxUnavailable as error:
            problems[kind] = error.where or error.what
        else:
            return sandbox
    raise SandboxUnavailable(
        "untrusted code can't be contained on this machine",
        where="; ".join(f"{kind}: {why}" for kind, why in problems.items()),
        fix=FIX,
    )


async def _open(kind: str, workers: int | None) -> Sandbox:
    if kind not in catalogue().names("sandbox") and kind not in TRIED:
        raise unknown("sandbox", kind, catalogue().names("sandbox"), where=SETTING)
    open_it = catalogue().load("sandbox", kind)
    opened = await (open_it(workers) if "workers" in signature(open_it).parameters else open_it())
    if not isinstance(opened, Sandbox):
        raise PluginError(f"sandbox {kind!r} gives a {type(opened).__name__}, not a suite.sandbox.Sandbox")
    return opened


async def trial(sandbox: Sandbox) -> str:
    """What a program can do inside that it must not be able to, "" if nothing."""
    program = Program(
        argv=("python3", "-I", "-S", "-c", TRIAL), env={"TRIAL_PID": str(os.getpid()), "TRIAL_HOME": "/"}
    )
    result = await sandbox.run(program, TRIAL_LIMITS)
    try:
        held = json.loads(result.stdout)
    except ValueError:
        return f"a trial program ended by {result.ended}: {result.last_word or 'no word'}"
    return f"inside it a program gets away with {', '.join(held)}" if held else ""


async def prove(sandbox: Sandbox, python: str = "") -> None:
    """Run a right program with the interpreter, mounts and user of programs to come, before any is judged.

    python: the interpreter; "": the suite's own. Raises ConfigError if it does not run on the host,
    SandboxUnavailable with its path if it does not run inside.
    """
    own = Mount(str(Path(__file__).with_name("inside")), "/run/proof")  # shown as a harness shows its files
    program = Program(("/run/proof/proof.py",), stdin=b"21", mounts=(own,))
    result = await sandbox.run(python_program(program, python), TRIAL_LIMITS)
    if not result.ok or result.stdout != b"42":
        raise SandboxUnavailable(
            f"programs can't be run in the {sandbox.name} sandbox with {executable(python)}",
            where=result.last_word[:300] or f"a right program gave no answer (ended: {result.ended})",
            fix="name a Python whose files every user may read, or put it elsewhere; "
            "`suite doctor --python PATH` tries one",
        )


def probe(python: str = "") -> dict[str, object]:
    """Whether untrusted code can be contained here (`works`), and how: the kind's `name` and facts; else kind
    -> why it does not work, and the `fix`. Opens, tries and closes a sandbox.

    python: interpreter that must work inside ("": the suite's own). Blocks for half a second; call it
    outside a running event loop.
    """

    async def look() -> dict[str, object]:
        try:
            sandbox = await open_sandbox(workers=1)
        except SandboxUnavailable as error:
            problems = dict(part.split(": ", 1) for part in error.where.split("; ") if ": " in part)
            return {"works": False, **problems, "fix": error.fix}
        try:
            await prove(sandbox, python)
        except SandboxUnavailable as error:
            return {"works": False, sandbox.name: f"{error.what}: {error.where}", "fix": error.fix}
        finally:
            await sandbox.close()
        return {"works": True, "name": sandbox.name, **sandbox.facts()}

    return asyncio.run(look())
