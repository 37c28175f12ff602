"""Install the suite and every plugin of this tree into the interpreter that runs this, editable.

Usage: python .ci/develop.py [--extras embedded,embedder]. Does nothing where that was done already and no
pyproject.toml has changed since. The build backend has to be there (`pip install hatchling editables`), so
that no environment is made for each package.
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Install what is missing; pip's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", default="", help="extras of the suite, with commas")
    parser.add_argument("--constraints", default="", help="constraints file; default: pip's own settings")
    given = parser.parse_args()
    plugins = sorted(ROOT.glob("plugins/*/pyproject.toml"))
    digest = hashlib.sha256(repr((str(ROOT), given.extras, given.constraints)).encode())
    for project in [ROOT / "pyproject.toml", *plugins]:
        digest.update(project.read_bytes())
    marker = Path(sys.prefix) / "installed-from.sha256"
    if marker.is_file() and marker.read_text() == digest.hexdigest():
        return 0
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"]
    command += ["-c", given.constraints] if given.constraints else []
    command += ["-e", f"{ROOT}[{given.extras}]" if given.extras else str(ROOT)]
    for project in plugins:
        command += ["-e", str(project.parent)]
    done = subprocess.run(command, check=False)
    if done.returncode == 0:
        marker.write_text(digest.hexdigest())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
