"""HTTP/1.1 without TLS on asyncio protocols: what local servers need, at a quarter of a full client's cost.

One request at a time on a connection, kept alive; bodies by length, in chunks or until the end of the
connection, never more bytes than a limit. No redirects, no cookies, no proxies, no compression: it is not
asked for, and undone (`unpacked`) where it comes all the same.
"""

import asyncio
import time
import zlib
from typing import NamedTuple

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
    """One connection. most: bytes of a body."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.idle_since = 0.0
        self.open = True
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._reset()

    def _reset(self) -> None:
        self._buffer = bytearray()
        self._status = 0  # 0 until the head is read
        self._headers: dict[str, str] = {}
        self._length: int | None = None  # None: in chunks or until the end
        self._chunked = False
        self._body = bytearray()
        self._seen = False
        self._keep = True

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
        waiter = self._waiter
        if waiter is None or waiter.done():
            self.close()  # nobody asked
            return
        self._seen = True
        self._buffer += data
        try:
            answer = self._take()
        except (ValueError, IndexError) as error:
            self._keep = False
            waiter.set_exception(CallFailed("bad-http", f"not an HTTP answer: {error}", retryable=True))
            return
        except CallFailed as error:
            waiter.set_exception(error)
            self.close()
            return
        if answer is not None:
            self._keep = self._keep and not self._buffer
            waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio calls this."""
        self.open = False
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if exc is None and self._status and self._length is None and not self._chunked:
            waiter.set_result(Answer(self._status, self._headers, bytes(self._buffer)))
        else:
            waiter.set_exception(Lost(not self._seen, exc))

    def _take(self) -> Answer | None:
        """The answer, if it is whole. Raises ValueError if it is not HTTP."""
        buffer = self._buffer
        while not self._status:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(buffer) > _MOST_HEAD:
                    raise ValueError("its head does not end")
                return None
            self._read_head(bytes(buffer[:end]))
            del buffer[: end + 4]
            if 100 <= self._status < 200:
                self._status = 0
        if self._chunked:
            return self._take_chunks()
        if len(buffer) > self._most:
            raise too_large(self._most)
        if self._length is None or len(buffer) < self._length:
            return None
        body = bytes(buffer[: self._length])
        del buffer[: self._length]
        return Answer(self._status, self._headers, body)

    def _read_head(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        version, status = lines[0].split(" ", 2)[:2]
        if not version.startswith("HTTP/1."):
            raise ValueError(repr(lines[0][:40]))
        self._headers = headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self._status = int(status)
        connection = headers.get("connection", "").lower()
        self._keep = "close" not in connection and (version == "HTTP/1.1" or "keep-alive" in connection)
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length")
        self._length = 0 if self._status in (204, 304) else (int(length) if length is not None else None)
        if self._length is not None and self._length < 0:
            raise ValueError(f"a body of {self._length} bytes")
        if self._length is not None and self._length > self._most:
            raise too_large(self._most)
        if self._length is None and not self._chunked:
            self._keep = False  # until the end of the connection

    def _take_chunks(self) -> Answer | None:
        buffer = self._buffer
        while True:
            end = buffer.find(b"\r\n", 0, _MOST_HEAD)
            if end < 0:
                if len(buffer) >= _MOST_HEAD:
                    raise ValueError("the head of a chunk does not end")
                return None
            size = int(bytes(buffer[:end]).partition(b";")[0], 16)
            if size < 0:
                raise ValueError(f"a chunk of {size} bytes")
            if len(self._body) + size > self._most:
                raise too_large(self._most)
            if size == 0:
                trailer = buffer.find(b"\r\n\r\n", end, end + _MOST_HEAD)
                if trailer < 0:
                    if len(buffer) >= end + _MOST_HEAD:
                        raise ValueError("the trailer does not end")
                    return None
                del buffer[: trailer + 4]
                return Answer(self._status, self._headers, bytes(self._body))
            if len(buffer) < end + size + 4:
                return None
            self._body += memoryview(buffer)[end + 2 : end + 2 + size]
            del buffer[: end + size + 4]


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
