"""A walk through a text: its shell blocks and files, in order, as one bash script that stops when one fails.

What a text leaves open is filled in by functions of the script, never by rewriting a command:
REPOSITORY is a copy of this tree; `.venv` is there before `make` looks for it, with what the running
interpreter has (nothing is downloaded again); a command that serves until it is stopped is asked for its page
and stopped. Not here: which texts are walked, and what must have come out (`test_walks.py`).
"""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

_END = "end-of-a-file-of-the-walk"
PRELUDE = r"""
set -euo pipefail
git() { command git "${@/#REPOSITORY/$REPOSITORY}"; }
make() { [ -e .venv ] || "$PYTHON" "$PREPARE" .venv; command make "$@"; }
suite() {
    if [ "${1:-} ${2:-}" != "board serve" ]; then command suite "$@"; return; fi
    local told server address=""
    told=$(mktemp)
    command suite "$@" --port 0 >"$told" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        address=$(grep -oE 'http://[^ ]+' "$told" || true)
        [ -z "$address" ] || break
        sleep 0.1
    done
    [ -n "$address" ] || { cat "$told"; return 1; }
    "$PYTHON" -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())' "$address" \
        >"$SERVED"
    kill "$server"
    wait "$server" || true
}
"""


class Block(Protocol):
    """A fenced block of a text, as `reading` finds them."""

    language: str
    title: str
    body: str


def script(blocks: Iterable[Block]) -> str:
    """Blocks of `sh` are run, blocks with a title are written to that file, all others are only shown."""
    parts = [PRELUDE]
    for block in blocks:
        if block.title:
            parts.append(f'mkdir -p "$(dirname "{block.title}")"')
            parts.append(f"cat >'{block.title}' <<'{_END}'\n{block.body}{_END}")
        elif block.language == "sh":
            lines = re.sub(r"\\\n\s*", "", block.body).splitlines()
            parts += [f"echo {_quoted('$ ' + line)} >&2\n{line}" for line in lines]
    return "\n".join(parts) + "\n"


def clone_of(root: Path, folder: Path) -> Path:
    """A Git repository with the tree as it stands, ignored files left out: what the text calls REPOSITORY."""
    listed = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        source, target = root / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)
    who = ["-c", "user.name=walk", "-c", "user.email=walk@example.org", "-c", "init.defaultBranch=main"]
    who += ["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "The tree as it stands"]):
        subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)
    return folder


def prepare(folder: Path) -> None:
    """Make an environment that sees all packages of this one, and say that `make venv` is done."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    parent = sysconfig.get_path("purelib")
    (Path(paths["purelib"]) / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
    python = Path(paths["scripts"]) / "python"
    for name, module in {"suite": "suite.__main__", "pytest": "pytest"}.items():
        launcher = Path(paths["scripts"]) / name
        call = "main" if name == "suite" else "console_main"
        launcher.write_text(f"#!{python}\nimport sys\nfrom {module} import {call}\nsys.exit({call}())\n")
        launcher.chmod(0o755)
    (folder / "ready").touch()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    prepare(Path(sys.argv[1]).absolute())
