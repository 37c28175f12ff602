"""Single files from a Git host over https, at a commit.

Tries again, more and more slowly, after a 5xx, a 429 or a body that broke off; a part of a file is never
passed on. `SUITE_GIT_ENDPOINT` replaces scheme and host of every address, for mirrors and tests.
"""

import http.client
import io
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from suite.data.entry import GitSource, Progress
from suite.errors import ConfigError, DataError, SourceUnreachable

DoneT = TypeVar("DoneT")
ATTEMPTS = 5
TIMEOUT = 30.0  # seconds without a byte
LARGEST = 4 << 30  # bytes of a file of unknown size; more is refused
_CHUNK = 1 << 16
_LISTING = 120.0  # seconds for git to list a repository
_AGAIN = {429, 500, 502, 503, 504}
# of smart http: the length in front of a line, the commit, the name of a branch or tag
_REF = re.compile(rb"^(?:0000)?[0-9a-f]{4}([0-9a-f]{40}) ([^\0\n]+)", re.MULTILINE)
_POINTER = b"version https://git-lfs.github.com/spec/"


class _BrokeOff(Exception):
    """The transfer failed in a way that may pass.

    after: seconds the host asked us to wait. answered: whether anything answered.
    """

    def __init__(self, why: str, after: float = 0.0, *, answered: bool = True) -> None:
        super().__init__(why)
        self.after, self.answered = after, answered


class WantedFile(NamedTuple):
    """What to fetch: the path in the repository and, if known, its size."""

    entry: str
    path: str
    size: int | None = None


def address(template: str) -> str:
    """The address with the host that SUITE_GIT_ENDPOINT names, if it is set. Raises ConfigError."""
    endpoint = os.environ.get("SUITE_GIT_ENDPOINT", "")
    if not endpoint:
        return template
    host, old = urlsplit(endpoint), urlsplit(template)
    if host.scheme not in ("http", "https") or not host.netloc:
        raise ConfigError.of("data.git.endpoint")
    return urlunsplit((host.scheme, host.netloc, host.path.rstrip("/") + old.path, old.query, ""))


def fetch(source: GitSource, wanted: WantedFile, target: Path, progress: Progress | None = None) -> None:
    """Write a file of the pinned commit to `target`.

    Raises SourceUnreachable, or DataError if the host has no such file or it isn't the file itself.
    """
    url, limit = _url(source, wanted), LARGEST if wanted.size is None else wanted.size
    with target.open("wb") as file:
        transfer = partial(_transfer, url, wanted, limit + 1, file, progress)
        done, _ = _retried(transfer, shown(url), wanted.entry)
    if done > limit:
        raise DataError.of("data.git.larger", wanted=wanted, limit=limit, place=shown(url))
    with target.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise DataError.of("data.git.pointer", wanted=wanted, place=shown(url))


def beginning(source: GitSource, wanted: WantedFile, limit: int) -> tuple[bytes, int | None]:
    """The first bytes of a file of the pinned commit, and its size if the host tells. Raises as `fetch`."""
    url, kept = _url(source, wanted), io.BytesIO()
    done, size = _retried(partial(_transfer, url, wanted, limit, kept), shown(url), wanted.entry)
    return kept.getvalue(), done if size is None and done < limit else size


def _url(source: GitSource, wanted: WantedFile) -> str:
    template = address(source.url_template)
    return template.replace("{commit}", source.commit or "").replace("{path}", quote(wanted.path))


