"""A small process between a run and a server it started: the server never outlives the run.

It stops the server's whole process tree when its standard input closes (the run ended, crashed or was
killed), when its parent is gone, or when it is told to. It writes the server's output to a log, scrubbed
of secrets. Standard library only, one thread; Linux makes it complete (subreaper, death signal).
"""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import BinaryIO

from suite.files import open_append
from suite.secrets import Scrubber, environment

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.5
_LONGEST_LINE = 65536


def python_command(module: str) -> list[str]:
    """The command that runs `main` of one of our modules, wherever the package was imported from."""
    root = str(Path(__file__).resolve().parents[2])
    code = f"from {module} import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"]


def supervised(log: Path, grace_s: float, command: list[str]) -> list[str]:
    """The command that supervises another one for this process."""
    ours = [str(os.getpid()), str(log), str(grace_s)]
    return [*python_command("suite.models.supervisor"), *ours, *command]


def main(arguments: list[str]) -> int:
    """PARENT LOG GRACE COMMAND...: run the command until it ends or nobody needs it any more."""
    parent, log, grace_s, *command = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with os.fdopen(open_append(Path(log)), "ab", buffering=0) as out:
        try:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(_prctl, _PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - one thread
            )  # fmt: skip
        except OSError as error:
            out.write(f"cannot start {command[0]}: {error.strerror}\n".encode())
            return 127
        try:
            _watch(child, int(parent), out)
        except KeyboardInterrupt:
            pass
        finally:
            _stop_tree(child, float(grace_s))
    return child.returncode if child.returncode is not None and child.returncode >= 0 else 1


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere a no-op."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _watch(child: "subprocess.Popen[bytes]", parent: int, out: BinaryIO) -> None:
    """Copy the child's output until it ends, standard input closes or the parent is gone."""
    assert child.stdout is not None
    scrub = Scrubber(value for _, value in environment())
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while child.poll() is None and os.getppid() == parent:
            for key, _ in selector.select(_POLL_S):
                data = os.read(key.fd, 65536)
                if key.fileobj is sys.stdin:
                    if not data:
                        return
                elif not data:
                    selector.unregister(child.stdout)
                else:
                    rest = _write_lines(out, rest + data, scrub)
    os.set_blocking(child.stdout.fileno(), False)  # writers that live on are not waited for
    with contextlib.suppress(BlockingIOError):
        while data := os.read(child.stdout.fileno(), 65536):
            rest += data
    _write_lines(out, rest + b"\n" * bool(rest), scrub)


def _write_lines(out: BinaryIO, data: bytes, scrub: Scrubber) -> bytes:
    """Write whole lines, scrubbed; return the rest. A line longer than a pipe holds is written in parts."""
    whole, newline, rest = data.rpartition(b"\n")
    if not newline and len(rest) > _LONGEST_LINE:
        whole, rest = rest, b""
    if whole:
        with contextlib.suppress(OSError):  # a full disk must not stop the server
            out.write(scrub(whole.decode("utf-8", "replace")).encode() + b"\n")
    return rest


def descendants(root: int) -> list[int]:
    """Process ids below one, from /proc; [] where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat") if Path("/proc").is_dir() else ():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = entry.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, waiting = [], [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.append(child)
            waiting.append(child)
    return found


def _stop_tree(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Ask the server to end, then make its whole tree end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    for _ in range(20):  # a killed parent may leave children behind: they come to us, the subreaper
        _signal_group(child.pid, signal.SIGKILL)
        left = descendants(os.getpid())
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        child.poll()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not descendants(os.getpid()):
            break
        time.sleep(0.05)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
