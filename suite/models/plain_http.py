"""HTTP/1.1 without TLS on asyncio protocols: what local servers need, at a quarter of a full client's cost.

`httptools` reads the answers. One request at a time on a connection, kept alive; bodies by length, in chunks
or until the end of the connection, never more bytes than a limit. No redirects, no cookies, no proxies, no
compression: it is not asked for, and undone (`unpacked`) where it comes all the same.
"""

import asyncio
import time
import zlib
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from suite.errors import CallFailed
from suite.models.descriptors import raise_ours

REPLY_MIB = 32.0  # far more than any model writes
_MOST_HEAD = 65_536
_CONNECT_S = 20.0


class Answer(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Lost(Exception):
    """The connection ended. `silent`: before any byte of an answer."""

    def __init__(self, silent: bool, cause: BaseException | None) -> None:
        super().__init__(str(cause or "the endpoint closed the connection"))
        self.silent = silent


_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}  # zlib's names; bare deflate is common, too


def unpacked(answer: Answer, most: int) -> Answer:
    """An answer whose body is as its Content-Encoding means it, of at most so many bytes.

    Raises CallFailed: too-large, bad-http (an encoding that was not asked for, or a broken one).
    """
    body = answer.body
    names = [one.strip().lower() for one in answer.headers.get("content-encoding", "").split(",")]
    for name in reversed([one for one in names if one not in ("", "identity")][:2]):
        if name not in _WINDOWS:
            raise CallFailed("bad-http", f"a body encoded as {name[:20]!r}", retryable=True)
        body = _inflated(body, _WINDOWS[name], most)
    if len(body) > most:
        raise too_large(most)
    return answer._replace(body=body)


def _inflated(body: bytes, windows: tuple[int, ...], most: int) -> bytes:
    for window in windows:
        found = bytearray()
        rest = body
        try:
            while rest:  # a gzip body may have several members
                part = zlib.decompressobj(window)
                found += part.decompress(rest, most + 1 - len(found))
                if len(found) > most:
                    raise too_large(most)
                if not part.eof:
                    raise zlib.error("it ends too early")
                rest = part.unused_data
            return bytes(found)
        except zlib.error as error:
            failed = error
    raise CallFailed("bad-http", f"a compressed body that is broken: {failed}", retryable=True)


def too_large(most: int) -> CallFailed:
    """The failure of a call whose reply is beyond the limit; the same request would bring it again."""
    return CallFailed(
        "too-large", f"a reply of more than {most / 2**20:g} MiB (-o reply_mib=…)", retryable=False
    )


class Connection(asyncio.Protocol):
    """One connection, and what its parser calls (`on_…`). most: bytes of a body."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.idle_since = 0.0
        self.open = True
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)  # some servers pad it
        self._keep = True
        self._reset()

    def _reset(self) -> None:
        self._status = 0  # 0 until the head is read
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._bare = 0  # bytes since the last one of a body: heads, framing, trailers
        self._seen = False

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent."""
        return self.open and self._keep and self._waiter is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio calls this."""
        self._transport = transport  # type: ignore[assignment]

    async def ask(self, data: bytes) -> Answer:
        """Send one request and wait for its answer. Raises Lost, or CallFailed: bad-http, too-large."""
        if self._transport is None or not self.open:
            raise Lost(True, None)
        self._reset()
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        whole = False
        try:
            answer: Answer = await waiter
            whole = True
            return answer
        finally:
            self._waiter = None
            self._keep = self._keep and whole  # else an answer is still on its way

    def close(self) -> None:
        """End it now."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """asyncio calls this."""
        if self._waiter is None or self._waiter.done():
            self.close()  # nobody asked
            return
        self._seen = True
        self._bare += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(_no_http(str(error)))
        if self._bare > _MOST_HEAD:
            self._fail(_no_http("its head, a chunk's head or its trailer does not end"))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio calls this."""
        self.open = False
        if self._waiter is None or self._waiter.done():
            return
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        if exc is None and self._status and not framed:
            self._waiter.set_result(Answer(self._status, self._headers, bytes(self._body)))
        else:
            self._waiter.set_exception(Lost(not self._seen, exc))

    def on_message_begin(self) -> None:
        """Also after a 1xx, and where more comes than was asked for."""
        self._status, self._headers = 0, {}
        if self._waiter is None or self._waiter.done():
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """What a trailer says counts for nothing."""
        if not self._status:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """Refuses a length beyond the limit before any of it comes."""
        self._status = self._parser.get_status_code()
        self._keep = self._keep and self._parser.should_keep_alive()
        if int(self._headers.get("content-length") or 0) > self._most:
            self._fail(too_large(self._most))

    def on_body(self, part: bytes) -> None:
        """Bytes of the body, out of their chunks."""
        self._bare = 0
        if len(self._body) + len(part) > self._most:
            self._fail(too_large(self._most))
        else:
            self._body += part

    def on_message_complete(self) -> None:
        """The answer, unless it only says that one comes (1xx)."""
        if self._status >= 200 and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(Answer(self._status, self._headers, bytes(self._body)))

    def _fail(self, error: CallFailed) -> None:
        """Nothing more is read of this connection."""
        self._keep = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
            self.close()


def _no_http(why: str) -> CallFailed:
    return CallFailed("bad-http", f"not an HTTP answer: {why}", retryable=True)


class PlainPool:
    """Kept-alive connections to one host.

    idle_s: how long an idle one is trusted. most: bytes of a reply, after decompression.
    """

    def __init__(
        self, host: str, port: int, headers: dict[str, str], idle_s: float, most: int = int(REPLY_MIB * 2**20)
    ) -> None:
        self._most = most
        self._host = host
        self._port = port
        self._idle_s = idle_s
        name = f"[{host}]" if ":" in host else host
        lines = {"Host": f"{name}:{port}", "Accept": "application/json", **headers}
        self._head = "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode("latin-1")
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    async def send(self, method: str, path: str, body: bytes | None) -> Answer:
        """One request. A kept connection that the other side had closed is replaced once.

        Raises CallFailed: connect, reset, half-body, bad-http, too-large.
        """
        first = f"{method} {path} HTTP/1.1\r\n".encode("ascii")
        data = first + self._head
        if body is not None:
            data += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        else:
            data += b"\r\n"
        kept = self._kept()
        try:
            return await self._asked(kept or await self._connect(), data)
        except Lost as lost:
            if kept is None or not lost.silent:
                raise _failure(lost) from lost
        try:
            return await self._asked(await self._connect(), data)
        except Lost as lost:
            raise _failure(lost) from lost

    async def _asked(self, connection: Connection, data: bytes) -> Answer:
        self._busy.add(connection)
        try:
            answer = await connection.ask(data)
        finally:
            self._busy.discard(connection)
            if connection.reusable:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
            else:
                connection.close()
        return unpacked(answer, self._most) if "content-encoding" in answer.headers else answer

    def _kept(self) -> Connection | None:
        oldest = time.monotonic() - self._idle_s
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(_CONNECT_S):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(
                    lambda: Connection(self._most), self._host, self._port
                )
        except OSError as error:  # TimeoutError among them
            raise_ours(error)
            why = error.strerror or str(error) or type(error).__name__
            raise CallFailed("connect", f"{self._host}:{self._port}: {why}", retryable=True) from error
        return connection

    async def close(self) -> None:
        """Close all connections."""
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # lets the transports close their sockets


def _failure(lost: Lost) -> CallFailed:
    if lost.silent:
        return CallFailed("reset", str(lost), retryable=True)
    return CallFailed("half-body", "the reply ended before it was whole", retryable=True)
