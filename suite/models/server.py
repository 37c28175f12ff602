"""A server that belongs to the run: started on loopback, watched, stopped with the run.

Ready when its health route says so; until then what it does is shown. If it dies, the error carries
the end of its log. The supervisor process sees to it that it never outlives us.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from suite.errors import CallFailed, EngineError
from suite.files import own_folder, write_whole
from suite.models.engine import Say
from suite.models.http import HttpClient
from suite.models.supervisor import supervised

_TAIL_LINES = 25
_NOT_FOR_SERVERS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_TAKEN = ("address already in use", "errno 98", "couldn't bind")


class ServerDied(EngineError):
    """A server of ours is gone or useless; the message ends with the end of its log."""


@dataclass(frozen=True)
class Launch:
    """How a server is started.

    command: from (port). env: added to ours; `key_variable` names the one that gets a random key.
    log: None: one that goes with the server. timeout_s: until it must be healthy. grace_s: between asking it
    to end and killing it.
    """

    name: str
    command: Callable[[int], list[str]]
    log: Path | None
    env: Mapping[str, str] = field(default_factory=dict)
    key_variable: str = "SUITE_SERVER_KEY"
    timeout_s: float = 1800.0
    grace_s: float = 15.0
    say_every_s: float = 5.0


class ManagedServer:
    """One running server."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._scratch = tempfile.TemporaryDirectory(prefix="suite-server-") if launch.log is None else None
        self.log = launch.log or Path(self._scratch.name if self._scratch else "", "server.log")
        self._process: asyncio.subprocess.Process | None = None
        self.key = secrets.token_urlsafe(24)  # other users of the machine cannot ask our server
        self.url = ""

    async def start(self, say: Say) -> None:
        """Start and wait until healthy. Raises EngineError with the end of the log."""
        for last in (False, False, True):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = int(probe.getsockname()[1])
            await self._spawn(port)
            try:
                await self._wait_healthy(port, say)
            except BaseException as error:
                await self.stop()
                taken = isinstance(error, EngineError) and any(mark in str(error).lower() for mark in _TAKEN)
                if taken and not last:
                    continue  # somebody took the port between our look and its start
                raise
            self.url = f"http://127.0.0.1:{port}"
            return

    async def _spawn(self, port: int) -> None:
        launch = self._launch
        self.log.parent.parent.mkdir(parents=True, exist_ok=True)
        own_folder(self.log.parent)
        write_whole(self.log, [])
        ours = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_SERVERS}
        self._process = await asyncio.create_subprocess_exec(
            *supervised(self.log, launch.grace_s, launch.command(port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**ours, **launch.env, launch.key_variable: self.key},
            start_new_session=True,  # a Ctrl-C in the terminal is for the run, which drains first
        )

    async def _wait_healthy(self, port: int, say: Say) -> None:
        launch = self._launch
        http = HttpClient(f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {self.key}"}, timeout_s=5.0)
        started = shown = time.monotonic()
        say(f"{launch.name}: starting")
        try:
            while True:
                if not self.alive:
                    raise self.dead("did not start")
                with contextlib.suppress(CallFailed):
                    if (await http.get("/health")).status == 200:
                        break
                now = time.monotonic()
                if now - started > launch.timeout_s:
                    raise self.dead(f"was not ready after {launch.timeout_s:g} s")
                if now - shown >= launch.say_every_s:
                    shown = now
                    last = next(filter(None, (one.strip() for one in self.tail()[::-1])), "no output yet")
                    say(f"{launch.name}: starting, {now - started:.0f} s: {last[:100]}")
                await asyncio.sleep(0.1 if now - started < 5 else 0.5)
        finally:
            await http.close()
        say(f"{launch.name}: ready after {time.monotonic() - started:.0f} s")

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def dead(self, what: str) -> ServerDied:
        """The error of a server that is gone or useless, with the end of its log."""
        tail = "\n  ".join(self.tail()) or "(it wrote nothing)"
        return ServerDied.of("models.server.dead", name=self._launch.name, what=what, log=self.log, tail=tail)

    async def explain(self, failed: CallFailed) -> None:
        """Raises ServerDied if a call failed since the server died."""
        if failed.kind not in ("connect", "reset", "half-body") or self._process is None:
            return
        with contextlib.suppress(TimeoutError):  # connections break before the supervisor has ended
            await asyncio.wait_for(self._process.wait(), 2.0)
            raise self.dead("died") from failed

    def tail(self) -> list[str]:
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            return file.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        return []

    async def stop(self) -> None:
        """End the server and everything it started. Safe to call twice."""
        process, self._process = self._process, None
        if self._scratch is not None:
            self._scratch.cleanup()
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()  # the supervisor takes this as the end
        try:
            await asyncio.wait_for(process.wait(), self._launch.grace_s + 10)
        except TimeoutError:
            process.kill()
            await process.wait()
