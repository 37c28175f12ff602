"""A small server of a built site: this machine only, the pages' own policy as a header too, no listings."""

import functools
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from suite.board.site.markup import POLICY
from suite.errors import ConfigError


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".csv": "text/csv; charset=utf-8",
        ".svg": "image/svg+xml",
        ".xml": "application/atom+xml",
        "": "application/octet-stream",
    }

    def end_headers(self) -> None:
        """The policy, and nothing guessed about types."""
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: Any) -> BytesIO | None:
        """No listings."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)
        return None

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Quiet."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder on the loopback. Raises ConfigError if the port is taken."""
    handler = functools.partial(_Handler, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise ConfigError(
            f"port {port} is not to be had: {error.strerror}", fix="another one: --port 0"
        ) from error
