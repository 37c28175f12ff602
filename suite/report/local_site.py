"""A site of files by their paths: answered on the loopback alone, or put into a folder in one step.

The server only reads. It refuses other host names than the loopback's, which a page elsewhere can make a
browser send, and whoever lacks the token, the first part of each address. Not here: what the files are.
"""

import hashlib
import hmac
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from urllib.parse import unquote, urlsplit

from suite.errors import ConfigError, SuiteError
from suite.report.hostile_text import one_line

Files = Callable[[str], bytes | None]  # path below the site -> its bytes, None where there are none
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
TYPES = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "json": "application/json",
    "js": "text/javascript; charset=utf-8", "csv": "text/csv; charset=utf-8", "svg": "image/svg+xml",
    "xml": "application/atom+xml",
}  # fmt: skip


def folder_files(folder: Path) -> Files:
    """The files of a folder; nothing outside it, wherever a path or a link leads."""
    root = folder.resolve()

    def read(path: str) -> bytes | None:
        place = (root / path).resolve()
        return place.read_bytes() if root in place.parents and place.is_file() else None

    return read


class SiteServer(ThreadingHTTPServer):
    """Answers for a site's files. token: "" for none. Raises ConfigError if the port is taken."""

    def __init__(self, files: Files, port: int, token: str = "") -> None:
        self.files, self.token = files, token
        try:
            super().__init__(("127.0.0.1", port), _FileHandler)
        except OSError as error:
            told = f"port {port} is not to be had: {error.strerror}"
            raise ConfigError(told, fix="another one: --port 0") from error
        self.address = f"http://127.0.0.1:{self.server_address[1]}/" + (token and f"{token}/")

    def server_bind(self) -> None:
        """Bind, without asking anybody for the machine's name."""
        TCPServer.server_bind(self)


class _FileHandler(BaseHTTPRequestHandler):
    server: SiteServer
    protocol_version = "HTTP/1.1"
    timeout = 60
    server_version, sys_version = "suite", ""
    error_message_format = "%(message)s. %(explain)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def do_GET(self) -> None:  # noqa: N802
        """The file, or a sentence that says why not."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in ("127.0.0.1", "localhost", "[::1]"):
            return self.send_error(HTTPStatus.FORBIDDEN, explain="Use the address that was printed.")
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        if self.server.token:
            token, slash, path = path.partition("/")
            if not hmac.compare_digest(token.encode(), self.server.token.encode()):
                told = "The address lacks its token, or has an old one: open the one that was printed last."
                return self.send_error(HTTPStatus.FORBIDDEN, explain=told)
            if not slash:
                return self._answer(HTTPStatus.FOUND, b"", Location=f"/{token}/")
        path += "index.html" if path.endswith("/") or not path else ""
        try:
            body = None if "\0" in path else self.server.files(path)
        except Exception as error:  # whatever is wrong with a file, the others are still to be had
            told = error.what if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            return self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, explain=one_line(told))
        if body is None:
            return self.send_error(HTTPStatus.NOT_FOUND, explain="There is no such page here.")
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if self.headers.get("If-None-Match") == tag:
            return self._answer(HTTPStatus.NOT_MODIFIED, b"", ETag=tag)
        kind = TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        return self._answer(HTTPStatus.OK, body, ETag=tag, Content_Type=kind)

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, status: HTTPStatus, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content_Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def end_headers(self) -> None:
        """The policy, and nothing guessed, kept or told to others."""
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Quiet."""


@contextmanager
def replaced_folder(out: Path, mark: str) -> Iterator[Path]:
    """A new folder that takes the place of `out` when the block ends; an error leaves what was there.

    mark: name of a file that is put into it: a folder with something else and without it is not replaced.
    Raises ConfigError.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ConfigError(f"{out} is no folder", fix="name a new or empty folder")
    if out.is_dir() and any(out.iterdir()) and not (out / mark).is_file():
        raise ConfigError(f"{out} holds what the suite did not put there", fix="name a new or empty folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        part = Path(scratch) / "new"
        part.mkdir()
        yield part
        (part / mark).write_text("made by suite, replaced by the same command\n", "utf-8")
        if out.exists():
            out.replace(Path(scratch) / "old")
        part.replace(out)


def put_files(folder: Path, pieces: Iterable[tuple[str, bytes]]) -> int:
    """Write files by their paths below a folder; how many."""
    count = 0
    for count, (path, body) in enumerate(pieces, 1):  # noqa: B007
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return count
