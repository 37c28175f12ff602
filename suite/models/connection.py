"""One connection of HTTP/1.1 on asyncio protocols, at a quarter of a full client's cost.

`httptools` reads the answers. One request at a time, kept alive; bodies by length, in chunks or until the end
of the connection, never more bytes than a limit, never later than a deadline. Compression is undone.
"""

import asyncio
import zlib
from functools import lru_cache
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from suite.errors import CallFailed

REPLY_MIB = 32.0  # far more than any model writes
_MOST_HEAD = 65_536


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
    """An answer with its body decompressed, of at most that many bytes. Raises CallFailed."""
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
    why = f"a reply of more than {most / 2**20:g} MiB (-o reply_mib=…)"
    return CallFailed("too-large", why, retryable=False)


def timed_out(timeout_s: float) -> CallFailed:
    """The failure of a call whose time is up."""
    return CallFailed("timeout", f"no full reply within {timeout_s:g} s", retryable=True)


@lru_cache(maxsize=256)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


class Connection(asyncio.Protocol):
    """One connection, and what its parser calls (`on_…`). most: bytes of a body. timeout_s: of a request."""

    def __init__(self, most: int, timeout_s: float) -> None:
        self._most = most
        self._timeout_s = timeout_s
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None  # one for many requests: it is cheaper than one each
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
        return self.open and self._keep

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def ask(self, data: bytes, deadline: float) -> "asyncio.Future[Answer]":
        """Send one request: its answer, or Lost, or CallFailed: timeout, bad-http, too-large. Raises Lost.

        Whoever waited for it calls `answered`. deadline: on the loop's clock.
        """
        if self._transport is None or not self.open:
            raise Lost(True, None)
        self._reset()
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        self._deadline = deadline
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._ring)
        self._transport.write(data)
        return waiter

    def answered(self, whole: bool) -> None:
        """Nobody waits any more. whole: an answer came; else it is still on its way."""
        self._waiter = None
        self._keep = self._keep and whole

    def _ring(self) -> None:
        """The deadline of the request that set the timer; the one that is open now may have another."""
        self._timer = None
        loop = asyncio.get_running_loop()
        if self._waiter is not None and loop.time() < self._deadline:
            self._timer = loop.call_at(self._deadline, self._ring)
        else:
            self._fail(timed_out(self._timeout_s))

    def close(self) -> None:
        self._end()
        if self._transport is not None:
            self._transport.abort()

    def _end(self) -> None:
        self.open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
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
        self._end()
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        if exc is None and self._status and not framed:
            self._settle(None)
        else:
            self._settle(Lost(not self._seen, exc))

    def on_message_begin(self) -> None:
        """Also after a 1xx, and where more comes than was asked for."""
        self._status, self._headers = 0, {}
        if self._waiter is None or self._waiter.done():
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """What a trailer says counts for nothing."""
        if not self._status:
            self._headers[_lower(name)] = value.decode("latin-1").strip()

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
        if self._status >= 200:
            self._settle(None)

    def _fail(self, error: CallFailed) -> None:
        """Nothing more is read of this connection."""
        self._keep = False
        if self._settle(error):
            self.close()

    def _settle(self, error: Exception | None) -> bool:
        """Give whoever waits the answer, or the error. Returns whether anybody did."""
        if self._waiter is None or self._waiter.done():
            return False
        if error is None:
            self._waiter.set_result(Answer(self._status, self._headers, bytes(self._body)))
        else:
            self._waiter.set_exception(error)
        return True


def _no_http(why: str) -> CallFailed:
    return CallFailed("bad-http", f"not an HTTP answer: {why}", retryable=True)
