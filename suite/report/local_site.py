"""A site of files by their paths: answered on the loopback alone, or put into a folder in one step.

The server only reads. It refuses other host names than the loopback's, which a page elsewhere can make a
browser send, and whoever lacks the token, the first part of each address.
"""

import hmac
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from suite.errors import ConfigError, SuiteError
from suite.report.hostile_text import one_line

Files = Callable[[str], bytes | None]  # path below the site -> its bytes, None where there are none
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
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
        self.address = f"http://127.0.0.1:{self.server_port}/" + (token and f"{token}/")


class _FileHandler(SimpleHTTPRequestHandler):
    server: SiteServer
    server_version, sys_version, timeout = "suite", "", 60

    def send_head(self) -> BytesIO:
        """The head of the answer: of the file, or of a sentence that says why not."""
        host, path = self.headers.get("Host", ""), unquote(urlsplit(self.path).path)[1:]
        token, slash, name = path.partition("/") if self.server.token else ("", "/", path)
        name += "index.html" if name.endswith("/") or not name else ""
        status, body = HTTPStatus.FORBIDDEN, None
        if (host.rpartition(":")[0] or host) not in ("127.0.0.1", "localhost", "[::1]"):
            told = "Use the address that was printed."
        elif not slash or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            told = "The address lacks its token, or has an old one: open the one that was printed last."
        else:
            status, told = HTTPStatus.NOT_FOUND, "There is no such page here."
            try:
                body = None if "\0" in name else self.server.files(name)
            except Exception as error:  # whatever is wrong with a file, the others are still to be had
                said = error.what if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
                status, told = HTTPStatus.INTERNAL_SERVER_ERROR, one_line(said)
        self.send_response(status if body is None else HTTPStatus.OK)
        kind = "text/plain" if body is None else self.guess_type(name)
        body = told.encode() if body is None else body
        more = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
        for header, value in {**HEADERS, **more}.items():
            self.send_header(header, value)
        self.end_headers()
        return BytesIO(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Quiet."""


@contextmanager
def replaced_folder(out: Path, mark: str = "") -> Iterator[Path]:
    """A new folder that takes the place of `out` when the block ends; an error leaves what was there.

    mark: a file that is put into it; what has content and no mark is not replaced. Raises ConfigError.
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
        if mark:
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
