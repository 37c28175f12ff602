"""Executors: where a run is carried out when not in this process alone; entries of kind `executor` name them.

One either drives the session of a run by itself (`run`) or writes what a scheduler takes (`script`).
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from suite.errors import ConfigError, PluginError
from suite.plugins import catalogue
from suite.secrets import safe_command

if TYPE_CHECKING:
    from suite.run.outcome import Outcome
    from suite.run.session import Session


@dataclass(frozen=True)
class Job:
    """A command that scripts repeat. words: without `suite` and --on. folder: the run's, as they write it."""

    words: tuple[str, ...]
    folder: Path


class Executor:
    """One place to carry runs out. A subclass names its options, and overrides `run`, `script` or both."""

    options: ClassVar[Mapping[str, str]] = {}
    """Name of each option, and a line of help."""
    repeatable: ClassVar[frozenset[str]] = frozenset()
    """Options that may be given several times: their values are lines of one text."""

    def __init__(self, name: str, given: Mapping[str, str]) -> None:
        """name: of its entry. given: values by option, all known. Raises ConfigError for a bad value."""
        self.name = name
        self.given = given

    async def run(self, session: "Session") -> "Outcome":
        """Carry a run out. Raises ConfigError where this executor only writes scripts."""
        del session
        raise ConfigError.of("run.executor.script", name=self.name)

    def script(self, job: Job) -> str:
        """What to give to a scheduler. Raises ConfigError where this executor runs at once."""
        del job
        raise ConfigError(f"--on {self.name} runs at once and has no script", fix="leave --print out")


def executor_of(name: str, given: Iterable[tuple[str, str]]) -> Executor:
    """The executor of a name with its options. given: (option, value), in order.

    Raises NotFound with the nearest names, ConfigError for an option that is unknown, double or bad,
    PluginError for an entry that is no executor.
    """
    kind: object = catalogue().load("executor", name)
    if not isinstance(kind, type) or not issubclass(kind, Executor):
        raise PluginError(f"executor {name!r} is no subclass of suite.Executor")
    values: dict[str, str] = {}
    for key, value in given:
        if key not in kind.options:
            known = [f"{one}: {text}" for one, text in kind.options.items()]
            raise ConfigError(f"--on {name} has no option {key!r}", "its options:", "\n    ".join(known))
        if key in values and key not in kind.repeatable:
            raise ConfigError(f"--on-option gives {key} twice", fix="leave one of them out")
        values[key] = f"{values[key]}\n{value}" if key in values else value
    return kind(name, values)


def script_of(executor: Executor, job: Job) -> str:
    """What an executor writes for a job. Raises ConfigError where a secret would stand in it."""
    text = executor.script(job)
    for words in (job.words, *(one.split() for one in executor.given.values())):
        if safe_command(words) != shlex.join(words):
            raise ConfigError.of("run.executor.secret", command=safe_command(words))
    return text
