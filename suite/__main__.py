"""`suite` and `python -m suite`."""

import sys

from suite.cli.main import run
from suite.secrets import scrub_streams


def main() -> None:
    """Run the command line and leave with its exit code."""
    scrub_streams()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
