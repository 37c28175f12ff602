"""Files from a Hub repository at a commit, by `huggingface_hub`.

The client knows mirrors (HF_ENDPOINT), tokens, offline mode, retries and ranges; it checks sizes only, so
the caller checks hashes. Everything it raises, and what the HTTP library below it raises, becomes one of
our errors. Nothing of it is imported before the first use.
"""

import errno
import os
import re
import socket
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from suite import errors
from suite.data.entry import File, HubSource, Progress
from suite.errors import DataError, SourceUnreachable, causes, listed

if TYPE_CHECKING:
    from huggingface_hub import RepoFile

_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_SHOWN = 20  # names of files in a message
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)  # its errors, not the Hub's
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_CONNECT = 5.0  # seconds for a connection to open


def endpoint() -> str | None:
    """The Hub's address if the environment names one, read when asked and not at import."""
    return os.environ.get("HF_ENDPOINT") or None


def fetch(source: HubSource, entry: str, path: str, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file of the pinned commit into a folder; goes on where an earlier try stopped, if it can.

    Raises SourceUnreachable, LicenceRequired (gated), or DataError if there is no such revision or file.
    """
    from huggingface_hub import hf_hub_download

    with asking(source, entry, path):
        told: dict[str, Any] = {"repo_type": source.type, "revision": source.revision, "endpoint": endpoint()}
        made = hf_hub_download(source.repo, path, **told, local_dir=folder, tqdm_class=_bar(path, progress))
        return Path(made)


def cached(source: HubSource, path: str) -> Path | None:
    """The file in the Hub client's own cache, if somebody has fetched it before."""
    from huggingface_hub import try_to_load_from_cache

    at = source.revision or source.branch
    found = try_to_load_from_cache(source.repo, path, revision=at, repo_type=source.type)
    return Path(found) if isinstance(found, str) else None


def about(source: HubSource, entry: str, branch: str) -> tuple[str, bool]:
    """The commit that a branch, tag or commit is now, and whether terms have to be accepted there (gated).

    Raises as `fetch` does.
    """
    from huggingface_hub import HfApi

    with asking(source, entry, branch):
        info = HfApi(endpoint=endpoint()).repo_info(source.repo, repo_type=source.type, revision=branch)
    return str(info.sha), bool(getattr(info, "gated", False))


def content(source: HubSource, entry: str, path: str) -> bytes:
    """The bytes of a small file of the pinned commit. Raises as `fetch` does."""
    with tempfile.TemporaryDirectory() as folder:
        return fetch(source, entry, path, Path(folder)).read_bytes()


@contextmanager
def advising(fix: str) -> Iterator[None]:
    """Where nothing answers, what to do besides checking the network."""
    try:
        yield
    except SourceUnreachable as error:
        if error.answered:
            raise
        raise SourceUnreachable(error.what, error.where, fix, answered=False) from error


def offline() -> bool:
    """Whether HF_HUB_OFFLINE says that the Hub is not to be asked."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def require_network(entry: str) -> None:
    """Raises SourceUnreachable at once where nothing answers at the Hub's address, or HF_HUB_OFFLINE is set;
    the client would try for most of a minute.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import logging

    if not (os.environ.get("HF_HUB_VERBOSITY") or os.environ.get("HF_DEBUG")):
        # one sentence of ours says what the client's retries do
        logging.set_verbosity_error()  # type: ignore[no-untyped-call,unused-ignore]
    why = "HF_HUB_OFFLINE is set" if offline() else ""
    address = endpoint() or constants.ENDPOINT
    try:
        if not why:
            _connect(address)
    except (OSError, ValueError) as error:
        why = f"no connection to {urlsplit(address).netloc or address}: {error}"
    if why:
        what = f"{entry}: the Hub can't be reached"
        fix = "unset it" if offline() else "check the network"
        raise SourceUnreachable(what, why, fix, answered=False)


@lru_cache(maxsize=4)  # of errors nothing is kept
def _connect(address: str) -> None:
    """Open a connection to an address, unless a proxy stands between. Raises OSError, ValueError."""
    url = urlsplit(address)
    if url.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(url.hostname or ""):
        return
    port = url.port or (80 if url.scheme == "http" else 443)
    socket.create_connection((url.hostname or "", port), timeout=_CONNECT).close()


def files_told(paths: Iterable[str]) -> str:
    """The files of a repository in a sentence."""
    names = sorted(paths)
    return f"its files: {listed(names, _SHOWN)}" if names else "it has no files"


@lru_cache(maxsize=4)  # a commit stays what it is, and each of its files may be looked up in it
def listing(source: HubSource, entry: str) -> dict[str, File]:
    """All files of the pinned commit by path: sizes, sha256 or Git blob ids. Raises as `fetch` does."""
    from huggingface_hub import HfApi, RepoFile

    with asking(source, entry, source.revision or ""):
        tree = HfApi(endpoint=endpoint()).list_repo_tree(
            source.repo, recursive=True, revision=source.revision, repo_type=source.type
        )
        return {item.path: _announced(item) for item in tree if isinstance(item, RepoFile)}


def beginning(source: HubSource, entry: str, path: str, limit: int) -> bytes:
    """The first bytes of a file that isn't empty, at the pinned commit. Raises as `fetch` does."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import (  # type: ignore[attr-defined,unused-ignore]
        build_hf_headers,
        get_session,
        hf_raise_for_status,
    )

    url = hf_hub_url(source.repo, path, repo_type=source.type, revision=source.revision, endpoint=endpoint())
    ranged = {**build_hf_headers(), "Range": f"bytes=0-{limit - 1}", "Accept-Encoding": "identity"}
    with asking(source, entry, path):
        response = get_session().get(url, headers=ranged, follow_redirects=True)
        hf_raise_for_status(response)
        return bytes(response.content[:limit])


def _announced(item: "RepoFile") -> File:
    sha256, blob = (item.lfs.sha256, None) if item.lfs else (None, item.blob_id)
    return File.model_construct(path=item.path, bytes=item.size, sha256=sha256, git_blob=blob)  # any name


def _bar(path: str, progress: Progress | None) -> type:
    """A progress bar class for the client: silent, passing every step on."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined,unused-ignore]

    class Bar(tqdm):  # type: ignore[misc,valid-type,unused-ignore]
        def __init__(self, *arguments: object, **options: float | None) -> None:
            self._done = int(options.get("initial") or 0)
            self._all = options.get("total")
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            if progress is not None:
                progress(path, self._done, int(self._all) if self._all else None)
            return None

    return Bar


@contextmanager
def asking(source: HubSource, entry: str, what: str) -> Iterator[None]:
    """Ask the Hub, if something answers there; raise our error for one of the client's, as its cause."""
    require_network(entry)
    try:
        yield
    except Exception as error:  # the client lets its HTTP library's errors through
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        raise _explained(error, source, entry, what) from error


def _explained(error: Exception, source: HubSource, entry: str, what: str) -> DataError:
    """Our error for one of the client's."""
    at, answer = source.revision or source.branch, hub_answer(error)
    where = f"{source.type} {source.repo} at {at[:12]}{'' if what == at else f', {what}'}"
    names = {one.__name__ for one in type(error).__mro__} | ({"answered"} if answer else set())
    names |= {f"{one}, unpinned" for one in names if source.revision is None}
    row = next(one for one in _TABLE["errors"] if names & {*one["of"]})
    told = {"entry": entry, "what": what, "answer": answer, "kind": type(error).__name__}
    told["page"] = f"{endpoint() or 'https://huggingface.co'}/{source.type}s/{source.repo}"
    told["pin"] = f"`suite data pin {entry}` records the revision there is now"
    said, fix = (row[part].format_map(told) for part in ("said", "fix"))
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    where += f": {first}" if row.get("quoted") else ""
    ours: type[DataError] = getattr(errors, row.get("error", "SourceUnreachable"))
    return ours(f"{entry}: {said}", where=where, fix=fix)


class StatusWords(NamedTuple):
    """A status of the Hub in words: what is wrong, and what to do."""

    status: int
    what: str
    fix: str


def hub_answer(error: BaseException) -> StatusWords | None:
    """The Hub's answer below an error of its client, in words; None if there was none, or another.

    The client hides a refused token and a rate limit behind errors of its own cache; the answer is the cause.
    """
    for one in causes(error):
        response = getattr(one, "response", None)
        status = getattr(response, "status_code", None)
        if isinstance(status, int) and status >= 400:
            headers = {str(k).lower(): str(v) for k, v in getattr(response, "headers", {}).items()}
            return _words(status, headers)
    return None


def _words(status: int, headers: dict[str, str]) -> StatusWords | None:
    row = _TABLE["answers"].get(str(min(status, 500)))
    if row is None:
        return None
    variable = next((name for name in _TOKENS if os.environ.get(name)), "")
    told = {
        "token": f"the token in {variable}" if variable else "the stored token (`hf auth login`)",
        "unset": f"unset {variable}" if variable else "`hf auth logout`",
        "better": "" if variable else "set HF_TOKEN, which has a higher limit, or ",
        "other": ", or see whether HF_ENDPOINT is a Hub" if endpoint() else "",
        "wait": _wait(headers),
        "status": status,
    }
    return StatusWords(status, row["said"].format_map(told), row["fix"].format_map(told))


def _wait(headers: dict[str, str]) -> str:
    """How long the Hub asks to wait: `Retry-After`, or the `t` of `RateLimit`."""
    limit = re.search(r"\bt=(\d+)", headers.get("ratelimit", ""))
    seconds = re.fullmatch(r"\s*(\d+)\s*", headers.get("retry-after", "")) or limit
    return f"{int(seconds[1])} s" if seconds else "some minutes"
