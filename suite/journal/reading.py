"""What a run folder held, as it was read before `suite.journal.run`: going, as its users move there."""

from pathlib import Path
from typing import Any

import msgspec

from suite.errors import RunError
from suite.files import read_regular
from suite.journal.blocks import BlockReader as BlockReader
from suite.journal.blocks import message_of as message_of
from suite.journal.documents import LARGEST_DOCUMENT
from suite.journal.index import OffsetIndex as OffsetIndex
from suite.journal.index import Recorded as Recorded
from suite.journal.index import digest64 as digest64
from suite.journal.lines import Lines as Lines
from suite.journal.lines import Reading as Reading
from suite.journal.lines import damaged as damaged
from suite.journal.records import FORMAT, CallRecord, OutputRecord
from suite.journal.run import Journal as Journal


class RunReader(Journal):
    """A run folder as others see it. Raises RunError if the folder holds no run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.manifest: dict[str, Any] = read_json(folder / "manifest.json")
        if self.manifest.get("format") != FORMAT:
            raise RunError(
                f"{folder.name} is in format {self.manifest.get('format')!r}, this suite reads {FORMAT!r}",
                where=str(folder / "manifest.json"),
            )
        _hold(self.manifest, _Manifest, folder / "manifest.json")

    def scorings(self) -> list[str]:
        """Ids of all scorings, oldest first."""
        base = self.folder / "scorings"
        found = (
            [path for path in base.iterdir() if (path / "manifest.json").exists()] if base.is_dir() else []
        )
        dated = ((str(read_json(one / "manifest.json").get("started", "")), one.name) for one in found)
        return [name for _, name in sorted(dated)]

    def scoring(self, name: str = "") -> Journal:
        """A scoring's journal; the newest without a name. Raises RunError if there is none."""
        known = self.scorings()
        if name and name not in known:
            raise RunError(
                f"run {self.folder.name} has no scoring {name!r}", fix=f"it has: {', '.join(known)}"
            )
        if not known:
            raise RunError(f"run {self.folder.name} has not been scored", fix=f"suite score {self.folder}")
        return Journal(self.folder / "scorings" / (name or known[-1]))

    def scoring_manifest(self, name: str = "") -> dict[str, Any]:
        """The manifest of a scoring."""
        return read_json(self.scoring(name).folder / "manifest.json")

    def results(self, name: str = "") -> dict[str, Any]:
        """The results of a scoring. Raises RunError if they were not written yet."""
        return read_results(self.scoring(name).folder / "results.json")

    def text_of(self, record: OutputRecord, calls: Recorded[CallRecord]) -> str:
        """An output's text; taken from its call's reply where it was left out."""
        if not record.text_from:
            return record.output.text
        if (call := calls.find(record.text_from)) is not None:
            return call.reply.text
        raise RunError(f"call {record.text_from} of sample {record.sample!r} is not in calls.jsonl")

    def call_index(self) -> Recorded[CallRecord]:
        """The calls by id."""
        return Recorded(self.calls)


class _Cell(msgspec.Struct):
    cell: str
    task: str
    parameters: dict[str, Any]


class _Counts(msgspec.Struct):
    samples: dict[str, int]


class _Manifest(msgspec.Struct):
    """What everybody needs of a manifest; the rest is for those who need it."""

    cells: list[_Cell]
    counts: _Counts
    roles: dict[str, list[dict[str, Any]]] = {}
    data: dict[str, dict[str, Any]] = {}
    trials: int = 1


class _ResultCell(_Cell):
    metrics: list[dict[str, Any]]


class _Results(msgspec.Struct):
    cells: list[_ResultCell]
    pending: int = 0


def _hold(document: dict[str, Any], shape: type[msgspec.Struct], path: Path) -> dict[str, Any]:
    try:
        msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise RunError(
            f"{path.name} was changed or damaged: {error}",
            where=str(path),
            fix="restore it from a copy; results.json alone can be made again by `suite score`",
        ) from error
    return document


def read_results(path: Path) -> dict[str, Any]:
    """The results of a scoring. Raises RunError if they are missing or damaged."""
    return _hold(read_json(path), _Results, path)


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object file. Raises RunError if it is missing or not JSON."""
    try:
        value = msgspec.json.decode(read_regular(path, LARGEST_DOCUMENT))
    except OSError as error:
        raise RunError(
            f"{path.parent.name} is not a finished part of a run: {path.name}: {error.strerror}",
            where=str(path),
            fix="name a run folder, as `suite runs list` shows them",
        ) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RunError(f"{path.name} is not JSON: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise RunError(f"{path.name} is not a JSON object", where=str(path))
    return value
