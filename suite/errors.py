"""Every error a user can act on, and what it costs.

A message has up to three lines: what is wrong, where, what to do.
"""

import difflib
import functools
import operator
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from suite.secrets import scrub, scrub_all

MOST_NAMES = 24  # that an error lists
_WORD = re.compile(r"[a-z0-9]+")


class SuiteError(Exception):
    """Something the user can put right: exit code 2; nothing was lost, nothing more is paid for.

    `what`, `where` and `fix` become the lines of the message.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = (scrub(one) for one in (what, where, fix))
        super().__init__("\n  ".join(line for line in (self.what, self.where, self.fix) if line))

    @classmethod
    def of(cls, message: str, /, **about: object) -> Self:
        """The error in the words that `messages.toml` has under a dotted name, about these things."""
        words = functools.reduce(operator.getitem, message.split("."), _messages())
        return cls(*(words.get(line, "").format_map(about) for line in ("what", "where", "fix")))


def worded(message: str, /, **about: object) -> str:
    """A sentence of `messages.toml`, about these things."""
    return SuiteError.of(message, **about).what


@functools.cache
def _messages() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("messages.toml").read_text("utf-8"))


class NotFound(SuiteError):
    """No task, dataset, model, parameter or plugin has that name."""


class PluginError(SuiteError):
    """A plugin failed to import, claims a taken name or breaks the contract."""


class ConfigError(SuiteError):
    """A flag, environment variable, settings file or parameter has a bad value."""


class DataError(SuiteError):
    """Bytes or rows are not what the registry entry says."""


class LicenceRequired(DataError):
    """The entry's licence asks to be accepted before its data may be used."""


class SourceUnreachable(DataError):
    """The place that holds the data could not be reached, or refused. answered: whether anything did."""

    def __init__(self, what: str, where: str = "", fix: str = "", *, answered: bool = True) -> None:
        super().__init__(what, where, fix)
        self.answered = answered


class SourceChanged(DataError):
    """The place that holds the data has not what was pinned any more."""


class CapabilityError(SuiteError):
    """A model cannot fill a role of this task."""


class EngineError(SuiteError):
    """An engine could not be started, or stopped answering for good."""


class SandboxUnavailable(SuiteError):
    """Untrusted code cannot be contained on this machine."""


class RunError(SuiteError):
    """A run folder is in use, damaged, or belongs to another plan."""


class DamagedError(RunError):
    """A journal is not what was written: the same command cannot go on."""


class BundleError(SuiteError):
    """A submission cannot be read as a bundle."""


class CallFailed(Exception):
    """One call to a model got no usable reply. Providers raise it, the runner handles it (retry, then
    *pending*); it is never shown as an answer.

    kind: a short slug (`connect`, `timeout`, `status-429`, `bad-json`, …) for the attempts journal.
    retryable: whether the same request may succeed later.
    retry_after: seconds the endpoint asked us to wait, if it did.
    overload: the endpoint says it has too much to do; concurrency should shrink.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        overload: bool = False,
    ) -> None:
        self.kind = scrub_all(kind)
        self.message = scrub_all(message)  # before anybody cuts it
        super().__init__(f"{self.kind}: {self.message}" if message else self.kind)
        self.retryable = retryable
        self.retry_after = retry_after
        self.overload = overload


def causes(error: BaseException | None, *, hidden: bool = False) -> Iterator[BaseException]:
    """An error and those that it was made of, each once. hidden: also what `from None` hides."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ and not hidden else error.__context__)


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Names that may have been meant, best first: spelt alike (at most 3), else with a word alike."""
    lower: dict[str, str] = {}
    for one in names:
        lower.setdefault(one.lower(), one)
    if near := difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6):
        return [lower[one] for one in near]
    words = [word for word in _WORD.findall(name.lower()) if len(word) > 2]
    return [
        one
        for low, one in lower.items()
        if any(word in low or difflib.get_close_matches(word, _WORD.findall(low), 1, 0.8) for word in words)
    ][:MOST_NAMES]


def listed(names: Sequence[str], most: int, mark: str = ", ") -> str:
    """The first of some names, and how many more there are: "a, b and 3 more"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return mark.join(names[:most]) + more


def unknown(
    kind: str, name: str, known: Iterable[str], where: str = "", also: Iterable[str] = ()
) -> NotFound:
    """The one way to say that a name is not known: nearest names first, else what there is.

    kind: what the name should have named ("task", "parameter", …).
    known: all valid names. also: further spellings that may have been meant, listed only then.
    """
    names = sorted(set(known))
    near = nearest(name, [*names, *sorted(also)])
    if near:
        quoted = [repr(one) for one in near]
        fix = f"did you mean {' or '.join(quoted) if len(near) <= 3 else 'one of ' + ', '.join(quoted)}?"
    elif names:
        fix = f"known: {listed(names, MOST_NAMES)}"
    else:
        fix = f"there is no {kind} at all"
    return NotFound(f"no {kind} named {name!r}", where, fix)
