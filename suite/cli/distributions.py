"""What `suite plugin new` writes: a distribution with a small benchmark, or with a task that was a file."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath
from string import Template
from typing import NamedTuple

from suite.errors import ConfigError, DataError
from suite.files import unsafe
from suite.plugins import catalogue

_TEMPLATES = Path(str(files("suite.testing")))
_MODEL, _EMBEDDER = "embedded/smollm2-135m", "embedded/minilm-l6-v2"
_COMMON = ("pyproject.toml.txt", "$package/__init__.py.txt", "$package/py.typed.txt")


class Distribution(NamedTuple):
    """A benchmark's name, its task's, flags that fill its roles (models), and bytes by path (contents)."""

    name: str
    task: str
    models: str
    contents: Mapping[str, bytes]


def of_template(name: str | None) -> Distribution:
    """The small benchmark. Raises ConfigError for a bad name or one that is taken."""
    if not name:
        raise ConfigError("a new plugin needs a name", fix="suite plugin new NAME, or --from FILE.py")
    package = package_of(name)
    free(name)
    folder = _TEMPLATES / "template"
    title = "does an answer keep to the units its user thinks in?"
    contents = _filled(folder, _below(folder), name=name, package=package, title=title)
    return Distribution(name, name, f"--mini --model {_MODEL}", contents)


def of_file(file: str, name: str | None) -> Distribution:
    """The task of a file, PATH.py or PATH.py:Class, with the files of its rows.

    Raises ConfigError for a bad name, one that is taken, or rows that lie elsewhere; DataError for rows that
    are not there; NotFound and PluginError as `task_file` does.
    """
    from suite.run.role_members import flag_of
    from suite.task_files import task_file

    found = task_file(file)
    info = found.kind.info
    name = name or info.name.replace("/", "-")
    package = package_of(name)
    for one in (name, info.name):
        free(one)
    fields = {"name": name, "package": package, "title": info.title}
    needed = (role for role, one in info.roles.items() if not one.optional)
    flags = (flag_of(role, _EMBEDDER if role == "embedder" else _MODEL) for role in needed)
    models = " ".join(word for words in flags for word in words)
    fields |= {"task": info.name, "kind": found.kind.__name__, "models": models}
    own = _TEMPLATES / "template_from"
    contents = _filled(_TEMPLATES / "template", _COMMON, **fields) | _filled(own, _below(own), **fields)
    contents[f"{package}/task.py"] = found.path.read_bytes()
    for dataset, place in info.rows.items():
        if not isinstance(place, str):
            continue  # on the Hub
        if why := unsafe(place):
            about = {"path": found.path, "dataset": dataset, "why": why, "place": place}
            raise ConfigError.of("cli.plugin.rows", **about)
        if not (rows := found.path.parent / place).is_file():
            raise DataError(f"{found.path.name}: dataset {dataset!r}: no file {rows.name}", where=str(rows))
        contents[f"{package}/{PurePosixPath(place)}"] = rows.read_bytes()
    return Distribution(name, info.name, models, contents)


def package_of(name: str) -> str:
    """The import package of a plugin. Raises ConfigError for a bad name."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ConfigError.of("cli.plugin.name", name=name)
    return f"suite_{name.replace('-', '_')}"


def free(task: str) -> None:
    """Raises ConfigError if an installed task or family has that name."""
    known = catalogue()
    names = {one for entry, _ in known.entries("task") for one in (entry.name, *entry.aliases)}
    if task in names or known.family(task):
        raise ConfigError(f"an installed plugin has a task {task!r} already", fix="choose another name")


def write(made: Distribution, folder: Path) -> Iterator[Path]:
    """Write all files, each as it is asked for. Raises ConfigError if the folder holds anything already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already and not empty", fix="name another with --output")
    for name, data in sorted(made.contents.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield path


def _below(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*.txt")]


def _filled(folder: Path, paths: Sequence[str], **fields: str) -> dict[str, bytes]:
    """Templates with their fields; each stands where it goes, under a name with fields. quoted: the title."""
    fields["quoted"] = json.dumps(fields["title"], ensure_ascii=False)
    texts = {path: Template((folder / path).read_text("utf-8")).substitute(fields) for path in paths}
    return {
        Template(path).substitute(fields).removesuffix(".txt"): text.encode() for path, text in texts.items()
    }
