"""A task in one file: `./units.py`, or `./units.py:Units` of several, run without a distribution.

The file is imported under a private name made of its bytes and place, so that two files of one stem stand
side by side and no other module is hidden. Its bytes alone say which task it is: nothing beside it is
imported. A class that somebody hands over, as from a notebook, is known by all that it reaches
(`reached_code`), and to this process alone. Not here: its rows (`data.declared_rows`), the names of
installed tasks (`plugins`).
"""

import hashlib
import importlib.util
import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from suite.errors import NotFound, PluginError, SuiteError, causes, unknown
from suite.hookspecs import FILE_MODULE, Entry
from suite.reached_code import imports, not_installed, reached_sha256
from suite.task import AnyTask, HubRows, Task, TaskInfo

ENDING = ".py"
_SHORTEST = "a class that derives from suite.Task, as docs/one-file.md shows"


class TaskLoader(SourceFileLoader):
    """Imports a file of a task from the bytes that were hashed; no bytecode is kept or taken."""

    def __init__(self, path: Path, source: bytes) -> None:
        self.sha256 = hashlib.sha256(source).hexdigest()
        place = hashlib.sha256(str(path).encode()).hexdigest()[:12]  # equal files have rows of their own
        super().__init__(f"{FILE_MODULE}{self.sha256}_{place}", str(path))
        self.source = source

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        code: CodeType = self.source_to_code(self.source, self.path)
        return code


@dataclass(frozen=True)
class TaskFile:
    """A task and the file that holds it. path: absolute. sha256: of the file's bytes."""

    path: Path
    sha256: str
    kind: type[AnyTask]

    @property
    def entry(self) -> Entry:
        """The task as an entry of a plugin."""
        info, kind = self.kind.info, self.kind
        return Entry("task", info.name, info.title, f"{kind.__module__}:{kind.__qualname__}")


def is_task_file(name: str) -> bool:
    """Whether what should name a task names a file: PATH.py or PATH.py:Class."""
    return split_name(name)[0].endswith(ENDING)


def task_file(name: str) -> TaskFile:
    """The task of PATH.py or PATH.py:Class, imported now.

    Raises NotFound for no such file or class, PluginError for a file that cannot be imported, that holds no
    task or several of which none is named, and for a class that is no whole task.
    """
    place, chosen = split_name(name)
    given = Path(place)
    try:
        path = given.resolve()
        source = path.read_bytes()
    except (OSError, ValueError) as error:
        why = "is a folder" if given.is_dir() else getattr(error, "strerror", None) or str(error)
        raise NotFound.of("task-files.unreadable", name=name, given=given, why=why) from error
    loader = TaskLoader(path, source)
    kind = _chosen(_module(loader, path), path, chosen)
    return TaskFile(path, loader.sha256, kind)


def _file_of(kind: type[AnyTask]) -> TaskFile | None:
    """The file that holds a class; None for a class of a package or a notebook."""
    loader = getattr(sys.modules.get(kind.__module__), "__loader__", None)
    return TaskFile(Path(loader.path), loader.sha256, kind) if isinstance(loader, TaskLoader) else None


NOTEBOOK = "notebook"
_HANDED: dict[str, TaskFile] = {}  # by hash of the source: classes that this process was handed


def task_class(kind: type[AnyTask]) -> TaskFile:
    """A class handed over: its source are the cells or its module's file. Raises PluginError."""
    if (found := _file_of(kind)) is not None:
        return found
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    _whole(kind, Path(file or NOTEBOOK))
    sha256 = reached_sha256(kind, Path(file).read_bytes() if file else _cells(kind))
    _HANDED.pop(sha256, None)  # the last is the one that stands now
    _HANDED[sha256] = made = TaskFile(Path(NOTEBOOK), sha256, kind)
    return made


def handed_class(sha256: str) -> TaskFile | None:
    """A class that this process was handed, by the hash of its source; None where it is not what it was."""
    found = _HANDED.get(sha256)
    return found if found and task_class(found.kind).sha256 == sha256 else None


def source_of(kind: type[AnyTask]) -> TaskFile | None:
    """The file or notebook that holds a task's class; None for one of a distribution."""
    return _file_of(kind) or next((one for one in reversed(_HANDED.values()) if one.kind is kind), None)


def _cells(kind: type) -> bytes:
    """The text of the cells that define a class and its methods, as far as it is kept."""
    classes = [one for one in kind.__mro__ if one.__module__ == kind.__module__]
    methods = [one for each in classes for one in vars(each).values() if inspect.isfunction(one)]
    texts = dict.fromkeys("".join(linecache.getlines(one.__code__.co_filename)) for one in methods)
    return "\0".join(texts).encode()


def split_name(name: str) -> tuple[str, str]:
    """(path, class or "") of PATH.py or PATH.py:Class."""
    path, colon, tail = name.partition(f"{ENDING}:")
    return (path + ENDING, tail) if colon else (name, "")


