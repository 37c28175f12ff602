"""Finds and reads board definitions: `boards/*.yaml` of the registry folders, or a file or repository given.

Not here: what a definition may say (`board`).
"""

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from suite.board.define.board import Board
from suite.data import strict_syntax
from suite.data.registry import registry_folder
from suite.errors import ConfigError, unknown
from suite.files import read_regular
from suite.plugins import Catalogue, catalogue

LARGEST = 1024 * 1024  # bytes of a definition


class DefinitionProblem(NamedTuple):
    """A definition that can't be read."""

    file: Path
    error: ConfigError


def load_board(path: Path) -> Board:
    """The board of a file, or of a folder's board.yaml. Raises ConfigError naming file, line and field."""
    if path.is_dir():
        path = path / "board.yaml"
    try:
        data = read_regular(path, LARGEST)
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}", where=str(path)) from error
    try:
        text = data.decode("utf-8")
        value = strict_syntax.read_yaml(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8", where=str(path)) from error
    except ValueError as error:
        raise ConfigError(f"{path.name} can't be read: {error}", where=str(path)) from error
    try:
        return strict_syntax.validated(Board, value).known_from(path, text)
    except ValidationError as error:
        raise _told(error, path, text) from error
    except ValueError as error:
        raise ConfigError(f"{path.name} is no valid board: {error}", where=str(path)) from error


def _told(error: ValidationError, path: Path, text: str) -> ConfigError:
    first = error.errors(include_url=False)[0]
    known = ("function-before", "function-after", "tuple", "dict")
    place = [step for step in first["loc"] if not str(step).startswith(known)]
    message = first["msg"].removeprefix("Value error, ")
    if message.startswith("tasks: "):
        place, message = ["tasks"], message.removeprefix("tasks: ")
    elif first["type"] == "extra_forbidden":
        message = f"there is no field `{place[-1]}`"
    line = strict_syntax.yaml_line(text, place)
    more = error.error_count() - 1
    others = f" (and {more} more mistake{'s' if more > 1 else ''})" if more else ""
    return ConfigError(
        f"{path.name} is no valid board: {message}{others}",
        where=f"{path}, line {line}, field `{'.'.join(map(str, place)) or 'the whole'}`",
        fix="schemas/board.v1.json in the registry says what is allowed; docs/boards.md explains it",
    )


def board_files(plugins: Catalogue | None = None) -> dict[str, Path]:
    """Board id -> its file, over the suite's registry folder and those of plugins; the first one wins."""
    found: dict[str, Path] = {}
    for folder in (registry_folder(), *(plugins or catalogue()).registry_folders()):
        for path in sorted((folder / "boards").glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def boards(plugins: Catalogue | None = None) -> tuple[list[Board], list[DefinitionProblem]]:
    """All boards of the registry folders by id, and what can't be read."""
    found, problems = [], []
    for _, path in sorted(board_files(plugins).items()):
        try:
            found.append(_named(path))
        except ConfigError as error:
            problems.append(DefinitionProblem(path, error))
    return found, problems


def find_board(name: str, plugins: Catalogue | None = None) -> Board:
    """A board by its file, by the folder that holds its board.yaml, or by its id in the registry.

    Raises NotFound, or ConfigError for a file that can't be read.
    """
    path = Path(name)
    if path.is_file() or (path / "board.yaml").is_file():
        return load_board(path)
    files = board_files(plugins)
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
