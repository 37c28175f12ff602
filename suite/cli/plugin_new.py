"""suite plugin new: a distribution with one small benchmark that works at once."""

from pathlib import Path

import click

# file of the template -> where it goes
_FILES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "__init__.py.txt": "$package/__init__.py",
    "plugin.py.txt": "$package/plugin.py",
    "task.py.txt": "$package/task.py",
    "questions.json.txt": "$package/mini/questions.json",
    "dataset.yaml.txt": "$package/registry/datasets/$name-questions.yaml",
    "schema.json.txt": "$package/registry/schemas/$name-questions.json",
    "test_task.py.txt": "tests/test_task.py",
}


@click.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write it (default: suite-NAME).",
)
def new(name: str, folder: Path | None) -> None:
    """Write a plugin with one small benchmark that installs, runs and passes its tests at once.

    NAME is the benchmark's name: lower-case letters, digits and hyphens.

    \b
    Example:
      suite plugin new units
    """
    package = package_of(name)
    folder = folder or Path(f"suite-{name}")
    written = write(name, package, folder)
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"next: cd {folder} && pip install -e . pytest && pytest && suite plugin check {name}")
    click.echo(f"then: suite eval --task {name} --mini --model embedded/smollm2-135m")


def package_of(name: str) -> str:
    """The import package of a plugin. Raises ConfigError for a bad name or one that is taken."""
    import re

    from suite.errors import ConfigError, NotFound, PluginError
    from suite.plugins import catalogue

    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ConfigError(
            f"{name!r} is no name for a benchmark",
            fix="use lower-case letters, digits and single hyphens, beginning with a letter: my-benchmark",
        )
    taken = ConfigError(f"an installed plugin has a task {name!r} already", fix="choose another name")
    try:
        catalogue().find("task", name)
    except NotFound:
        families = {entry.name.partition("/")[0] for entry, _ in catalogue().entries("task")}
        if name in families:
            raise taken from None
        return f"suite_{name.replace('-', '_')}"
    except PluginError as error:
        raise taken from error
    raise taken


def write(name: str, package: str, folder: Path) -> list[Path]:
    """Write all files. Raises ConfigError if the folder holds anything already."""
    from importlib.resources import files
    from string import Template

    from suite.errors import ConfigError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already and not empty", fix="name another with --dir")
    source = files("suite.testing") / "template"
    fields = {"name": name, "package": package}
    written = []
    for file, place in _FILES.items():
        path = folder / Template(place).substitute(fields)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template((source / file).read_text("utf-8")).substitute(fields), "utf-8")
        written.append(path)
    (folder / package / "py.typed").write_text("", "utf-8")
    return [*written, folder / package / "py.typed"]
