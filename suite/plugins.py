"""Finds plugins, reads their entries, loads a target on first use.

One plugin at a time is loaded and called, so a broken one is named with its error and harms nothing
else. Two plugins that claim one name is an error that names both distributions.
"""

import importlib
import importlib.util
import tomllib
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import pluggy

from suite.errors import NotFound, PluginError, SuiteError, unknown, worded
from suite.hookspecs import CONTRACT, FILE_MODULE, Entry, Hooks, Kind

if TYPE_CHECKING:
    from suite.task_files import TaskFile

GROUP = "suite"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin: its entry-point name, distribution and what it announced or how it failed."""

    name: str
    distribution: str
    version: str
    entries: tuple[Entry, ...] = ()
    error: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All entries of all plugins, by kind and name, and tasks of files by what names them.

    files: an error stands for a file that is not to be had, and is raised for whoever asks for its task.
    """

    plugins: tuple[Plugin, ...]
    files: Mapping[str, "TaskFile | SuiteError"] = field(default_factory=dict)

    def with_files(self, names: Iterable[str]) -> "Catalogue":
        """This catalogue and the tasks of those names that are files: `./units.py`, `./units.py:Units`.

        Raises NotFound or PluginError. Only for what a person names: it runs the files.
        """
        from suite.task_files import is_task_file, task_file

        return self.with_tasks({name: task_file(name) for name in names if is_task_file(name)})

    def with_classes(self, kinds: Iterable[type]) -> "Catalogue":
        """This catalogue and task classes that somebody hands over; an installed one is known already.

        Raises PluginError for a class that is no whole task.
        """
        from suite.task_files import task_class

        files = {}
        for kind in kinds:
            target = f"{kind.__module__}:{kind.__qualname__}"
            if not any(entry.target == target for entry, _ in self.entries("task")):
                found = task_class(kind)
                files[found.entry.name] = found
        return self.with_tasks(files)

    def with_tasks(self, files: Mapping[str, "TaskFile | SuiteError"]) -> "Catalogue":
        """This catalogue with tasks of files, before installed ones of these names."""
        return replace(self, files={**self.files, **files}) if files else self

    def entries(self, kind: str) -> list[tuple[Entry, Plugin]]:
        """Every entry of a kind with its plugin, by name; entries of another contract version too."""
        found = [(one, plugin) for plugin in self.plugins for one in plugin.entries if one.kind == kind]
        return sorted(found, key=lambda pair: (pair[0].name, pair[1].name))

    def names(self, kind: str) -> list[str]:
        """All names of a kind, without aliases."""
        return [entry.name for entry, _ in self.entries(kind)]

    def find(self, kind: str, name: str) -> tuple[Entry, Plugin]:
        """The entry of a kind that answers to a name; a family with one task answers to its family name.

        Raises NotFound, or PluginError if two plugins claim the name or the contract differs.
        """
        if kind == "task" and (file := self.files.get(name)):
            if isinstance(file, SuiteError):
                raise file
            return file.entry, Plugin(file.path.name, file.path.name, file.sha256[:8], (file.entry,))
        entries = self.entries(kind)
        owners = [pair for pair in entries for one in (pair[0].name, *pair[0].aliases) if one == name]
        if not owners and kind == "task":
            family = self.family(name)
            if len(family) > 1:
                names = ", ".join(entry.name for entry in family)
                raise NotFound.of("plugins.family", name=name, count=len(family), names=names)
            owners = [pair for pair in entries if pair[0] in family]
        if not owners:
            if kind == "task" and name.partition(":")[0].endswith(".py"):
                raise NotFound.of("plugins.file", name=name)
            if kind == "task" and Path(f"{name}.py").is_file():
                raise NotFound(f"no task named {name!r}", fix=f"a file is named with its ending: {name}.py")
            if kind == "task" and (name.startswith(".") or Path(name).is_file()):
                raise NotFound(f"{name!r} is no task", fix="give a task's name, or a file that ends in .py")
            raise self._unknown(kind, name)
        if len(owners) > 1:
            claimed = sorted({plugin.distribution or plugin.name for _, plugin in owners})
            if len(claimed) == 1:
                raise PluginError.of("plugins.twice", kind=kind, name=name, owner=claimed[0])
            raise PluginError.of("plugins.claimed", kind=kind, name=name, owners=" and ".join(claimed))
        entry, plugin = owners[0]
        if entry.contract != CONTRACT:
            raise PluginError(contract_note(entry, plugin))
        return entry, plugin

    def _unknown(self, kind: str, name: str) -> NotFound:
        if broken := [plugin.name for plugin in self.plugins if plugin.error]:
            where = f"plugins that failed to load: {', '.join(broken)} (see `suite plugin list`)"
        elif apart := _APART.get(f"{kind} {name}", _APART.get(name, _APART.get(name.partition("/")[0]))):
            return NotFound(f"no {kind} named {name!r}", fix=f"pip install {apart}")
        else:
            where = ""
        entries = [entry for entry, _ in self.entries(kind)]
        spellings = {one for entry in entries for one in (*entry.aliases, entry.family)}
        return unknown(kind, name, self.names(kind), where, spellings)

    def family(self, name: str) -> list[Entry]:
        """The tasks of a family, stages too, by name. A family may go by the aliases of its tasks."""
        entries = [entry for entry, _ in self.entries("task")]
        named = [one for one in entries if one.family == name]
        return named or [one for one in entries if any(also.startswith(f"{name}/") for also in one.aliases)]

    def tasks(self, name: str) -> list[str]:
        """The tasks that a name asks for: the one task of that name, else the benchmarks of that family.

        Raises NotFound (unknown, or a family of stages alone) and PluginError as `find` does.
        """
        if name in self.files:
            return [name]
        entries = self.family(name)
        if len(entries) < 2 or any(name in (one.name, *one.aliases) for one, _ in self.entries("task")):
            return [self.find("task", name)[0].name]
        if benchmarks := [one.name for one in entries if not one.stage]:
            return benchmarks
        names = ", ".join(one.name for one in entries)
        raise NotFound.of("plugins.stages", name=name, names=names)

    def load(self, kind: str, name: str) -> Any:
        """The object behind a name, imported now. Raises NotFound, or PluginError if the import fails."""
        entry, plugin = self.find(kind, name)
        if kind == "task" and (file := self.files.get(name)) and not isinstance(file, SuiteError):
            return file.kind
        module, _, attribute = entry.target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # third-party code: anything may come out, SystemExit too
            owner = f"{kind} {name!r} of {plugin.distribution or plugin.name}"
            said = f"{type(error).__name__}: {error}"
            raise PluginError.of("plugins.not-loaded", owner=owner, entry=entry, said=said) from error
        return found

    def registry_folders(self) -> list[Path]:
        """Registry folders that plugins bring, without importing the plugins."""
        folders: list[Path] = []
        for entry, _ in self.entries("registry"):
            module, _, folder = entry.target.partition(":")
            folders += [base / folder for base in package_folders(module)]
        return folders


