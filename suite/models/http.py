"""One keep-alive pool to one endpoint: bytes in, (status, headers, bytes) out.

Every failure of the connection is a CallFailed with a stable kind. Deadlines are kept by one sweep over
the open requests, since a timer a request costs more than the request's own bookkeeping. Without TLS
and proxy our own small client is used (`plain_http`), else aiohttp (`full_http`).
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from suite.errors import CallFailed
from suite.models.plain_http import REPLY_MIB, Answer, PlainPool

if TYPE_CHECKING:
    from suite.models.full_http import FullPool

_IDLE_S = 4.0  # below the 5 s after which uvicorn, hence vLLM, closes an idle connection


class _Watch:
    """One open request: its task, its deadline on the loop's clock, and whether it ran out."""

    __slots__ = ("before", "deadline", "expired", "task")

    def __init__(self, task: asyncio.Task[object], deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.before = task.cancelling()
        self.expired = False


class Deadlines:
    """Cancels requests that are open for longer than `timeout_s`, to within an eighth of it or a second."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._open: dict[_Watch, None] = {}  # by deadline, since all have the same timeout
        self._timer: asyncio.TimerHandle | None = None

    def enter(self) -> _Watch:
        """Watch the current task."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request needs a task")
        watch = _Watch(task, loop.time() + self.timeout_s)
        self._open[watch] = None
        if self._timer is None:
            self._timer = loop.call_later(min(1.0, self.timeout_s / 8), self._sweep)
        return watch

    def leave(self, watch: _Watch) -> None:
        """Watch no longer."""
        del self._open[watch]

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watch in self._open:
            if watch.deadline > now:
                break
            if not watch.expired:
                watch.expired = True
                watch.task.cancel()
        again = min(1.0, self.timeout_s / 8)
        self._timer = loop.call_later(again, self._sweep) if self._open else None

    def close(self) -> None:
        """Stop sweeping."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HttpClient:
    """A pool of keep-alive connections to one server.

    root: URL that paths are appended to. proxy_env: honour HTTP_PROXY and the like.
    most_bytes: of a reply, whatever its framing, compressed and not.
    """

    def __init__(
        self,
        root: str,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        proxy_env: bool = False,
        most_bytes: int = int(REPLY_MIB * 2**20),
    ) -> None:
        self._deadlines = Deadlines(timeout_s)
        self._pool, self._prefix = _pool(root.rstrip("/"), headers, proxy_env, most_bytes)

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        self._deadlines.close()
        await self._pool.close()

    async def post(self, path: str, body: bytes) -> Answer:
        """Post a JSON body. Raises CallFailed: connect, tls, timeout, reset, half-body, bad-http,
        too-large.
        """
        return await self._guarded("POST", path, body)

    async def get(self, path: str) -> Answer:
        """Get a small document. Raises CallFailed."""
        return await self._guarded("GET", path, None)

    async def _guarded(self, method: str, path: str, body: bytes | None) -> Answer:
        watch = self._deadlines.enter()
        try:
            return await self._pool.send(method, self._prefix + path, body)
        except asyncio.CancelledError:
            if watch.expired and watch.task.uncancel() <= watch.before:
                raise CallFailed(
                    "timeout", f"no full reply within {self._deadlines.timeout_s:g} s", retryable=True
                ) from None
            raise
        finally:
            self._deadlines.leave(watch)


def _pool(
    root: str, headers: Mapping[str, str], proxy_env: bool, most: int
) -> "tuple[PlainPool | FullPool, str]":
    """The pool for a server, and what it wants before each path. A plain server's run loads no aiohttp."""
    url = urlsplit(root)
    if url.scheme == "http" and url.hostname and root.isascii() and not proxy_env:
        prefix = quote(url.path, safe="/%:@!$&'()*+,;=~")
        return PlainPool(url.hostname, url.port or 80, dict(headers), _IDLE_S, most), prefix
    from suite.models.full_http import FullPool

    return FullPool(root, headers, _IDLE_S, proxy_env=proxy_env, most=most), ""
