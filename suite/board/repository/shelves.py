"""A board repository on disk: definitions under boards/, entries under submissions/. No list is kept by hand.

boards/ID/board.yaml, boards/ID/history/VERSION.yaml (frozen earlier definitions), boards/ID/prices.yaml,
boards/ID/signers (whose SSH keys may sign, in OpenSSH's format); submissions/ID/NAME-FIRST12HEX/. A new one
is made from the files in `template/`, with @{name} places to fill in; nothing that exists is overwritten.
Not here: what an entry says (`entry`), checking a change (`pull_request`).
"""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import suite
from suite.board.bundle.signatures import Signers
from suite.board.define.board import Board, board_files, find_board, load_board
from suite.board.entry import RECORD, AcceptedEntry, read_entry
from suite.data import strict_syntax
from suite.errors import ConfigError, DataError, NotFound, unknown
from suite.files import write_whole

SIGNERS = "signers"
PLACES = strict_syntax.read_table(__package__, "places.yaml", dict[str, str])


@dataclass(frozen=True)
class Shelf:
    """One board with everything that belongs to it. history: earlier definitions, oldest first."""

    board: Board
    submissions: Path
    folder: Path | None = None
    history: tuple[Board, ...] = ()

    def signers_at(self, when: datetime) -> Signers | None:
        """Whose keys could sign at a moment, by the board's file of signers; None without one."""
        path = self.folder / SIGNERS if self.folder is not None else None
        return Signers(path, when) if path is not None and path.is_file() else None

    def entries(self) -> list[AcceptedEntry]:
        """All entries, by acceptance. Raises DataError for one that can't be read, or that stands twice."""
        found, problems = self.read()
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise DataError(problems[0].what + more, problems[0].where, problems[0].fix)
        return found

    def read(self) -> tuple[list[AcceptedEntry], list[DataError]]:
        """All entries that can be read, by acceptance, and what is wrong with the others.

        A folder without entry.yaml is a submission that nobody has accepted yet: it is left out.
        """
        seen: dict[str, AcceptedEntry] = {}
        problems: list[DataError] = []
        folders = sorted(one for one in self.submissions.glob("*") if one.is_dir() or one.is_symlink())
        folders = [one for one in folders if one.is_symlink() or (one / RECORD).exists()]
        with ThreadPoolExecutor(2) as pool:
            for one in pool.map(_try, folders):
                if isinstance(one, DataError):
                    problems.append(one)
                    continue
                if one.id in seen:
                    problems.append(DataError("an entry stands twice", str(one.folder)))
                seen[one.id] = one
        return sorted(seen.values(), key=lambda one: (one.record.accepted.timestamp(), one.id)), problems


def _try(folder: Path) -> AcceptedEntry | DataError:
    if folder.is_symlink():
        return DataError("an entry's folder must not be a link", str(folder))
    try:
        return read_entry(folder)
    except DataError as error:
        return error
    except (OSError, ValueError) as error:
        return DataError(f"{folder.name} cannot be read: {type(error).__name__}", str(folder))


def open_repository(path: Path, board: str = "") -> list[Shelf]:
    """The boards of a repository, or the one of a folder of submissions.

    path: the repository, or its submissions/ID. board: a file, folder or id, to choose one or to say which
    definition a folder of submissions belongs to. Raises ConfigError, NotFound.
    """
    if (path / "boards").is_dir():
        found = [_shelf(path, one) for one in sorted((path / "boards").iterdir()) if _has_board(one)]
        chosen = [one for one in found if not board or one.board.id == board]
        if board and not chosen:
            try:
                definition = find_board(board)
            except NotFound as error:
                raise unknown("board", board, (one.board.id for one in found), f"in {path}") from error
            chosen = [Shelf(definition, path / "submissions" / definition.id)]
        if not chosen:
            raise ConfigError(f"{path} has no board", fix="`suite board init --repo DIR` makes a repository")
        return chosen
    if not path.is_dir():
        raise ConfigError(f"there is no folder {path}", fix="give a board repository, or its submissions/ID")
    root = path.resolve().parent.parent
    if not board and _has_board(root / "boards" / path.resolve().name):
        return [_shelf(root, root / "boards" / path.resolve().name)]
    name = board or path.resolve().name
    if not board and name not in board_files():
        raise ConfigError.of("board.shelves.no-repository", path=path, name=name)
    return [Shelf(find_board(name), path)]


def _has_board(folder: Path) -> bool:
    return (folder / "board.yaml").is_file()


def _shelf(root: Path, folder: Path) -> Shelf:
    board = load_board(folder)
    if board.id != folder.name:
        raise ConfigError(f"the board is called {board.id!r}, its folder {folder.name!r}", str(folder))
    history = []
    for path in (folder / "history").glob("*.yaml"):
        old = load_board(path)
        if old.id != board.id or old.version != path.stem:
            raise ConfigError(f"{path.name} holds {old.id} {old.version}", str(path))
        history.append(old)
    older = tuple(sorted(history, key=version_number))
    return Shelf(board, root / "submissions" / board.id, folder, older)


def version_number(board: Board) -> tuple[int, ...]:
    """A definition's version, to compare with."""
    return tuple(map(int, board.version.split(".")))


def init_board(folder: Path, board: str) -> tuple[Board, list[Path]]:
    """Write a repository for a board: an id of the registry, or a definition file. The board, and the files.

    Raises ConfigError if the folder holds one of the files already; NotFound for an unknown board.
    """
    found = find_board(board)
    source = found.path or board_files()[found.id]
    values = {"id": found.id, "title": found.title, "version": found.version, "suite": suite.__version__}
    folders = (folder / "boards" / found.id, folder / "submissions" / found.id)
    texts = {folders[0] / "board.yaml": source.read_text("utf-8"), folders[1] / ".gitkeep": ""}
    for name, to in PLACES.items():
        text = (files("suite.board.repository") / "template" / name).read_text("utf-8")
        texts[folder / _filled(to, values)] = _filled(text, values)
    for path in texts:
        if path.exists():
            raise ConfigError(f"{path} exists", fix="choose an empty folder")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [text.encode()])
    return found, sorted(texts)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Places are written @{name}: workflows and shells use the dollar themselves. Raises KeyError."""
    return re.sub(r"@\{([a-z]+)\}", lambda found: values[found[1]], text)
