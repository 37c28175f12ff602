"""What `suite plugin new` writes: a distribution with a small benchmark, or with a task that was a file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path, PurePosixPath
from string import Template

from suite.errors import ConfigError, DataError, NotFound, PluginError
from suite.files import unsafe
from suite.plugins import catalogue

_TEMPLATES = Path(str(files("suite.testing")))
_EXAMPLE = "does an answer keep to the units its user thinks in?"
_COMMON = ("pyproject.toml.txt", "$package/__init__.py.txt", "$package/py.typed.txt")


@dataclass(frozen=True)
class Distribution:
    """What will be written. templates: by path, their fields and those in paths yet to be filled.
    copies: bytes by path, in the package."""

    name: str
    task: str
    templates: Mapping[str, Path]
    fields: Mapping[str, str]
    copies: Mapping[str, bytes] = field(default_factory=dict)


def of_template(name: str | None) -> Distribution:
    """The small benchmark. Raises ConfigError for a bad name or one that is taken."""
    if not name:
        raise ConfigError("a new plugin needs a name", fix="suite plugin new NAME, or --from FILE.py")
    fields = {"name": name, "package": package_of(name), "description": _described(_EXAMPLE)}
    free(name)
    return Distribution(name, name, _below(_TEMPLATES / "template"), fields)


def of_file(file: str, name: str | None) -> Distribution:
    """The task of a file, PATH.py or PATH.py:Class, with the files of its rows.

    Raises ConfigError for a bad name, one that is taken, or rows that lie elsewhere; DataError for rows that
    are not there; NotFound and PluginError as `task_file` does.
    """
    from suite.task_files import task_file

    found = task_file(file)
    info = found.kind.info
    name = name or info.name.replace("/", "-")
    package = package_of(name)
    for one in (name, info.name):
        free(one)
    fields = {
        "name": name,
        "package": package,
        "task": info.name,
        "kind": found.kind.__name__,
        "title": json.dumps(info.title, ensure_ascii=False),
        "description": _described(info.title),
    }
    copies = {"task.py": found.path.read_bytes()}
    for dataset, place in info.rows.items():
        if not isinstance(place, str):
            continue  # on the Hub
        if why := unsafe(place):
            raise ConfigError(
                f"{found.path.name}: the rows {dataset!r} cannot go with it: {why}",
                where=place,
                fix="put the file of rows beside the task's",
            )
        if not (rows := found.path.parent / place).is_file():
            raise DataError(f"{found.path.name}: dataset {dataset!r}: no file {rows.name}", where=str(rows))
        copies[PurePosixPath(place).as_posix()] = rows.read_bytes()
    common = {path: _TEMPLATES / "template" / path for path in _COMMON}
    return Distribution(name, info.name, {**common, **_below(_TEMPLATES / "template_from")}, fields, copies)


def package_of(name: str) -> str:
    """The import package of a plugin. Raises ConfigError for a bad name."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ConfigError(
            f"{name!r} is no name for a benchmark",
            fix="use lower-case letters, digits and single hyphens, beginning with a letter: my-benchmark",
        )
    return f"suite_{name.replace('-', '_')}"


def free(task: str) -> None:
    """Raises ConfigError if an installed task or family has that name."""
    taken = ConfigError(f"an installed plugin has a task {task!r} already", fix="choose another name")
    try:
        catalogue().find("task", task)
    except NotFound:
        if not catalogue().family(task):
            return
        raise taken from None
    except PluginError as error:
        raise taken from error
    raise taken


def write(made: Distribution, folder: Path) -> Iterator[Path]:
    """Write all files, each as it is asked for. Raises ConfigError if the folder holds anything already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already and not empty", fix="name another with --output")
    contents = {
        Template(path).substitute(made.fields).removesuffix(".txt"): Template(file.read_text("utf-8"))
        .substitute(made.fields)
        .encode()
        for path, file in made.templates.items()
    }
    contents |= {f"{made.fields['package']}/{path}": data for path, data in made.copies.items()}
    for name, data in sorted(contents.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield path


def _below(folder: Path) -> dict[str, Path]:
    """The templates of a folder; each stands where it goes, under a name with its fields."""
    return {file.relative_to(folder).as_posix(): file for file in folder.rglob("*.txt")}


def _described(what: str) -> str:
    return json.dumps(f"A benchmark for suite: {what}", ensure_ascii=False)
