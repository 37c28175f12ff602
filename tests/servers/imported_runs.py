"""The logs that the tests read, those beside them or others that a tool has just made, and runs of them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import suite

LOGS = Path(
    os.environ.get("SUITE_TOOL_LOGS") or Path(__file__).parents[2] / "plugins/suite-imports/tests/logs"
)


class Import:
    """Imports logs below `LOGS`, or of another place. notes: what the importers said."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self.notes: list[str] = []

    def __call__(self, importer: str, path: Path | str, model: str = "") -> suite.Run:
        """The run made of a log."""
        self._count += 1
        place = self._folder / f"run-{self._count}"
        suite.import_run(importer, LOGS / importer / path, place, model=model, say=self.notes.append)
        return suite.Run(place)


def values(run: suite.Run, **parameters: object) -> Mapping[str, list[object]]:
    """Of the cell with these parameters: sample -> values of its trials."""
    cells = {one.cell for one in run.manifest.cells if parameters.items() <= one.parameters.items()}
    found: dict[str, list[object]] = {}
    for output, score in run.pairs():
        if output.cell in cells and score is not None:
            found.setdefault(output.sample, []).append(score.values["score"])
    return found


def means(run: suite.Run, **parameters: object) -> Iterator[float]:
    """The mean of each sample of a cell that has a number."""
    for each in values(run, **parameters).values():
        known = [float(one) for one in each if isinstance(one, float | int)]
        if known:
            yield sum(known) / len(known)


def headline(run: suite.Run, **parameters: object) -> float | None:
    """The first number of the cell with these parameters."""
    found = next(one for one in run.results.cells if parameters.items() <= one.parameters.items())
    return None if found.headline_row is None else found.headline_row.value
