"""An exporter makes something of a run for another tool or project: its options, and what it wrote.

A plugin announces a subclass of `Exporter` by an Entry of kind "exporter"; `suite report export --to NAME`
runs it. Light, since --help reads the options of every exporter. Not here: the run as an exporter sees it
(`exported_run`), the flags (`suite.cli.exports`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from suite.report.exported_run import ExportedRun
    from suite.run.progress import LiveProgress


class ExportOptions(BaseModel):
    """Base of an exporter's options. A field is a flag: `source_url` is --source-url.

    A field is text, a number, a Literal, or a bool that is False by default: a flag without a value. What has
    no default must be given. What --help says of a field is its description, or a docstring below it; its
    first example stands for the value there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    allow_partial: bool = False
    """Export a run with pending work too."""


@dataclass(frozen=True)
class Upload:
    """Something that leaves this machine, once whoever runs the command agrees.

    shown: what would be sent, and where to, in lines. question: what is asked after it. send: does it, and
    says in one line what it did. agreed: whether --yes, or its like, was given.
    """

    shown: Sequence[str]
    question: str
    send: Callable[[], str]
    agreed: bool = False


@dataclass(frozen=True)
class Export:
    """What an exporter wrote, what it may send, and what to know about it, in lines."""

    paths: Sequence[Path]
    remarks: Sequence[str] = ()
    upload: Upload | None = None


class Follower(ABC):
    """Tells somebody else of a run while it goes on, as `Exporter.follow` makes one.

    It lives in a process of its own, which may wait, fail or hang: the run does not notice, and what was lost
    is said at its end. A method returns once everything was handed over; whatever it raises is told.
    """

    @abstractmethod
    def update(self, now: "LiveProgress") -> None:
        """How far the run is, every few seconds; the last before the end, too."""

    @abstractmethod
    def stop(self, whole: bool) -> None:
        """The run ended. whole: `write` comes next; else the same command goes on with it another day."""


OptionsT = TypeVar("OptionsT", bound=ExportOptions)


class Exporter(ABC, Generic[OptionsT]):
    """One form of a run for others: `class Mine(suite.Exporter[MyOptions])`, announced as kind "exporter".

    The module of the class is imported for --help, so it must import nothing heavy. output: a metavar for -O,
    PATH where it is a file; "" where -O may be left out, since the run goes elsewhere: what `write` is given
    then is a folder that is removed afterwards. One is made before a run starts: what is lacking is raised by
    `__init__` or its options; libraries that its distribution asks for are looked for by the suite.
    """

    output: ClassVar[str] = "FOLDER"

    def __init__(self, options: OptionsT) -> None:
        self.options = options

    @classmethod
    def options_type(cls) -> type[OptionsT]:
        """The model of its options, read from the generic argument."""
        bases = (one for base in cls.__mro__ for one in getattr(base, "__orig_bases__", ()))
        found = (one for base in bases for one in get_args(base) if isinstance(one, type))
        return cast(type[OptionsT], next(found, ExportOptions))

    def follow(self, run: "ExportedRun") -> Follower | None:
        """Begin to tell of a run that goes on and has no results yet; None: all is written at the end.

        A run that was interrupted is followed again, and exported again: `ExportedRun.identity` names it.
        """
        del run
        return None

    @abstractmethod
    def write(self, run: "ExportedRun", output: Path) -> Export:
        """Write a scored run; the same run gives the same bytes. output: what -O names.

        The run is whole unless `allow_partial`. Raises SuiteError (ConfigError, RunError) for what cannot be
        exported.
        """


def write_file(path: Path, pieces: Iterable[str | bytes]) -> Path:
    """Write a file piece by piece, in folders made for it, and put it in place in one step; its path.

    Text is written without the secrets that are known. Raises RunError; a half-written file is taken away.
    """
    from suite.files import trying
    from suite.report.run_reports import replace_file

    with trying(f"make {path.parent.name}", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    return replace_file(path, pieces)
