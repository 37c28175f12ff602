"""Makes a board repository: definition, rules for submitters, owners, and three workflows for GitHub's CI.

The files are in `template/` with @{name} places to fill in. Nothing that exists is overwritten.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import suite
from suite.board.definition import Board, board_files, find_board
from suite.errors import ConfigError
from suite.files import write_whole

PLACES = {
    "SUBMITTING.md": "SUBMITTING.md",
    "README.md": "README.md",
    "CODEOWNERS": "CODEOWNERS",
    "gitattributes": ".gitattributes",
    "verify.yml": ".github/workflows/verify.yml",
    "accept.yml": ".github/workflows/accept.yml",
    "site.yml": ".github/workflows/site.yml",
    "lock.txt": "boards/$id/lock.txt",
    "prices.yaml": "boards/$id/prices.yaml",
    "signers": "boards/$id/signers",
}


@dataclass(frozen=True)
class Made:
    """What was written."""

    folder: Path
    board: Board
    files: tuple[Path, ...]


def init_board(folder: Path, board: str) -> Made:
    """Write a repository for a board: an id of the registry, or a definition file.

    Raises ConfigError if the folder holds one of the files already; NotFound for an unknown board.
    """
    found = find_board(board)
    source = found.path or board_files()[found.id]
    values = {"id": found.id, "title": found.title, "version": found.version, "suite": suite.__version__}
    wanted = {folder / Template(to).substitute(values): name for name, to in PLACES.items()}
    definition = folder / "boards" / found.id / "board.yaml"
    keep = folder / "submissions" / found.id / ".gitkeep"
    for path in (definition, keep, *wanted):
        if path.exists():
            raise ConfigError(f"{path} exists", fix="choose an empty folder")
    for path, name in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [_filled(_template(name), values).encode()])
    for path, text in ((definition, source.read_text("utf-8")), (keep, "")):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [text.encode()])
    return Made(folder, found, tuple(sorted([definition, keep, *wanted])))


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Places are written @{name}: workflows and shells use the dollar themselves. Raises KeyError."""
    return re.sub(r"@\{([a-z]+)\}", lambda found: values[found[1]], text)


def _template(name: str) -> str:
    return (files("suite.board") / "template" / name).read_text("utf-8")
