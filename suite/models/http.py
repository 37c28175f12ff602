"""One keep-alive pool to one endpoint: bytes in, (status, headers, bytes) out.

Every failure of the connection is a CallFailed with a stable kind. A kept connection that the endpoint closed
while it was idle is replaced once; nothing else is retried here. No redirects, no cookies.
"""

import asyncio
import base64
import ssl
import time
from collections.abc import Coroutine, Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit

from suite.errors import CallFailed, ConfigError
from suite.models.connection import REPLY_MIB, Answer, Connection, Lost, timed_out, unpacked
from suite.models.descriptors import raise_ours

_IDLE_S = 4.0  # below the 5 s after which uvicorn, hence vLLM, closes an idle connection
_CONNECT_S = 20.0
_PORTS = {"http": 80, "https": 443}
_FAR = {"Accept-Encoding": "gzip, deflate", "User-Agent": "suite-eval"}  # what a hosted service may want


class HttpClient:
    """A pool of keep-alive connections to one server.

    root: URL that paths are appended to. timeout_s: of a request, connecting included. proxy_env: honour
    HTTP_PROXY and the like. most_bytes: of a reply, whatever its framing, compressed and not.
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
        url = urlsplit(root.rstrip("/"))
        self._host = _ascii(url.hostname or "")
        self._port = url.port or _PORTS[url.scheme]
        self._timeout_s = timeout_s
        self._most = most_bytes
        self._secure = url.scheme == "https"
        self._tls: ssl.SSLContext | None = None  # made when it is needed: that takes a while
        self._proxy = _proxy(url.scheme, self._host) if proxy_env else None
        name = f"[{self._host}]" if ":" in self._host else self._host
        self._place = f"{name}:{self._port}"
        usual = {"Host": self._place, "Accept": "application/json", **(_FAR if self._secure else {})}
        lines = {**usual, **headers}
        self._prefix = quote(url.path, safe="/%:@!$&'()*+,;=~")
        if self._proxy is not None and not self._secure:
            self._prefix = f"http://{self._place}{self._prefix}"
            lines |= _authorization(self._proxy)
        self._head = _lines(lines)
        self.once = False  # never send a request again: what was sent may be billed
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    def post(self, path: str, body: bytes) -> Coroutine[None, None, Answer]:
        """Post JSON. Raises CallFailed: connect, tls, timeout, reset, half-body, bad-http, too-large."""
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return self._send(f"POST {self._prefix}{path} HTTP/1.1\r\n".encode() + self._head + length + body)

    def get(self, path: str) -> Coroutine[None, None, Answer]:
        """Get a small document. Raises CallFailed."""
        return self._send(f"GET {self._prefix}{path} HTTP/1.1\r\n".encode() + self._head + b"\r\n")

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # lets the transports close their sockets

    async def _send(self, data: bytes) -> Answer:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        kept = self._kept()
        while True:
            try:
                return await self._asked(kept or await self._connect(deadline), data, deadline)
            except Lost as lost:
                if not lost.silent:
                    why = "the reply ended before it was whole"
                    raise CallFailed("half-body", why, retryable=True) from lost
                if kept is None or self.once:
                    raise CallFailed("reset", str(lost), retryable=True) from lost
            kept = None

    async def _asked(self, connection: Connection, data: bytes, deadline: float) -> Answer:
        self._busy.add(connection)
        whole = False
        try:
            answer = await connection.ask(data, deadline)
            whole = True
        finally:
            connection.answered(whole)
            self._busy.discard(connection)
            if connection.reusable:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
            else:
                connection.close()
        return unpacked(answer, self._most) if "content-encoding" in answer.headers else answer

    def _kept(self) -> Connection | None:
        oldest = time.monotonic() - _IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, deadline: float) -> Connection:
        connection = Connection(self._most, self._timeout_s)
        try:
            async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + _CONNECT_S)):
                await self._opened(connection)
        except OSError as error:  # TimeoutError among them
            raise_ours(error)
            if isinstance(error, TimeoutError) and asyncio.get_running_loop().time() >= deadline:
                raise timed_out(self._timeout_s) from error
            secure = isinstance(error, ssl.SSLError)
            why = str(error) if secure else error.strerror or str(error) or type(error).__name__
            kind = "tls" if secure else "connect"
            raise CallFailed(kind, f"{self._host}:{self._port}: {why}", retryable=not secure) from error
        return connection

    async def _opened(self, connection: Connection) -> None:
        """Connect: straight, by a proxy, or by a proxy's tunnel where the server wants TLS."""
        loop = asyncio.get_running_loop()
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        if self._proxy is None:
            delay = 0.25 if self._secure else None  # of RFC 8305, between a hosted service's addresses
            await loop.create_connection(
                lambda: connection, self._host, self._port, ssl=self._tls, happy_eyeballs_delay=delay
            )
            return
        proxy = (self._proxy.hostname or "", self._proxy.port or 80)
        if self._tls is None:
            await loop.create_connection(lambda: connection, *proxy)
            return
        reader = asyncio.StreamReader()
        transport, _ = await loop.create_connection(lambda: asyncio.StreamReaderProtocol(reader), *proxy)
        try:
            lines = _lines({"Host": self._place, **_authorization(self._proxy)})
            transport.write(f"CONNECT {self._place} HTTP/1.1\r\n".encode() + lines + b"\r\n")
            said = await reader.readuntil(b"\r\n\r\n")
            if said.split(b" ", 2)[1:2] != [b"200"]:
                raise ConnectionError(f"the proxy said {said.splitlines()[0][:80].decode('latin-1')!r}")
            made = await loop.start_tls(transport, connection, self._tls, server_hostname=self._host)
        except BaseException as error:
            transport.abort()
            if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError):
                raise ConnectionError("the proxy does not answer in HTTP") from error
            raise
        if made is not None:
            connection.connection_made(made)


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ConfigError(f"{host!r} cannot be the name of a host: {error}") from error


def _lines(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


def _proxy(scheme: str, host: str) -> SplitResult | None:
    """The proxy that the environment names for a server. Raises ConfigError for one of another kind."""
    from urllib.request import getproxies, proxy_bypass  # few runs need it

    told = "" if proxy_bypass(host) else getproxies().get(scheme, "")
    if not told:
        return None
    name, fix = f"{scheme.upper()}_PROXY", "name a proxy as http://HOST:PORT, or the server in NO_PROXY"
    try:
        found = urlsplit(told if "://" in told else f"http://{told}")
        whole = bool(found.hostname) and found.port != 0
    except ValueError:
        raise ConfigError(f"{name} is no URL of a proxy", fix=fix) from None
    if found.scheme == "http" and whole:
        return found
    kind = f"a proxy of the kind {found.scheme!r}, which is not spoken to"
    raise ConfigError(f"{name} names {'no host' if found.scheme == 'http' else kind}", fix=fix)


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
