"""One keep-alive pool to one endpoint: bytes in, (status, headers, bytes) out.

Every failure of the connection is a CallFailed with a stable kind. Deadlines are kept by one sweep over
the open requests, since a timer a request costs more than the request's own bookkeeping. A connection
that the endpoint closed while it was idle is repaired once; nothing else is retried here. Without TLS
and proxy our own small client is used (`plain_http`), else aiohttp.
"""

import asyncio
from collections.abc import Mapping

import aiohttp
from yarl import URL

from suite.errors import CallFailed
from suite.models.descriptors import raise_ours
from suite.models.plain_http import REPLY_MIB, Answer, PlainPool, too_large, unpacked

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
        self._most = most_bytes
        self._root = root.rstrip("/")
        self._headers = dict(headers)
        self._deadlines = Deadlines(timeout_s)
        self._proxy_env = proxy_env
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}
        url = URL(self._root)
        self._plain: PlainPool | None = None
        if url.scheme == "http" and url.host and url.port and not proxy_env:
            self._plain = PlainPool(url.host, url.port, self._headers, _IDLE_S, most_bytes)
        self._prefix = url.raw_path.rstrip("/")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=20.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "gzip, deflate", **self._headers},
                auto_decompress=False,  # it would unpack a bomb before anybody can look
                trust_env=self._proxy_env,
            )
        return self._session

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        self._deadlines.close()
        if self._plain is not None:
            await self._plain.close()
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

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
            if self._plain is not None:
                return await self._plain.send(method, self._prefix + path, body)
            return await self._repaired(method, path, body)
        except asyncio.CancelledError:
            if watch.expired and watch.task.uncancel() <= watch.before:
                raise CallFailed(
                    "timeout", f"no full reply within {self._deadlines.timeout_s:g} s", retryable=True
                ) from None
            raise
        finally:
            self._deadlines.leave(watch)

    async def _repaired(self, method: str, path: str, body: bytes | None) -> Answer:
        again = True
        while True:
            try:
                return await self._sent(method, path, body)
            except aiohttp.ClientError as error:
                if not (again and _stale(error)):
                    raise connection_failure(error) from error
            except OSError as error:  # TimeoutError of the connect among them
                raise_ours(error)
                raise CallFailed("connect", _said(error), retryable=True) from error
            again = False

    async def _sent(self, method: str, path: str, body: bytes | None) -> Answer:
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = URL(self._root + path)
        headers = {"Content-Type": "application/json"} if body is not None else None
        async with self._open().request(
            method, url, data=body, headers=headers, allow_redirects=False
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            got = bytearray()
            async for part in response.content.iter_any():
                got += part
                if len(got) > self._most:
                    response.close()
                    raise too_large(self._most)
            return unpacked(Answer(response.status, headers, bytes(got)), self._most)


def connection_failure(error: aiohttp.ClientError) -> CallFailed:
    """A connection's failure as a call's failure. Raises EngineError for a lack of open files."""
    raise_ours(error)
    if isinstance(error, aiohttp.ClientSSLError):
        return CallFailed("tls", _said(error), retryable=False)
    if isinstance(error, aiohttp.InvalidURL):
        return CallFailed("url", _said(error), retryable=False)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError):
        return CallFailed("connect", _said(error), retryable=True)
    if isinstance(error, aiohttp.ClientPayloadError):
        return CallFailed("half-body", "the reply ended before it was whole", retryable=True)
    if isinstance(error, aiohttp.ClientResponseError):
        return CallFailed("bad-http", _said(error), retryable=True)
    return CallFailed("reset", _said(error), retryable=True)


def _stale(error: aiohttp.ClientError) -> bool:
    """Whether an idle connection may have been closed by the other side: once more, on a new one."""
    lost = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return lost and not isinstance(error, aiohttp.ClientConnectorError)


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