def _module(loader: TaskLoader, path: Path) -> ModuleType:
    name = loader.name
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_loader(name, loader, origin=str(path))
    assert spec is not None  # a loader was given
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    _refuse_imports(loader, path)
    sys.modules[name] = module  # dataclasses and type hints look there
    try:
        loader.exec_module(module)
    except BaseException as error:  # a user's code: anything may come out, SystemExit too
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _broken(error, path) from error
    return module


def _refuse_imports(loader: TaskLoader, path: Path) -> None:
    """Raise PluginError for a file that imports a module of the user's own, in a function too."""
    try:
        found = [*imports(loader.get_code(""))]
    except (SyntaxError, ValueError):
        return  # told with its line when the file is imported
    for name, line in found:
        if not_installed(name, path.parent):
            raise PluginError.of("task-files.imports", path=path, line=line, name=name)


def _broken(error: BaseException, path: Path) -> PluginError:
    """What happened while the file was imported, with its line."""
    line = f", line {found}" if (found := _line(error, path)) else ""
    said = error.what if isinstance(error, SuiteError) else getattr(error, "msg", None) or str(error)
    what = f"{path.name}{line}: {type(error).__name__}: {said}".rstrip(": ")
    return PluginError(what, where=str(path), fix="correct the file")


def _line(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    steps = [
        line
        for one in causes(error)
        for frame, line in traceback.walk_tb(one.__traceback__)
        if frame.f_code.co_filename == str(path)
    ]
    return steps[-1] if steps else None


def _chosen(module: ModuleType, path: Path, name: str) -> type[AnyTask]:
    """The task class of that name; without one, the only whole task of those that the file defines."""
    known = [one for one in vars(module).values() if isinstance(one, type)]
    found = {one.__name__: one for one in known if one.__module__ == module.__name__}
    tasks = {key: one for key, one in found.items() if issubclass(one, Task)}
    if name:
        if name not in found:
            imported = f"{name} is imported there; " if isinstance(getattr(module, name, None), type) else ""
            fix = f"{imported}{unknown('task', name, tasks).fix}"
            raise NotFound(f"{path.name} defines no class {name!r}", str(path), fix)
        if name not in tasks:
            raise PluginError(f"{path.name}: class {name} is no task", str(path), f"name {_SHORTEST}")
        return _whole(tasks[name], path)
    if not tasks:
        alike = [key for key, one in found.items() if hasattr(one, "solve") and hasattr(one, "score")]
        hint = f"let {alike[0]} derive from suite.Task" if alike else f"write {_SHORTEST}"
        raise PluginError(f"{path.name} defines no task", where=str(path), fix=hint)
    whole = {key: one for key, one in tasks.items() if not inspect.isabstract(one)} or tasks
    if len(whole) > 1:
        about = {"count": len(whole), "tasks": ", ".join(whole), "first": next(iter(whole))}
        raise PluginError.of("task-files.several", path=path, **about)
    return _whole(next(iter(whole.values())), path)


def _whole(kind: type[AnyTask], path: Path) -> type[AnyTask]:
    """The class, if it has all that a task needs. Raises PluginError."""
    what, where = f"{path.name}: class {kind.__name__}", str(path)
    if missing := [name for name in ("samples", "solve", "score") if name in kind.__abstractmethods__]:
        said = f"lacks the method{'s' if missing[1:] else ''} {' and '.join(missing)}"
        raise PluginError(f"{what} {said}", where, f"a task has samples, solve and score: write {_SHORTEST}")
    info = getattr(kind, "info", None)
    if not isinstance(info, TaskInfo):
        said = "has no `info`" if info is None else f"has an `info` that is a {type(info).__name__}"
        raise PluginError(f"{what} {said}", where, "give it info = suite.TaskInfo(name=…, version=1, …)")
    if problem := "; ".join(info_problems(kind)):
        raise PluginError(f"{what}: {problem}", where, "correct the class")
    return kind


def info_problems(kind: Any) -> Iterator[str]:  # nobody has checked its types
    """What is wrong with what a class says of itself, as far as a run would stumble over it."""
    info = kind.info
    if not (isinstance(info.name, str) and isinstance(info.title, str)):
        yield "name and title of `info` are texts"
    elif said := Entry("task", info.name, info.title, "file:Task").problem():
        yield said
    if type(info.version) is not int or info.version < 1:
        yield f"version {info.version!r} of `info` is not a whole number from 1"
    if not isinstance(info.rows, Mapping):
        yield f"rows of `info` are {info.rows!r}, not a mapping such as {{'rows': 'FILE.jsonl'}}"
    elif odd := [one for one in info.rows.values() if not isinstance(one, str | HubRows)]:
        yield f"rows of `info` are in {odd[0]!r:.60}, neither a path as a text nor suite.HubRows"
    if not isinstance(kind.metrics, list | tuple):
        yield f"metrics are {kind.metrics!r:.60}, not a tuple such as (suite.Rate('right'),)"
