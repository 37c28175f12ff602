"""What a plugin may say over many runs: sections of a report, made of typed blocks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from suite.blocks import Section
from suite.journal.run import Run


class Analysis(ABC):
    """One analysis, announced as an Entry of kind "analysis"; an instance is called with runs.

    name: as announced. title: one line. It must not change anything, and model text goes into blocks as
    it is: the suite escapes it.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""

    @abstractmethod
    def sections(self, runs: Sequence[Run]) -> Iterable[Section]:
        """What the runs show together."""

    def __call__(self, runs: Sequence[Run]) -> tuple[Section, ...]:
        """All sections."""
        return tuple(self.sections(runs))
