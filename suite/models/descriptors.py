"""Open files of this process: how many it may have, how many requests that leaves, what a lack of them is.

Running out is our own failure, never an endpoint's: it stops the run with the command that helps.
"""

import errno
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from suite.errors import EngineError, causes

WANTED = 8192  # the soft limit is raised to this, or to the hard one
RESERVE = 40  # journals, cache, logs, pipes of programs and servers, connections that are closing
_OUT = (errno.EMFILE, errno.ENFILE)


def raise_limit() -> int:
    """Raise the soft limit on open files as far as is sensible. Returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY:
        return WANTED
    with suppress(ValueError, OSError):  # macOS has a second limit, kern.maxfilesperproc
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def places(engines: int, most: int, say: Callable[[str], None]) -> int:
    """Requests each engine may have in flight, up to `most`; says if fewer. Raises EngineError."""
    allowed, in_use = raise_limit(), 64
    with suppress(OSError):
        in_use = len(list(Path("/dev/fd").iterdir()))
    each = (allowed - in_use - RESERVE) // max(engines, 1)
    if each < 2:
        raise _error(f"only {allowed} open files are allowed, too few to run")
    if each < most:
        say(f"{allowed} open files are allowed: at most {each} requests at once (`ulimit -n 4096` raises it)")
    return min(each, most)


def ours(error: BaseException | None) -> EngineError | None:
    """The error to stop with, if this one comes from a lack of open files."""
    if any(isinstance(one, OSError) and one.errno in _OUT for one in causes(error, hidden=True)):
        return _error(f"too many open files: {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} are allowed")
    return None


def raise_ours(error: BaseException) -> None:
    """Raises EngineError if an error comes from a lack of open files."""
    if (lack := ours(error)) is not None:
        raise lack from error


def _error(what: str) -> EngineError:
    fix = "raise it with `ulimit -n 4096`, or take --concurrency 8, then run the same command again"
    return EngineError(what, fix=fix)
