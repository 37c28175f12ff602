"""Runs to compare: each a folder with one scoring, a short label, and its values in one table per task."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from suite.errors import ConfigError, RunError, unknown
from suite.journal.index import Recorded, digest64
from suite.journal.pairs import pairs
from suite.journal.reading import RunReader, read_json
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.run import Journal
from suite.plugins import Catalogue
from suite.run.cells import AnyTask, load_task
from suite.scoring.table import ScoreTable, TableBuilder, Wanted

RUNS = Path("runs")


@dataclass(frozen=True)
class ComparedRun:
    """One run. label: what to call it, its candidate if that is not another's too. scoring: the one read."""

    reader: RunReader
    journal: Journal
    label: str
    name: str
    scoring: str

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The run's manifest.json."""
        return self.reader.manifest

    @property
    def scoring_manifest(self) -> Mapping[str, Any]:
        """The scoring's manifest.json."""
        return read_json(self.journal.folder / "manifest.json")

    @property
    def cells(self) -> Sequence[Mapping[str, Any]]:
        """The cells as the manifest lists them."""
        found: Sequence[Mapping[str, Any]] = self.manifest["cells"]
        return found

    @property
    def candidate(self) -> str:
        """Spec of the candidate, "" if there is none."""
        members = self.manifest.get("roles", {}).get("candidate", ())
        return str(members[0]["spec"]) if members else ""

    def pairs(self) -> Iterator[tuple[OutputRecord, ScoreRecord | None]]:
        """Outputs with their scores."""
        return pairs(iter(self.reader.outputs), iter(self.journal.scores))


def open_run(place: str, runs: Path = RUNS) -> ComparedRun:
    """A run by folder, or by name under `runs`; PLACE@SCORING takes another scoring than the newest finished.

    Raises NotFound for no such run, RunError for a folder that holds none or was not scored.
    """
    folder, scoring = _find(place, runs)
    reader = RunReader(folder)
    known = reader.scorings()
    if not scoring:
        done = [one for one in known if (folder / "scorings" / one / "results.json").exists()]
        scoring = (done or known or [""])[-1]
    journal = reader.scoring(scoring)
    name = str(reader.manifest.get("name") or folder.absolute().name)
    return ComparedRun(reader, journal, "", name, journal.folder.name)


def _find(place: str, runs: Path) -> tuple[Path, str]:
    base, at, scoring = place.rpartition("@")
    choices = [(place, "")] + ([(base, scoring)] if at and base and scoring else [])
    for name, chosen in choices:
        for folder in (Path(name), runs / name):
            if (folder / "manifest.json").is_file():
                return folder, chosen
    if Path(place).is_dir():
        raise RunError(f"{place} holds no run", fix="name a folder that `suite eval` wrote")
    names = [path.parent.name for path in runs.glob("*/manifest.json")] if runs.is_dir() else []
    raise unknown("run", place, names)


def open_runs(places: Sequence[str], runs: Path = RUNS) -> list[ComparedRun]:
    """Runs with labels that tell them apart. Raises ConfigError for one run given twice."""
    found = [open_run(place, runs) for place in places]
    where = [(run.reader.folder.resolve(), run.scoring) for run in found]
    for index, one in enumerate(where):
        if one in where[:index]:
            raise ConfigError(f"run {found[index].name} is given twice", fix="compare two different runs")
    return [
        ComparedRun(r.reader, r.journal, label, r.name, r.scoring)
        for r, label in zip(found, labels(found), strict=True)
    ]


def labels(runs: Sequence[ComparedRun]) -> list[str]:
    """The first of these that tells all runs apart: candidate, run name, name@scoring, position."""
    candidates = [run.candidate for run in runs]
    names = [run.name for run in runs]
    scorings = [f"{run.name}@{run.scoring}" for run in runs]
    for found in (candidates, names, scorings):
        if all(found) and len(set(found)) == len(found):
            return found
    return [f"{one}#{index}" for index, one in enumerate(scorings, 1)]


def cell_name(run: int, cell: str) -> str:
    """What a cell of the nth run is called in the tables."""
    return f"{run}/{cell}"


def load_tasks(runs: Sequence[ComparedRun], plugins: Catalogue) -> dict[str, type[AnyTask]]:
    """The task classes of the runs by name, for their metrics. Raises NotFound or PluginError."""
    names = dict.fromkeys(cell["task"] for run in runs for cell in run.cells)
    return {name: load_task(plugins, name)[0] for name in names}


def load_tables(
    runs: Sequence[ComparedRun], values: Mapping[str, Wanted], cells: frozenset[str]
) -> dict[str, ScoreTable]:
    """One table per task over all runs, its cells named by `cell_name`.

    values: task -> what its table keeps. cells: those names to keep.
    """
    builders = {task: TableBuilder(wanted) for task, wanted in values.items()}
    for index, run in enumerate(runs):
        task_of = {cell["cell"]: cell["task"] for cell in run.cells}
        for output, score in run.pairs():
            name = cell_name(index, output.cell)
            if score is None or name not in cells:
                continue
            output.cell = score.cell = name
            builders[task_of[name.partition("/")[2]]].add(output, score)
    return {task: builder.build() for task, builder in builders.items()}


class _Key(msgspec.Struct):
    """What finding needs of an output; the rest is skipped."""

    cell: str
    sample: str
    trial: int = 0


class Texts:
    """The texts of some samples of one run, found again by a pass over its journal."""

    def __init__(self, run: ComparedRun, wanted: Mapping[str, frozenset[int]]) -> None:
        """wanted: cell -> digests of sample ids (trial 0 is read)."""
        self._run = run
        self.outputs: dict[tuple[str, int], OutputRecord] = {}
        decoder = msgspec.json.Decoder(_Key)
        for line in run.reader.outputs.raw():  # checked when the tables were made
            key = decoder.decode(line)
            if key.trial == 0 and key.cell in wanted and (digest := digest64(key.sample)) in wanted[key.cell]:
                self.outputs[key.cell, digest] = run.reader.outputs.decode(line, 0)

    def answer(self, cell: str, digest: int) -> str:
        """The answer, "" where the sample has none."""
        output = self.outputs.get((cell, digest))
        if output is None:
            return ""
        text = self._run.reader.text_of(output, self._calls)
        if text or output.output.data is None:
            return text
        return msgspec.json.encode(output.output.data).decode()

    def question(self, cell: str, digest: int) -> str:
        """The last message of the user that the candidate was sent, "" where there is none."""
        output = self.outputs.get((cell, digest))
        identity = "" if output is None else output.text_from or (output.calls[-1] if output.calls else "")
        call = self._calls.find(identity) if identity else None
        if call is None:
            return ""
        request = self._run.reader.blocks.request(call)
        asked = [message.content for message in request.messages if message.role == "user"]
        return asked[-1] if asked else request.prompt

    @cached_property
    def _calls(self) -> Recorded[CallRecord]:
        return self._run.reader.call_index()
