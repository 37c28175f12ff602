"""An entry's bundle: beside it, or fetched from elsewhere: https only, from hosts of the board, public
addresses, in bounds.

The address is resolved once and the connection made to that very address, so that a name cannot change its
mind; each redirect is held to the same rules; the bytes must have the size and SHA-256 that were accepted.
"""

import hashlib
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import Field, StringConstraints

from suite.board.bundle.bounds import MIB
from suite.board.define.board import Board
from suite.board.define.parts import Closed, Sha256
from suite.board.entry import read_model
from suite.data import strict_syntax
from suite.data.cache import sha256_of
from suite.errors import ConfigError, DataError, SourceUnreachable
from suite.files import replacing, write_whole
from suite.models.endpoint import is_public

BUNDLE, BUNDLE_FOLDER, REFERENCE = "bundle.suite.zip", "bundle", "bundle.ref.yaml"
MOST_REDIRECTS = 4
CHUNK = 2**16
TIMEOUT = 30.0
MOST_URLS = 10
_HTTPS = r"^https://[^\s\"<>@]{1,490}$"


class Reference(Closed):
    """bundle.ref.yaml: a bundle that lies elsewhere."""

    format: Literal["suite-bundle-ref/1"] = "suite-bundle-ref/1"
    sha256: Sha256
    bytes: int = Field(ge=1)
    urls: tuple[Annotated[str, StringConstraints(pattern=_HTTPS)], ...] = Field((), max_length=MOST_URLS)


def write_reference(folder: Path, bundle: Path, urls: Sequence[str]) -> None:
    """Write bundle.ref.yaml into an entry's folder: where this very archive lies."""
    found = Reference(sha256=sha256_of(bundle), bytes=bundle.stat().st_size, urls=tuple(urls))
    write_whole(folder / REFERENCE, [strict_syntax.dump_yaml(found.model_dump(mode="json"), width=80)])


def bundle_of(folder: Path, board: Board, scratch: Path) -> Path | None:
    """The bundle of an entry: beside it, or fetched into `scratch`; None if nobody says where it is.

    Raises ConfigError, DataError, SourceUnreachable as fetching does.
    """
    beside = bundle_beside(folder)
    if beside is not None or not (folder / REFERENCE).is_file():
        return beside
    reference = read_model(folder / REFERENCE, Reference)
    if not reference.urls:
        return None
    return fetch(reference, board.hosts, scratch / f"{folder.name}.suite.zip", board.limits.bundle_mib * MIB)


def bundle_beside(folder: Path) -> Path | None:
    """The bundle that an entry's folder holds; None if it lies elsewhere."""
    found = [folder / name for name in (BUNDLE, BUNDLE_FOLDER)]
    return next((one for one in found if one.exists() and not one.is_symlink()), None)


Resolve = Callable[[str], Sequence[str]]
Ask = Callable[[str, str, str], http.client.HTTPResponse]


def resolve(host: str) -> list[str]:
    """All addresses of a host. Raises SourceUnreachable."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceUnreachable(f"{host} cannot be resolved: {error}") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def ask(host: str, address: str, path: str) -> http.client.HTTPResponse:
    """GET over TLS from this very address, the certificate checked against the host's name."""
    plain = socket.create_connection((address, 443), TIMEOUT)
    connection = http.client.HTTPSConnection(host)
    connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    connection.request("GET", path, headers={"User-Agent": "suite-board", "Accept-Encoding": "identity"})
    return connection.getresponse()


def fetch(
    reference: Reference,
    hosts: Sequence[str],
    to: Path,
    most: int,
    *,
    resolve: Resolve = resolve,
    ask: Ask = ask,
) -> Path:
    """The bundle in a file, from the first address that gives it. most: bytes allowed by the board.

    Raises ConfigError (no address, a host that is not allowed, too large), SourceUnreachable, DataError
    (other bytes than were accepted).
    """
    if reference.bytes > most:
        raise ConfigError(f"the bundle has {reference.bytes:,} bytes, the board takes {most:,}")
    if not reference.urls:
        raise ConfigError.of("board.fetch.no-address")
    for url in reference.urls:
        _allowed(url, hosts)  # those that are not asked are told, too
    errors: list[str] = []
    for url in reference.urls:
        try:
            _save(_follow(url, hosts, resolve, ask), reference, to)
            return to
        except (SourceUnreachable, OSError, http.client.HTTPException) as error:
            errors.append(str(error))
    raise SourceUnreachable("the bundle could not be fetched", where="; ".join(errors)[:1000])


def check_urls(urls: Sequence[str], hosts: Sequence[str]) -> None:
    """Raises ConfigError for addresses that a reference cannot hold, or that are not fetched from."""
    if len(urls) > MOST_URLS:
        raise ConfigError(f"{len(urls)} addresses: a bundle has at most {MOST_URLS}")
    for url in urls:
        _allowed(url, hosts)
        if not re.fullmatch(_HTTPS, url):
            raise ConfigError("an address holds what no address may, or is too long", where=url[:200])


def _follow(url: str, hosts: Sequence[str], resolve: Resolve, ask: Ask) -> http.client.HTTPResponse:
    for _ in range(MOST_REDIRECTS + 1):
        host, path = _allowed(url, hosts)
        response = ask(host, _public(host, resolve), path)
        if response.status in (301, 302, 303, 307, 308):
            url = urljoin(url, response.getheader("Location") or "")
            continue
        if response.status != 200:
            raise SourceUnreachable(f"{host} answers with status {response.status}")
        return response
    raise SourceUnreachable(f"more than {MOST_REDIRECTS} redirects")


def _allowed(url: str, hosts: Sequence[str]) -> tuple[str, str]:
    """(host, path with query). Raises ConfigError for anything but https on a host of the board's list."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise ConfigError(f"a bundle's address cannot be read: {error}", where=url[:200]) from error
    if parts.scheme != "https" or parts.username is not None or port not in (None, 443):
        raise ConfigError("a bundle's address must be plain https", where=url[:200])
    if host not in hosts:
        known = ", ".join(hosts) or "none"
        raise ConfigError.of("board.fetch.host", host=host[:100], known=known)
    return host, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _public(host: str, resolve: Resolve) -> str:
    """The first address, if all are public. Raises ConfigError."""
    addresses = resolve(host)
    for address in addresses:
        if not is_public(address):
            raise ConfigError(f"{host} leads to {address}, which is not public")
    if not addresses:
        raise SourceUnreachable(f"{host} has no address")
    return addresses[0]


def _save(response: http.client.HTTPResponse, reference: Reference, to: Path) -> None:
    digest, total = hashlib.sha256(), 0
    with replacing(to) as file:
        for chunk in iter(lambda: response.read(CHUNK), b""):
            total += len(chunk)
            if total > reference.bytes:
                raise DataError(f"more than the {reference.bytes:,} bytes that were accepted")
            digest.update(chunk)
            file.write(chunk)
        if total != reference.bytes or digest.hexdigest() != reference.sha256:
            raise DataError.of("board.fetch.other", reference=reference, found=digest.hexdigest())
