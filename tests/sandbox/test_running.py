"""What a sandbox gives to an honest program, and what stays of it: nothing."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from suite_sandbox.pool import USES, PooledSandbox

from suite import ConfigError
from suite.sandbox import Limits, Mount, Program, Sandbox

PYTHON = ("python3", "-c")


@pytest.fixture
def seconds() -> str:
    """A nap so long and odd that no other process of this machine takes the same."""
    return str(random.SystemRandom().randrange(10**8, 10**9))


async def test_input_output_files_and_exit_code(sandbox: Sandbox) -> None:
    code = (
        "import sys; print(sys.stdin.read() + open('d/a').read()); open('o', 'w').write('left'); sys.exit(3)"
    )
    result = await sandbox.run(Program((*PYTHON, code), {"d/a": "file"}, b"in ", outputs=("o", "none")))
    assert (result.ended, result.exit_code, result.signal) == ("exited", 3, None)
    assert result.stdout == b"in file\n"
    assert result.files_out == {"o": b"left"}
    assert not result.ok
    assert result.hits == ()


async def test_large_input_is_fed_while_output_is_read(sandbox: Sandbox) -> None:
    data = os.urandom(3 << 20)
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    result = await sandbox.run(Program((*PYTHON, code), stdin=data), Limits(output_kib=4096))
    assert result.stdout == data


async def test_a_program_that_reads_nothing(sandbox: Sandbox) -> None:
    assert (await sandbox.run(Program((*PYTHON, "pass"), stdin=bytes(1 << 20)))).ok


async def test_a_command_that_is_not_there(sandbox: Sandbox) -> None:
    result = await sandbox.run(Program(("no-such-program",)))
    assert (result.ended, result.exit_code) == ("unstarted", None)
    assert b"cannot start" in result.stderr


async def test_local_servers_and_processes_work_inside(sandbox: Sandbox) -> None:
    code = """
import multiprocessing, socket, threading
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"hi")).start()
print(socket.create_connection(("localhost", server.getsockname()[1])).recv(9))
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(abs, [-1, -2]))
"""
    result = await sandbox.run(Program(("python3", "p.py"), {"p.py": code}))
    assert result.stdout == b"b'hi'\n[1, 2]\n", result.stderr


LEAVINGS = {
    "files": "open('/tmp/a', 'w'); open('/dev/shm/b', 'w'); os.makedirs('deep/er'); os.chmod('deep', 0)",
    "modes": "os.chmod('/tmp/work', 0o500)",
    "attributes": "os.setxattr('/tmp/work', 'user.told', b'1')",
    "an acl": "os.setxattr('/tmp/work', 'system.posix_acl_default', struct.pack('<I', 2) + b''.join("
    "struct.pack('<HHI', tag, 0, 2**32 - 1) for tag in (1, 4, 16, 32)))",
    "inode flags": "fcntl.ioctl(os.open('/tmp/work', os.O_RDONLY), 0x40086602, struct.pack('l', 0x40))",
    "times": "os.utime('/tmp/work', (1, 1))",
    "inode numbers": "[os.close(os.open(f'/tmp/{n}', os.O_CREAT)) for n in range(500)]",
    "process numbers": "[os.waitpid(os.fork() or os._exit(0), 0) for _ in range(9)]",
    "shared memory": "ctypes.CDLL(None).shmget(77, 4096, 0o1600)",
    "a terminal": "os.openpty()",
    "a port": "one = socket.create_server(('127.0.0.1', 5005)); "
    "other = socket.create_connection(('127.0.0.1', 5005)); one.accept()[0].close(); other.close()",
    "traffic": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)); os.nice(5); os.umask(0)",
    "a daemon": "os.fork() or (os.setsid(), time.sleep(600))",
    "a lock": "fcntl.flock(os.open('/tmp/work', os.O_RDONLY), fcntl.LOCK_EX)",
}
IMPORTS = "import ctypes, fcntl, os, resource, socket, struct, time\n"
LOOK = (
    IMPORTS
    + """
def of(place):
    seen = os.stat(place)
    flags = bytearray(8)
    fcntl.ioctl(os.open(place, os.O_RDONLY), 0x80086601, flags)
    named = {name: os.getxattr(place, name) for name in os.listxattr(place)}
    return oct(seen.st_mode), seen.st_ino, seen.st_mtime > 1e9, sorted(os.listdir(place)), named, flags[0]
