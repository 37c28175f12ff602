"""How samples get into a page: as elements of a page that is one file, or as scripts in a folder beside it.

Both carry the same bytes as base64, in which nothing can end an element. A page reads them with the viewer's
script, which is made of `static/*.js`.
"""

import base64
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from suite.errors import ConfigError
from suite.report.viewer.source import ViewSource

_SCRIPTS = (
    "elements", "numbers", "source", "entries", "blocks", "calls", "sample", "facets", "filters", "list",
    "search", "difference", "sides", "pair", "browse", "viewer", "start",
)  # fmt: skip


def inline(name: str, source: ViewSource) -> Iterator[Markup]:
    """Elements that hold the samples. name: of the source, [a-z0-9-]+; raises ConfigError for another."""
    opening = f'<script type="text/plain" data-source="{_checked(name)}" class='
    for number, part in enumerate(source.parts()):
        yield Markup(f'{opening}"suite-part" data-part="{number}">{_text(part)}</script>\n')
    yield Markup(f'{opening}"suite-index">{_text(source.index())}</script>\n')


def script_files(name: str, source: ViewSource) -> Iterator[tuple[str, bytes]]:
    """(path, content) of scripts that hold the samples, the index last. name: as with `inline`."""
    name = _checked(name)
    for number, part in enumerate(source.parts()):
        yield f"{name}/part-{number}.js", f'suitePart("{name}", {number}, "{_text(part)}")\n'.encode()
    yield f"{name}/index.js", f'suiteIndex("{name}", "{_text(source.index())}")\n'.encode()


def _checked(name: str) -> str:
    if re.fullmatch("[a-z0-9-]+", name):
        return name
    raise ConfigError(f"{name!r} names no source of a viewer", fix="write it with a to z, 0 to 9 and -")


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _static(name: str) -> str:
    return (files("suite.report.viewer") / "static" / name).read_text("utf-8")


@cache
def viewer_script(names: tuple[str, ...] = _SCRIPTS, own: str = "") -> str:
    """The viewer's script: its files in order, in one function. own: another page's, after those it needs."""
    return "(() => {\n" + "\n".join([*(_static(f"{name}.js") for name in names), own]) + "})();\n"


@cache
def viewer_style() -> str:
    """The viewer's style."""
    return _static("viewer.css")
