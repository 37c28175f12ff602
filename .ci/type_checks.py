"""mypy in strict mode over sources and tests: `python .ci/type_checks.py [ARGUMENTS of mypy]`.

Each plugin's tests are a run of their own, since their modules have the same names. Exit code 1: one failed.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Run all, whatever the others say."""
    plugins = [[path.relative_to(ROOT).as_posix()] for path in sorted(ROOT.glob("plugins/*/tests"))]
    mypy = [sys.executable, "-m", "mypy", *arguments]
    done = [subprocess.run([*mypy, *paths], cwd=ROOT, check=False) for paths in ([], *plugins)]
    return int(any(one.returncode for one in done))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