print([of(place) for place in ("/tmp", "/dev/shm", "/tmp/work")], os.getpid(), os.listdir("/proc")[-2:])
print(resource.getrlimit(resource.RLIMIT_NOFILE), os.nice(0), oct(os.umask(0)), os.ttyname(os.openpty()[1]))
print(ctypes.CDLL(None).shmget(77, 0, 0), open("/proc/net/snmp").read().count(" 1"))
print(open("/proc/net/tcp").read())
socket.create_server(("127.0.0.1", 5005), reuse_port=False)
"""
)


async def test_nothing_is_left_for_the_next_program(sandbox: Sandbox) -> None:
    """Whatever a program does, the next one sees what the first one saw."""
    look = Program((*PYTHON, LOOK))
    first = await sandbox.run(look)
    assert first.ok, first.stderr
    for name, code in LEAVINGS.items():
        left = await sandbox.run(Program((*PYTHON, IMPORTS + code)))
        assert left.ok, (name, left)
        assert (await sandbox.run(look)).stdout == first.stdout, name


async def test_boxes_are_used_again_after_clean_runs_only(sandbox: Sandbox) -> None:
    async def box() -> object:
        assert isinstance(sandbox, PooledSandbox)
        while not sandbox._idle:
            await asyncio.sleep(0.01)
        return sandbox._idle[-1][1]

    clean, daemon = Program((*PYTHON, "pass")), "import os, time\nif os.fork() == 0: time.sleep(600)"
    await sandbox.run(clean)
    first = await box()
    await sandbox.run(clean)
    assert await box() is first
    assert (await sandbox.run(Program((*PYTHON, daemon)))).leftovers == 1
    assert await box() is not first
    assert USES > 1


async def test_a_keeper_that_died_while_it_waited_costs_no_program(sandbox: Sandbox) -> None:
    clean = Program((*PYTHON, "print(1)"))
    await sandbox.run(clean)
    assert isinstance(sandbox, PooledSandbox)
    while not sandbox._idle:
        await asyncio.sleep(0.01)
    keeper = sandbox._idle[-1][1].process
    keeper.kill()
    await keeper.wait()
    assert (await sandbox.run(clean)).stdout == b"1\n"


async def test_programs_run_beside_each_other(sandbox: Sandbox, public_folder: Path) -> None:
    """The first waits for what is only done once the second is over."""
    door = public_folder / "door"
    door.mkdir(exist_ok=True)
    door.chmod(0o755)
    code = "import os, time\nwhile not os.path.exists('/data/open'): time.sleep(0.01)"
    waiting = Program((*PYTHON, code), mounts=(Mount(str(door), "/data"),))
    first = asyncio.create_task(sandbox.run(waiting, Limits(wall_s=60)))
    assert (await sandbox.run(Program((*PYTHON, "pass")), Limits(wall_s=60))).ok
    assert not first.done()
    (door / "open").touch()
    assert (await first).ok


async def test_closing_ends_a_running_program(contained: None, seconds: str) -> None:
    from suite.sandbox import open_sandbox

    opened = await open_sandbox(workers=1)
    code = f"import time; time.sleep({seconds})"
    running = asyncio.create_task(opened.run(Program((*PYTHON, code)), Limits(wall_s=60)))
    await _running(seconds, 1)
    await opened.close()
    assert (await running).ended == "killed"


async def test_cancelling_kills_the_tree(sandbox: Sandbox, seconds: str) -> None:
    code = f"import os, time; os.fork(); time.sleep({seconds})"
    running = asyncio.create_task(sandbox.run(Program((*PYTHON, code)), Limits(wall_s=60)))
    await _running(seconds, 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert _gone(seconds)


def test_a_killed_suite_leaves_nothing(contained: None, seconds: str) -> None:
    script = f"""
import asyncio
from suite.sandbox import Limits, Program, open_sandbox
async def main():
    sandbox = await open_sandbox(workers=1)
    print("ready", flush=True)
    code = "import os, time; os.setsid() if os.fork() == 0 else 0; time.sleep({seconds})"
    await sandbox.run(Program(("python3", "-c", code)), Limits(wall_s=60))
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        while _processes(seconds) < 3 and process.poll() is None:
            time.sleep(0.02)  # the script itself holds the text too
        process.send_signal(signal.SIGKILL)
    assert _gone(seconds)


async def test_mounts_are_read_only_and_elsewhere(sandbox: Sandbox, public_folder: Path) -> None:
    shown = public_folder / "shown"
    shown.mkdir(exist_ok=True)
    (shown / "a").write_text("content")
    shown.chmod(0o755)  # programs run as another user
    (shown / "a").chmod(0o644)
    code = "print(open('/data/x/a').read())\nopen('/data/x/b', 'w')"
    program = Program((*PYTHON, code), mounts=(Mount(str(shown), "/data/x"),))
    result = await sandbox.run(program)
    assert result.stdout == b"content\n"
    assert b"Read-only file system" in result.stderr


def test_bad_programs_and_limits_are_refused() -> None:
    for name in ("/etc/passwd", "../x", "a\0b"):
        with pytest.raises(ConfigError, match="scratch"):
            Program(("true",), {name: ""})
    with pytest.raises(ConfigError, match="argv"):
        Program(())
    with pytest.raises(ConfigError, match="wall_s"):
        Limits(wall_s=0)


def _processes(text: str) -> int:
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                count += text.encode() in (folder / "cmdline").read_bytes()
            except OSError:
                continue
    return count


async def _running(text: str, count: int) -> None:
    async with asyncio.timeout(60):
        while _processes(text) < count:
            await asyncio.sleep(0.02)


def _gone(text: str) -> bool:
    deadline = time.monotonic() + 60
    while _processes(text) and time.monotonic() < deadline:
        time.sleep(0.02)
    return _processes(text) == 0
