"""What a plugin may say over many runs: sections of a report, made of typed blocks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from suite.blocks import Section
from suite.journal.records import OutputRecord, ScoreRecord


class RunView(Protocol):
    """A finished run as an analysis sees it: read-only, streamed."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The run's manifest.json."""

    @property
    def results(self) -> Mapping[str, Any]:
        """The chosen scoring's results.json."""

    def outputs(self) -> Iterator[OutputRecord]:
        """All outputs, in no particular order."""

    def scores(self) -> Iterator[ScoreRecord]:
        """All scores of the chosen scoring, in no particular order."""


class Analysis(ABC):
    """One analysis, announced as an Entry of kind "analysis"; an instance is called with runs.

    name: as announced. title: one line. It must not change anything, and model text goes into blocks as
    it is: the suite escapes it.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""

    @abstractmethod
    def sections(self, runs: Sequence[RunView]) -> Iterable[Section]:
        """What the runs show together."""

    def __call__(self, runs: Sequence[RunView]) -> tuple[Section, ...]:
        """All sections."""
        return tuple(self.sections(runs))