def package_folders(name: str) -> list[Path]:
    """Where a package lies, without importing it; [] where there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # its parent is imported; `suite plugin list` names what is wrong
        return []
    return [Path(one) for one in (spec.submodule_search_locations or ())] if spec else []


def contract_note(entry: Entry, plugin: Plugin) -> str:
    """The sentence that explains a contract mismatch."""
    who = plugin.distribution or plugin.name
    if entry.contract > CONTRACT:
        advice = f"update suite-eval (pip install -U suite-eval), or install an earlier {who}"
    else:
        advice = f"update {who} (pip install -U {who}), or ask its author to build it for {CONTRACT}"
    return worded("plugins.contract", entry=entry, who=who, contract=CONTRACT, advice=advice)


def _read(point: EntryPoint) -> Plugin:
    distribution, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    manager = pluggy.PluginManager("suite")
    manager.add_hookspecs(Hooks)
    try:
        manager.register(module := point.load(), name=point.name)
        if not manager.get_hookcallers(module):
            raise PluginError.of("plugins.unmarked", module=point.value)
        told = [
            (entry, entry.problem() if isinstance(entry, Entry) else f"{entry!r} is not a suite.Entry")
            for result in manager.hook.suite_register()
            for entry in result
        ]
    except ImportError as error:
        steps = own_lines(traceback.walk_tb(error.__traceback__), point.module.partition(".")[0])
        what = f"{type(error).__name__}: {error} (in {steps[-1] if steps else point.module})"
        return Plugin(point.name, distribution, version, error=what)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # third-party code: anything may come out, SystemExit too
        return Plugin(point.name, distribution, version, error=f"{type(error).__name__}: {error}")
    good = tuple(entry for entry, problem in told if not problem)
    return Plugin(point.name, distribution, version, good, problems=tuple(one for _, one in told if one))


def own_lines(frames: Iterable[tuple[FrameType, int]], package: str) -> list[str]:
    """Those of the frames, with their lines, that run code of a package: "module, line 3"."""
    own = ((frame, line) for frame, line in frames if _module(frame).partition(".")[0] == package)
    return [f"{shown_module(frame)}, line {line}" for frame, line in own]


def place_in(task: type, error: BaseException, method: str = "") -> str:
    """Where an error came from: the last step in the task's own package, since its author looks there first.
    method: of the task, whose result the error is about where no step is the task's own.

    Modules are named, not files: what is journaled must not tell where things lie on this machine.
    """
    steps = list(traceback.walk_tb(error.__traceback__))
    package = task.__module__.partition(".")[0]
    own = [one for one in steps if _module(one[0]).partition(".")[0] == package]
    code = getattr(getattr(task, method, None), "__code__", None)
    if code is not None and not own:
        file = Path(code.co_filename).name if task.__module__.startswith(FILE_MODULE) else task.__module__
        return f"{file}, line {code.co_firstlineno}, in {method}"
    frame, line = (own or steps)[-1]
    return f"{shown_module(frame)}, line {line}, in {frame.f_code.co_name}"


def failed(task: type, what: str, error: Exception) -> PluginError:
    """That code of a task (outside of its samples) or of an exporter fails, with the place."""
    told = f"{what} fails with {type(error).__name__}: {error} ({place_in(task, error)})"
    return PluginError(told, fix="correct it, or report this to its author")


def shown_module(frame: FrameType) -> str:
    """The module whose code a frame runs, as people know it: of the file of a task, the file's name."""
    name = _module(frame)
    return Path(frame.f_code.co_filename).name if name.startswith(FILE_MODULE) else name


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def catalogue_of(points: Iterable[EntryPoint], builtin: Iterable[Entry] = ()) -> Catalogue:
    """The catalogue of given entry points, loaded one by one in name order, plus the suite's own entries."""
    own = tuple(builtin)
    plugins = [_read(point) for point in sorted(points, key=lambda point: (point.name, point.value))]
    if own:
        plugins.insert(0, Plugin("suite", "suite-eval", "", own))
    return Catalogue(tuple(plugins))


_OWN = tomllib.loads((files("suite") / "builtin.toml").read_text("utf-8"))
_APART: dict[str, str] = _OWN.pop("apart")  # what another distribution of ours brings
BUILTIN: tuple[Entry, ...] = tuple(
    Entry(cast(Kind, kind), name, *told) for kind, each in _OWN.items() for name, told in each.items()
)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue of everything installed."""
    return catalogue_of(entry_points(group=GROUP), BUILTIN)
