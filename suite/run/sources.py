"""The data of a run: registry entries, mini data, files, and finished runs (`--data NAME=RUN`)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from suite.chat import Json
from suite.data.cache import Cache, sha256_of
from suite.data.declared_rows import declared_rows
from suite.data.registry import Registry
from suite.data.rows import Raw, RowPlace
from suite.data.view import DataView, FileSource, GivenSource, Source, obtain
from suite.errors import ConfigError, DataError, NotFound, unknown
from suite.journal.records import OutputRecord
from suite.journal.run import RUNS, Run, open_run
from suite.run.cells import Cell
from suite.task import HubRows


def output_row(
    record: OutputRecord, text: str, task: str, parameters: Mapping[str, object], model: str
) -> Raw:
    """An output as a row of data for another task. text: the output's. model: spec of the candidate."""
    return {
        "sample_id": record.sample,
        "group": record.group,
        "cluster": record.cluster,
        "tags": record.tags,
        "text": text,
        "data": record.output.data,
        "finish": record.output.finish,
        "task": task,
        "parameters": parameters,
        "model": model,
        "trial": record.trial,
    }


class RunSource(GivenSource):
    """The outputs of a finished run as rows."""

    kind = "a run"

    def __init__(self, name: str, run: Run) -> None:
        super().__init__(name)
        self._run = run
        self._cells = {cell.cell: cell for cell in run.manifest.cells}

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:  # noqa: ARG002
        model = self._run.candidate.spec if self._run.candidate else ""
        for number, record in enumerate(self._run.outputs()):
            cell = self._cells.get(record.cell)
            task, parameters = (cell.task, cell.parameters) if cell else ("", {})
            row = output_row(record, self._run.text(record), task, parameters, model)
            yield RowPlace(self.name, "outputs.jsonl", number, number + 1), row

    def identity(self) -> Mapping[str, Json]:
        run, sha256 = self._run, sha256_of(self._run.folder / "outputs.jsonl")
        made = {"run": run.folder.name, "plan_sha256": run.manifest.plan_sha256}
        return {"source": "run", **made, "sha256": sha256}


class EntrySource(GivenSource):
    """An entry where rows of one kind are read: parts are never mixed. part: the one chosen, which serves
    every part; "": none was. Raises NotFound for a part that is not there.
    """

    def __init__(self, name: str, entry: str, part: str, source: Source) -> None:
        super().__init__(name)
        self._entry, self._part, self._source = entry, part, source
        self.path = source.path  # type: ignore[method-assign]
        if part and part not in source.parts():
            raise unknown(f"part of {entry}", part, source.parts(), f"--data {name}={entry}:{part}")

    def parts(self) -> Sequence[str]:
        """Those that can be asked for."""
        return () if self._part else self._source.parts()

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        """The rows of a part. Raises DataError where none is named and there are several."""
        if part is None and len(parts := self.parts()) > 1:
            about = {"entry": self._entry, "name": self.name, "parts": ", ".join(parts), "first": parts[0]}
            raise DataError.of("run.sources.parts", **about)
        return self._source.rows(self._part or part)

    def identity(self) -> Mapping[str, Json]:
        """The entry's, with the part that was chosen."""
        return {**self._source.identity(), **({"part": self._part} if self._part else {})}


def given_entries(data: Mapping[str, str], registry: Registry) -> dict[str, str]:
    """Those of --data NAME=PLACE whose place is another entry of the registry, ENTRY or ENTRY:PART.

    Raises DataError.
    """
    entries: dict[str, str] = {}
    for name, place in data.items():
        if not Path(place).exists():
            with suppress(NotFound):
                registry.dataset(place.partition(":")[0])
                entries[name] = place
    return entries


def given_sources(data: Mapping[str, str], entries: Iterable[str] = ()) -> dict[str, Source]:
    """--data NAME=PLACE: a file of rows or a run. entries: what else may have been meant.

    Raises NotFound, DataError, RunError.
    """
    return {name: _given(name, place, entries) for name, place in data.items()}


