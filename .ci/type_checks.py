"""mypy in strict mode over sources, tests, and each plugin's tests: `python .ci/type_checks.py [ARGUMENTS]`.

Several runs of it, since the test modules of plugins have the same names. Exit code 1 if one of them fails.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVERS = "tests/servers"  # on the path of all tests: what lies there is imported by its plain name


def runs() -> Iterator[list[str]]:
    """The arguments of each run."""
    yield []
    servers = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / SERVERS).glob("*.py"))
    yield ["--explicit-package-bases", "--exclude", f"^{SERVERS}/", "tests", *servers]
    for tests in sorted(ROOT.glob("plugins/*/tests")):
        yield [tests.relative_to(ROOT).as_posix()]


def main(arguments: list[str]) -> int:
    """Run all, whatever the others say."""
    environment = {**os.environ, "MYPYPATH": SERVERS}
    mypy = [sys.executable, "-m", "mypy", *arguments]
    codes = [
        subprocess.run([*mypy, *run], cwd=ROOT, env=environment, check=False).returncode for run in runs()
    ]
    return int(any(codes))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
