"""What a board asks for: `board.yaml` as types, the cells that an entry must bring, and where boards are: in
`boards/*.yaml` of the registry folders, or in a file or repository given.

The file is closed (unknown keys are errors) and every field but id, version, title and tasks has a default.
`Board.sha256` is taken over the parsed file with all defaults filled in, so comments and order of keys do not
change it. Parameters that an item does not name have the task's own defaults; those are filled in by
`Board.cells`, with the same code that makes the cells of a run, so that cell ids can be compared.
Not here: ranking, verification.
"""

import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from suite.board.define import parts
from suite.chat import Json, canonical_json, sha256_hex
from suite.data import strict_syntax
from suite.data.registry import Problem, registry_folder
from suite.errors import ConfigError, SuiteError, unknown
from suite.parameters import SkipCell
from suite.plugins import Catalogue, catalogue
from suite.run.cells import AnyTask, Cell, load_task, make_cell, make_task

MOST_CELLS = 500  # of one board: a bundle holds at most as many runs
LATER = {"tasks": ("ceiling",), "limits": ("verify_seconds",)}  # fields that the first boards did not have


class Item(parts.Closed):
    """One column of the board: a task with its parameters, possibly swept over several cells.

    key: name of the column; default the task's. version: the task's. parameters: exact values; what is not
    named has the task's default. sweep: parameter -> values; the column is the mean over all combinations
    that the task allows. limit: groups taken by `--limit` (null: all). seed: null lets the submitter choose,
    which a limit forbids: it would choose the groups, too. prompts_sha256: of the task's prompt texts,
    one for all cells or by cell. roles: role -> who fills it; a role that the task needs and that is not
    named here is free. headline: metric; default the task's. weight: share of the overall number; given
    for all items or for none (equal then). data_published: when the data became public, to mark models
    that were released later. ceiling: the best that people or an oracle reach, in the headline's own unit; a
    value beyond it is noted.
    """

    task: parts.Key
    version: int = Field(ge=1)
    key: parts.Key | Literal[""] = ""
    title: parts.Line | Literal[""] = ""
    parameters: dict[str, Json] = Field(default_factory=dict)
    sweep: dict[str, tuple[Json, ...]] = Field(default_factory=dict)
    score_parameters: dict[str, Json] = Field(default_factory=dict)
    data: Literal["full", "mini"] = "full"
    limit: int | None = Field(default=None, ge=1)
    trials: int = Field(default=1, ge=1, le=1000)
    seed: int | None = None
    prompts: Literal["own", "official"] = "own"
    prompts_sha256: parts.Sha256 | dict[str, parts.Sha256] | None = None
    roles: dict[parts.Slug, parts.Seats] = Field(default_factory=dict)
    headline: parts.Line | Literal[""] = ""
    weight: float | None = Field(default=None, gt=0, le=1)
    normalise: parts.Normalise = parts.Normalise()
    caps: parts.Caps = parts.Caps()
    data_published: date | None = None
    ceiling: float | None = None

    @field_validator("sweep")
    @classmethod
    def _swept(cls, given: dict[str, tuple[Json, ...]]) -> dict[str, tuple[Json, ...]]:
        for name, values in given.items():
            if not values:
                raise ValueError(f"{name}: a sweep needs at least one value")
        if (many := math.prod(map(len, given.values()))) > MOST_CELLS:
            raise ValueError(f"a sweep of {many:,} cells; a board asks for at most {MOST_CELLS:,}")
        return given

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if both := sorted(set(self.parameters) & set(self.sweep)):
            raise ValueError(f"{', '.join(both)}: under `parameters` or under `sweep`, not both")
        if self.limit is not None and self.seed is None:
            raise ValueError("`limit` needs a `seed`: with any seed, the submitter would choose the groups")
        return self

    @property
    def name(self) -> str:
        """The column's key."""
        return self.key or self.task

    @property
    def shown(self) -> str:
        """The column's title for people."""
        return self.title or self.name

    def combinations(self) -> Iterator[dict[str, Json]]:
        """The parameter values of each cell, in the order of the sweep."""
        for values in itertools.product(*self.sweep.values()):
            yield {**self.parameters, **dict(zip(self.sweep, values, strict=True)), **self.score_parameters}


