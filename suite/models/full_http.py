"""One keep-alive pool with TLS and proxies, by aiohttp, which is loaded only where a run needs it.

A connection that the endpoint closed while it was idle is repaired once; nothing else is retried here.
"""

from collections.abc import Mapping

import aiohttp
from yarl import URL

from suite.errors import CallFailed
from suite.models.descriptors import raise_ours
from suite.models.plain_http import Answer, too_large, unpacked


class FullPool:
    """Kept-alive connections to one server.

    root: URL that paths are appended to. proxy_env: honour HTTP_PROXY and the like. idle_s: how long an idle
    connection is trusted. most: bytes of a reply, compressed and not.
    """

    def __init__(
        self, root: str, headers: Mapping[str, str], idle_s: float, *, proxy_env: bool, most: int
    ) -> None:
        self._root = root
        self._headers = headers
        self._idle_s = idle_s
        self._proxy_env = proxy_env
        self._most = most
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._idle_s),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=20.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "gzip, deflate", **self._headers},
                auto_decompress=False,  # it would unpack a bomb before anybody can look
                trust_env=self._proxy_env,
            )
        return self._session

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def send(self, method: str, path: str, body: bytes | None) -> Answer:
        """One request. Raises CallFailed: connect, tls, url, reset, half-body, bad-http, too-large."""
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
