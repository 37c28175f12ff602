"""How samples get into a page: as elements of a page that is one file, or as scripts in a folder beside it.

Both carry the same bytes as text in which nothing can end an element: scripts as base64, elements as seven
bits a character (`dense`), a seventh less. A page reads them with the viewer's script, made of `static/*.js`.
"""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from markupsafe import Markup, escape

from suite.errors import ConfigError, RunError
from suite.report.hostile_text import clean
from suite.report.viewer.source import ViewSource

OPENING = '<script type="text/plain" data-source="'  # begins an element of samples, and nothing else
# what HTML changes or ends an element at, what rows or terminals end or obey; `source.js` has the same
AWKWARD = "\0\5\a\b\n\v\f\r\x0e\x0f\x1a\x1b<\x7f"
_AWKWARD = re.compile(f"[{AWKWARD}].?", re.DOTALL)
_TOGETHER = {one: chr(0x800 + place) for place, one in enumerate(AWKWARD)}
_TOGETHER |= {AWKWARD[at >> 7] + chr(at & 0x7F): chr(0x100 + at) for at in range(len(AWKWARD) << 7)}
_SCRIPTS = (
    "elements", "numbers", "source", "entries", "blocks", "calls", "sample", "facets", "filters", "list",
    "search", "difference", "sides", "pair", "browse", "viewer", "start",
)  # fmt: skip


def inline(name: str, source: ViewSource) -> Iterator[Markup]:
    """Elements that hold the samples. name: of the source, [a-z0-9-]+; raises ConfigError for another."""
    opening = f'{OPENING}{_checked(name)}" class='
    try:
        for number, part in enumerate(source.parts()):
            yield Markup(f'{opening}"suite-part" data-part="{number}">{dense(part)}</script>\n')
        yield Markup(f'{opening}"suite-index">{dense(source.index())}</script>\n')
    except RunError as error:  # the page says so in place of the samples
        yield Markup(f'{opening}"suite-index" data-trouble="{escape(clean(error.what))}"></script>\n')


def dense(body: bytes) -> str:
    """Bytes as text that stays what it is in HTML: in UTF-8 8/7 of their size.

    Seven bits are a character of ASCII; an awkward one and the next together are one of U+0100 to U+07FF,
    which has two bytes as well; an awkward one at the end is one from U+0800 on.
    """
    import numpy as np

    whole = np.frombuffer(body + bytes(-len(body) % 7), np.uint8).reshape(-1, 7)
    rows, shifts = np.pad(whole, ((0, 0), (1, 1))).astype(np.uint16), np.arange(8, dtype=np.uint16)
    sevens = (rows[:, :8] << 7 - shifts | rows[:, 1:] >> 1 + shifts) & 0x7F
    text = sevens.astype(np.uint8).tobytes()[: -(-8 * len(body) // 7)].decode("ascii")
    return _AWKWARD.sub(lambda found: _TOGETHER[found[0]], text)


def script_files(name: str, source: ViewSource) -> Iterator[tuple[str, bytes]]:
    """(path, content) of scripts that hold the samples, the index last. name: as with `inline`."""
    name = _checked(name)
    for number, part in enumerate(source.parts()):
        yield f"{name}/part-{number}.js", f'suitePart("{name}", {number}, "{_text(part)}")\n'.encode()
    yield f"{name}/index.js", f'suiteIndex("{name}", "{_text(source.index())}")\n'.encode()


def trouble_script(name: str, why: str) -> tuple[str, bytes]:
    """The script in place of those of `script_files` that says why there are none."""
    return f"{name}/index.js", f"suiteTrouble({json.dumps([_checked(name), clean(why)])})\n".encode()


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