class Board(parts.Closed):
    """A board's definition. plausibility: name of a threshold -> value, over the verifier's defaults.
    hosts: from which bundles may be fetched over https.
    """

    format: Literal["suite-board/1"] = "suite-board/1"
    id: parts.Slug
    version: parts.Semver
    title: parts.Line
    about: Annotated[str, AfterValidator(parts.seen)] = Field(default="", max_length=5000)
    tasks: tuple[Item, ...] = Field(min_length=1, max_length=100)
    candidate: parts.Candidate = parts.Candidate()
    overall: parts.Overall = parts.Overall()
    uncertainty: parts.Uncertainty = parts.Uncertainty()
    eligibility: parts.Eligibility = parts.Eligibility()
    plausibility: dict[parts.Threshold, float] = Field(default_factory=dict)
    limits: parts.BoardLimits = parts.BoardLimits()
    publish: parts.Publish = parts.Publish()
    hosts: tuple[parts.Host, ...] = ()

    _path: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        names = [item.name for item in self.tasks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tasks: {', '.join(twice)}: two items of one name; give one of them a `key`")
        files = [file_name(name) for name in names]
        if twice := sorted({name for name in files if files.count(name) > 1}):
            raise ValueError(f"tasks: two keys become one file name, {twice[0]}; give one another `key`")
        given = [item.weight for item in self.tasks if item.weight is not None]
        if given and len(given) < len(self.tasks):
            raise ValueError("tasks: give a weight to every item or to none")
        if given and abs(math.fsum(given) - 1) > 1e-9:
            raise ValueError(f"tasks: the weights sum to {math.fsum(given):.12g}, not to 1")
        return self

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def filled(self) -> dict[str, Json]:
        """The definition as JSON with every default filled in, but for fields that came after the first
        boards (`LATER`): left out where they hold nothing, so that a board keeps its hash.
        """
        found = self.model_dump(mode="json")
        for part, names in LATER.items():
            for one in found[part] if isinstance(found[part], list) else [found[part]]:
                for name in names:
                    if one[name] is None:
                        del one[name]
        return found

    @cached_property
    def sha256(self) -> str:
        return sha256_hex(canonical_json(self.filled))

    @property
    def exact_name(self) -> dict[str, str]:
        """How bundles and verifications name this very definition: id, version, definition_sha256."""
        return {"id": self.id, "version": self.version, "definition_sha256": self.sha256}

    @property
    def thresholds(self) -> parts.Thresholds:
        """The verifier's defaults with the board's own values over them."""
        return {**parts.DEFAULTS, **self.plausibility}

    @property
    def weights(self) -> dict[str, float]:
        """Column -> its share of the overall number; they sum to 1."""
        return {item.name: item.weight or 1 / len(self.tasks) for item in self.tasks}

    def cells(self, plugins: Catalogue) -> dict[str, tuple[Cell, ...]]:
        """Column -> the cells that an entry must bring, in the order of the sweep, made as a run makes them.

        Raises NotFound (task, parameter, metric), PluginError, ConfigError (version, value, nothing left).
        """
        found: dict[str, tuple[Cell, ...]] = {}
        taken: dict[tuple[str, str], str] = {}
        for index, item in enumerate(self.tasks):
            with _at(self, index):
                cells = self._cells(item, plugins)
                headline = item.headline or cells[0].task.info.headline
                for cell in cells:
                    if other := taken.get((cell.id, headline)):
                        raise ConfigError(f"columns {other!r} and {item.name!r} hold the same cell {cell.id}")
                    taken[cell.id, headline] = item.name
            found[item.name] = cells
        if sum(map(len, found.values())) > MOST_CELLS:
            raise ConfigError(f"board {self.id} asks for more than {MOST_CELLS} cells")
        return found

    def _cells(self, item: Item, plugins: Catalogue) -> tuple[Cell, ...]:
        task, plugin = load_task(plugins, item.task)
        name = task.info.name
        if name != item.task:
            raise ConfigError(f"{item.task!r} is an alias", fix=f"write task: {name}")
        if task.info.version != item.version:
            raise ConfigError.of("board.define.version", item=item, name=name, task=task)
        _check_item(item, task)
        cells: dict[str, Cell] = {}
        reasons = []
        for values in item.combinations():
            try:
                cell = make_cell(make_task(task, values), plugin)
            except SkipCell as skip:
                reasons.append(skip.reason)
                continue
            cells.setdefault(cell.id, cell)
        if not cells:
            why = "; ".join(dict.fromkeys(reasons))
            raise ConfigError(f"{name}: the task refuses every combination: {why}")
        return tuple(cells.values())


@contextmanager
def _at(board: Board, index: int) -> Iterator[None]:
    """Adds file and line to errors about an item."""
    try:
        yield
    except SuiteError as error:
        if board.path is None:
            raise
        line = strict_syntax.yaml_line(strict_syntax.read_text(board.path), ("tasks", index))
        place = f"{board.path}, line {line}, field `tasks.{index}`"
        where = "\n  ".join(filter(None, (error.where, place)))
        raise type(error)(error.what, where, error.fix) from error


def _check_item(item: Item, task: type[AnyTask]) -> None:
    """Names of parameters, roles, metric, as the task has them."""
    kind = task.parameters_type()
    solving, at_score = (*item.parameters, *item.sweep), kind.at_score_names()
    if early := [name for name in solving if name in at_score]:
        raise ConfigError.of("board.define.at-score", item=item, name=early[0])
    for what, given, known in (
        ("parameter", solving, kind.model_fields.keys() - at_score),
        ("at-score parameter", item.score_parameters, at_score),
        ("role", item.roles, set(task.info.roles) - {"candidate"}),
        ("metric", filter(None, [item.headline]), [row for one in task.metrics for row in one.rows()]),
    ):
        for name in given:
            if name not in known:
                raise unknown(what, name, known, f"of {item.task}")
    if item.data == "mini" and not task.info.mini:
        raise ConfigError(f"{item.task} has no mini data", fix="write data: full")


def file_name(key: str) -> str:
    """A column's key as a file name: slashes become two hyphens."""
    return re.sub(r"[^a-z0-9._-]", "-", key.replace("/", "--"))


def load_board(path: Path) -> Board:
    """The board of a file, or of a folder's board.yaml. Raises ConfigError naming file, line and field."""
    if path.is_dir():
        path = path / "board.yaml"
    fix = "schemas/board.v1.json in the registry says what is allowed; docs/boards.md explains it"
    board = strict_syntax.read_model(path, Board, ConfigError, "board", fix)
    board._path = path
    return board


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
        raise ConfigError.of("board.define.misnamed", board=board, path=path)
    return board