def _given(name: str, place: str, entries: Iterable[str]) -> Source:
    path = Path(place).expanduser()
    if path.is_file():
        return FileSource(name, path)
    try:
        return RunSource(name, open_run(place))
    except NotFound:
        if not path.suffix and path.name == place:
            known = [*(one.parent.name for one in RUNS.glob("*/manifest.json")), *entries]
            raise unknown("run, file or entry", place, known, f"--data {name}={place}") from None
        folder, where = path.parent, f"--data {name}={place}"
        if not folder.is_dir():
            raise NotFound.of("run.sources.folder", folder=folder, where=where) from None
        near = [one.name for one in folder.iterdir() if one.is_file() and not one.name.startswith(".")]
        missing = unknown("file", path.name, near, where)
        what = f"there is no file {place}" + ("" if path.suffix else ", and no run in that place")
        raise NotFound(what, where, f"in {folder.resolve()}: {missing.fix}") from None


@dataclass
class DataOpener:
    """Opens the data of cells; a dataset that several need is opened once.

    given: what fills a dataset. entries: dataset -> the entry taken in its place, ENTRY or ENTRY:PART.
    """

    registry: Registry
    cache: Cache
    given: Mapping[str, Source]
    say: Callable[[str], None]
    entries: Mapping[str, str] = field(default_factory=dict)
    _open: dict[str, tuple[Source, Mapping[str, Json]]] = field(default_factory=dict)

    def of(self, cell: Cell, mini: bool, official: bool) -> tuple[DataView, dict[str, Mapping[str, Json]]]:
        """The data of a cell, and dataset name -> identity.

        Raises ConfigError where there is no mini data, and what `obtain` raises.
        """
        info = cell.task.info
        names = list(cell.task.datasets())
        if official:
            if not info.official_prompts:
                raise ConfigError(f"{info.name} has no published prompts", fix="leave out --prompts official")
            names.append(info.official_prompts)
        sources: dict[str, Source] = {}
        identities: dict[str, Mapping[str, Json]] = {}
        for name in names:
            if name in self.given:
                given = partial(self.given.__getitem__, name)
                sources[name], identities[name] = self._once(f"--data {name}", given)
                continue
            own = None if name in self.entries else info.rows.get(name)
            if own is not None and not (mini and (name in info.mini or isinstance(own, HubRows))):
                sources[name] = declared_rows(cell.task, name, self.cache, self.say)
                identities[name] = sources[name].identity()
                continue
            entry, _, part = self.entries.get(name, name).partition(":")
            if mini and name not in self.entries and name != info.official_prompts:
                if name not in info.mini:
                    raise ConfigError.of("run.sources.mini", info=info, name=name)
                entry = info.mini[name]
            opening = partial(obtain, entry, self.registry, self.cache, self.say)
            source, identities[name] = self._once(entry, opening)
            if cell.plan.file or (name in self.entries and (part or not self._in_parts(name))):
                source = EntrySource(name, entry, part, source)
                identities[name] = source.identity()
            sources[name] = source
        return DataView(sources), identities

    def _in_parts(self, name: str) -> bool:
        """Whether the task's own dataset has several parts, so that it knows what it reads."""
        with suppress(NotFound):
            return len(self.registry.dataset(name).parts) > 1
        return False

    def _once(self, key: str, opening: Callable[[], Source]) -> tuple[Source, Mapping[str, Json]]:
        """A source and what it is: opened once, its bytes hashed once."""
        if key not in self._open:
            source = opening()
            self._open[key] = source, source.identity()
        return self._open[key]


def check_given(data: Mapping[str, str], cells: Sequence[Cell]) -> None:
    """Each --data must fill a dataset that some cell names. Raises NotFound."""
    names = {name for cell in cells for name in cell.task.datasets()}
    for name in data:
        if name not in names:
            raise unknown("dataset of the chosen tasks", name, names, where=f"--data {name}=…")
