"""`suite submit sign`: a signature put into a bundle, archive or folder, that is whole otherwise."""

import shutil
import tempfile
from pathlib import Path

from suite.board import signatures
from suite.board.archive import Archive
from suite.board.findings import Findings
from suite.board.limits import Limits
from suite.board.packing import write_archive
from suite.board.submission import SIGNATURE, SUBMISSION
from suite.errors import BundleError
from suite.files import write_whole


def sign_bundle(path: Path, key: Path, *, replace: bool = False) -> signatures.Signature:
    """Sign a bundle's submission.json and put the signature beside it. The bundle's id stays as it is.

    An archive is written anew, at once or not at all. Raises BundleError for what is no bundle or is signed
    already (without `replace`), ConfigError for a key that cannot be used.
    """
    if path.is_dir():
        return _sign_folder(path, key, replace)
    archive = _opened(path)
    try:
        with tempfile.TemporaryDirectory(prefix="suite-sign-") as scratch:
            folder = Path(scratch)
            for name in archive.sizes:
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, place.open("wb") as to:
                    shutil.copyfileobj(source, to)
            found = _sign_folder(folder, key, replace)
            write_archive(folder, path)
    finally:
        archive.close()
    return found


def _opened(path: Path) -> Archive:
    if not path.is_file():
        raise BundleError(f"there is no bundle {path.name}", where=str(path))
    archive, findings = Archive(path), Findings(1)
    if not archive.scan(findings, Limits()):
        archive.close()
        first = findings.kept[0]
        raise BundleError(f"{path.name} is no safe bundle: {first.what}", where=first.where)
    return archive


def _sign_folder(folder: Path, key: Path, replace: bool) -> signatures.Signature:
    manifest, place = folder / SUBMISSION, folder / SIGNATURE
    if not manifest.is_file():
        raise BundleError(f"{folder.name} holds no bundle: it has no {SUBMISSION}", where=str(folder))
    if place.exists() and not replace:
        raise BundleError("the bundle is signed already", fix="--force puts another signature in its place")
    message = manifest.read_bytes()
    signature = signatures.sign(message, key)
    found = signatures.check(message, signature)
    write_whole(place, [signature])
    return found
