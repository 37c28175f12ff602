"""What a task's class reaches: the functions, constants, classes and modules of the user's own, hashed.

A class of a notebook or script is known by this, so that a changed helper of another cell is another task.
What is installed, and Python's own, counts by name alone. Not seen: modules that code imports by a name it
computes.
"""

import copyreg
import dis
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from types import GetSetDescriptorType as GetSet
from typing import Any

from suite.errors import PluginError

_INSTALLED = {"site-packages", "dist-packages"}
_TELLING = ("__orig_bases__", "__pydantic_fields__", "__private_attributes__", "__struct_defaults__")


def reached_sha256(kind: type, source: bytes) -> str:
    """Hash of a class and its source with all that it reaches. Raises PluginError for what has no hash."""
    reached = _Reached(kind.__name__, hashlib.sha256(source + f"\0{kind.__qualname__}".encode()))
    reached.add(kind)
    return str(reached.digest.hexdigest())


def imports(code: CodeType) -> Iterator[tuple[str, int]]:
    """(name of a top-level module, line) of each import in code, in its functions too."""
    for one in dis.get_instructions(code):
        if one.opname == "IMPORT_NAME" and one.argval:
            yield one.argval.partition(".")[0], (one.positions and one.positions.lineno) or 0
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from imports(inner)


def not_installed(top: str, beside: Path) -> bool:
    """Whether a module is one that no distribution holds: it lies beside a file, or where PYTHONPATH says."""
    file = (beside / f"{top}.py").is_file()
    if not _own(top):
        return False
    sites = [Path(one) for one in sys.path if _INSTALLED & {*Path(one).parts}]
    lists = [one.read_text("utf-8", "replace") for site in sites for one in site.glob("*.pth")]
    editable = {line.strip() for one in lists for line in one.splitlines()}
    found = PathFinder.find_spec(top, [one for one in sys.path if one not in editable])
    return file or found is not None


def _own(top: str) -> bool:
    """Whether a top-level module is the user's: neither Python's nor lying where packages are installed."""
    if top in ("suite", *sys.stdlib_module_names):
        return False
    return not any(_INSTALLED & {*place.parts} for place in _places(top))


def _places(top: str) -> list[Path]:
    """The file of a top-level module, or the folders of a package; none of what is not to be found."""
    try:
        spec: ModuleSpec | None = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # ValueError: of a module without a spec, as of a notebook
        spec = None
    if spec is None:
        return []
    return [Path(one) for one in spec.submodule_search_locations or [spec.origin or ""] if one]


class _Reached:
    """A digest of what is walked, in an order that the source alone decides."""

    def __init__(self, name: str, digest: Any) -> None:
        self.name = name
        self.digest = digest
        self._seen: dict[int, tuple[int, object]] = {}  # by id: what comes again, and keeps its id meanwhile
        self._files: set[str] = set()

    def add(self, value: object) -> None:
        """One value and all that it reaches."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self._told(f"{type(value).__name__} {value!r}")
        elif isinstance(value, tuple | list):
            self._all(type(value).__name__, value)
        elif isinstance(value, dict):
            self._all("dict", (one for pair in value.items() for one in pair))
        elif isinstance(value, set | frozenset):
            self._all("set", sorted(value, key=repr))
        elif isinstance(value, CodeType):
            self._code(value)
        elif id(value) in self._seen:
            self._told(f"again {self._seen[id(value)][0]}")
        else:
            self._seen[id(value)] = len(self._seen), value
            self._object(value)

    def _told(self, text: str) -> None:
        self.digest.update(f"{len(text)} {text}".encode("utf-8", "surrogatepass"))

    def _all(self, name: str, values: Iterable[object]) -> None:
        self._told(f"{name} (")
        for one in values:
            self.add(one)
        self._told(")")

    def _object(self, value: Any) -> None:
        kind = type(value).__name__
        if isinstance(value, ModuleType):
            self._module(value.__name__.partition(".")[0])
        elif isinstance(value, type | FunctionType) and not _own((value.__module__ or "").partition(".")[0]):
            self._told(f"{value.__module__}:{value.__qualname__}")
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, staticmethod | classmethod | MethodType):
            self._all(kind, [getattr(value, "__self__", None), value.__func__])
        elif isinstance(value, property):
            self._all("property", [value.fget, value.fset, value.fdel])
        elif isinstance(value, cached_property):
            self._all("cached_property", [value.func])
        elif hasattr(value, "__wrapped__"):  # of functools.lru_cache
            self._all(kind, [value.__wrapped__])
        else:
            self._reduced(value)

    def _module(self, top: str) -> None:
        """The files of a module of the user's own, and of those that they import."""
        self._told(f"module {top}")
        if top in self._files or not _own(top):
            return
        self._files.add(top)
        for place in _places(top):
            for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                self._told(f"file {file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}")
                for other, _ in imports(compile(file.read_bytes(), str(file), "exec", dont_inherit=True)):
                    self._module(other)

    def _class(self, kind: type) -> None:
        self._told(f"class {kind.__qualname__}")
        self._all("bases", kind.__bases__)
        self._all("types", [inspect.get_annotations(kind)])
        for name, one in sorted(vars(kind).items()):
            hidden = name.startswith("__") and name not in _TELLING and not isinstance(one, FunctionType)
            if not hidden and name != "_abc_impl" and not isinstance(one, MemberDescriptorType | GetSet):
                self._all(name, [one])

    def _function(self, function: FunctionType) -> None:
        self._all(function.__qualname__, [function.__defaults__, function.__kwdefaults__, vars(function)])
        cells = function.__closure__ or ()
        self._all("closure", (one.cell_contents for one in cells if _filled(one)))
        self._code(function.__code__)
        for name in sorted({*_globals(function.__code__)} & {*function.__globals__}):
            self._all(name, [function.__globals__[name]])
        if tops := {top for top, _ in imports(function.__code__)}:
            package = str(function.__globals__.get("__package__") or "").partition(".")[0]
            for top in sorted(tops | {package} - {""}):
                self._module(top)

    def _code(self, code: CodeType) -> None:
        self._told(code.co_name)
        self._all("code", [code.co_code, code.co_exceptiontable, code.co_names, code.co_varnames])
        self._all("of", [code.co_argcount, code.co_kwonlyargcount, code.co_flags, code.co_consts])

    def _reduced(self, value: Any) -> None:
        """Anything else, as copying takes it apart."""
        if isinstance(value, BuiltinFunctionType) and isinstance(value.__self__, ModuleType | None):
            self._told(f"{value.__module__}:{value.__qualname__}")
            return
        try:
            registered = copyreg.dispatch_table.get(type(value))
            made = registered(value) if registered else value.__reduce_ex__(4)
            parts = [list(one) if isinstance(one, Iterator) else one for one in made]
        except Exception as error:  # locks, clients, open files: anything may come out
            raise PluginError.of("reached.unknown", name=self.name, kind=type(value), error=error) from error
        self._all(type(value).__qualname__, parts)


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name of the enclosing function that is not set yet
        return False


def _globals(code: CodeType) -> Iterator[str]:
    """Names that code reads from its module."""
    for one in dis.get_instructions(code):
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(one.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals(inner)
