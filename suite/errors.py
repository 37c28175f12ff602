"""Every error a user can act on, and what it costs.

A message has up to three lines: what is wrong, where, what to do.
"""

import difflib
from collections.abc import Iterable, Iterator

from suite.secrets import scrub, scrub_all


class SuiteError(Exception):
    """Something the user can put right: exit code 2; nothing was lost, nothing more is paid for.

    `what`, `where` and `fix` become the lines of the message.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = (scrub(one) for one in (what, where, fix))
        super().__init__("\n  ".join(line for line in (self.what, self.where, self.fix) if line))


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
    """The place that holds the data could not be reached, or refused."""


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


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> NotFound:
    """The one way to say that a name is not known: nearest names first, else what there is.

    kind: what the name should have named ("task", "parameter", …).
    known: all valid names.
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        fix = "did you mean " + " or ".join(repr(one) for one in near) + "?"
    elif names:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        fix = f"known: {shown}"
    else:
        fix = f"there is no {kind} at all"
    return NotFound(f"no {kind} named {name!r}", where, fix)
