"""A Git host look-alike on loopback: single files by commit and path, and the references of a clone URL.

ROOT/OWNER/NAME/COMMIT/PATH is served at /OWNER/NAME/COMMIT/PATH; `heads` (branch -> commit) at
/OWNER/NAME.git/info/refs. Faults as a real host has them: missing files, errors that pass, bodies that break
off, one wrong bit, slowness, an address of a large-file pointer.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from local_hub import Server


@dataclass
class Faults:
    """What goes wrong with paths that match. May be changed while the server runs.

    fail_first: so many matching requests answer fail_status (with retry_after seconds, if given).
    truncate: bytes after which a body breaks off, the first truncate_first times (-1: every time).
    """

    match: str = "."
    fail_first: int = 0
    fail_status: int = 500
    retry_after: int | None = None
    truncate: int = -1
    truncate_first: int = -1
    corrupt: bool = False
    slow: float = 0.0
    longer: bytes = b""
    chunked: bool = False
    failed: int = 0
    truncated: int = 0


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    host: "LocalGit"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        with self.host.guard:
            self.host.log.append(self.path)

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        url = urlsplit(self.path)
        path, faults = unquote(url.path), self.host.faults
        hit = bool(re.search(faults.match, path))
        with self.host.guard:
            failing = hit and faults.failed < faults.fail_first
            faults.failed += failing
        if failing:
            more = {} if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
            return self.answer(faults.fail_status, b"injected fault", **more)
        if path.endswith(".git/info/refs"):
            return self.answer(200, self.references())
        target = self.host.root / path.lstrip("/")
        if ".." in path or not target.is_file():
            return self.answer(404, b"404: Not Found")
        return self.file(target.read_bytes(), faults if hit else Faults())

    do_HEAD = do_GET  # noqa: N815

    def references(self) -> bytes:
        def packed(line: bytes) -> bytes:
            return b"%04x" % (len(line) + 4) + line

        lines = [packed(b"# service=git-upload-pack\n"), b"0000"]
        extra = b"\0multi_ack thin-pack"
        for name, commit in self.host.heads.items():
            lines.append(packed(f"{commit} refs/heads/{name}".encode() + extra + b"\n"))
            extra = b""
        return b"".join([*lines, b"0000"])

    def file(self, data: bytes, faults: Faults) -> None:
        if faults.corrupt and data:
            data = data[:-1] + bytes([data[-1] ^ 1])
        data += faults.longer
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        if faults.chunked:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with self.host.guard:
            cut = faults.truncate >= 0 and (
                faults.truncate_first < 0 or faults.truncated < faults.truncate_first
            )
            faults.truncated += cut
        if cut:
            self.close_connection, data = True, data[: faults.truncate]
        for i in range(0, len(data), 16384):
            self.wfile.write(data[i : i + 16384])
            time.sleep(faults.slow)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass
class LocalGit:
    """The server, on a free port of loopback. `log` has every path asked for."""

    root: Path
    faults: Faults = field(default_factory=Faults)
    heads: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def __enter__(self) -> Self:
        handler = type("BoundHandler", (Handler,), {"host": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
