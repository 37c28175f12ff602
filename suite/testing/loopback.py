"""A server on loopback that answers over HTTP/1.1 as it is told to: whole, in chunks, cut off, never."""

import re
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread, current_thread
from typing import NamedTuple, Self

import msgspec

from suite.chat import Json


class WireRequest(NamedTuple):
    """What a provider sent. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class WireReply(NamedTuple):
    """What is sent back. fault: `dropped` before a byte, `half` of the body comes, or that as if it were all
    (`cut`), or nothing does (`silent`)."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    fault: str = ""

    @classmethod
    def of(cls, value: Json, status: int = 200) -> Self:
        """A JSON value."""
        return cls(status, msgspec.json.encode(value), {"content-type": "application/json"})

    @classmethod
    def events(cls, datas: Iterable[Json]) -> Self:
        """Server-sent events of JSON values, or texts as they are; one with `type` first is named."""
        texts = [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in datas]
        lines = [re.sub(r'^(?:{"type":"(\w+)")?', r"event: \1\ndata: \g<0>", one) for one in texts]
        body = "".join(f"{one}\n\n".removeprefix("event: \n") for one in lines)
        return cls(200, body.encode(), {"content-type": "text/event-stream"})

    def sent(self) -> bytes:
        """The bytes on the wire: events in chunks of 23 bytes, all else by its length."""
        body = self.body[: len(self.body) // 2] if self.fault else self.body
        framed = {"content-length": str(len(self.body if self.fault == "half" else body))}
        if self.headers.get("content-type") == "text/event-stream":
            framed = {"transfer-encoding": "chunked"}
            pieces = [body[at : at + 23] for at in range(0, len(body), 23)] + [b""] * (self.fault != "half")
            body = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces)
        lines = [f"HTTP/1.1 {self.status} Told", *map(": ".join, {**framed, **self.headers}.items())]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1") + body


class LoopbackServer(ThreadingHTTPServer):
    """Listens while `with` lasts. answer: makes the reply to a request."""

    daemon_threads = True

    def __init__(self, answer: Callable[[WireRequest], WireReply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.url = answer, f"http://127.0.0.1:{self.server_port}"
        self.requests: list[WireRequest] = []
        self.waits, self.left = Event(), Event()  # somebody waits for what never comes; and hung up
        self.connections: set[Thread] = set()  # each runs while its client is connected

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def do_POST(self) -> None:  # noqa: N802  the library's name
        self.server.connections.add(current_thread())
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(request := WireRequest(self.command, self.path, headers, body))
        reply = self.server.answer(request)
        self.close_connection = self.close_connection or bool(reply.fault)
        if reply.fault == "silent":
            self.server.waits.set()
            self.rfile.read(1)
            self.server.left.set()
        elif reply.fault != "dropped":
            self.wfile.write(reply.sent())

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is told of each request."""
