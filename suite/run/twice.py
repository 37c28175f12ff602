"""A sample that data gives twice is refused before anything is asked, with both places.

Two rows of one id would count twice, or one would stand for the other; which is right, only who gave them
knows. Not here: files of answers and imports, which name their own lines.
"""

from array import array
from collections.abc import Iterable, Iterator

from suite.data.rows import Place
from suite.data.view import Data
from suite.errors import DataError, PluginError
from suite.journal.reading import digest64
from suite.run.cells import Cell


class Ids:
    """The ids of the samples of some cells, 8 bytes each."""

    def __init__(self, cells: int) -> None:
        self._seen = [array("Q") for _ in range(cells)]

    def add(self, cell: int, sample: str) -> None:
        """Note one more sample."""
        self._seen[cell].append(digest64(sample))

    def repeated(self) -> Iterator[int]:
        """The cells in which an id comes twice."""
        return (cell for cell, seen in enumerate(self._seen) if len(set(seen)) != len(seen))


def refuse(cell: Cell, data: Data, samples: Iterable[str]) -> None:
    """Raise DataError for the first id that comes twice, naming the rows that hold it; else nothing."""
    seen: set[str] = set()
    for sample in samples:
        if sample in seen:
            places = list(_places(data, sample))
            if len(places) < 2:
                raise PluginError(f"{cell.plan.task}: sample id {sample!r} comes twice")
            raise DataError(
                f"{cell.plan.task}: sample {sample!r} is given twice",
                where=" and ".join(f"{place.dataset}: {place}" for place in places[:3]),
                fix="leave one of the rows out, or give it an id of its own",
            )
        seen.add(sample)


def _places(data: Data, sample: str) -> Iterator[Place]:
    """Rows that hold an id in a field of their own."""
    for place, row in data.stored():
        if any(str(value) == sample for value in row.values() if isinstance(value, str | int)):
            yield place
