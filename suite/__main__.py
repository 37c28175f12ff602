"""`suite` and `python -m suite`."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from suite.cli.main import run
from suite.secrets import scrub, scrub_all


def _scrubbed(stream: TextIO, clean: Callable[[str], str]) -> None:
    """Let no secret reach a stream, whoever writes: reports, errors, tracebacks."""
    write = stream.write
    stream.write = lambda text: write(clean(text))  # type: ignore[method-assign]


def main() -> None:
    """Run the command line and leave with its exit code."""
    _scrubbed(sys.stdout, scrub)
    _scrubbed(sys.stderr, scrub_all)
    code = run(sys.argv[1:])
    budget = sys.modules.get("suite.board.verify.time_limit")  # loaded by commands that verify
    if budget is not None and budget.struck() and threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)  # a thread works for what was given up, and Python would wait for it
    sys.exit(code)


if __name__ == "__main__":
    main()
