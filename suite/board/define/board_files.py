"""Finds and reads board definitions: `boards/*.yaml` of the registry folders, or a file or repository given.

Not here: what a definition may say (`board`).
"""

from pathlib import Path

from suite.board.define.board import Board
from suite.data import strict_syntax
from suite.data.registry import Problem, registry_folder
from suite.errors import ConfigError, unknown
from suite.plugins import catalogue


def load_board(path: Path) -> Board:
    """The board of a file, or of a folder's board.yaml. Raises ConfigError naming file, line and field."""
    if path.is_dir():
        path = path / "board.yaml"
    fix = "schemas/board.v1.json in the registry says what is allowed; docs/boards.md explains it"
    return strict_syntax.read_model(path, Board, ConfigError, "board", fix).known_from(path)


def board_files() -> dict[str, Path]:
    """Board id -> its file, over the suite's registry folder and those of plugins; the first one wins."""
    folders = (registry_folder(), *catalogue().registry_folders())
    paths = (path for folder in reversed(folders) for path in sorted((folder / "boards").glob("*.yaml")))
    return {path.stem: path for path in paths}


def boards() -> tuple[list[Board], list[Problem]]:
    """All boards of the registry folders by id, and what can't be read."""
    found, problems = [], []
    for _, path in sorted(board_files().items()):
        try:
            found.append(_named(path))
        except ConfigError as error:
            problems.append(Problem(path, error))
    return found, problems


def find_board(name: str) -> Board:
    """A board by its file, by the folder that holds its board.yaml, or by its id in the registry.

    Raises NotFound, or ConfigError for a file that can't be read.
    """
    path = Path(name)
    if path.is_file() or (path / "board.yaml").is_file():
        return load_board(path)
    files = board_files()
    if name in files:
        return _named(files[name])
    if path.suffix in (".yaml", ".yml") or "/" in name:
        raise ConfigError(f"no board at {name}", fix="give board.yaml, its folder, or a board's id")
    raise unknown("board", name, files)


def _named(path: Path) -> Board:
    board = load_board(path)
    if board.id != path.stem:
        raise ConfigError(
            f"the board is called {board.id!r}, its file {path.name!r}", str(path), "name the file after it"
        )
    return board
