"""Documents of a run on disk: each read once into its struct, and written in one step.

    manifest = read_manifest(folder / "manifest.json")     # RunManifest; RunError if it is not in its form
    write_document(folder / "manifest.json", manifest)

What is read may be anybody's: a file of a bounded size, no link and no pipe, and every field of its type.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from suite.chat import Json
from suite.errors import PluginError, RunError
from suite.files import read_regular, trying, write_whole
from suite.journal.documents import RunManifest
from suite.journal.records import FORMAT
from suite.secrets import scrub

LARGEST_DOCUMENT = 256 * 2**20  # bytes of a manifest or of results
RESTORE = "restore it from a copy; results.json alone can be made again by `suite score`"
DocumentT = TypeVar("DocumentT", bound=msgspec.Struct)


def read_manifest(path: Path) -> RunManifest:
    """The manifest of a run. Raises RunError if it is missing, of another format or not in its form."""
    raw = read_bytes(path)
    told = decode(raw, _Format, path).format
    if told != FORMAT:
        raise RunError.of("journal.other-format", path=path, told=told, FORMAT=FORMAT)
    return decode(raw, RunManifest, path)


def read_document(path: Path, kind: type[DocumentT]) -> DocumentT:
    """A document of a run. Raises RunError if it is missing or not in its form."""
    return decode(read_bytes(path), kind, path)


class _Format(msgspec.Struct):
    format: Json = None


def read_bytes(path: Path) -> bytes:
    """The bytes of a document. Raises RunError where there is none, or something that is no such file."""
    try:
        return read_regular(path, LARGEST_DOCUMENT)
    except OSError as error:
        raise RunError.of("journal.not-finished", path=path, error=error) from error


def decode(raw: bytes, kind: type[DocumentT], path: Path) -> DocumentT:
    """A document from its bytes. Raises RunError, naming the field that is not in its form."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise RunError(f"{path.name} was changed or damaged: {error}", str(path), RESTORE) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"{path.name} is not JSON: {error}", str(path), RESTORE) from error


def write_document(path: Path, document: msgspec.Struct) -> None:
    """Write a document of a run, as `write_json` does.

    Raises PluginError where it holds what its type does not allow: a task or an engine said it, and nobody
    could read the document again.
    """
    try:
        msgspec.json.decode(msgspec.json.encode(document), type=type(document))
    except msgspec.ValidationError as error:
        raise PluginError.of("journal.other-type", path=path, error=error) from error
    write_json(path, document)


def write_json(path: Path, value: object) -> None:
    """Write a small JSON file in one step: a reader sees the old one or the new one, never a half.

    A file that holds it already is left alone.

    Raises RunError if it cannot be written.
    """
    body = scrub(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()).encode() + b"\n"
    fix = "make room or choose another folder with --output, then run the same command again"
    with trying(f"write {path.name}", path, fix):
        if not path.is_file() or path.read_bytes() != body:
            write_whole(path, [body])