def first_branch(source: GitSource, branches: Sequence[str]) -> tuple[str, str]:
    """The first of the branches or tags that is there, and its commit now.

    Raises SourceUnreachable, or DataError where none is there.
    """
    if not source.clone_url:
        raise DataError.of("data.git.no-clone", source=source)
    url = address(source.clone_url).rstrip("/") + "/info/refs?service=git-upload-pack"
    told = io.BytesIO()
    _retried(partial(_transfer, url, None, LARGEST >> 6, told), shown(url), source.repo)
    found = _REF.findall(told.getvalue())
    refs = {name.decode("utf-8", "replace"): commit.decode() for commit, name in found}
    for branch in branches:
        for name in (branch, f"refs/heads/{branch}", f"refs/tags/{branch}^{{}}", f"refs/tags/{branch}"):
            if name in refs:
                return branch, refs[name]
    heads = sorted(name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/"))
    what = f"{source.repo} has no branch {' or '.join(map(repr, branches))}"
    raise DataError(what, where=shown(url), fix=f"branches: {', '.join(heads[:12])}")


def listing(source: GitSource, entry: str) -> list[str]:
    """The paths of all files of the pinned commit, asked for by `git`, which fetches none of them.

    Raises SourceUnreachable.
    """
    url, commit = address(source.clone_url), source.commit or ""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", folder]
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        try:
            for words in (
                ["init", "-q", "--bare"],
                ["fetch", "-q", "--depth=1", "--filter=blob:none", "--", url, commit],
                ["ls-tree", "-r", "-z", "--name-only", commit],
            ):
                told = subprocess.check_output(
                    [*git, *words], stderr=subprocess.PIPE, text=True, timeout=_LISTING, env=environment
                )
        except (OSError, subprocess.SubprocessError) as error:
            said = (str(getattr(error, "stderr", None) or error).strip().splitlines() or ["no message"])[-1]
            told = f"{shown(url)}: {said}"
            raise SourceUnreachable.of("data.git.no-list", entry=entry, source=source, told=told) from error
    return [one for one in told.split("\0") if one]


def shown(url: str) -> str:
    """An address without credentials and query, to print."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _retried(act: Callable[[], DoneT], where: str, who: str) -> DoneT:
    attempt = 1
    while True:
        try:
            return act()
        except _BrokeOff as error:
            if attempt >= (ATTEMPTS if error.answered else 2):
                raise SourceUnreachable(
                    f"{who}: gave up after {attempt} attempts: {error}",
                    where=where,
                    fix="check the network and try again; what is already here is kept",
                    answered=error.answered,
                ) from error
            time.sleep(max(min(error.after, 60.0), 0.25 * 2**attempt))
            attempt += 1


def _transfer(
    url: str, wanted: WantedFile | None, most: int, out: BinaryIO, progress: Progress | None = None
) -> tuple[int, int | None]:
    """Write at most so many bytes of an address. Returns how many, and its size if the host tells."""
    out.seek(0)  # behind what an earlier try wrote
    out.truncate()
    with _open(url, wanted) as response:
        stated, done = response.headers.get("Content-Length", ""), 0
        size = int(stated) if stated.isdigit() else None
        while done < most:
            try:
                chunk = response.read(min(_CHUNK, most - done))
            except (http.client.HTTPException, OSError) as error:
                raise _BrokeOff(f"the transfer broke off after {done} bytes ({error})") from error
            if not chunk:
                break
            done += len(chunk)
            out.write(chunk)
            if progress is not None and wanted is not None:
                progress(wanted.path, done, wanted.size or size)
        if size is not None and done < min(most, size):
            raise _BrokeOff(f"the transfer broke off after {done} of {size} bytes")
        return done, size


def _open(url: str, wanted: WantedFile | None) -> http.client.HTTPResponse:
    request = Request(url, headers={"User-Agent": "suite-eval", "Accept-Encoding": "identity"})
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError("not an http address", where=shown(url))
    try:
        response: http.client.HTTPResponse = urlopen(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code in _AGAIN:
            after = error.headers.get("Retry-After", "") if error.headers else ""
            raise _BrokeOff(f"status {error.code}", float(after) if after.isdigit() else 0.0) from error
        if error.code in (404, 410) and wanted is not None:
            raise DataError.of("data.git.no-file", wanted=wanted, error=error, place=shown(url)) from error
        raise SourceUnreachable.of("data.git.refused", error=error, place=shown(url)) from error
    except (URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        raise _BrokeOff(f"no connection ({reason})", answered=False) from error
    return response
